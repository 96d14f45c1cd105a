"""A year by the test clock on the real stack: what time alone does, and that it does it on its day.

For each such moment the clock is put some minutes before it: nothing has happened; then a minute past
it: it has. When the moments are is counted here from the rules. The larger year, with every timer, is
tests/city."""

from datetime import date, datetime, time, timedelta, timezone
from time import monotonic

import pytest
from harness.client import Client
from harness.ends import Walk
from harness.notices import received_sms
from harness.program import wait_until
from harness.walks import withdraw

EAST = timezone(timedelta(hours=8))
SETTINGS = {"production": {"batch_wait_ms": "100ms"}, "notification": {"quiet_hours": "false"}}


@pytest.fixture
def city(make_stack):
    return make_stack(settings=SETTINGS)


def midnight(day):
    return datetime.combine(day, time(), EAST)


def years_before(day, years):
    return date(day.year - years, day.month, min(day.day, 28))


def report(client, person, application_id, step):
    told = client.api("production").post("/v1/bank-results", {
        "application_id": application_id, **client.document(person), "bank_code": "B01",
        "type": step})
    assert told.status == 202, told


def operate(client, person, operation, **fields):
    answer = client.api("production").post("/v1/card-operations", {
        "operation": operation, "holder": client.document(person),
        "actor": client.holder(person), "operator": client.operator(), **fields}, wait=10)
    assert (answer.status, answer.json["result"]) == (200, "done"), answer


def card(client, person):
    return client.status(document=client.document(person))["cards"][0]


def state_of(client, application_id):
    return lambda: client.outcome(application_id)["state"]


def test_every_timer_fires_on_its_day(city, opened, people):
    client, bank = Client(city), city.simulators["bank"]
    noticed, missing, temporary, failed, left, old, lost = (people.resident() for _ in range(7))
    walk = Walk(city, opened(city), left)
    today = datetime.now(EAST).date() + timedelta(days=1)
    begun, since = midnight(today) + timedelta(hours=10), monotonic()  # no midnight comes between
    city.set_clock(now=begun.isoformat())
    client.enrol(noticed, temporary, old)
    notice = client.apply(noticed, phone="").json["application_id"]
    photo = client.accepted(missing, photo_choice="upload")["application_id"]
    client.wait_for(photo, "photo_missing")
    handed_out = client.apply(temporary, kind="temporary").json["application_id"]
    client.wait_for(handed_out, "produced")
    bank.behave(hold_after="arrived")
    waiting = client.accepted(left)["application_id"]
    client.wait_for(waiting, "ready_for_pickup")
    bank.behave(off=True)
    account = client.accepted(failed)["application_id"]
    client.wait_for(account, "batched")
    report(client, failed, account, "account_failed")
    client.wait_for(account, "account_failed")
    expires = today + timedelta(days=20)
    operate(client, old, "import_card", channel="upstream", bank_code="B01", state="normal",
            issued_on=str(years_before(expires, 10)), has_photo=True)
    client.import_card(lost)
    operate(client, lost, "report_temporary_loss", channel="bank_outlet")
    ready = begun + timedelta(seconds=monotonic() - since)

    def told(n):
        return lambda: len(received_sms(city, left["phone"])) >= n

    before = 2  # accepted, and ready for pickup
    wait_until("the first messages", 20, told(before), 0.2)
    wait_until("the loss is shown", 20,
               lambda: card(client, lost)["state"] == "temporary_loss", 0.2)
    wait_until("the old card is shown", 20, lambda: card(client, old)["identity"]["valid"], 0.2)
    moments = [
        (ready + timedelta(days=7), lambda: card(client, lost)["state"], "normal"),
        (midnight(years_before(expires, 10).replace(year=expires.year) + timedelta(days=1)),
         lambda: card(client, old)["identity"]["valid"], False),
        (midnight(today + timedelta(days=31)), state_of(client, notice), "expired"),
        (midnight(today + timedelta(days=31)), state_of(client, photo), "expired"),
        (midnight(today + timedelta(days=31)), state_of(client, account), "expired"),
        (midnight(today + timedelta(days=61)), state_of(client, handed_out), "pickup_expired"),
        *((ready + timedelta(days=n), told(before + i + 1), True)
          for i, n in enumerate((30, 180, 330))),
        (ready + timedelta(days=365), state_of(client, waiting), "pickup_expired"),
    ]
    for at in sorted({at for at, _, _ in moments}):
        now = [(seen, then) for when, seen, then in moments if when == at]
        # What was done at the beginning took a while.
        city.set_clock(now=(at - timedelta(minutes=10)).isoformat(timespec="seconds"))
        assert all(seen() != then for seen, then in now), f"before {at}"
        city.set_clock(now=(at + timedelta(minutes=1)).isoformat(timespec="seconds"))
        for seen, then in now:
            wait_until(f"{then} at {at}", 30, lambda s=seen, t=then: s() == t, 0.2)
    walk.queued_on, first = today, {waiting: ("pickup_expired", "逾期未领")}
    for application_id, person in ((waiting, left), (notice, noticed)):
        late = withdraw(client, person, application_id)
        assert late.json["refused_because"] == "illegal_in_state", late
    bank.behave(off=False)  # it hears of the card that it need not keep any more
    walk.ends(applications=first, receipts={waiting: "B01001"},
              cards=[("permanent", "cancelled", "B01")], vouchers=[],
              refusals=[("withdraw", "illegal_in_state")],
              notified=["accepted", "ready_for_pickup", *["pickup_reminder"] * 3,
                        "pickup_expired", "cancelled"],
              told=[("cancelled", "B01", walk.numbers()[0])])
