"""What stands in no machine's table changes no state: a state meets every answer of a bank and every
command of a counter. A command is refused with a reason; an answer waits, is known already, comes
after the end, or is parked. Cards and operations are in test_state_pairs_cards.py; the states that
need a clock or a queue (photo_ready, expired, pickup_expired) in test_state_timers.py, a temporary
card that waits for its number in test_numbers_run_out.py."""

import contextlib

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
    "accepted": "PPPPPPP",
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
    # No bank has an order for a temporary card: its outlet hands it out.
    "temporary produced": "aPaPPPm",
    "temporary collected": "aeaeaaa",
    "temporary closed": "eeeeeee",
}
# Withdrawal, supplement, photo: the reason with which each is refused; "": it is allowed.
COMMANDS = {
    "received": ("", "", "not_yet_known"),
    "noticed": ("", "", "not_yet_known"),
    "rejected": ("illegal_in_state", "illegal_in_state", "not_yet_known"),
    "accepted": ("", "illegal_in_state", ""),
    "photo_missing": ("", "illegal_in_state", ""),
    "batched": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "account_failed": ("", "", "photo_not_wanted"),
    "account_opened": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "production_failed": ("", "illegal_in_state", "photo_not_wanted"),
    "produced": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "shipped": ("in_production", "illegal_in_state", "photo_not_wanted"),
    "ready_for_pickup": ("", "illegal_in_state", "photo_not_wanted"),
    "collected": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
    "withdrawn": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
    "closed": ("illegal_in_state", "illegal_in_state", "photo_not_wanted"),
    "temporary produced": ("in_production", "illegal_in_state", "not_yet_known"),
    "temporary collected": ("illegal_in_state", "illegal_in_state", "not_yet_known"),
    "temporary closed": ("illegal_in_state", "illegal_in_state", "not_yet_known"),
}
HELD = "accepted"  # reached by who waits for the police alone


def temporary(h, state):
    h.with_temporary()
    if state == "collected":
        h.bank("collected")
    elif state == "closed":
        h.die()


WAYS = {
    "received": Holder.waits,
    "noticed": Holder.noticed,
    "rejected": lambda h: h.apply(fees=[{"type": "card", "amount": 5}]),
    "accepted": Holder.apply,
    "photo_missing": Holder.without_photo,
    "withdrawn": lambda h: h.without_photo().withdraw(),
    "closed": lambda h: h.without_photo().leave(),
}


def bring(h, name):
    """A holder's application in that state."""
    kind, _, state = name.rpartition(" ")
    if kind:
        temporary(h, state)
    elif state in WAYS:
        WAYS[state](h)
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
    """A holder in a state, what is tried on it, and what is seen then."""

    def __init__(self, client, people, state, steps):
        self.h, self.state, self.steps = Holder(client, people.resident()), state, steps
        self.seen = None

    def send(self):
        bring(self.h, self.state)
        for step in self.steps:
            self.h.bank(step)

    def look(self):
        self.seen = self.h.state()


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


@contextlib.contextmanager
def no_police(machines):
    machines.simulators["police"].behave(off=True)
    yield
    machines.simulators["police"].behave(off=False)


def none_wrong(found):
    assert not any(found.values()), {name: str(e) for name, e in found.items() if e}


def send_all(client, found):
    """Sends, waits until it has been read, and looks."""
    none_wrong(all_of({name: probe.send for name, probe in found.items()}))
    for service in ("production", "inquiry"):
        client.settle(service)
    none_wrong(all_of({name: probe.look for name, probe in found.items()}))


@pytest.fixture(scope="module")
def answered(machines, people):
    """All probes, when production has read what they sent."""
    client = Client(machines)
    found = probes(client, people)
    send_all(client, {name: probe for name, probe in found.items() if probe.state != HELD})
    with no_police(machines):
        send_all(client, {name: probe for name, probe in found.items() if probe.state == HELD})
    return found


@pytest.fixture(scope="module")
def refs(machines):
    topics = Topics(machines.info())
    yield topics.holder_ref
    topics.close()


def parked(info, ref_of, person):
    """How many records of that holder wait for a person to look, of those that came first."""
    key = ref_of(person["document_type"], person["document_number"])
    with psycopg.connect(info["postgres"]["production"]) as link:
        return link.execute("select count(*) from parked where key = %s", (key,)).fetchone()[0]


@pytest.mark.parametrize("state", ANSWERS)
def test_an_answer_of_the_bank_that_does_not_fit_changes_no_state(machines, refs, answered, state):
    for (at, letter, steps), probe in answered.items():
        if at != state:
            continue
        assert probe.seen == state.split()[-1], (letter, steps)
        assert parked(machines.info(), refs, probe.h.person) == (letter == "P"), (letter, steps)


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
    seen = state.split()[-1]
    wait_until(f"{seen} as before", 10, lambda: h.state() == seen, 0.2)


@pytest.fixture(scope="module")
def commanded(machines, people):
    found = in_each(machines, people, command, [state for state in COMMANDS if state != HELD])
    with no_police(machines):
        return found | in_each(machines, people, command, [HELD])


@pytest.mark.parametrize("state", COMMANDS)
def test_a_command_that_does_not_fit_is_refused_with_a_reason(commanded, state):
    if commanded[state]:
        raise commanded[state]
