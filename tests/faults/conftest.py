"""Faults: real programs on real stores, and 5,000 applications while something breaks.

Each module has a stack of its own. Whatever a test breaks it mends; the reckoning at the end of
each test is over all that came before on the same stack. At the end of the run the times it took
to recover are listed.
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


@pytest.fixture(scope="module")
def stack_options():
    """A module that needs another stack has a fixture of this name."""
    return {}


class Worlds:
    """The stack of a module, and a new one in its place after a test that failed: the reckoning
    is over everything, and what one test has lost is not the next one's fault."""

    def __init__(self, name, config):
        self.name, self.config, self.opened, self.world = name, config, None, None

    def give(self):
        if self.world and self.world.torn:
            self.close()
        if not self.world:
            self.opened = contextlib.ExitStack()
            stack = self.opened.enter_context(running(self.name, self.config))
            self.world = World(stack)
            self.opened.callback(self.world.close)
        return self.world

    def close(self):
        if self.opened:
            self.opened.close()
        self.opened = self.world = None


@pytest.fixture(scope="module")
def worlds(request, build_dir, stack_options):
    name = request.module.__name__.removeprefix("test_")
    of_module = Worlds(name, Config(build=str(build_dir), settings=SETTINGS, **stack_options))
    yield of_module
    of_module.close()


@pytest.fixture
def world(request, worlds):
    given = worlds.give()
    given.tell = lambda text: told.append((request.node.name, text))
    return given


def pytest_terminal_summary(terminalreporter):
    if told:
        terminalreporter.section("recovery")
    for name, text in told:
        terminalreporter.write_line(f"{name}: {text}")
