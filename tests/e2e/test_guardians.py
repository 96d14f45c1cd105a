"""A guardian acts for a child up to the day before the 16th birthday, on whichever day the card came.

On a stack of its own: the days pass by the test clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from harness.client import Client
from harness.commands import CardCommands
from harness.people import REGION, gb11643
from harness.program import wait_until
from harness.topics import Topics
from harness.walks import bank_says, codes, operate

ADULT = {"name": "厍某某", "document_type": "resident_id", "document_number": "370202199003070011"}
GUARDIAN = {"role": "guardian", **ADULT}
NOON = "{}T12:00:00+08:00"


def birthday_at_16(day):
    """Born so that the 16th birthday is on that day, which must not be a 29 February."""
    return str(date(day.year - 16, day.month, day.day))


@pytest.fixture
def world(make_stack):
    stack = make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                       settings={"production": {"batch_wait_ms": "100ms"}})
    topics = Topics(stack.info())
    yield World(stack, topics)
    topics.close()


class World:
    def __init__(self, stack, topics):
        self.stack, self.client = stack, Client(stack)
        self.commands = CardCommands(topics)
        today = datetime.now(ZoneInfo("Asia/Shanghai")).date() + timedelta(days=1)
        while (today + timedelta(days=3)).strftime("%m%d") == "0229":
            today += timedelta(days=1)
        self.today = today
        self.pass_to(0)

    def pass_to(self, days):
        self.stack.set_clock(now=NOON.format(self.today + timedelta(days=days)))

    def set_password(self, person, actor=GUARDIAN):
        said = operate(self.client, person, "set_password", actor=actor, password="financial")
        return said.json["result"], codes(said)

    def by_kafka(self, person):
        return self.commands.ask(
            person, "set_password", role="guardian", actor=ADULT,
            operator=self.client.operator(), password_kind="financial")

    def imported(self, person, **fields):
        self.client.enrol(person)
        said = self.client.api("production").post("/v1/card-operations", {
            "operation": "import_card", "channel": "upstream", "bank_code": "B01",
            "holder": {**self.client.document(person), **fields}, "state": "normal",
            "issued_on": "2020-01-02", "has_photo": True}, wait=10)
        assert said.json["result"] == "done", said
        return person

    def imported_by_kafka(self, person):
        key, command = self.commands.command(person, "import_card", channel="upstream",
                                             role="authority")
        card = getattr(command, "import")
        card.bank_code, card.state, card.has_photo = "B01", "normal", True
        card.issued_on, card.kind = 18263, "permanent"
        command.holder = self.commands.topics.seal(person)[1]
        assert self.commands.answer(key, command) == ("done", [])
        return person


def applied_for(world, child):
    """Collected, and not yet activated."""
    client = world.client
    world.stack.simulators["bank"].behave(hold_after="arrived")
    application_id = client.accepted(
        child, photo_choice="none", guardian={**ADULT, "phone": "19800000001",
                                              "relation": "mother"})["application_id"]
    client.wait_for(application_id, "ready_for_pickup")
    bank_says(client, child, application_id, "collected")
    client.wait_for(application_id, "collected", "领卡未激活")
    return application_id


def test_a_guardian_acts_until_the_day_before_the_16th_birthday(world, people):
    client, birthday = world.client, world.today + timedelta(days=3)
    born = birthday_at_16(birthday)
    child = people.foreigner(born)
    application_id = applied_for(world, child)
    by_number = people.resident()
    by_number["birth_date"] = born
    by_number["document_number"] = gb11643(f"{REGION}{born.replace('-', '')}902")
    children = [child, world.imported(by_number),
                world.imported(people.foreigner(born), birth_date=born),
                world.imported_by_kafka(people.foreigner(born))]
    grown, ageless = world.imported(people.resident()), world.imported(people.foreigner())

    used = operate(client, child, "activate", actor=GUARDIAN)
    assert (used.json["result"], used.json["card_state"]) == ("done", "normal"), used
    client.wait_for(application_id, "collected", "已激活")
    consent = {"by": "guardian", "given_at": NOON.format(world.today), "document": "form 7"}
    opened = operate(client, child, "open_add_on", actor=GUARDIAN, add_on="transport",
                     consent=consent)
    assert opened.json["result"] == "done", opened
    wait_until("the guardian's consent is shown", 20, lambda: [
        mark["consent_by"] for mark in client.status(
            document=client.document(child))["cards"][0]["add_ons"]] == ["guardian"], 0.2)

    for days in (0, 2):
        world.pass_to(days)
        for person in children:
            assert world.set_password(person) == ("done", []), (days, person["document_type"])
        assert world.by_kafka(child) == ("done", [])
        for person in (grown, ageless):
            assert world.set_password(person) == ("refused", ["holder_only"])
    for days in (3, 4):
        world.pass_to(days)
        for person in children:
            assert world.set_password(person) == ("refused", ["holder_only"]), days
            assert world.set_password(person, client.holder(person)) == ("done", [])
        assert world.by_kafka(child) == ("refused", ["holder_only"])
    late = operate(client, child, "open_add_on", actor=client.holder(child), add_on="park",
                   consent={**consent, "given_at": NOON.format(birthday)})
    assert codes(late) == ["holder_only"], "a guardian's consent for somebody of 16"
    # What is not the holder's own is open to whoever comes by name.
    lost = operate(client, child, "report_formal_loss", actor=GUARDIAN)
    assert lost.json["result"] == "done", lost
