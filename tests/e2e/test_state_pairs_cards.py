"""Every state of a card meets every operation, of a permanent and of a temporary card, and of one
that is still under way. What moves is in test_state_edges.py and test_passwords_and_add_ons.py; all
else changes nothing: it is refused with a reason and a notice, or the card is there already."""

import pytest
from harness.client import Client
from harness.ends import today
from harness.machines import Holder, all_of

CONSENT = {"by": "holder", "given_at": "2026-03-02T10:00:00+08:00", "document": "form 7"}
OPERATIONS = {
    "activate": {},
    "report_temporary_loss": {},
    "report_formal_loss": {},
    "release": {},
    "lock": {},
    "unlock": {},
    "cancel": {},
    "set_password": {"password": "financial"},
    "reset_password": {"password": "financial"},
    "disable_password": {"password": "financial"},
    "open_add_on": {"add_on": "transport", "consent": CONSENT},
    "extend_temporary": {},
}
# One letter an operation: m moves, a already; the others are refused.
REFUSED = {"r": "illegal_in_state", "c": "card_cancelled", "n": "not_collected",
           "p": "in_production", "u": "unknown_card"}
PERMANENT = {
    "sealed": "mmmarrmrrrrr",
    "normal": "ammamammammr",
    "app_locked": "rmmaammrrrrr",
    "temporary_loss": "rammrrmrrrrr",
    "formal_loss": "rramrrmrrrrr",
    "cancelled": "ccccccarrrrr",
}
# The same, but that one in use is extended.
TEMPORARY = {state: letters[:-1] + ("m" if state in ("normal", "app_locked", "temporary_loss")
                                    else "r") for state, letters in PERMANENT.items()}
# By the state of its application: nobody sees a card that is not made yet.
RESERVED = "nuuuuupuuuuu"
UNDER_WAY = {
    "batched": RESERVED,
    "account_opened": RESERVED,
    "production_failed": "uuuuuuuuuuuu",
    "produced": "nmmarrprrrrr",
    "shipped": "nmmarrprrrrr",
    "ready_for_pickup": "nmmarrmrrrrr",
}
MADE = ("produced", "shipped", "ready_for_pickup")


def tried(h, letters, state, kind):
    """Each operation that changes nothing; state: of the card, None where it is hidden."""
    for (operation, fields), letter in zip(OPERATIONS.items(), letters, strict=True):
        if letter == "m":
            continue
        said = h.operate(operation, card_kind=kind, evidence=h.document, **fields)
        assert (said["result"], said["card_state"]) == \
            ("already" if letter == "a" else "refused", state), (operation, said)
        why = [REFUSED[letter]] if letter in REFUSED else []
        assert [reason["code"] for reason in said["reasons"]] == why, (operation, said)
        assert bool(said["notice_no"]) == bool(why), (operation, said)


def imported(kind, letters):
    def run(h, state):
        h.with_card(state, str(today()), kind)
        tried(h, letters[state], state, kind)
        assert h.cards(temporary=kind == "temporary") == [state]
    return run


def under_way(h, state):
    h.reach(state)
    seen = ["sealed"] if state in MADE else []
    h.has_cards(*seen)
    tried(h, UNDER_WAY[state], seen[0] if seen else None, "permanent")
    assert (h.cards(), h.state()) == (seen, state)


WALKS = {**{("permanent", state): imported("permanent", PERMANENT) for state in PERMANENT},
         **{("temporary", state): imported("temporary", TEMPORARY) for state in TEMPORARY},
         **{("under way", state): under_way for state in UNDER_WAY}}


@pytest.fixture(scope="module")
def operated(machines, people):
    """{(card, state): None, or the error}, each with a holder of its own."""
    client = Client(machines)

    def one(state, run):
        h = Holder(client, people.resident())
        return lambda: run(h, state)

    return all_of({(card, state): one(state, run) for (card, state), run in WALKS.items()})


@pytest.mark.parametrize("card,state", WALKS)
def test_an_operation_that_does_not_fit_the_card_changes_nothing(operated, card, state):
    if operated[card, state]:
        raise operated[card, state]


def test_a_card_under_way_is_cancelled_at_its_outlet_only(machines, people):
    """As a withdrawal; the application ends with its card."""
    h = Holder(Client(machines), people.resident()).reach("produced")
    said = h.operate("cancel")
    assert (said["result"], [r["code"] for r in said["reasons"]]) == \
        ("refused", ["in_production"]), said
    h.bank("shipped", "arrived")
    h.at("ready_for_pickup")
    said = h.operate("cancel")
    assert (said["result"], said["card_state"]) == ("done", "cancelled"), said
    h.at("withdrawn")
    h.has_cards("cancelled")
