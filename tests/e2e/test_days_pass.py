"""Days pass by the test clock: waiting for an enrolment, notices and missing photos end.

On a stack of its own: a shard's time never goes back."""

import datetime

import pytest
from harness.client import Client
from harness.ends import today
from harness.program import wait_until
from harness.walks import supplement

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def small(make_stack):
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"])


def test_an_enrolment_that_comes_after_the_notice_lets_the_application_go_on(small, people):
    client = Client(small)
    alone, faulty, other = people.resident(), people.resident(), people.resident()
    waiting = {person["document_number"]: client.apply(person, wait=None).json["application_id"]
               for person in (alone, other)}
    client.enrol(faulty)
    client.end_enrolment(faulty, "left")
    client.settle()
    both = client.apply(faulty, phone="").json
    assert sorted(reason["code"] for reason in both["reasons"]) == ["missing_phone", "not_enrolled"]
    for application_id in waiting.values():
        client.wait_for(application_id, "received", "等待参保信息")
    small.set_clock(advance_ms=2 * DAY_MS)
    for application_id in waiting.values():
        client.wait_for(application_id, "noticed", "待补正")
    small.set_clock(advance_ms=8 * DAY_MS)
    day = today() + datetime.timedelta(days=10)
    client.enrol(alone, {**other, "name": "厍错名"})
    client.enrol(faulty, revision=3)
    # Nothing else was missing: it goes on, and its days are counted from now.
    first = waiting[alone["document_number"]]
    told = client.wait_for(first, "collected")
    accepted = datetime.date.fromisoformat(told["deadline"]["accepted_on"])
    assert day <= accepted <= today() + datetime.timedelta(days=10), told
    # What the notice did not say is told by another.
    second = waiting[other["document_number"]]
    wait_until("another notice", 20, lambda: [reason["code"] for reason in client.outcome(second)[
        "reasons"]] == ["enrolment_name_mismatch"], 0.1)
    # What it did say still waits for its supplement.
    assert client.outcome(both["application_id"])["notice_no"] == both["notice_no"]
    answer = supplement(client, both["application_id"], phone=faulty["phone"])
    assert answer.json["outcome"] == "accepted", answer


def test_a_notice_and_a_missing_photo_expire_after_their_last_day(small, people):
    client = Client(small)
    noticed, missing, waiting = people.resident(), people.foreigner(), people.resident()
    client.enrol(noticed)
    first = client.apply(noticed, phone="").json["application_id"]
    second = client.accepted(missing, photo_choice="upload")["application_id"]
    client.wait_for(second, "photo_missing")
    third = client.apply(waiting, wait=None).json["application_id"]
    client.wait_for(third, "received", "等待参保信息")
    small.set_clock(advance_ms=2 * DAY_MS)
    told = client.wait_for(third, "noticed", "待补正")
    assert [reason["code"] for reason in told["reasons"]] == ["not_enrolled"]
    assert client.outcome(first)["state"] == "noticed"
    small.set_clock(advance_ms=29 * DAY_MS)
    client.wait_for(first, "expired", "已过期")
    client.wait_for(second, "expired", "已过期")
    for application_id in (first, second):
        assert client.outcome(application_id)["timeline"][-1]["state"] == "expired"
    again = client.api("intake", "bank_outlet").post(
        f"/v1/applications/{first}/supplements", {"phone": noticed["phone"]}, wait=10)
    assert (again.json["result"], again.json["refused_because"]) == \
        ("refused", "illegal_in_state"), again
    # Whoever let it expire may apply again.
    anew = client.apply(noticed)
    assert anew.json["outcome"] == "accepted", anew
