"""Walks at whose end a bank has heard of what it did not report itself: loss by phone, cancellation,
death, change of bank, a line unanswered and made again."""

import psycopg
import pytest
from harness.bank import open_notices, told
from harness.client import Client
from harness.notices import notifications, received_sms
from harness.program import wait_until
from harness.topics import Topics
from harness.walks import (
    cards, codes, import_card, operate, states, wait_for_cards,
)

NORMAL, CANCELLED = ("permanent", "normal"), ("permanent", "cancelled")


@pytest.fixture
def holder(client, people):
    """A person with a card in use."""
    person = people.resident()
    first = client.accepted(person)["application_id"]
    client.wait_for(first, "collected", "已激活")
    wait_for_cards(client, person, NORMAL)
    return person


def number_of(info, application_id):
    with psycopg.connect(info["postgres"]["production"]) as link:
        return link.execute("select card_no from issued where app_id = %s order by issued_at desc",
                            (application_id,)).fetchone()[0]


def card_in_hand(info, topics, person):
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    with psycopg.connect(info["postgres"]["production"]) as link:
        return link.execute("select card_no from holder where key = %s", (ref,)).fetchone()[0]


def heard(topics, person, *want):
    """Each once, and no other."""
    wait_until(f"notifications {want}", 30,
               lambda: set(notifications(topics, person)) >= set(want), 0.3)
    assert {name: len(ids) for name, ids in notifications(topics, person).items()} == \
        dict.fromkeys(want, 1)


def notices(info, topics, person, *want):
    """(what, bank, card_no), all acknowledged when they have come."""
    wait_until(f"notices {[w[0] for w in want]}", 30, lambda: len(told(topics, person)) >= len(want)
               and not open_notices(info, topics, person), 0.3)
    assert sorted(notice[:3] for notice in told(topics, person)) == sorted(want)


def voucher(client, answer):
    assert (answer.status, answer.json["result"]) == (200, "done"), answer
    shown = client.api("production").get(f"/v1/vouchers/{answer.json['voucher_no']}")
    assert shown.status == 200, shown
    return shown.json["operation"], shown.json["result"]


