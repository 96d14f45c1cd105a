"""A card that failed as often as it is made again by itself waits for a person: its holder hears of
it, operations see it, and somebody has it made once more or closes the application."""

import pytest
from harness.client import Client
from harness.machines import Holder
from harness.notices import notifications
from harness.program import wait_until

PATH = "/v1/production-failures"


@pytest.fixture
def given_up(make_stack):
    """No bank; a card is made again once."""
    return make_stack(services=["intake", "photo-fetch", "production", "notification", "inquiry"],
                      simulators=["police", "sms"],
                      settings={"production": {"batch_wait_ms": "100ms", "remake_max": 1},
                                "notification": {"quiet_hours": "false"}})


def fail(h, orders):
    """The bank rejects each of these orders."""
    for n in orders:
        wait_until("ordered", 30, lambda n=n: h.state() == "batched" and
                   [s["state"] for s in h.client.outcome(h.app)["timeline"]].count("batched")
                   == n, 0.1)
        h.bank("failed", reason="bank_rejected")
    h.at("production_failed")


def failures(client, **query):
    answer = client.api("production").get(PATH + "".join(
        f"{'&' if i else '?'}{k}={v}" for i, (k, v) in enumerate(query.items())))
    assert answer.status == 200, answer
    return answer.json["failures"]


def settle(h, action, key, app=None):
    return h.client.api("production").post(
        f"{PATH}/{app or h.app}", {"action": action, "reason": "machine repaired",
                                   "operator": {"staff_id": "s7"}}, key=key, wait=10)


def gauge(stack):
    return stack.service("production").metrics()["cardflow_production_given_up"]


def notices(topics, h):
    return {name: len(found) for name, found in notifications(topics, h.person).items()}


def test_a_card_that_is_not_made_again_waits_for_a_person(given_up, opened, people):
    client, topics = Client(given_up), opened(given_up)
    again, closed, withdrawn = [Holder(client, people.resident()) for _ in range(3)]
    for h in (again, closed, withdrawn):
        h.apply()
    for h in (again, closed, withdrawn):
        fail(h, (1, 2))
    # The holder hears of it once, not at each failure, and is told who acts.
    for h in (again, closed, withdrawn):
        wait_until("told", 20, lambda h=h: "production_failed" in notices(topics, h), 0.3)
        assert notices(topics, h) == {"accepted": 1, "production_failed": 1}
        status = client.status(document=h.document)
        assert (status["next_step"], status["next_date"]) == ("wait_for_staff", None), status
    # Operations see it.
    found = {row["application_id"]: row for row in failures(client)}
    assert set(found) == {again.app, closed.app, withdrawn.app}
    assert all((row["bank_code"], row["reason"]) == ("B01", "bank_rejected")
               for row in found.values()), found
    assert len(failures(client, limit=2)) == 2 and failures(client, bank_code="B02") == []
    wait_until("the gauge", 15, lambda: gauge(given_up) == 3, 0.3)
    # Each of the three ways out.
    said = settle(again, "remake", "k1")
    assert (said.status, said.json["result"]) == (200, "done"), said
    assert settle(again, "remake", "k1").headers.get("idempotency-replayed") == "true"
    refused = settle(again, "close", "k2").json
    assert [r["code"] for r in refused["reasons"]] == ["illegal_in_state"], refused
    assert settle(closed, "close", "k3").json["result"] == "done"
    assert withdrawn.withdraw()["result"] == "done"
    assert closed.at("closed")["reasons"][0]["code"] == "card_not_made"
    withdrawn.at("withdrawn")
    again.at("batched")
    wait_until("nobody waits", 15, lambda: (failures(client), gauge(given_up)) == ([], 0), 0.3)
    wait_until("told", 20, lambda: "closed" in notices(topics, closed), 0.3)
    # Made once more, it goes its way; failing again it has as many tries as before, and waits anew.
    fail(again, (3, 4))
    assert [row["application_id"] for row in failures(client)] == [again.app]
    assert settle(again, "remake", "k4").json["result"] == "done"
    again.at("batched")
    again.bank("account_opened", "produced")
    again.at("produced")


def test_only_who_may_decides(given_up, people):
    client = Client(given_up)
    h = Holder(client, people.resident())
    h.app = "00000000-0000-4000-8000-000000000001"
    assert settle(h, "remake", "k1").status == 404
    assert settle(h, "remake", "k2", app="nonsense").status == 404
    assert client.api("production", "bank_outlet").get(PATH).status == 403
    said = client.api("production").post(f"{PATH}/{h.app}", {"action": "melt"}, key="k3")
    assert (said.status, sorted(e["field"] for e in said.json["errors"])) == \
        (400, ["action", "operator", "reason"]), said
    assert client.api("production").get(PATH + "?after=x").status == 400
