"""Days pass by the test clock: waiting for an enrolment, notices and missing photos end.

On a stack of its own: a shard's time never goes back."""

import pytest
from harness.client import Client

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def small(make_stack):
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"])


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
