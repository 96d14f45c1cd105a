"""a unit's list from its upload to an outcome for each row, with intake's memory"""

import csv
import io
import subprocess
import time
from pathlib import Path

import feed
from bench_pipeline import Watcher, config, load, wait_enrolled  # noqa: F401
from harness import xlsx
from harness.api import Api

UNIT = "U370200099"
WAIT_S = 900
KEPT_UP = ("intake",)


def OPTIONS(parser):
    parser.add_argument("--rows", type=int, default=200_000, metavar="N")
    parser.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    parser.add_argument("--all", action="store_true",
                        help="with the other services at work on the applications meanwhile")


def roster_csv(stack, rows):
    program = Path(stack.config.build) / "bin" / "cardflow-load"
    keys = stack.info()["key_files"]
    return subprocess.run([program, "--what", "roster", "--count", str(rows),
                           "--reference-key-file", keys["reference"],
                           "--sealing-key-file", keys["sealing"]],
                          capture_output=True, check=True).stdout


def as_workbook(text):
    out = io.BytesIO()
    xlsx.write(out, csv.reader(io.StringIO(text.decode("utf-8"), newline="")))
    return out.getvalue()


def meta():
    return {"unit_code": UNIT, "bank_code": "B01", "outlet_code": "B01001", "kind": "first_issue",
            "unit_papers": {"unit_code": UNIT, "introduction_letter_no": "JS-2026-00099",
                            "agent": {"name": "张伟", "document_type": "resident_id",
                                      "document_number": "370202199003070011"},
                            "id_copies_held": True}}


def watch(api, roster_id, began, say):
    """Seconds until all rows were read, and until each has its outcome; and the counts."""
    read_s, shown = None, 0
    while time.monotonic() < began + WAIT_S:
        state = api.get(f"/v1/rosters/{roster_id}").json
        passed = time.monotonic() - began
        if read_s is None and state.get("records") is not None:
            read_s = passed
        if state.get("state") == "done":
            return read_s, passed, state
        if passed - shown > 5:
            shown = passed
            say(f"  {passed:.0f} s: {state}")
        time.sleep(0.2)
    raise RuntimeError(f"the roster is not done after {WAIT_S} s: {state}")


def run(stack, args, say):
    say(f"enrolling {args.rows} persons")
    load(stack, "enrol", "--count", args.rows)
    wait_enrolled(stack, args.rows)
    content = roster_csv(stack, args.rows)
    if args.format == "xlsx":
        content = as_workbook(content)
    if not args.all:
        for name, replicas in stack.services.items():
            for replica in replicas if name not in KEPT_UP else ():
                replica.stop()
    time.sleep(5)
    api = Api(stack.info()["http"]["intake"], stack.info()["api_keys"]["unit"], timeout=60)
    watcher = Watcher(stack)
    watcher.start()
    say(f"a list of {args.rows} rows, {len(content)} bytes")
    stack.service("intake").forget_peak_memory()
    began = time.monotonic()
    answer = feed.post_roster(api, meta(), f"list.{args.format}", content)
    if answer.status != 202:
        raise RuntimeError(f"upload: {answer}")
    taken_s = time.monotonic() - began
    read_s, done_s, state = watch(api, answer.json["roster_id"], began, say)
    began = time.monotonic()
    listing = api.get(f"/v1/rosters/{answer.json['roster_id']}/rows.csv")
    csv_s = time.monotonic() - began
    lines = listing.body.count(b"\n")
    watcher.done.set()
    return {"rows": args.rows, "format": args.format, "bytes": len(content),
            "answered_s": round(taken_s, 1), "read_s": round(read_s, 1),
            "done_s": round(done_s, 1), "accepted": state["accepted"],
            "refused": state["refused"], "rows_csv_s": round(csv_s, 1), "rows_csv_lines": lines,
            "peak_memory_mb": watcher.peak,
            # By the kernel, of the list alone.
            "intake_high_water_mb": round(
                stack.service("intake").memory_kb()["VmHWM"] / 1024, 1)}
