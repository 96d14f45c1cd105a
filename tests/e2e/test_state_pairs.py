"""What stands in neither machine's table changes no state: a state meets every answer of a bank,
every command of a counter and every operation on a card. A command is refused with a reason; an
answer waits, is known already, comes after the end, or is parked."""

import psycopg
import pytest
from harness.client import Client
from harness.program import wait_until
from harness.topics import Topics
from harness.machines import Holder, all_of

STEPS = ("account_opened", "account_failed", "produced", "failed", "shipped", "arrived",
         "collected")

# One letter a step, in their order: m moves the state (test_state_edges.py), a said before, w waits
# for what it builds on, e after the end: dropped, P contradicts and is parked. Until it is accepted
# no bank has an order.
ANSWERS = {
    "received": "PPPPPPP",
    "noticed": "PPPPPPP",
    "rejected": "PPPPPPP",
    "photo_missing": "PPPPPPP",
    "batched": "mmwmwww",
    "account_failed": "PaPPPPP",
    "account_opened": "aPmmwww",
    "production_failed": "PPPaPPP",
    "produced": "aPaPmww",
    "shipped": "aPamamw",
    "ready_for_pickup": "aPamaam",
    "collected": "aeaeaaa",
    "withdrawn": "eeeeeee",
    "closed": "eeeeeee",
}
# Withdrawal, supplement, photo: the reason with which each is refused; "": it is allowed.
COMMANDS = {
    "received": ("", "", "not_yet_known"),
    "noticed": ("", "", "not_yet_known"),
    "rejected": ("illegal_in_state", "illegal_in_state", "not_yet_known"),
    "photo_missing": ("", "illegal_in_state", ""),
    "batched": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "account_opened": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "production_failed": ("", "illegal_in_state", "photo_not_wanted"),
    "produced": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "shipped": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "ready_for_pickup": ("", "illegal_in_state", "photo_not_wanted"),
    "collected": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
    "withdrawn": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
    "closed": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
}
OPERATIONS = ("activate", "report_temporary_loss", "report_formal_loss", "release", "lock",
              "unlock", "cancel")
# One letter an operation: m moves (test_state_edges.py), a already, r refused.
CARDS = {
    "sealed": "mmmarrm",
    "normal": "ammamam",
    "app_locked": "rmmaamm",
    "temporary_loss": "ramm" "rrm",
    "formal_loss": "rram" "rrm",
    "cancelled": "rrrrrra",
}


def bring(h, state):
    """A holder's application in that state."""
    if state == "received":
        h.waits()
    elif state == "noticed":
        h.noticed()
    elif state == "rejected":
        h.apply(fees=[{"type": "card", "amount": 5}])
    elif state == "photo_missing":
        h.without_photo()
    elif state == "withdrawn":
        assert h.without_photo().withdraw()["result"] == "done"
    elif state == "closed":
        h.without_photo().leave()
    else:
        h.reach(state)
    h.at(state)


def refusal(said):
    """The reason of a refusal, "" for none."""
    if "result" not in said:  # a photo for an application that was never accepted
        return said["code"]
    if said["result"] != "refused":
        return ""
    return said.get("refused_because") or said["reasons"][0]


class Probe:
    """A holder in a state, and what is tried on it."""

    def __init__(self, client, people, state, steps):
        self.h, self.state, self.steps = Holder(client, people.resident()), state, steps

    def send(self):
        bring(self.h, self.state)
        for step in self.steps:
            self.h.bank(step)


def probes(client, people):
    """{(state, letter, steps): probe}. What is parked holds back all that comes after, so each such
    pair has a holder of its own; the others of a state share one."""
    found = {}
    for state, letters in ANSWERS.items():
        for letter in "awe":
            steps = tuple(s for s, has in zip(STEPS, letters, strict=True) if has == letter)
            if steps:
                found[state, letter, steps] = Probe(client, people, state, steps)
        for step, letter in zip(STEPS, letters, strict=True):
            if letter == "P":
                found[state, letter, (step,)] = Probe(client, people, state, (step,))
    return found


