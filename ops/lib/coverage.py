"""Coverage by file, of what the unit tests and the fuzz corpus have run in build/cov: lines and
branches by gcov. Ends with 1 when a file is below its goal: lines of parsers 95 %, branches of
rules and common/pure 100 %; lines that tests/uncovered.txt names do not count. And when no place
that gives a reason code has run (proof_emitted.py).

With words, tells what is missing in the files whose path holds one of them: a sign a branch,
+ taken or - not; ## a line that never ran.
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import proof_emitted

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/cov"
EXCEPTIONS = ROOT / "tests/uncovered.txt"
LEAST_LINES = 95.0
# What reads bytes from outside.
PARSERS = """
common/io/http_parse.c common/io/http_conn.c common/io/http_request.c common/io/multipart.c
common/io/route.c common/io/json.c common/io/json_write.c common/io/conf.c common/io/redis_wire.c
common/io/pg_dsn.c common/io/api_keys.c common/io/seal.c common/io/seal_load.c
common/io/stage/journal.c common/io/stage/bundle.c common/io/stage/admit.c
common/pure/csv.c common/pure/jpeg.c common/pure/jpeg_scan.c common/pure/jpeg_many.c
common/pure/photo.c common/pure/idnum.c common/pure/names.c common/pure/cardnum.c
common/pure/phone.c common/pure/receipt.c common/pure/date.c common/pure/cell.c common/pure/fold.c
common/pure/str.c common/pure/keys.c common/pure/calendar.c common/pure/outlets.c
services/intake/roster_text.c services/intake/rules_roster.c
services/intake/codec.c services/intake/codec_own.c services/intake/codec_person.c
services/intake/codec_roster.c services/intake/api_applications.c services/intake/api_commands.c
services/intake/api_feeds.c services/intake/api_rosters.c services/intake/api.c
services/photo-fetch/codec.c services/photo-fetch/api.c services/photo-fetch/gateway.c
services/production/codec.c services/production/codec_internal.c services/production/api.c
services/production/api_papers.c services/production/api_results.c
services/notification/codec.c services/notification/sms.c
services/inquiry/codec.c services/inquiry/codec_doc.c services/inquiry/api.c
services/complaint-handling/codec.c services/complaint-handling/api.c
services/complaint-handling/ask.c
""".split()


def measured():
    """{file: {line: [times run, [times taken, of each branch]]}}, summed over all that has run."""
    files = {}
    for data in sorted(BUILD.rglob("*.gcda")):
        if "/common/" not in str(data) and "/services/" not in str(data):
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["gcov", "--json-format", "--branch-probabilities", str(data)],
                           cwd=folder, check=True, capture_output=True)
            for made in Path(folder).glob("*.gcov.json.gz"):
                add(files, json.loads(gzip.decompress(made.read_bytes())))
    return files


def add(files, report):
    for one in report["files"]:
        name = str(Path(report["current_working_directory"], one["file"]).resolve())
        if not name.startswith(f"{ROOT}/") or not name.endswith(".c"):
            continue
        lines = files.setdefault(name[len(f"{ROOT}/"):], {})
        for line in one["lines"]:
            seen = lines.setdefault(line["line_number"], [0, []])
            seen[0] += line["count"]
            taken = [branch["count"] for branch in line["branches"]]
            seen[1] = ([a + b for a, b in zip(seen[1], taken)]
                       if len(seen[1]) == len(taken) else seen[1] + taken)


def without_exceptions(files):
    """Takes the lines away that the list names; what it names in vain."""
    wrong = []
    for row in EXCEPTIONS.read_text("utf-8").splitlines():
        if not row or row.startswith("#"):
            continue
        name, text, reason = (part.strip() for part in re.split(r" \| ", row, maxsplit=2))
        source = (ROOT / name).read_text("utf-8").splitlines()
        at = [n for n, line in enumerate(source, 1) if line.strip() == text]
        if not at or not reason:
            wrong.append(f"{EXCEPTIONS.name}: {name} has no line `{text}`")
        for number in at:
            files.get(name, {}).pop(number, None)
    return wrong


def row(lines):
    """Lines run and branches taken, in percent."""
    run = sum(count > 0 for count, _ in lines.values())
    branches = [taken > 0 for _, each in lines.values() for taken in each]
    return (100 * run / max(1, len(lines)),
            100 * sum(branches) / len(branches) if branches else 100.0)


def is_rule(name):
    return name.startswith("common/pure/") or (
        name.startswith("services/") and Path(name).name.startswith("rules"))


def tell_missing(name, lines):
    source = (ROOT / name).read_text("utf-8").splitlines()
    print(f"\n{name}")
    for number, (count, branches) in sorted(lines.items()):
        signs = "".join("+" if taken else "-" for taken in branches)
        if not count or "-" in signs:
            never = "  " if count else "##"
            print(f"{number:5} {never} {signs:8} {source[number - 1].strip()}")


def main(words):
    files = measured()
    if not files:
        sys.exit("error: nothing has run in build/cov; `ops/test coverage` does it all")
    below = without_exceptions(files)
    rules = sorted(filter(is_rule, files))
    for title, names in (("parsers", PARSERS), ("rules and common/pure", rules)):
        print(f"\n{title:44} lines  branches")
        for name in names:
            lines, branches = row(files.get(name, {}))
            print(f"{name:44} {lines:5.1f}  {branches:5.1f}")
            if names is PARSERS and lines < LEAST_LINES:
                below.append(f"{name}: {lines:.1f} % of lines, not {LEAST_LINES:.0f}")
            if names is rules and branches < 100:
                below.append(f"{name}: {branches:.1f} % of branches, not all")
    below += proof_emitted.never_run(proof_emitted.emitted(), files)
    for name in sorted(files):
        if any(word in name for word in words):
            tell_missing(name, files[name])
    print("\n" + "\n".join(below or ["no file is below its goal"]))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
