"""The police gateway when it is ill and when its quota is used up: nothing is lost, it is left
alone meanwhile, and goes on by itself."""

import pytest
from harness.client import Client
from harness.program import wait_until

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def small(make_stack):
    """A stack with a nervous breaker and a quota of four calls a day."""
    return make_stack(services=["intake", "photo-fetch", "inquiry"], settings={"photo-fetch": {
        "police_per_day": 4, "police_breaker_failures": 2, "police_breaker_open": "1s",
        "fetch_backoff": "50ms", "fetch_backoff_max": "200ms"}})


def test_breaker_and_quota_hold_calls_back_and_lose_none(small, people):
    client, police = Client(small), small.simulators["police"]
    metrics = small.service("photo-fetch").metrics
    sent = [people.resident() for _ in range(5)]
    police.behave(error_rate=1)
    first = client.accepted(sent[0])["application_id"]
    wait_until("the breaker is open", 20,
               lambda: metrics()["cardflow_police_breaker_open"] == 1, 0.05)
    assert client.outcome(first)["state"] == "accepted"
    police.behave(error_rate=0)
    # Two failures, one or more probes: the quota of the day is soon used up.
    others = [client.accepted(person)["application_id"] for person in sent[1:]]
    wait_until("calls are held", 20, lambda: metrics()["cardflow_police_held"] > 0, 0.05)
    asked = sum(value for name, value in metrics().items()
                if name.startswith("cardflow_police_answers_total"))
    assert asked <= 4
    small.set_clock(advance_ms=DAY_MS)
    wait_until("some more are asked", 20, lambda: sum(
        value for name, value in metrics().items()
        if name.startswith("cardflow_police_answers_total")) > asked, 0.05)
    small.set_clock(advance_ms=DAY_MS)
    for application_id in [first, *others]:
        client.wait_for(application_id, "photo_ready", "数据录入")
    assert metrics()["cardflow_police_held"] == 0
    assert metrics()["cardflow_police_breaker_open"] == 0
