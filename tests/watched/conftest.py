"""Watched: the real services on real stores, looked at by ThreadSanitizer or by valgrind.

CARDFLOW_TEST_WATCH says which; `ops/test tsan` and `ops/test valgrind` set it. A finding fails the
test: the program ends with another code than 0, and what it said stands in its log.
"""

import os
import sys

import pytest
from harness.client import Client
from harness.fixtures import *  # noqa: F401,F403
from harness.fixtures import running
from harness.kafka import ROOT
from harness.stack import Config

sys.path[:0] = [str(ROOT / "ops" / "lib"), str(ROOT / "tests" / "faults")]  # audit.py, world.py

pytest.register_assert_rewrite("world")

from world import SETTINGS, World  # noqa: E402


@pytest.fixture(scope="session")
def watcher():
    name = os.environ.get("CARDFLOW_TEST_WATCH")
    if name not in ("tsan", "valgrind"):
        pytest.skip("CARDFLOW_TEST_WATCH must be tsan or valgrind")
    return name


@pytest.fixture(scope="session")
def stack(build_dir, watcher):
    under = os.environ["CARDFLOW_TEST_UNDER"].split() if watcher == "valgrind" else []
    config = Config(build=str(build_dir), settings=SETTINGS, under=under)
    with running("watched", config) as started:
        yield started


@pytest.fixture(scope="session")
def world(stack):
    opened = World(stack)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def client(stack):
    return Client(stack)