def test_a_loss_by_phone_is_followed_by_a_replacement(stack, client, holder, topics):
    info = stack.info()
    old = card_in_hand(info, topics, holder)
    lost = operate(client, holder, "report_temporary_loss", "hotline_12345", "hotline_12345")
    assert voucher(client, lost) == ("report_temporary_loss", "done")
    notices(info, topics, holder, ("loss", "B01", old))
    formal = operate(client, holder, "report_formal_loss")
    assert voucher(client, formal) == ("report_formal_loss", "done")
    wait_for_cards(client, holder, ("permanent", "formal_loss"))
    asked = client.apply(holder, kind="loss_replacement", channel="online")
    assert asked.json["outcome"] == "accepted" and asked.json["receipt"]["receipt_no"], asked
    application_id = asked.json["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    wait_for_cards(client, holder, CANCELLED, NORMAL)
    assert card_in_hand(info, topics, holder) == number_of(info, application_id) != old
    # At its own counter the bank is not told what it did itself.
    notices(info, topics, holder, ("loss", "B01", old), ("cancelled", "B01", old))
    wait_until("all is told", 30, lambda: len(notifications(topics, holder).get("activated", ())) == 2,
               0.3)
    assert {"loss_reported", "cancelled"} <= set(notifications(topics, holder))


def test_a_replacement_asked_for_by_its_unit_reports_the_loss(stack, client, holder, topics):
    """Accepted, it is a loss report of its own; the bank hears it from us."""
    info = stack.info()
    old = card_in_hand(info, topics, holder)
    asked = client.apply(holder, kind="loss_replacement", channel="online")
    assert asked.json["outcome"] == "accepted", asked
    client.wait_for(asked.json["application_id"], "collected", "已激活")
    wait_for_cards(client, holder, CANCELLED, NORMAL)
    notices(info, topics, holder, ("loss", "B01", old), ("cancelled", "B01", old))


def test_an_authority_cancels_a_card_and_the_holder_applies_anew(stack, client, holder, topics):
    info = stack.info()
    old = card_in_hand(info, topics, holder)
    gone = operate(client, holder, "cancel", "upstream", "migration",
                   actor={"role": "authority", "name": "社保局"}, reason="issued_in_error")
    assert voucher(client, gone) == ("cancel", "done")
    wait_for_cards(client, holder, CANCELLED)
    notices(info, topics, holder, ("cancelled", "B01", old))
    again = operate(client, holder, "cancel", "upstream", "migration",
                    actor={"role": "authority", "name": "社保局"})
    assert again.json["result"] == "already", again
    used = operate(client, holder, "report_temporary_loss", "bank_phone")
    assert (used.json["result"], codes(used)) == ("refused", ["card_cancelled"]), used
    assert client.api("production").get(f"/v1/notices/{used.json['notice_no']}").status == 200
    anew = client.apply(holder)
    assert codes(anew) == ["duplicate_application"], anew  # within four days of the first
    shown = client.status(document=client.document(holder))["cards"][0]
    assert (shown["code"], shown["identity"]["valid"], shown["financial_state"]) == \
        ("9", False, "closed")
    heard(topics, holder, "accepted", "ready_for_pickup", "collected", "activated", "cancelled",
          "rejected")
    assert len(told(topics, holder)) == 1


def test_the_death_of_a_holder_ends_card_and_replacement(stack, client, holder, topics, bank):
    info = stack.info()
    old = card_in_hand(info, topics, holder)
    bank.behave(hold_after="account_opened")
    asked = client.apply(holder, kind="reissue", reissue_reason="data_changed")
    application_id = asked.json["application_id"]
    client.wait_for(application_id, "account_opened", "制卡中")
    wait_until("what was to be told is told", 30,
               lambda: len(notifications(topics, holder).get("accepted", ())) == 2, 0.3)
    before = received_sms(stack, holder["phone"])
    client.end_enrolment(holder, "death")
    client.wait_for(application_id, "closed", "已终止")
    wait_for_cards(client, holder, CANCELLED)
    notices(info, topics, holder, ("death", "B01", old),
            ("void_card", "B01", number_of(info, application_id)))
    # What the bank says of it afterwards changes nothing.
    bank.behave(hold_after=None)
    client.settle("production")
    assert client.outcome(application_id)["state"] == "closed"
    assert cards(client, holder) == [CANCELLED]
    client.settle("notification")
    assert "cancelled" not in notifications(topics, holder)  # not even begun, to be held back then
    refused = client.apply(holder)
    assert refused.json["outcome"] != "accepted", refused
    client.settle("notification")
    assert received_sms(stack, holder["phone"]) == before  # nothing is sent to the dead


def test_nothing_is_told_of_a_card_that_waits_for_a_dead_holder(stack, client, people, topics, bank):
    """The change of the card and the end of the enrolment come on two topics: notification, which was
    away, reads them in any order."""
    person = people.resident()
    bank.behave(hold_after="arrived")
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "ready_for_pickup")
    heard(topics, person, "accepted", "ready_for_pickup")
    before = received_sms(stack, person["phone"])
    notification = stack.service("notification")
    shards = notification.metrics()["cardflow_stage_shards"]
    notification.stop()
    client.end_enrolment(person, "death")
    client.wait_for(application_id, "closed", "已终止")
    wait_for_cards(client, person, CANCELLED)
    notification.start()

    def has_read_all():
        now = notification.metrics()
        return now["cardflow_stage_shards"] == shards and now["cardflow_stage_lag_records"] == 0

    wait_until("notification has read all", 60, has_read_all, 0.3)
    client.settle("notification")
    heard(topics, person, "accepted", "ready_for_pickup")
    assert received_sms(stack, person["phone"]) == before


