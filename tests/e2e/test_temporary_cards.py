"""A holder with two cards says which one is meant, and the counter that hands out the temporary one
is told its number."""

import datetime

import psycopg
import pytest
from harness.commands import CardCommands
from harness.ends import ACTIVE, today
from harness.program import wait_until
from harness.walks import codes

TEMPORARY = {"card_kind": "temporary"}


@pytest.fixture
def walk(walk_of, people):
    """A person with a permanent card in use, and a temporary one that lies ready."""
    walk = walk_of(people.resident())
    walk.old = walk.imported()
    walk.temporary = walk.apply(kind="temporary")
    walk.at(walk.temporary, "produced", "制卡完成")
    wait_until("the card that lies ready", 20,
               lambda: "card_no" in walk.client.outcome(walk.temporary), 0.1)
    return walk


def hand_out(walk):
    """The temporary card's number, when the card is in use."""
    told = walk.client.api("production").post("/v1/bank-results", {
        "application_id": walk.temporary, **walk.document, "bank_code": "B01",
        "type": "collected"})
    assert told.status == 202, told
    walk.at(walk.temporary, "collected", "领卡未激活")
    number = walk.client.outcome(walk.temporary)["card_no"]
    assert walk.done("activate", **TEMPORARY).json["card_state"] == "normal"
    has(walk, "normal", "normal")
    return number


def has(walk, permanent, temporary):
    def states():
        return [walk.card(kind)["state"] for kind in ("permanent", "temporary")]

    wait_until(f"the cards {permanent}, {temporary}", 20,
               lambda: states() == [permanent, temporary], 0.1)


def test_the_counter_that_hands_it_out_is_told_its_number(walk):
    number = walk.client.outcome(walk.temporary, "bank_outlet")["card_no"]
    assert number == walk.numbers()[-1] != walk.old
    for other in ("online", "unit", "hotline_12345"):
        assert "card_no" not in walk.client.outcome(walk.temporary, other), other
    with psycopg.connect(walk.info["postgres"]["inquiry"]) as link:
        def looks():
            return link.execute(
                "select distinct client, scope from audit where holder_ref = %s and outcome = %s",
                (walk.ref, "shown_with_card_number")).fetchall()

        wait_until("the audit", 20, lambda: looks() == [("bank_outlet", "cards:hand_out")], 0.2)
    # By the number the hotline finds the holder, and shows no more of it than of any card.
    found = walk.client.status(card_no=number)
    assert {card["card_no"] for card in found["cards"]}.isdisjoint({number, walk.old}), found
    assert hand_out(walk) == number
    wait_until("the number is not told any more", 20,
               lambda: "card_no" not in walk.client.outcome(walk.temporary), 0.1)


def test_each_card_is_lost_and_found_for_itself(walk):
    hand_out(walk)
    for kind, lost, found in (({}, ("temporary_loss", "normal"), ("normal", "normal")),
                              (TEMPORARY, ("normal", "temporary_loss"), ("normal", "normal"))):
        assert walk.done("report_temporary_loss", **kind).json["card_state"] == "temporary_loss"
        has(walk, *lost)
        assert walk.done("release", **kind).json["card_state"] == "normal"
        has(walk, *found)
    walk.done("report_formal_loss", evidence=walk.document, **TEMPORARY)
    has(walk, "normal", "formal_loss")


def test_a_cancel_by_document_takes_the_card_that_is_meant(walk):
    number = hand_out(walk)
    walk.done("extend_temporary")
    wait_until("the longer time", 20, lambda: walk.card("temporary")["valid_until"] ==
               str(today() + datetime.timedelta(days=120)), 0.1)
    walk.done("extend_temporary", **TEMPORARY)
    walk.refused("unknown_card_kind", "cancel", card_kind="spare")
    walk.refused("unknown_card", "cancel", card_no=walk.old, **TEMPORARY)
    walk.refused("unknown_card", "cancel", card_no=number, card_kind="permanent")
    walk.refused("illegal_in_state", "extend_temporary", card_kind="permanent")
    has(walk, "normal", "normal")
    assert walk.done("cancel", **TEMPORARY).json["card_state"] == "cancelled"
    has(walk, "normal", "cancelled")
    assert codes(walk.operate("extend_temporary")) == ["illegal_in_state"]
    assert walk.operate("cancel", **TEMPORARY).json["result"] == "already"
    walk.ends(
        applications={walk.temporary: ACTIVE}, receipts={walk.temporary: "B01001"},
        cards=[("permanent", "normal", "B01"), ("temporary", "cancelled", "B01")],
        vouchers=["import_card", "activate", "extend_temporary", "extend_temporary", "cancel"],
        notified=["accepted", "collected", "activated", "cancelled"], told=[],
        refusals=[("cancel", "unknown_card_kind"), ("cancel", "unknown_card"),
                  ("cancel", "unknown_card"), ("extend_temporary", "illegal_in_state"),
                  ("extend_temporary", "illegal_in_state")])


def test_over_kafka_the_kind_is_said_as_well(walk):
    hand_out(walk)
    commands = CardCommands(walk.topics)

    def ask(operation, **fields):
        return commands.ask(walk.person, operation, operator={
            "bank_code": "B01", "outlet_code": "B01001", "staff_id": "T7"}, **fields)

    assert ask("report_temporary_loss", **TEMPORARY) == ("done", [])
    has(walk, "normal", "temporary_loss")
    assert ask("cancel", card_kind="spare") == ("refused", ["unknown_card_kind"])
    assert ask("cancel", **TEMPORARY) == ("done", [])
    has(walk, "normal", "cancelled")
    assert ask("cancel", card_kind="permanent") == ("done", [])
    has(walk, "cancelled", "cancelled")
