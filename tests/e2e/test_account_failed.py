"""The bank cannot open the account: a supplement has the card ordered again; or it ends."""

import psycopg
import pytest
from harness.bank import open_notices, told
from harness.client import Client
from harness.notices import notifications, received_sms
from harness.program import wait_until
from harness.walks import (
    bank_says, cards, states, supplement, wait_for_cards, withdraw,
)

DAY_MS = 24 * 3600 * 1000


def ordered(info, application_id):
    """Card numbers given out for the application, the oldest first."""
    with psycopg.connect(info["postgres"]["production"]) as link:
        return [row[0] for row in link.execute(
            "select card_no from issued where app_id = %s order by issued_at, card_no",
            (application_id,))]


def failed(client, person, bank):
    """An accepted application whose account could not be opened; the bank lies still."""
    bank.behave(off=True)
    accepted = client.accepted(person)
    client.wait_for(accepted["application_id"], "batched", "制卡中")
    bank_says(client, person, accepted["application_id"], "account_failed",
              reason="account_refused")
    client.wait_for(accepted["application_id"], "account_failed", "开户失败")
    return accepted


def test_a_supplement_has_the_card_ordered_again(stack, client, people, topics, bank):
    person, elsewhere = people.resident(), people.resident()["phone"]
    accepted = failed(client, person, bank)
    application_id = accepted["application_id"]
    outcome = client.outcome(application_id)
    assert outcome["deadline"]["waiting_on"] == "holder", outcome["deadline"]
    done = supplement(client, application_id, phone=elsewhere, outlet_code="B01002")
    assert (done.status, done.json["result"]) == (200, "done"), done
    client.wait_for(application_id, "batched", "制卡中")
    # The first line is answered after all that: about a number that was given up.
    bank.behave(off=False)
    client.wait_for(application_id, "collected", "已激活")
    assert states(client, application_id) == [
        "received", "accepted", "photo_ready", "batched", "account_failed", "batched",
        "account_opened", "produced", "shipped", "ready_for_pickup", "collected", "activated"]
    outcome = client.outcome(application_id)
    assert outcome["receipt"]["receipt_no"] == accepted["receipt"]["receipt_no"]
    assert outcome["receipt"]["pickup_outlet"]["outlet_code"] == "B01002"
    assert outcome["deadline"]["due_on"] == accepted["deadline"]["due_on"]
    first, second = ordered(stack.info(), application_id)
    assert first != second
    wait_for_cards(client, person, ("permanent", "normal"))
    want = {"accepted", "account_failed", "ready_for_pickup", "collected"}
    wait_until(f"notifications {want}", 30, lambda: set(notifications(topics, person)) >= want, 0.3)
    heard = notifications(topics, person)
    assert {name: len(ids) for name, ids in heard.items()} == dict.fromkeys(heard, 1)
    to_new = received_sms(stack, elsewhere)
    for name in ("ready_for_pickup", "collected"):
        assert heard[name][0] in to_new, name
    assert heard["accepted"][0] not in to_new
    assert told(topics, person) == [] and not open_notices(stack.info(), topics, person)


def test_a_supplement_that_is_wrong_or_comes_at_another_time_changes_nothing(client, people, bank):
    person = people.resident()
    application_id = failed(client, person, bank)["application_id"]
    wrong = supplement(client, application_id, phone="12", address="")
    assert (wrong.json["result"], wrong.json["refused_because"]) == ("refused", "bad_phone"), wrong
    other_name = supplement(client, application_id, name="欧阳修远")
    assert other_name.json["refused_because"] == "enrolment_name_mismatch", other_name
    for changes in ({"bank_code": "B02", "outlet_code": "B02001"},
                    {"document_number": people.resident()["document_number"]}):
        again = supplement(client, application_id, **changes)
        assert (again.json["result"], again.json["refused_because"]) == \
            ("refused", "illegal_in_state"), again
    assert client.outcome(application_id)["state"] == "account_failed"
    assert supplement(client, application_id, address=person["address"] + "附2号").json[
        "result"] == "done"
    client.wait_for(application_id, "batched")
    late = supplement(client, application_id, phone=person["phone"])
    assert (late.json["result"], late.json["refused_because"]) == ("refused", "illegal_in_state")
    bank.behave(off=False)
    client.wait_for(application_id, "collected", "已激活")
    over = supplement(client, application_id, phone=person["phone"])
    assert (over.json["result"], over.json["refused_because"]) == ("refused", "illegal_in_state")


def test_it_fails_twice_and_is_put_right_twice(stack, client, people, bank):
    person = people.resident()
    application_id = failed(client, person, bank)["application_id"]
    for times in (2, 3):
        done = supplement(client, application_id, address=f"{person['address']}附{times}号")
        assert done.json["result"] == "done", done
        client.wait_for(application_id, "batched")
        if times == 2:
            bank_says(client, person, application_id, "account_failed", reason="account_refused")
            client.wait_for(application_id, "account_failed")
    bank.behave(off=False)
    client.wait_for(application_id, "collected", "已激活")
    assert len(set(ordered(stack.info(), application_id))) == 3


def test_it_is_withdrawn_and_the_holder_may_apply_again(client, people, bank):
    person = people.resident()
    application_id = failed(client, person, bank)["application_id"]
    gone = withdraw(client, person, application_id)
    assert (gone.status, gone.json["result"]) == (200, "done"), gone
    client.wait_for(application_id, "withdrawn", "已撤销")
    again = supplement(client, application_id, phone=person["phone"])
    assert again.json["refused_because"] == "illegal_in_state", again
    bank.behave(off=False)
    second = client.apply(person)
    assert second.json["outcome"] == "accepted", second
    client.wait_for(second.json["application_id"], "collected", "已激活")
    assert client.outcome(application_id)["state"] == "withdrawn"
    assert cards(client, person) == [("permanent", "normal")]


def test_the_death_of_the_holder_closes_it(client, people, bank, topics):
    person = people.resident()
    application_id = failed(client, person, bank)["application_id"]
    wait_until("what was to be told is told", 30,
               lambda: set(notifications(topics, person)) == {"accepted", "account_failed"}, 0.3)
    client.end_enrolment(person, "death")
    client.wait_for(application_id, "closed", "已终止")
    assert cards(client, person) == []
    bank.behave(off=False)
    wait_until("the bank was told to make nothing of it", 20,
               lambda: [notice[0] for notice in told(topics, person)] == ["void_card"], 0.3)
    assert set(notifications(topics, person)) == {"accepted", "account_failed"}


@pytest.fixture
def small(make_stack):
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"])


def test_nobody_puts_it_right_for_thirty_days(small, people):
    client, person = Client(small), people.resident()
    application_id = failed(client, person, small.simulators["bank"])["application_id"]
    small.set_clock(advance_ms=29 * DAY_MS)
    client.settle("production")
    assert client.outcome(application_id)["state"] == "account_failed"
    small.set_clock(advance_ms=2 * DAY_MS)
    client.wait_for(application_id, "expired", "已过期")
    again = supplement(client, application_id, phone=person["phone"])
    assert again.json["refused_because"] == "illegal_in_state", again
    anew = client.apply(person)
    assert anew.json["outcome"] == "accepted", anew
