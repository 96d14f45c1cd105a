"""Every edge of both machines that needs no time to pass, each walked over HTTP by a holder of its
own; test_state_timers.py has the others. docs/states.md is the list of edges."""

import psycopg
import pytest
from harness.client import Client
from harness.machines import Holder, all_of


def steps(h):
    return [step["state"] for step in h.client.outcome(h.app)["timeline"]]


def codes(outcome):
    return sorted(reason["code"] for reason in outcome["reasons"])


# How a walk begins, what happens, and where it leads.
def from_(state):
    return lambda h: h.reach(state)


def bank(step, **fields):
    return lambda h: h.bank(step, **fields)


def withdraw(h):
    said = h.withdraw()
    assert said["result"] == "done", said


def decided(want, **fields):
    """A supplement that is judged at once."""
    def act(h):
        said = h.supplement(**fields)
        assert (said["result"], said["state"]) == ("done", want), said
    return act


def put_right(h):
    assert h.supplement(phone="19812345678")["result"] == "done"


def upload(h):
    assert h.upload()["result"] == "done"


def paid(h):
    said = h.apply(fees=[{"type": "card", "amount": 5}])
    assert (said["state"], codes(said)) == ("rejected", ["fee_not_allowed"]), said


def nothing(h):
    pass


def walk(begin, act, to, why=None):
    """why: the code with which an application is closed."""
    def run(h):
        begin(h)
        act(h)
        told = h.at(to)
        last = told["timeline"][-1]
        assert last["state"] == to and why in (None, last.get("reason")), told
        if to in ("withdrawn", "closed"):
            h.has_cards(*(["cancelled"] if "produced" in steps(h) else []))
    return run


def passes(begin, act, *states):
    """Through states in which it does not stay."""
    def run(h):
        begin(h)
        act(h)
        h.at(states[-1])
        told = steps(h)
        assert [state for state in told if state in states] == list(states), told
    return run


LEFT, DIED = "enrolment_ended", "holder_died"

APPLICATIONS = {
    "received accept accepted": passes(Holder.waits, Holder.enrol, "received", "accepted",
                                       "batched"),
    "received notice noticed": walk(nothing, Holder.noticed, "noticed"),
    "received reject rejected": walk(nothing, paid, "rejected"),
    "received withdraw withdrawn": walk(Holder.waits, withdraw, "withdrawn"),
    "received close closed": walk(Holder.waits, Holder.die, "closed", DIED),
    "noticed accept accepted": walk(Holder.noticed, decided("accepted", phone="19812345678"),
                                    "batched"),
    "noticed notice noticed": walk(Holder.noticed, decided("noticed", phone="12"), "noticed"),
    "noticed reject rejected": walk(Holder.noticed, decided("rejected", outlet_code="B01999"),
                                    "rejected"),
    "noticed withdraw withdrawn": walk(Holder.noticed, withdraw, "withdrawn"),
    "noticed close closed": walk(Holder.noticed, Holder.leave, "closed", LEFT),
    "accepted photo_ready photo_ready": passes(Holder.apply, nothing, "accepted", "photo_ready",
                                               "batched"),
    "accepted photo_missing photo_missing": passes(Holder.without_photo, nothing, "accepted",
                                                   "photo_missing"),
    "photo_missing photo_ready photo_ready": passes(Holder.without_photo, upload, "photo_missing",
                                                    "photo_ready", "batched"),
    "photo_missing withdraw withdrawn": walk(Holder.without_photo, withdraw, "withdrawn"),
    "photo_missing close closed": walk(Holder.without_photo, Holder.leave, "closed", LEFT),
    "photo_missing die closed": walk(Holder.without_photo, Holder.die, "closed", DIED),
    "photo_ready batched batched": passes(Holder.apply, nothing, "photo_ready", "batched"),
    "batched account_opened account_opened": walk(from_("batched"), bank("account_opened"),
                                                  "account_opened"),
    "batched account_failed account_failed": walk(from_("batched"), bank("account_failed"),
                                                  "account_failed"),
    "batched failed production_failed": walk(from_("batched"), bank("failed"),
                                             "production_failed"),
    "batched die closed": walk(from_("batched"), Holder.die, "closed", DIED),
    "account_failed batched batched": walk(from_("account_failed"), put_right, "batched"),
    "account_failed withdraw withdrawn": walk(from_("account_failed"), withdraw, "withdrawn"),
    "account_failed close closed": walk(from_("account_failed"), Holder.leave, "closed", LEFT),
    "account_failed die closed": walk(from_("account_failed"), Holder.die, "closed", DIED),
    "account_opened produced produced": walk(from_("account_opened"), bank("produced"),
                                             "produced"),
    "account_opened failed production_failed": walk(from_("account_opened"), bank("failed"),
                                                    "production_failed"),
    "account_opened die closed": walk(from_("account_opened"), Holder.die, "closed", DIED),
    "production_failed withdraw withdrawn": walk(from_("production_failed"), withdraw,
                                                 "withdrawn"),
    "production_failed close closed": walk(from_("production_failed"), Holder.leave, "closed",
                                           LEFT),
    "production_failed die closed": walk(from_("production_failed"), Holder.die, "closed", DIED),
    "produced shipped shipped": walk(from_("produced"), bank("shipped"), "shipped"),
    "produced die closed": walk(from_("produced"), Holder.die, "closed", DIED),
    "shipped arrived ready_for_pickup": walk(from_("shipped"), bank("arrived"),
                                             "ready_for_pickup"),
    "shipped failed production_failed": walk(
        from_("shipped"), bank("failed", reason="lost_in_transit"), "production_failed",
        "lost_in_transit"),
    "shipped die closed": walk(from_("shipped"), Holder.die, "closed", DIED),
    "ready_for_pickup collected collected": walk(from_("ready_for_pickup"), bank("collected"),
                                                 "collected"),
    "ready_for_pickup failed production_failed": walk(
        from_("ready_for_pickup"), bank("failed", reason="damaged_at_outlet"), "production_failed",
        "damaged_at_outlet"),
    "ready_for_pickup withdraw withdrawn": walk(from_("ready_for_pickup"), withdraw, "withdrawn"),
    "ready_for_pickup die closed": walk(from_("ready_for_pickup"), Holder.die, "closed", DIED),
}

