"""A damaged card that is handed in when then no new one comes, or that is lost as well."""

import pytest
from harness.ends import ACTIVE, ISSUED, WITHDRAWN
from harness.program import wait_until
from harness.walks import withdraw

OLD, NEW = ("permanent", "cancelled", "B01"), ("permanent", "normal", "B01")


def hand_in(walk, state):
    """The id of a damage replacement in that state."""
    damaged = walk.apply(kind="damage_replacement")
    walk.at(damaged, state)
    wait_until("it is no identity", 15,
               lambda: walk.card(state="normal")["identity"]["reasons"] == ["handed_in"], 0.1)
    return damaged


@pytest.fixture
def waiting(walk_of, people):
    """Somebody with a card of before, whose next one waits for a photo."""
    walk = walk_of(people.foreigner())
    walk.old = walk.imported()
    walk.damaged = hand_in(walk, "photo_missing")
    return walk


def test_a_damaged_card_is_given_back_when_there_will_be_no_new_one(waiting):
    given_up = withdraw(waiting.client, waiting.person, waiting.damaged)
    assert (given_up.status, given_up.json["result"]) == (200, "done"), given_up
    waiting.at(waiting.damaged, *WITHDRAWN)
    wait_until("the holder has it back", 15, lambda: waiting.card()["identity"]["valid"], 0.1)
    again = hand_in(waiting, "photo_missing")
    assert waiting.client.put_photo(again, wait=10).status == 200
    waiting.at(again, *ACTIVE)
    waiting.ends(applications={waiting.damaged: WITHDRAWN, again: ACTIVE},
                 receipts={waiting.damaged: "B01001", again: "B01001"}, cards=[OLD, NEW],
                 vouchers=["import_card", "withdraw", "activate"],
                 notified=["accepted", "photo_missing", "withdrawn", "photo_missing", *ISSUED,
                           "cancelled"],
                 told=[("cancelled", "B01", waiting.old)])


def test_a_damaged_card_reported_lost_is_not_released_while_its_replacement_is_made(walk_of, people,
                                                                                    bank):
    walk = walk_of(people.resident())
    old = walk.imported()
    bank.behave(hold_after="account_opened")
    damaged = hand_in(walk, "account_opened")
    for report, lost in (("report_temporary_loss", "temporary_loss"),
                         ("report_formal_loss", "formal_loss")):
        assert walk.done(report).json["card_state"] == lost
        assert walk.refused("replacement_open", "release").json["card_state"] == lost
    bank.behave(hold_after=None)
    walk.at(damaged, *ACTIVE)
    walk.ends(applications={damaged: ACTIVE}, receipts={damaged: "B01001"}, cards=[OLD, NEW],
              vouchers=["import_card", "report_temporary_loss", "report_formal_loss", "activate"],
              refusals=[("release", "replacement_open")] * 2,
              notified=[*ISSUED, *["loss_reported"] * 2, "cancelled"],
              told=[("cancelled", "B01", old)])


def test_a_release_gives_a_damaged_card_back_while_its_replacement_waits(waiting):
    waiting.done("report_temporary_loss")
    assert waiting.done("release").json["card_state"] == "normal"
    waiting.at(waiting.damaged, *WITHDRAWN)
    wait_until("the card is an identity", 15, lambda: waiting.card()["identity"]["valid"], 0.1)
    again = waiting.apply(kind="damage_replacement")
    waiting.at(again, "photo_missing")
    waiting.ends(applications={waiting.damaged: WITHDRAWN, again: ("photo_missing", "待补照片")},
                 receipts={waiting.damaged: "B01001", again: "B01001"}, cards=[NEW],
                 no_identity=["handed_in"],
                 vouchers=["import_card", "report_temporary_loss", "release"],
                 notified=[*["accepted", "photo_missing"] * 2, "loss_reported", "loss_released",
                           "withdrawn"], told=[])
