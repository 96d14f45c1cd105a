"""Walks at whose end a bank has heard of what it did not report itself: loss by phone,
cancellation, death, change of bank, a line that was not answered; and that it has heard of nothing
else. Each is looked at as a whole when it is over, see harness/ends.py."""

import psycopg
import pytest
from harness.ends import ACTIVE, ISSUED, REJECTED, Walk
from harness.program import wait_until
from harness.walks import bank_says, codes, states, wait_for_cards

NORMAL, CANCELLED = ("permanent", "normal", "B01"), ("permanent", "cancelled", "B01")
CLOSED = ("closed", "已终止")
AUTHORITY = {"role": "authority", "name": "社保局", "document_type": "resident_id",
             "document_number": "370202199003070011"}


@pytest.fixture
def holder(walk_of, people):
    """A person with a card in use."""
    walk = walk_of(people.resident())
    walk.first = walk.first_card()
    return walk


def test_a_loss_by_phone_is_followed_by_a_replacement(holder):
    """At its own counter the bank is not told what it did itself."""
    old = holder.numbers()[0]
    holder.done("report_temporary_loss", "hotline_12345", key="hotline_12345")
    holder.done("report_formal_loss")
    lost = holder.apply(kind="loss_replacement", channel="online")
    holder.at(lost, *ACTIVE)
    assert holder.numbers() == [old, *holder.ordered(lost)]
    holder.ends(applications={holder.first: ACTIVE, lost: ACTIVE},
                receipts={holder.first: "B01001", lost: "B01001"}, cards=[CANCELLED, NORMAL],
                vouchers=["activate", "report_temporary_loss", "report_formal_loss", "activate"],
                notified=[*ISSUED, *["loss_reported"] * 2, *ISSUED, "cancelled"],
                told=[("loss", "B01", old), ("cancelled", "B01", old)])


def test_a_replacement_asked_for_by_its_unit_reports_the_loss(holder):
    """Accepted, it is a loss report of its own; the bank hears it from us."""
    old = holder.numbers()[0]
    lost = holder.apply(kind="loss_replacement", channel="online")
    holder.at(lost, *ACTIVE)
    holder.ends(applications={holder.first: ACTIVE, lost: ACTIVE},
                receipts={holder.first: "B01001", lost: "B01001"}, cards=[CANCELLED, NORMAL],
                vouchers=["activate"] * 2,
                notified=[*ISSUED, "loss_reported", *ISSUED, "cancelled"],
                told=[("loss", "B01", old), ("cancelled", "B01", old)])


def test_an_authority_cancels_a_card_and_the_holder_applies_anew(holder):
    old = holder.numbers()[0]
    holder.done("cancel", "upstream", actor=AUTHORITY, reason="issued_in_error")
    again = holder.operate("cancel", "upstream", actor=AUTHORITY, reason="issued_in_error")
    assert again.json["result"] == "already", again
    holder.refused("card_cancelled", "report_temporary_loss", "bank_phone")
    anew = holder.client.apply(holder.person)
    assert codes(anew) == ["duplicate_application"], anew  # within four days of the first
    holder.ends(applications={holder.first: ACTIVE, anew.json["application_id"]: REJECTED},
                receipts={holder.first: "B01001"}, cards=[CANCELLED],
                vouchers=["activate", "cancel"],
                refusals=[("report_temporary_loss", "card_cancelled")],
                notified=[*ISSUED, "cancelled", "rejected"], told=[("cancelled", "B01", old)])


