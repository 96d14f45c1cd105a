"""Fixtures of pytest for the suites that drive a whole stack.

A suite's conftest.py takes them by `from harness.fixtures import *`. The environment says where:
CARDFLOW_TEST_RUN (folder of the stacks, default .run/test), CARDFLOW_TEST_BUILD (build folder,
default build/dev), CARDFLOW_TEST_KEEP (set: data stay when a stack is stopped; logs always do).
"""

import contextlib
import os
import sys
from pathlib import Path

import pytest

from .api import Api
from .kafka import ROOT
from .stack import Config, Stack

__all__ = ["api", "build_dir", "make_stack", "stack"]


@pytest.fixture(scope="session")
def build_dir():
    return Path(os.environ.get("CARDFLOW_TEST_BUILD", ROOT / "build" / "dev")).resolve()


@contextlib.contextmanager
def running(name, config):
    """A stack of its own, started empty and stopped at the end, whatever happened. It is an error
    when a sanitizer had something to say meanwhile."""
    base = Path(os.environ.get("CARDFLOW_TEST_RUN", ROOT / ".run" / "test"))
    stack = Stack(base / name, config, lambda text: print(f"[{name}] {text}", file=sys.stderr))
    try:
        yield stack.up(clean=True)
    finally:
        stack.down()
        if "CARDFLOW_TEST_KEEP" not in os.environ:
            stack.remove_data()
    reports = stack.sanitizer_reports()
    assert not reports, "\n".join(reports)


@pytest.fixture(scope="session")
def stack(build_dir):
    """The stack that all tests of a session share: nothing in it may be stopped for good."""
    with running("shared", Config(build=str(build_dir))) as started:
        yield started


@pytest.fixture
def make_stack(build_dir, request):
    """make_stack(proxies=["postgres"], replicas={"intake": 2}) for a stack to break things in."""
    with contextlib.ExitStack() as opened:
        def make(**options):
            name = request.node.name.partition("[")[0][:60]
            return opened.enter_context(running(name, Config(build=str(build_dir), **options)))
        yield make


@pytest.fixture(scope="session")
def api(stack):
    """api("intake", "bank_outlet"): a client of a service with the key of that name."""
    def client(service, key="migration"):
        info = stack.info()
        return Api(info["http"][service], info["api_keys"].get(key))
    return client
