"""Coverage by file, of what the unit tests and the fuzz corpus have run in build/cov: lines and
branches by gcov. Branches that only the compiler sees (those of assertions and asserts) count too.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/cov"
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
    """{file: {line: [executed, branches, taken]}}, summed over all that has run."""
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
            seen = lines.setdefault(line["line_number"], [False, 0, 0])
            seen[0] |= line["count"] > 0
            seen[1] = max(seen[1], len(line["branches"]))
            seen[2] = max(seen[2], sum(b["count"] > 0 for b in line["branches"]))


def row(name, lines):
    run = sum(line[0] for line in lines.values())
    branches = sum(line[1] for line in lines.values())
    taken = sum(line[2] for line in lines.values())
    return (name, 100 * run / max(1, len(lines)),
            100 * taken / branches if branches else 100.0)


def is_rule(name):
    return name.startswith("common/pure/") or (
        name.startswith("services/") and Path(name).name.startswith("rules"))


def main():
    files = measured()
    if not files:
        sys.exit("error: nothing has run in build/cov; `ops/test coverage` does it all")
    for title, names in (("parsers", PARSERS),
                         ("rules and common/pure", sorted(filter(is_rule, files)))):
        print(f"\n{title:44} lines  branches")
        for name in names:
            path, lines, branches = row(name, files.get(name, {}))
            print(f"{path:44} {lines:5.1f}  {branches:5.1f}")


if __name__ == "__main__":
    main()