def test_the_death_of_a_holder_ends_card_and_replacement(holder, bank):
    """Nothing is sent to the dead, and what the bank says afterwards changes nothing."""
    old = holder.numbers()[0]
    bank.behave(hold_after="account_opened")
    changed = holder.apply(kind="reissue", reissue_reason="data_changed")
    holder.at(changed, "account_opened", "制卡中")
    holder.has_heard([*ISSUED, "accepted"])
    holder.client.end_enrolment(holder.person, "death")
    holder.at(changed, *CLOSED)
    bank.behave(hold_after=None)
    holder.client.settle("production")
    refused = holder.client.apply(holder.person)
    assert codes(refused) == ["duplicate_application", "not_enrolled"], refused
    holder.ends(applications={holder.first: ACTIVE, changed: CLOSED,
                              refused.json["application_id"]: REJECTED},
                receipts={holder.first: "B01001", changed: "B01001"}, cards=[CANCELLED],
                vouchers=["activate"], refusals=[("activate", "card_cancelled")],
                notified=[*ISSUED, "accepted"], suppressed=[("rejected", "holder_died")],
                told=[("death", "B01", old), ("void_card", "B01", *holder.ordered(changed))])


def test_nothing_is_told_of_a_card_that_waits_for_a_dead_holder(walk_of, people, bank):
    """The change of the card and the end of the enrolment come on two topics: notification, which
    was away, reads them in any order."""
    walk = walk_of(people.resident())
    bank.behave(hold_after="arrived")
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "ready_for_pickup")
    walk.has_heard(["accepted", "ready_for_pickup"])
    notification = walk.stack.service("notification")
    shards = notification.metrics()["cardflow_stage_shards"]
    notification.stop()
    walk.client.end_enrolment(walk.person, "death")
    walk.at(first, *CLOSED)
    wait_for_cards(walk.client, walk.person, CANCELLED[:2])
    notification.start()

    def has_read_all():
        now = notification.metrics()
        return now["cardflow_stage_shards"] == shards and now["cardflow_stage_lag_records"] == 0

    wait_until("notification has read all", 60, has_read_all, 0.3)
    walk.ends(applications={first: CLOSED}, receipts={first: "B01001"}, cards=[CANCELLED],
              vouchers=[], notified=["accepted", "ready_for_pickup"],
              told=[("death", "B01", walk.numbers()[0])])


def test_another_bank_takes_over_and_the_first_hears_of_it(holder):
    old = holder.numbers()[0]
    moved = holder.apply(kind="reissue", reissue_reason="bank_change", bank_code="B02",
                         outlet_code="B02001")
    holder.at(moved, *ACTIVE)
    holder.refused("not_issuing_bank", "lock", reason="court_order",
                   actor={**AUTHORITY, "role": "bank", "name": "示例银行甲"})
    holder.ends(applications={holder.first: ACTIVE, moved: ACTIVE},
                receipts={holder.first: "B01001", moved: "B02001"},
                cards=[CANCELLED, ("permanent", "normal", "B02")], vouchers=["activate"] * 2,
                refusals=[("lock", "not_issuing_bank")],
                notified=[*ISSUED, *ISSUED, "cancelled"], told=[("bank_change", "B01", old)])


def test_a_lost_card_is_found_while_its_replacement_is_made(walk_of, people, bank):
    """At its own counter the loss was reported; that the old card is cancelled is our doing."""
    walk = walk_of(people.resident())
    old = walk.imported()
    bank.behave(hold_after="account_opened")
    lost = walk.apply(kind="loss_replacement")
    walk.at(lost, "account_opened")
    assert walk.refused("replacement_open", "release").json["card_state"] == "formal_loss"
    bank.behave(hold_after=None)
    walk.at(lost, *ACTIVE)
    walk.refused("card_cancelled", "release", card_no=old)
    walk.ends(applications={lost: ACTIVE}, receipts={lost: "B01001"}, cards=[CANCELLED, NORMAL],
              vouchers=["import_card", "activate"],
              refusals=[("release", "replacement_open"), ("release", "card_cancelled")],
              notified=["loss_reported", *ISSUED, "cancelled"], told=[("cancelled", "B01", old)])


