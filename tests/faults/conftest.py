"""Faults: real programs on real stores, and 5,000 applications while something breaks.

Each module has a stack of its own. Whatever a test breaks it mends; the reckoning at the end of
each test is over all that came before on the same stack. At the end of the run the times it took
to recover are listed.
"""

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


@pytest.fixture(scope="module")
def module_world(request, build_dir, stack_options):
    name = request.module.__name__.removeprefix("test_")
    options = {"settings": SETTINGS, **stack_options}
    with running(name, Config(build=str(build_dir), **options)) as stack:
        world = World(stack, told.append)
        try:
            yield world
        finally:
            world.close()


@pytest.fixture
def world(request, module_world):
    module_world.tell = lambda text: told.append((request.node.name, text))
    return module_world


def pytest_terminal_summary(terminalreporter):
    if told:
        terminalreporter.section("recovery")
    for name, text in told:
        terminalreporter.write_line(f"{name}: {text}")
