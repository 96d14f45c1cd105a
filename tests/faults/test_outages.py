"""Outages that are long beside the load: what comes in meanwhile waits outside of the services,
whose memory stays flat, and what is new afterwards does not wait behind it at the front."""

import contextlib
import os
import threading
import time

import pytest
from harness.program import wait_until
from outlet import Outlet
from world import all_ready, in_full

pytestmark = in_full
OUTAGE_S, RATE = int(os.environ.get("CARDFLOW_OUTAGE_S", "120")), 300
CATCH_UP_S = 240
GROWTH_KB = 24 << 10  # what a service may hold more while others are away
BEHIND_KB = 96 << 10  # and all in all while it catches up, however much there is
NEW_S = 5         # until a new request has its answer, beside the catching up
NEW = 20


class Memory:
    """The most that each service held, looked at all the time."""

    def __init__(self, world):
        self.world, self.ended = world, threading.Event()
        self.before = {r.name: r.memory_kb()["VmRSS"] for r in world.replicas()}
        self.most = dict(self.before)
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _look(self):
        while not self.ended.wait(0.5):
            for replica in self.world.replicas():
                with contextlib.suppress(OSError, KeyError):  # it is ending
                    self.most[replica.name] = max(self.most[replica.name],
                                                  replica.memory_kb()["VmRSS"])

    def growth(self):
        return max(self.most[name] - self.before[name] for name in self.before)


@contextlib.contextmanager
def postgres_away(world):
    world.stack.postgres.kill()
    yield
    world.stack.postgres.start()


@contextlib.contextmanager
def partners_away(world):
    simulators = world.stack.simulators.values()
    for simulator in simulators:
        simulator.behave(off=True)
    yield
    for simulator in simulators:
        simulator.behave(off=False)


@contextlib.contextmanager
def services_away(world):
    """All of them but the front of intake: the log fills for the others."""
    away = [world.stack.service(name) for name in world.stack.services if name != "intake"]
    for service in away:
        service.stop()
    yield
    for service in away:
        service.start(wait=False)


def slowest_of_new(outlet):
    slowest = 0
    for person in outlet.people:
        begin = time.monotonic()
        outlet.apply(person)
        slowest = max(slowest, time.monotonic() - begin)
    outlet.end()
    return slowest


@pytest.mark.parametrize("away", [postgres_away, partners_away, services_away],
                         ids=lambda away: away.__name__)
def test_an_outage_of_minutes(world, away):
    fresh, count = Outlet(world, NEW), OUTAGE_S * RATE
    with world.load(rate=RATE, count=count, timeout_s=OUTAGE_S + CATCH_UP_S) as load:
        world.in_the_middle(world.stack.service("production"), 500, load)
        with Memory(world) as memory:
            with away(world):
                time.sleep(OUTAGE_S)
                growth = memory.growth()
            with world.measured("back again; every service ready"):
                wait_until("all have started", 60, lambda: all(
                    r.alive() for r in world.replicas()), 0.1)
                all_ready(world, 120)
            slowest = slowest_of_new(fresh)
            begin = time.monotonic()
            wait_until("all is caught up with", CATCH_UP_S, lambda: not load.running(), 0.2)
            caught_up = time.monotonic() - begin
    world.reckon()
    assert slowest < NEW_S, f"a new request had to wait {slowest:.1f} s for its answer"
    assert growth < GROWTH_KB, memory.most
    assert max(memory.most.values()) < BEHIND_KB, memory.most
    world.tell(f"{OUTAGE_S} s, {count} applications; caught up {caught_up:.0f} s after; the "
               f"slowest new answer took {slowest:.2f} s; no service grew by more than "
               f"{growth >> 10} MB meanwhile, or held more than "
               f"{max(memory.most.values()) >> 10} MB afterwards")
