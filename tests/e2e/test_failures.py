"""Why a card has failed must fit where it is: shipped takes lost_in_transit only, ready_for_pickup
damaged_at_outlet only. What tells of a later state waits for it, what contradicts is parked."""

import psycopg
import pytest
from harness.client import Client
from harness.topics import Topics
from harness.machines import Holder, all_of

REASONS = ("", "bank_rejected", "chip_defect", "lost_in_transit", "damaged_at_outlet", "unanswered")
# One letter a reason, in their order: m moves to production_failed, w waits, P is parked.
WORDS = {
    "batched": "mmwwwP",
    "account_opened": "mmmwwP",
    "produced": "PPPwwP",
    "shipped": "PPPmwP",
    "ready_for_pickup": "PPPPmP",
}
PAIRS = [(state, reason, letter) for state, letters in WORDS.items()
         for reason, letter in zip(REASONS, letters, strict=True)]
# What is still to be said until it is where the reason puts it.
MISSING = {"chip_defect": ("account_opened",),
           "lost_in_transit": ("account_opened", "produced", "shipped"),
           "damaged_at_outlet": ("account_opened", "produced", "shipped", "arrived")}


def parked(machines, refs, person):
    key = refs(person["document_type"], person["document_number"])
    with psycopg.connect(machines.info()["postgres"]["production"]) as link:
        return link.execute("select count(*) from parked where key = %s", (key,)).fetchone()[0]


@pytest.fixture(scope="module")
def refs(machines):
    topics = Topics(machines.info())
    yield topics.holder_ref
    topics.close()


@pytest.fixture(scope="module")
def told(machines, people):
    """{(state, reason): a holder in that state, of whose card the bank has said that it failed}."""
    client = Client(machines)
    found = {(state, reason): Holder(client, people.resident()) for state, reason, _ in PAIRS}

    def run(state, reason):
        h = found[state, reason]

        def go():
            h.reach(state)
            h.bank("failed", **({"reason": reason} if reason else {}))
        return go

    wrong = all_of({pair: run(*pair) for pair in found})
    assert not any(wrong.values()), {pair: str(e) for pair, e in wrong.items() if e}
    client.settle("production")
    return found


@pytest.mark.parametrize("state, reason, letter", PAIRS)
def test_a_failure_is_taken_where_its_reason_belongs(machines, refs, told, state, reason, letter):
    h = told[state, reason]
    if letter == "m":
        last = h.at("production_failed")["timeline"][-1]
        assert last.get("reason", "") == reason, last
    else:
        assert h.state() == state
    assert parked(machines, refs, h.person) == (letter == "P")


@pytest.mark.parametrize("state, reason",
                         [(state, reason) for state, reason, letter in PAIRS if letter == "w"])
def test_a_failure_told_too_early_counts_once_the_card_is_there(told, state, reason):
    h = told[state, reason]
    steps = MISSING[reason]
    h.bank(*steps[len([s for s in steps if s in WALKED[state]]):])
    last = h.at("production_failed")["timeline"][-1]
    assert last["reason"] == reason, last


WALKED = {"batched": (), "account_opened": ("account_opened",),
          "produced": ("account_opened", "produced"),
          "shipped": ("account_opened", "produced", "shipped")}


@pytest.mark.parametrize("state, code", [("batched", "bank_rejected"),
                                         ("shipped", "lost_in_transit"),
                                         ("ready_for_pickup", "damaged_at_outlet")])
def test_the_reason_is_told_in_words(told, state, code):
    """In the outcome as in the catalogue, which says that the bank has failed."""
    h = told[state, code]
    reasons = h.at("production_failed")["reasons"]
    assert [reason["code"] for reason in reasons] == [code]
    entry = next(r for r in h.client.api("intake").get("/v1/reasons").json["reasons"]
                 if r["code"] == code)
    assert (entry["outcome"], entry["text"]) == ("failed", reasons[0]["text"])
    assert reasons[0]["text"]["zh"] and reasons[0]["cure"]["en"]


def test_an_account_that_was_refused_can_be_put_right(machines, people):
    h = Holder(Client(machines), people.resident()).reach("batched")
    h.bank("account_failed", reason="account_refused")
    reasons = h.at("account_failed")["reasons"]
    assert [reason["code"] for reason in reasons] == ["account_refused"]
    assert reasons[0]["text"]["en"] and reasons[0]["respond_by"]
    assert h.supplement(phone="19812345678")["result"] == "done"
    h.at("batched")