@pytest.fixture(scope="module")
def answered(machines, people):
    """All probes, when production has read what they sent."""
    client = Client(machines)
    found = probes(client, people)
    wrong = all_of({name: probe.send for name, probe in found.items()})
    assert not any(wrong.values()), {name: str(e) for name, e in wrong.items() if e}
    client.settle("production")
    return found


@pytest.fixture(scope="module")
def refs(machines):
    topics = Topics(machines.info())
    yield topics.holder_ref
    topics.close()


def parked(machines, refs, person):
    key = refs(person["document_type"], person["document_number"])
    with psycopg.connect(machines.info()["postgres"]["production"]) as link:
        return link.execute("select count(*) from parked where key = %s", (key,)).fetchone()[0]


@pytest.mark.parametrize("state", ANSWERS)
def test_an_answer_of_the_bank_that_does_not_fit_changes_no_state(machines, refs, answered, state):
    for (at, letter, steps), probe in answered.items():
        if at != state:
            continue
        assert probe.h.state() == state, (letter, steps)
        assert parked(machines, refs, probe.h.person) == (letter == "P"), (letter, steps)


@pytest.mark.parametrize("state", [s for s, letters in ANSWERS.items() if "w" in letters])
def test_an_answer_that_came_too_early_counts_once_its_time_has_come(answered, state):
    """What waited is not said again."""
    missing = {"batched": ("account_opened",), "account_opened": ("produced",),
               "produced": ("shipped",), "shipped": ("arrived",)}
    waiting = next(probe for (at, letter, _), probe in answered.items()
                   if (at, letter) == (state, "w"))
    waiting.h.bank(*missing[state])
    waiting.h.at("collected")
    waiting.h.has_cards("sealed")


def in_each(machines, people, run, states):
    """{state: None, or the error} of run with a holder of its own for each state."""
    client = Client(machines)

    def one(state):
        h = Holder(client, people.resident())
        return lambda: run(h, state)

    return all_of({state: one(state) for state in states})


def command(h, state):
    """Each command that is refused in the state, and then the state."""
    bring(h, state)
    for act, reason in zip((h.withdraw, lambda: h.supplement(address="elsewhere"), h.upload),
                           COMMANDS[state], strict=True):
        if reason:
            said = act()
            assert refusal(said) == reason, (state, said)
    wait_until(f"{state} as before", 10, lambda: h.state() == state, 0.2)


@pytest.fixture(scope="module")
def commanded(machines, people):
    return in_each(machines, people, command, COMMANDS)


@pytest.mark.parametrize("state", COMMANDS)
def test_a_command_that_does_not_fit_is_refused_with_a_reason(commanded, state):
    if commanded[state]:
        raise commanded[state]


def operated(h, state):
    """Each operation that changes nothing in the state."""
    h.with_card(state)
    for operation, letter in zip(OPERATIONS, CARDS[state], strict=True):
        if letter == "m":
            continue
        said = h.operate(operation)
        assert (said["result"], said["card_state"]) == \
            ("already" if letter == "a" else "refused", state), (operation, said)
        why = "card_cancelled" if state == "cancelled" else "illegal_in_state"
        assert [r["code"] for r in said["reasons"]] == [why] * (letter == "r"), (operation, said)
        assert bool(said["notice_no"]) == (letter == "r"), (operation, said)
    assert h.cards() == [state]


@pytest.fixture(scope="module")
def cards_operated(machines, people):
    return in_each(machines, people, operated, CARDS)


@pytest.mark.parametrize("state", CARDS)
def test_an_operation_that_does_not_fit_the_card_changes_nothing(cards_operated, state):
    if cards_operated[state]:
        raise cards_operated[state]


def test_a_card_that_is_not_collected_is_not_activated(machines, people):
    h = Holder(Client(machines), people.resident()).reach("ready_for_pickup")
    said = h.operate("activate")
    assert (said["result"], [r["code"] for r in said["reasons"]]) == \
        ("refused", ["not_collected"]), said
    assert h.cards() == ["sealed"] and h.state() == "ready_for_pickup"


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
