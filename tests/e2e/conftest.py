"""End to end: the real programs with real Kafka, PostgreSQL and Redis, over HTTP and Kafka only.

Expected values come from tests/data and the rules of the field, never from what the programs say.
All modules share one stack; each test makes persons of its own, so that none meets another's.
"""

import contextlib
import functools
import sys

import pytest
from harness.api import Api
from harness.client import Client
from harness.contract import Contract
from harness.ends import Walk
from harness.fixtures import *  # noqa: F401,F403
from harness.fixtures import running
from harness.kafka import ROOT
from harness.people import People
from harness.stack import Config
from harness.topics import Topics

sys.path.insert(0, str(ROOT / "ops" / "lib"))  # feed.py

SETTINGS = {
    "intake": {"roster_step": 200,  # so that a list takes several steps
               "retention_every": "1s"},
    "notification": {"quiet_hours": "false"},
    "production": {"batch_wait_ms": "100ms", "retention_every": "1s", "ready_parked_ms": "100ms"},
}


@pytest.fixture(scope="session")
def stack(build_dir):
    """In the place of the harness's own: with settings that let cards hurry."""
    with running("e2e", Config(build=str(build_dir), settings=SETTINGS)) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def contract():
    """Every exchange of the suite must be one that proto/openapi.yaml describes."""
    described = Contract()

    def look(method, path, sent, body, answer):
        errors = described.check(method, path, {k.lower(): v for k, v in sent.items()}, body,
                                 answer.status, answer.headers, answer.body)
        assert not errors, f"{method} {described.find(path)} {answer.status}: {'; '.join(errors)}"

    Api.watch = staticmethod(look)
    yield described
    Api.watch = None


@pytest.fixture(scope="session")
def machines(build_dir):
    """A stack without a bank: the tests of the state machines give its answers themselves, and leave
    records parked. A card that failed is not made again."""
    settings = {"production": {"batch_wait_ms": "100ms", "remake_max": 0,
                               "activation_wait_ms": "200ms"}}
    with running("machines", Config(
            build=str(build_dir), services=["intake", "photo-fetch", "production", "inquiry"],
            simulators=["police"], settings=settings)) as started:
        yield started


@pytest.fixture(scope="session")
def people():
    return People()


@pytest.fixture(scope="session")
def client(stack):
    return Client(stack)


@pytest.fixture(scope="session")
def topics(stack):
    opened = Topics(stack.info())
    yield opened
    opened.close()


@pytest.fixture
def walk_of(stack, topics):
    """walk_of(person): what the person goes through, and how it ends."""
    return functools.partial(Walk, stack, topics)


@pytest.fixture
def opened():
    """opened(stack): the topics of a stack of one's own."""
    with contextlib.ExitStack() as all_of_them:
        def of(stack):
            topics = Topics(stack.info())
            all_of_them.callback(topics.close)
            return topics
        yield of


@pytest.fixture
def bank(stack):
    """The simulated bank; what a test makes it do ends with the test."""
    simulator = stack.simulators["bank"]
    yield simulator
    simulator.behave(hold_after=None, off=False, delay_ms=0, duplicates=0, error_rate=0)


@pytest.fixture
def police(stack):
    simulator = stack.simulators["police"]
    yield simulator
    simulator.behave(off=False, delay_ms=0, duplicates=0, error_rate=0, none_rate=0,
                     unknown_rate=0)