def test_who_leaves_while_the_card_is_made_gets_it_and_returns(walk_of, people, bank):
    walk = walk_of(people.resident())
    bank.behave(hold_after="account_opened")
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "account_opened")
    walk.client.end_enrolment(walk.person, "moved", revision=2)
    walk.client.settle("production")
    assert walk.client.outcome(first)["state"] == "account_opened"
    bank.behave(hold_after=None)
    walk.at(first, *ACTIVE)
    whole = {"applications": {first: ACTIVE}, "receipts": {first: "B01001"}, "cards": [NORMAL],
             "vouchers": ["activate"], "notified": ISSUED, "told": []}
    walk.ends(**whole, no_identity=["enrolment_inactive"])
    walk.client.enrol(walk.person, revision=3)
    wait_until("the card is identity again", 15, lambda: walk.card()["identity"]["valid"], 0.1)
    walk.ends(**whole)


def test_who_leaves_before_the_photo_is_closed_and_applies_when_back(walk_of, people):
    walk = walk_of(people.foreigner())
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "photo_missing")
    walk.client.end_enrolment(walk.person, "left", revision=2)
    walk.at(first, *CLOSED)
    walk.client.enrol(walk.person, revision=3)
    walk.client.settle()
    again = walk.client.apply(walk.person)
    assert codes(again) == ["duplicate_application"], again  # accepted less than four days ago
    walk.ends(applications={first: CLOSED, again.json["application_id"]: REJECTED},
              receipts={first: "B01001"}, cards=[], vouchers=[],
              notified=["accepted", "photo_missing", "closed", "rejected"], told=[])


def test_a_card_that_the_bank_could_not_make_is_made_again(walk_of, people, bank):
    """Under a new number. That the bank then makes and activates the first, too, is nothing."""
    walk = walk_of(people.resident())
    bank.behave(off=True)
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "batched", "制卡中")
    bank_says(walk.client, walk.person, first, "failed", reason="bank_rejected")
    wait_until("ordered again", 20, lambda: states(walk.client, first).count("batched") == 2, 0.1)
    bank.behave(off=False)
    walk.at(first, *ACTIVE)
    assert states(walk.client, first) == REMADE
    failed, made = walk.ordered(first)
    assert walk.numbers() == [made] and failed != made
    walk.ends(applications={first: ACTIVE}, receipts={first: "B01001"}, cards=[NORMAL],
              vouchers=["activate"], refusals=[("activate", "card_cancelled")], notified=ISSUED,
              told=[])


REMADE = ["received", "accepted", "photo_ready", "batched", "production_failed", "photo_ready",
          "batched", "account_opened", "produced", "shipped", "ready_for_pickup", "collected",
          "activated"]


@pytest.fixture
def hurried(make_stack):
    """A line that is not answered for four seconds is made again."""
    return make_stack(services=["intake", "photo-fetch", "production", "notification", "inquiry"],
                      settings={"production": {"batch_wait_ms": "100ms", "bank_answer_ms": "4s"},
                                "notification": {"quiet_hours": "false"}})


def test_a_line_unanswered_is_made_again_and_then_answered_late(hurried, opened, people):
    walk, bank = Walk(hurried, opened(hurried), people.resident()), hurried.simulators["bank"]
    bank.behave(off=True)
    first = walk.client.accepted(walk.person)["application_id"]
    walk.at(first, "batched")
    wait_until("ordered again", 40, lambda: len(walk.ordered(first)) == 2, 0.2)
    bank.behave(off=False)  # it answers both lines now, and hears that the first is void
    walk.at(first, *ACTIVE)
    assert states(walk.client, first) == REMADE
    late, made = walk.ordered(first)
    assert walk.numbers() == [made]
    walk.ends(applications={first: ACTIVE}, receipts={first: "B01001"}, cards=[NORMAL],
              vouchers=["activate"], refusals=[("activate", "card_cancelled")], notified=ISSUED,
              told=[("void_card", "B01", late)])

    def lines():
        with psycopg.connect(walk.info["postgres"]["production"]) as link:
            return link.execute("select sent, made, failed, missing, late_voided, batches, "
                                "reconciled from bank where code = 'B01'").fetchone()

    wait_until("the lines are reconciled", 15, lambda: lines() == (2, 1, 0, 0, 1, 2, 2), 0.2)
    assert hurried.service("production").metrics()["cardflow_stage_parked_total"] == 0