# While the police do not answer.
HELD = {
    "accepted withdraw withdrawn": walk(Holder.apply, withdraw, "withdrawn"),
    "accepted close closed": walk(Holder.apply, Holder.leave, "closed", LEFT),
    "accepted die closed": walk(Holder.apply, Holder.die, "closed", DIED),
}


def temporary_ends(act, to, card):
    def run(h):
        h.with_temporary()
        act(h)
        h.at(to)
        h.has_cards(card, temporary=True)
    return run


TEMPORARY = {
    "accepted hand_out produced": temporary_ends(nothing, "produced", "sealed"),
    "produced collected collected": temporary_ends(bank("collected"), "collected", "sealed"),
    "produced die closed": temporary_ends(Holder.die, "closed", "cancelled"),
}


# Cards.
def card(before, operation, after, *first):
    """A card of before, what was done to it first, and the operation."""
    def run(h):
        h.with_card(before)
        for earlier in first:
            assert h.operate(earlier)["result"] == "done"
        said = h.operate(operation)
        assert (said["result"], said["card_state"]) == ("done", after), said
        h.has_cards(after)
    return run


def made(h):
    h.reach("account_opened").has_cards()
    h.bank("produced")
    h.has_cards("sealed")


def voided(h):
    """Its number is nobody's, and that the bank made it after all changes nothing."""
    h.reach("batched")
    with psycopg.connect(h.client.info["postgres"]["production"]) as link:
        number = link.execute("select card_no from issued where app_id = %s",
                              (h.app,)).fetchone()[0]
    h.bank("failed")
    h.at("production_failed")
    h.bank("produced", card_no=number)
    h.client.settle("production")
    h.has_cards()
    assert not h.client.status(card_no=number)["found"]
    assert h.state() == "production_failed"


def activated(h):
    h.reach("collected").has_cards("sealed")
    said = h.operate("activate")
    assert (said["result"], said["card_state"]) == ("done", "normal"), said
    h.has_cards("normal")


LOSS, FORMAL = "report_temporary_loss", "report_formal_loss"

CARDS = {
    "reserved seal sealed": made,
    "reserved void voided": voided,
    "sealed activate normal": activated,
    "sealed report_temporary_loss temporary_loss": card("sealed", LOSS, "temporary_loss"),
    "sealed report_formal_loss formal_loss": card("sealed", FORMAL, "formal_loss"),
    "sealed cancel cancelled": card("sealed", "cancel", "cancelled"),
    "normal report_temporary_loss temporary_loss": card("normal", LOSS, "temporary_loss"),
    "normal report_formal_loss formal_loss": card("normal", FORMAL, "formal_loss"),
    "normal lock app_locked": card("normal", "lock", "app_locked"),
    "normal cancel cancelled": card("normal", "cancel", "cancelled"),
    "app_locked unlock normal": card("app_locked", "unlock", "normal"),
    "app_locked report_temporary_loss temporary_loss": card("app_locked", LOSS, "temporary_loss"),
    "app_locked report_formal_loss formal_loss": card("app_locked", FORMAL, "formal_loss"),
    "app_locked cancel cancelled": card("app_locked", "cancel", "cancelled"),
    "temporary_loss report_formal_loss formal_loss": card("normal", FORMAL, "formal_loss", LOSS),
    "temporary_loss cancel cancelled": card("normal", "cancel", "cancelled", LOSS),
    "formal_loss cancel cancelled": card("normal", "cancel", "cancelled", FORMAL),
    **{f"{loss} release {before}": card(before, "release", before, how)
       for loss, how in (("temporary_loss", LOSS), ("formal_loss", FORMAL))
       for before in ("sealed", "normal", "app_locked")},
    "temporary_loss, then formal_loss, release normal": card("normal", "release", "normal", LOSS,
                                                             FORMAL),
}


@pytest.fixture(scope="module")
def walked(machines, people):
    """{machine: {edge: None, or the error}} of all walks."""
    client = Client(machines)

    def start(run):
        holder = Holder(client, people.resident())
        return lambda: run(holder)

    tables = {"application": APPLICATIONS, "temporary": TEMPORARY, "card": CARDS}
    found = all_of({(machine, edge): start(run) for machine, table in tables.items()
                    for edge, run in table.items()})
    machines.simulators["police"].behave(off=True)
    found |= all_of({("application", edge): start(run) for edge, run in HELD.items()})
    machines.simulators["police"].behave(off=False)
    return found


def of(walked, machine, edge):
    if walked[machine, edge]:
        raise walked[machine, edge]


@pytest.mark.parametrize("edge", [*APPLICATIONS, *HELD])
def test_an_edge_of_an_application(walked, edge):
    of(walked, "application", edge)


@pytest.mark.parametrize("edge", TEMPORARY)
def test_an_edge_of_a_temporary_card(walked, edge):
    of(walked, "temporary", edge)


@pytest.mark.parametrize("edge", CARDS)
def test_an_edge_of_a_card(walked, edge):
    of(walked, "card", edge)
