"""ops/bench: measures on a stack of its own, with release builds, beside a baseline.

Each measurement is a module ops/lib/bench_<name>.py with OPTIONS(parser), config() -> Config and
run(stack, args, say) -> dict.
"""

import argparse
import importlib
import importlib.util
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "ops" / "lib")]

from harness.program import ProgramError, interruptible  # noqa: E402
from harness.stack import Stack  # noqa: E402

NAMES = ("pipeline", "status", "ingest", "roster")


def say(text):
    print(text, file=sys.stderr, flush=True)


def main():
    modules = {name: importlib.import_module(f"bench_{name}") for name in NAMES
               if importlib.util.find_spec(f"bench_{name}")}
    parser = argparse.ArgumentParser(prog="ops/bench", description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / ".run" / "bench",
                        help="folder of the stack")
    commands = parser.add_subparsers(dest="name", required=True)
    for name, module in modules.items():
        command = commands.add_parser(name, help=module.__doc__)
        command.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
        module.OPTIONS(command)
    if not modules:
        parser.error("there is no measurement in this checkout (ops/lib/bench_<name>.py)")
    args = parser.parse_args()
    module = modules[args.name]
    interruptible()
    stack = Stack(args.run, module.config(), say)
    try:
        stack.up(clean=True)
        figures = module.run(stack, args, say)
    finally:
        stack.down()
        stack.remove_data()
    print(json.dumps(figures, indent=1))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProgramError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")
