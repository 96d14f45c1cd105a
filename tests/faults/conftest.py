"""Faults: real programs on real stores, and 5,000 applications while something breaks.

Modules share one stack, but for one that says STACK = {options}. Whatever a test breaks it mends;
the reckoning at its end is over all that came before on the same stack. At the end of the run the
times it took to recover are listed.
"""

import contextlib
import sys

import pytest
from harness.fixtures import *  # noqa: F401,F403
from harness.fixtures import running
from harness.kafka import ROOT
from harness.stack import Config

sys.path.insert(0, str(ROOT / "ops" / "lib"))  # audit.py

pytest.register_assert_rewrite("world")

from world import SETTINGS, World  # noqa: E402

told = []


class Worlds:
    """The stack in use, and a new one in its place after a test that failed: the reckoning is
    over everything, and what one test has lost is not the next one's fault."""

    def __init__(self, build):
        self.build, self.opened, self.world, self.options = build, None, None, None

    def give(self, options):
        if self.world and (self.world.torn or options != self.options):
            self.close()
        if not self.world:
            self.options, self.opened = options, contextlib.ExitStack()
            config = Config(build=str(self.build), settings=SETTINGS, **options)
            stack = self.opened.enter_context(running("-".join(["faults", *options]), config))
            self.world = World(stack)
            self.opened.callback(self.world.close)
        return self.world

    def close(self):
        if self.opened:
            self.opened.close()
        self.opened = self.world = None


@pytest.fixture(scope="session")
def worlds(build_dir):
    of_session = Worlds(build_dir)
    yield of_session
    of_session.close()


@pytest.fixture
def world(request, worlds):
    given = worlds.give(getattr(request.module, "STACK", {}))
    given.tell = lambda text: told.append((request.node.name, text))
    return given


def pytest_terminal_summary(terminalreporter):
    if told:
        terminalreporter.section("recovery")
    for name, text in told:
        terminalreporter.write_line(f"{name}: {text}")
