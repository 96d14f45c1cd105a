"""The wall clock of the services is set, forth and back, while that of the stores goes on."""

import contextlib
import struct
import time
from pathlib import Path

from harness.program import wait_until
from world import PATH

JUMPS_S = (5, 0, -3600, 0)  # from the true time
GO_ON_S = 5
SECOND_NS = 10**9


class Clock:
    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, seconds):
        with open(self.path, "r+b" if self.path.exists() else "wb") as out:
            out.write(struct.pack("q", seconds * SECOND_NS))


@contextlib.contextmanager
def own_clock(world):
    """All services go by one clock, which can be set."""
    stack = world.stack
    clock = Clock(stack.run_dir / "clock")
    library = Path(stack.config.build) / "tests" / "faults_clock.so"
    assert library.exists(), f"{library} is not built"
    services = [replica for some in stack.services.values() for replica in some]

    def restart(env):
        for service in services:
            service.more_env = env
            service.stop()
            service.start(wait=False)
        for service in services:
            service.wait_ready()

    restart({"LD_PRELOAD": str(library), "CARDFLOW_CLOCK_FILE": str(clock.path)})
    try:
        yield clock
    finally:
        restart({})


def steps(world):
    return {name: world.figure(world.stack.service(name), "steps_total") for name in PATH}


def test_the_wall_clock_is_set_forth_and_back(world):
    with own_clock(world) as clock:
        with world.load(rate=100, count=1000) as load:
            world.in_the_middle(world.stack.service("production"), 300, load)
            for seconds in JUMPS_S:
                clock.set(seconds)
                time.sleep(0.2)  # what was begun before the jump is over
                before = steps(world)
                with world.measured(f"clock at {seconds:+} s; every service goes on"):
                    wait_until(f"every service goes on at {seconds:+} s", GO_ON_S, lambda b=before:
                               all(now > b[name] for name, now in steps(world).items()), 0.05)
                time.sleep(1)
                for replica in world.replicas():
                    assert replica.alive(), replica.log_tail()
            assert load.running()
        world.reckon()
