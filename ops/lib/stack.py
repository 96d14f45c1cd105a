"""ops/stack: Kafka, PostgreSQL, Redis, partner simulators and services in one folder."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from harness.program import Program, ProgramError, interruptible  # noqa: E402
from harness.stack import SERVICES, SIMULATORS, Config, Stack  # noqa: E402
from harness.supervisor import supervise  # noqa: E402


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(prog="ops/stack", description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / ".run", metavar="DIR",
                        help="folder of the stack (.run of the checkout)")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start what does not run, write stack.json")
    up.add_argument("--clean", action="store_true", help="forget all data first")
    up.add_argument("--replicas", action="append", default=[], metavar="SERVICE=N",
                    help="run more of a service; may be repeated")
    up.add_argument("--services", metavar="A,B", help="only these; 'none' for none")
    up.add_argument("--no-simulators", action="store_true", help="no partner simulators")
    up.add_argument("--no-supervise", action="store_true",
                    help="do not start again what ends by itself")
    up.add_argument("--build", type=Path, metavar="DIR",
                    help="take the programs from here; nothing is built (default: preset dev)")
    up.add_argument("--no-build", action="store_true", help="take build/dev as it is")
    up.add_argument("--partitions", type=int, default=16, metavar="N", help="of every topic (16)")
    up.add_argument("--set", action="append", default=[], metavar="[SERVICE:]SETTING=VALUE",
                    help="a setting as in --help of the service; may be repeated")
    up.add_argument("--postgres-set", action="append", default=[], metavar="NAME=VALUE",
                    help="a setting of PostgreSQL; may be repeated")
    commands.add_parser("down", help="stop everything; data stay")
    commands.add_parser("status", help="one line for each program")
    restart = commands.add_parser("restart", help="stop and start one program")
    restart.add_argument("name", help="kafka, postgres, redis, sim-bank, intake, intake.2 ...")
    logs = commands.add_parser("logs", help="follow the log of one program")
    logs.add_argument("name")
    logs.add_argument("--no-follow", action="store_true", help="print the end of it and stop")
    commands.add_parser("supervise", help="what `up` leaves running; not for direct use")
    return parser.parse_args()


def pair(text, what):
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ProgramError(f"{what} {text!r}: it must be NAME=VALUE")
    return key, value


def config_of(args):
    config = Config(partitions=args.partitions, supervise=not args.no_supervise)
    if args.build:
        config.build = str(args.build.resolve())
    if args.services:
        names = [] if args.services == "none" else args.services.split(",")
        config.services = [known(name, SERVICES) for name in names]
    if args.no_simulators:
        config.simulators = []
    for text in args.replicas:
        name, count = pair(text, "--replicas")
        if not count.isdigit() or not 1 <= int(count) <= config.partitions:
            raise ProgramError(f"--replicas {text}: a number from 1 to {config.partitions}")
        config.replicas[known(name, SERVICES)] = int(count)
    for text in args.set:
        key, value = pair(text, "--set")
        name, sign, setting = key.rpartition(":")
        places = [*SERVICES, *(f"sim-{s}" for s in SIMULATORS)]
        config.settings.setdefault(known(name, places) if sign else "*", {})[setting] = value
    config.postgres_settings = dict(pair(text, "--postgres-set") for text in args.postgres_set)
    return config


def known(name, names):
    if name not in names:
        raise ProgramError(f"no service {name!r}; there are: {', '.join(names)}")
    return name


def show_status(stack):
    for name, state, pid, detail in stack.status():
        print(f"{name:22} {state:10} {pid or '-':>8}  {detail}".rstrip())


def show_log(args):
    path = Program(args.name, args.run).log_path
    if not path.exists():
        raise ProgramError(f"there is no log {path}")
    follow = [] if args.no_follow else ["-F"]
    return subprocess.call(["tail", "-n", "100", *follow, path])


def main():
    args = parse()
    if args.command == "supervise":
        return supervise(lambda: Stack(args.run).revive())
    interruptible()
    if args.command == "up":
        stack = Stack(args.run, config_of(args), say)
        stack.up(args.clean)
        say(f"addresses, keys and pids are in {stack.run_dir / 'stack.json'}")
    elif args.command == "logs":
        return show_log(args)
    elif args.command == "down":
        # Without state.json the records of what was started are enough.
        known = (args.run / "state.json").exists()
        Stack(args.run, None if known else Config(), say).down()
        say("nothing runs any more")
    else:
        stack = Stack(args.run, say=say)
        if args.command == "status":
            show_status(stack)
        else:
            stack.restart(args.name)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ProgramError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted; `ops/stack down` stops what runs")
