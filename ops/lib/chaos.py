"""ops/test chaos and ops/test soak: long runs that are no part of the ordinary suites.

chaos  every 10 s something is killed (a service, PostgreSQL, Kafka, Redis) while applications come
       in; at the end the reckoning of tests/faults, and the throughput before and after
soak   steady load; memory and descriptors of every service must stay where they are
"""

import argparse
import os
import random
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "faults"), str(ROOT / "ops" / "lib")]

from harness.fixtures import running  # noqa: E402
from harness.stack import SERVICES, Config  # noqa: E402
from world import SETTINGS, World, all_ready  # noqa: E402

PAUSE_S = 10            # between two kills
QUIET = 2000            # applications of a measurement, all at once
CATCH_UP_S = 300        # after the last kill, until the last card
SAMPLE_S = 5
SOAK_RATE = 50          # applications a second
GROWTH_MB, GROWTH_FDS = 8, 5


def say(text):
    print(text, flush=True)


def throughput(world, when):
    begin = time.monotonic()
    with world.load(rate=0, count=QUIET):
        pass
    rate = QUIET / (time.monotonic() - begin)
    say(f"{when}: {QUIET} applications at once, {rate:.0f} a second until activated")
    return rate


class Nemesis(threading.Thread):
    """Kills one thing after another until it is told to end; the same seed kills the same."""

    def __init__(self, world, seed):
        super().__init__(daemon=True)
        self.world, self.random = world, random.Random(seed)
        self.ending, self.kills, self.broken = threading.Event(), [], None

    def victim(self):
        stack = self.world.stack
        return self.random.choice([*(stack.service(name) for name in SERVICES), stack.postgres,
                                   stack.kafka, stack.redis])

    def run(self):
        try:
            while not self.ending.wait(PAUSE_S):
                self.strike(self.victim(), self.random.uniform(0, 3))
        except Exception as error:  # told by who waits for the end
            self.broken = error

    def strike(self, victim, away_s):
        victim.kill()
        time.sleep(away_s)
        begin = time.monotonic()
        victim.start(wait=False)
        all_ready(self.world, 90)
        self.kills.append(victim.name)
        say(f"killed {victim.name} for {away_s:.1f} s; every service ready "
            f"{time.monotonic() - begin:.1f} s after its start")

    def end(self):
        self.ending.set()
        self.join()
        if self.broken:
            raise self.broken


def chaos(world, args):
    before = throughput(world, "before")
    nemesis = Nemesis(world, args.seed)
    seconds = args.minutes * 60
    say(f"seed {args.seed}: {args.applications} applications in {seconds:.0f} s, a kill every "
        f"{PAUSE_S} s")
    with world.load(rate=max(1, round(args.applications / seconds)), count=args.applications,
                    timeout_s=round(seconds + CATCH_UP_S)):
        nemesis.start()
        nemesis.ending.wait(seconds)
        nemesis.end()
    world.reckon()
    after = throughput(world, "after")
    world.reckon()
    assert nemesis.kills, "nothing was killed"
    assert after > before / 2, "half of the throughput is gone"
    say(f"chaos: {len(nemesis.kills)} kills, {world.applied} applications, nothing lost, doubled, "
        f"stuck or contradictory; {before:.0f} a second before, {after:.0f} after")


class Samples(threading.Thread):
    """Memory (MB) and descriptors of every service, every few seconds."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.ending = world, threading.Event()
        self.memory = {name: [] for name in SERVICES}
        self.descriptors = {name: [] for name in SERVICES}

    def run(self):
        while not self.ending.wait(SAMPLE_S):
            for name in SERVICES:
                service = self.world.stack.service(name)
                self.memory[name].append(service.memory_kb()["VmRSS"] / 1024)
                self.descriptors[name].append(len(os.listdir(f"/proc/{service.pid}/fd")))

    def end(self):
        self.ending.set()
        self.join()


def growth(series):
    """The median of the last third beside that of the second; the first is warming up."""
    third = len(series) // 3
    assert third >= 2, "too short to say anything: run for longer"
    return statistics.median(series[-third:]) - statistics.median(series[third:2 * third])


def soak(world, args):
    samples = Samples(world)
    samples.start()
    end = time.monotonic() + args.minutes * 60
    while (left := end - time.monotonic()) > 0:
        with world.load(rate=SOAK_RATE, count=max(1, round(SOAK_RATE * min(60, left)))):
            pass
        world.settle()
    samples.end()
    world.reckon()
    grown = []
    for name in SERVICES:
        mb, fds = growth(samples.memory[name]), growth(samples.descriptors[name])
        say(f"{name}: {samples.memory[name][-1]:.0f} MB ({mb:+.1f}), "
            f"{samples.descriptors[name][-1]} descriptors ({fds:+.0f})")
        if mb > GROWTH_MB or fds > GROWTH_FDS:
            grown.append(name)
    assert not grown, f"grew beyond {GROWTH_MB} MB or {GROWTH_FDS} descriptors: {grown}"
    say(f"soak: {world.applied} applications in {args.minutes:g} minutes, no service grew")


def parse(argv):
    parser = argparse.ArgumentParser(prog="ops/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("chaos", "soak"))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--applications", type=int, default=10000, help="of chaos")
    parser.add_argument("--seed", type=int, default=1, help="of chaos: what is killed, and when")
    return parser.parse_args(argv)


def main(argv, build):
    args = parse(argv)
    with running(args.what, Config(build=str(build), settings=SETTINGS)) as stack:
        world = World(stack)
        world.tell = say
        try:
            {"chaos": chaos, "soak": soak}[args.what](world, args)
        except AssertionError as wrong:
            say(f"FAILED {args.what}: {wrong}")
            return 1
        finally:
            world.close()
    return 0
