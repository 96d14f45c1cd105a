"""The day on which a card is promised, by the bank's lead and by how many it makes a day, and the
place in its queue. The days are counted by harness/workdays.py."""

import datetime
import uuid

import pytest
from harness import workdays
from harness.client import Client
from harness.ends import EAST, today
from harness.machines import Holder
from harness.program import wait_until

LEAD_DAYS, CARDS = 3, 7  # a card a day: more than a week, so that a weekend is among them
EPOCH = datetime.date(1970, 1, 1)


@pytest.fixture
def slow(make_stack):
    return bank_of(make_stack, 1)


@pytest.fixture
def two_a_day(make_stack):
    return bank_of(make_stack, 2)


def bank_of(make_stack, capacity):
    """A bank that makes so many cards a day; its batch does not close meanwhile. It is ten in the
    morning, and no midnight comes between."""
    stack = make_stack(services=["intake", "photo-fetch", "production", "inquiry"], settings={
        "production": {"batch_wait_ms": "1h", "bank_daily_capacity": capacity,
                       "bank_lead_days": LEAD_DAYS}})
    stack.day = today() + datetime.timedelta(days=1)
    stack.set_clock(now=datetime.datetime.combine(stack.day, datetime.time(10), EAST).isoformat())
    return stack


def promises(topics):
    """{application_id: what card.promised has told of it}"""
    event = topics.messages.card.CardEvent
    said = [event.FromString(record.value) for record in topics.read("card.events")]
    return {str(uuid.UUID(bytes=one.application_id)): one.promised
            for one in said if one.HasField("promised")}


def test_each_day_takes_as_many_cards_as_the_bank_makes(slow, opened, people):
    client, topics, waiting = Client(slow), opened(slow), people.foreigner()
    days = workdays.count(slow.day, LEAD_DAYS - 1 + CARDS)[1][LEAD_DAYS - 1:]
    persons = [people.resident() for _ in range(CARDS)]
    due_on = workdays.count(slow.day, 7)[0]  # of a first issue; the last two are promised later
    assert [day > due_on for day in days] == [False] * 5 + [True] * 2
    apps = []
    for person in persons:
        apps.append(client.accepted(person)["application_id"])
        client.wait_for(apps[-1], "photo_ready")
    wait_until("all are promised", 20, lambda: len(promises(topics)) == CARDS, 0.2)
    told = promises(topics)
    assert [EPOCH + datetime.timedelta(days=told[app].promised_on) for app in apps] == days
    assert [told[app].place_in_queue for app in apps] == list(range(1, CARDS + 1))
    assert [told[app].past_deadline for app in apps] == [day > due_on for day in days]
    for app, person, day in zip(apps, persons, days, strict=True):
        wait_until("the day is shown", 15, lambda a=app, d=day: client.outcome(a)["receipt"][
            "promised_date"] == d.isoformat(), 0.1)
        assert client.outcome(app)["deadline"]["due_on"] == due_on.isoformat()
        status = client.status(document=client.document(person))
        place, late = told[app].place_in_queue, day > due_on
        for seen in (status["applications"][0], client.outcome(app)["receipt"]):
            assert (seen["promised_date"], seen["place_in_queue"], seen["past_deadline"]) == \
                (day.isoformat(), place, late), seen
        assert status["next_date"] == day.isoformat()  # what a caller is told
        paper = client.api("intake").get(f"/v1/applications/{app}/receipt").json
        assert paper["receipt"]["promised_date"] == day.isoformat()
        assert paper["receipt"]["past_deadline"] == late
    # Not in a queue: the due date is all there is.
    app = client.accepted(waiting)["application_id"]
    shown = client.wait_for(app, "photo_missing")
    assert shown["receipt"]["promised_date"] is None
    assert (shown["receipt"]["place_in_queue"], shown["receipt"]["past_deadline"]) == (None, False)
    assert shown["deadline"]["due_on"] == due_on.isoformat()


def test_a_lost_card_goes_before_first_issues_that_wait(two_a_day, opened, people):
    """Half of a day's cards are kept free for the priority lane, once the first day is full; what
    waits there comes before first issues that come later. A card without a photo goes with them."""
    client, topics = Client(two_a_day), opened(two_a_day)
    days = workdays.count(two_a_day.day, LEAD_DAYS + 6)[1][LEAD_DAYS - 1:]
    lost = [Holder(client, people.resident()).with_card("normal") for _ in range(2)]
    apps = []

    def queued(h, **fields):
        h.apply(**fields)
        apps.append(h.app)
        h.at("photo_ready")
        wait_until("promised", 20, lambda: h.app in promises(topics), 0.2)

    for _ in range(4):
        queued(Holder(client, people.resident()))
    for h in lost:
        queued(h, enrol=False, kind="loss_replacement")
    queued(Holder(client, people.resident()))
    told = promises(topics)
    #  two on the first day, then one a day; the lost ones take what was left
    assert [days.index(EPOCH + datetime.timedelta(days=told[app].promised_on)) for app in apps] \
        == [0, 0, 1, 2, 1, 2, 3]
    assert [told[app].place_in_queue for app in apps] == [1, 2, 3, 4, 1, 2, 7]
