"""ops/demo: the main job from nothing: a stack, a roster, applications, cards on their way.

Starts empty: data of an earlier stack in the same folder are forgotten, unless --keep is given.
"""

import argparse
import json
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "ops" / "lib")]

from harness.program import ProgramError, interruptible  # noqa: E402
from harness.stack import Config, Stack  # noqa: E402


BEGAN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(
        prog="ops/demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exit", action="store_true", help="stop at the end, do not wait")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there")
    parser.add_argument("--keep", action="store_true",
                        help="feed the same input again into what is there: it makes nothing new")
    parser.add_argument("--run", type=Path, default=ROOT / ".run", help="folder of the stack")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "dev",
                        help="folder with the programs")
    return parser.parse_args()


def addresses(info):
    lines = ["", "Addresses to try (keys and more are in stack.json):"]
    lines += [f"  {name:20} {url}" for name, url in sorted(info["http"].items())]
    lines += [f"  simulator {name:10} {url}" for name, url in sorted(info["simulators"].items())]
    lines += [f"  {'Kafka':20} {info['kafka']}", f"  {'Redis':20} {info['redis']}"]
    return "\n".join(lines)


def main():
    args = parse()
    # Here and not above: --help works before the packages of the feeding are installed.
    import demo_run
    import feed
    interruptible()
    begin = time.monotonic()
    stack = Stack(args.run, Config(build=str(args.build.resolve()), supervise=True,
                                   settings=feed.SETTINGS), say)
    try:
        stack.up(clean=not args.keep)
        summary = demo_run.run(stack, say, args.keep)
        summary["seconds"] = round(time.monotonic() - begin, 1)
        print(json.dumps(summary, indent=1))
        if args.json:
            args.json.write_text(json.dumps(summary, indent=1) + "\n")
        print(addresses(stack.info()), flush=True)
        if not args.exit:
            print("\nIt stays up until Ctrl-C.", flush=True)
            signal.pause()
        return 0 if demo_run.is_good(summary) else 1
    except KeyboardInterrupt:
        return 0 if "summary" in locals() else 130
    finally:
        stack.down()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProgramError as error:
        sys.exit(f"error: {error}")