def test_another_bank_takes_over_and_the_first_hears_of_it(stack, client, holder, topics):
    info = stack.info()
    old = card_in_hand(info, topics, holder)
    asked = client.apply(holder, kind="reissue", reissue_reason="bank_change", bank_code="B02",
                         outlet_code="B02001")
    assert asked.json["outcome"] == "accepted", asked
    assert asked.json["receipt"]["pickup_outlet"]["outlet_code"] == "B02001"
    application_id = asked.json["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    wait_for_cards(client, holder, CANCELLED, NORMAL)
    notices(info, topics, holder, ("bank_change", "B01", old))
    shown = {card["state"]: card["bank_code"]
             for card in client.status(document=client.document(holder))["cards"]}
    assert shown == {"cancelled": "B01", "normal": "B02"}
    old_bank = operate(client, holder, "lock", actor={"role": "bank", "name": "示例银行甲"},
                       operator={"bank_code": "B01", "staff_id": "s1"}, reason="court order")
    assert (old_bank.json["result"], codes(old_bank)) == ("refused", ["not_issuing_bank"])


def test_a_lost_card_is_found_while_its_replacement_is_made(stack, client, people, topics, bank):
    info = stack.info()
    person = import_card(client, people.resident())
    old = card_in_hand(info, topics, person)
    bank.behave(hold_after="account_opened")
    asked = client.apply(person, kind="loss_replacement")
    application_id = asked.json["application_id"]
    client.wait_for(application_id, "account_opened")
    found = operate(client, person, "release")
    assert (found.json["result"], codes(found), found.json["card_state"]) == \
        ("refused", ["replacement_open"], "formal_loss"), found
    paper = client.api("production").get(f"/v1/notices/{found.json['notice_no']}")
    assert paper.json["reasons"][0]["code"] == "replacement_open", paper
    wait_for_cards(client, person, ("permanent", "formal_loss"))
    bank.behave(hold_after=None)
    client.wait_for(application_id, "collected", "已激活")
    wait_for_cards(client, person, CANCELLED, NORMAL)
    late = operate(client, person, "release", card_no=old)
    assert (late.json["result"], codes(late)) == ("refused", ["card_cancelled"]), late
    # At its own counter the loss was reported; that the old card is cancelled is our doing.
    notices(info, topics, person, ("cancelled", "B01", old))


def test_who_leaves_while_the_card_is_made_gets_it_and_returns(client, people, topics, bank):
    person = people.resident()
    bank.behave(hold_after="account_opened")
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "account_opened")
    client.end_enrolment(person, "moved", revision=2)
    client.settle("production")
    assert client.outcome(application_id)["state"] == "account_opened"
    bank.behave(hold_after=None)
    client.wait_for(application_id, "collected", "已激活")

    def identity():
        return client.status(document=client.document(person))["cards"][0]["identity"]

    assert (identity()["valid"], identity()["reasons"]) == (False, ["enrolment_inactive"])
    client.enrol(person, revision=3)
    wait_until("the card is identity again", 15, lambda: identity()["valid"], 0.1)
    assert cards(client, person) == [NORMAL]
    heard(topics, person, "accepted", "ready_for_pickup", "collected", "activated")
    assert told(topics, person) == []


def test_who_leaves_before_the_photo_is_closed_and_applies_when_back(client, people, topics):
    person = people.foreigner()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "photo_missing")
    client.end_enrolment(person, "left", revision=2)
    ended = client.wait_for(application_id, "closed", "已终止")
    assert "batched" not in [step["state"] for step in ended["timeline"]]
    client.enrol(person, revision=3)
    client.settle()
    again = client.apply(person)
    assert again.json["outcome"] in ("accepted", "rejected"), again
    assert told(topics, person) == []


@pytest.fixture
def hurried(make_stack):
    """A line that is not answered for four seconds is made again."""
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"], settings={
        "production": {"batch_wait_ms": "100ms", "bank_answer_ms": "4s"}})


def test_a_line_unanswered_is_made_again_and_then_answered_late(hurried, people):
    client, person, info = Client(hurried), people.resident(), hurried.info()
    topics, bank = Topics(info), hurried.simulators["bank"]
    bank.behave(off=True)
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "batched")
    first = number_of(info, application_id)
    wait_until("given up", 30, lambda: "production_failed" in states(client, application_id), 0.1)
    wait_until("a new number", 10, lambda: number_of(info, application_id) != first, 0.1)
    wait_until("ordered again", 10, lambda: states(client, application_id)[-1] == "batched", 0.1)
    second = number_of(info, application_id)
    bank.behave(off=False)  # it answers both lines now, and hears that the first is void
    client.wait_for(application_id, "collected", "已激活")
    assert states(client, application_id) == [
        "received", "accepted", "photo_ready", "batched", "production_failed", "photo_ready",
        "batched", "account_opened", "produced", "shipped", "ready_for_pickup", "collected", "activated"]
    wait_for_cards(client, person, NORMAL)
    assert card_in_hand(info, topics, person) == second
    notices(info, topics, person, ("void_card", "B01", first))

    def lines():
        with psycopg.connect(info["postgres"]["production"]) as link:
            return link.execute("select sent, made, failed, missing, late_voided, batches, "
                                "reconciled from bank where code = 'B01'").fetchone()

    wait_until("the lines are reconciled", 15, lambda: lines() == (2, 1, 0, 0, 1, 2, 2), 0.2)
    assert hurried.service("production").metrics()["cardflow_stage_parked_total"] == 0
    topics.close()
