"""Commands from partners on Kafka: sealed, keyed by the holder; what cannot be taken is kept as a
dead letter that says which field breaks which rule."""

import datetime
import os
import uuid

import pytest
from harness import sealing
from harness import topics as kafka
from harness.commands import CardCommands
from harness.program import wait_until

TOPIC = "application.commands"


class Partner:
    """An upstream system that writes to application.commands."""

    def __init__(self, topics):
        self.topics = topics

    def submit(self, person, application_id=None, **fields):
        """(key, ApplicationCommand) of a first issue."""
        ref, sealed = self.topics.seal(person)
        command = self.topics.messages.application.ApplicationCommand()
        body = command.submit
        body.application_id = (application_id or uuid.uuid4()).bytes
        body.request_id, body.channel, body.kind = f"P-{uuid.uuid4()}", "upstream", "first_issue"
        body.person, body.bank_code, body.outlet_code = sealed, "B01", "B01001"
        body.photo_choice = "public_security"
        body.submitted_at_ms = kafka.milliseconds("2025-09-26T10:30:00+08:00")
        body.may_backdate = True
        for name, value in fields.items():
            setattr(body, name, value)
        return ref, command

    def send(self, key, value, ce_type="application.submit", **options):
        if not isinstance(value, bytes):
            value = value.SerializeToString()
        return self.topics.send(TOPIC, key, value, ce_type, **options)

    def seal(self, plain, owner, field=1):
        return sealing.seal(self.topics.messages, self.topics.key_files["sealing"], plain, owner,
                            field)

    def events(self, application_id, since=None):
        """[(ce_type, ApplicationEvent)] about an application."""
        event = self.topics.messages.application.ApplicationEvent
        told = [(r.type, event.FromString(r.value))
                for r in self.topics.read("application.events", since)]
        return [(kind, e) for kind, e in told if e.application_id == application_id.bytes]

    def wait_event(self, application_id, ce_type):
        event = self.topics.messages.application.ApplicationEvent

        def mine(record):
            return record.type == ce_type and \
                event.FromString(record.value).application_id == application_id.bytes
        return event.FromString(self.topics.wait(ce_type, "application.events", None,
                                                 mine)[0].value)


@pytest.fixture(scope="module")
def partner(topics):
    return Partner(topics)


def an_id():
    return uuid.uuid4()


def assert_a_good_command_works(client, partner, person):
    client.enrol(person)
    application_id = an_id()
    partner.send(*partner.submit(person, application_id))
    return client.wait_for(str(application_id), "collected", "已激活")


def test_a_sealed_command_becomes_a_card(client, partner, people):
    person = people.resident()
    outcome = assert_a_good_command_works(client, partner, person)
    assert outcome["channel"] == "upstream" and outcome["deadline"]["due_on"] == "2025-10-13"
    status = client.status(document=client.document(person))
    assert [card["state"] for card in status["cards"]] == ["normal"]


def test_a_command_sealed_without_cardctl_works_as_well(client, partner, people):
    """So that the dead letters below are dead for what is wrong in them."""
    person = people.resident()
    client.enrol(person)
    application_id = an_id()
    key, command = partner.submit(person, application_id)
    plain = partner.topics.messages.common.Person(**person).SerializeToString()
    command.submit.person = partner.seal(plain, key)
    partner.send(key, command)
    client.wait_for(str(application_id), "collected", "已激活")


def test_a_command_sent_twice_makes_nothing_new(client, partner, people, topics):
    person = people.resident()
    client.enrol(person)
    application_id = an_id()
    key, command = partner.submit(person, application_id)
    for _ in range(3):
        partner.send(key, command)
    client.wait_for(str(application_id), "collected", "已激活")
    partner.send(key, command)
    # A second application of the same holder comes behind it, so the repeat has been looked at.
    behind = an_id()
    partner.send(*partner.submit(person, behind))
    refused = partner.wait_event(behind, "application.rejected")
    assert set(refused.rejected.reasons) <= {"duplicate_application", "card_exists"}
    assert [kind for kind, _ in partner.events(application_id) if kind == "application.accepted"] \
        == ["application.accepted"]
    event = topics.messages.card.CardEvent
    made = {event.FromString(r.value).card_no for r in topics.read("card.events")
            if event.FromString(r.value).application_id == application_id.bytes}
    assert len(made - {""}) == 1


def test_an_enrolment_record_over_kafka_counts_by_its_revision(client, people, topics):
    person = people.resident()
    event = topics.messages.enrolment.EnrolmentEvent

    def record(name, revision):
        key, sealed = topics.seal({**client.document(person), "name": name, "sex": person["sex"],
                                   "birth_date": person["birth_date"]})
        told = event()
        told.registered.person, told.registered.revision = sealed, revision
        topics.send("enrolment.events", key, told.SerializeToString(), "enrolment.registered")

    record(person["name"], 5)
    record("厍某某", 4)
    client.settle()
    answer = client.apply(person)
    assert answer.json["outcome"] == "accepted", answer


def test_a_newer_enrolment_record_with_another_name_makes_a_notice(client, people):
    person = people.resident()
    client.enrol(person, revision=1)
    client.enrol({**person, "name": "厍翀翀"}, revision=2)
    client.settle()
    answer = client.apply(person)
    assert answer.json["outcome"] == "notice", answer
    assert [r["code"] for r in answer.json["reasons"]] == ["enrolment_name_mismatch"]


def test_a_command_older_than_seven_days_is_refused(client, partner, people):
    person = people.resident()
    client.enrol(person)
    application_id = an_id()
    old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=8)
    partner.send(*partner.submit(person, application_id), ce_time=old)
    refused = partner.wait_event(application_id, "application.rejected")
    assert list(refused.rejected.reasons) == ["command_expired"]
    client.wait_for(str(application_id), "rejected")
    assert_a_good_command_works(client, partner, person)


def test_a_stream_number_on_an_open_topic_is_nobodys_word(client, partner, people):
    person = people.resident()
    client.enrol(person)
    application_id = an_id()
    key, command = partner.submit(person, application_id)
    part, _ = partner.send(key, command, cf_src="intake/0", cf_no="999999")
    client.wait_for(str(application_id), "collected", "已激活")
    assert part >= 0


# Dead letters.
class Bad:
    """A record that cannot be taken, and what the dead letter must say of it."""

    def __init__(self, why, make, field):
        self.why, self.make, self.field = why, make, field


def unsealed(partner, people):
    key, command = partner.submit(people.resident())
    command.submit.person = b"in the clear"
    return key, command.SerializeToString(), {}


def sealed_for_another(partner, people):
    key, command = partner.submit(people.resident())
    command.submit.person = partner.submit(people.resident())[1].submit.person
    return key, command.SerializeToString(), {}


def changed_on_the_way(partner, people):
    key, command = partner.submit(people.resident())
    sealed = bytearray(command.submit.person)
    sealed[-1] ^= 1
    command.submit.person = bytes(sealed)
    return key, command.SerializeToString(), {}


def key_of_another(partner, people):
    _, command = partner.submit(people.resident())
    return os.urandom(16), command.SerializeToString(), {}


def another_person_inside(partner, people):
    """Sealed properly for the holder of the key; but the document in it is another's."""
    key, command = partner.submit(people.resident())
    other = people.resident()
    person = partner.topics.messages.common.Person(**other)
    command.submit.person = partner.seal(person.SerializeToString(), key)
    return key, command.SerializeToString(), {}


def sealed_as_another_field(partner, people):
    person = people.resident()
    key, command = partner.submit(person)
    plain = partner.topics.messages.common.Person(**person).SerializeToString()
    command.submit.person = partner.seal(plain, key, field=3)
    return key, command.SerializeToString(), {}


def no_person_inside(partner, people):
    key, command = partner.submit(people.resident())
    command.submit.person = partner.seal(b"\xff\xff not a person", key)
    return key, command.SerializeToString(), {}


def short_key(partner, people):
    _, command = partner.submit(people.resident())
    return b"holder", command.SerializeToString(), {}


def wrong_partition(partner, people):
    key, command = partner.submit(people.resident())
    part, _ = partner.topics.send(TOPIC, key, b"where would it go?", "application.submit")
    return key, command.SerializeToString(), {"part": (part + 1) % partner.topics.partitions}


def no_protobuf(_partner, _people):
    return os.urandom(16), b"\xff" + os.urandom(40), {}


def empty(_partner, _people):
    return os.urandom(16), b"", {}


def short_id(partner, people):
    key, command = partner.submit(people.resident())
    command.submit.application_id = b"12345"
    return key, command.SerializeToString(), {}


def over_long(partner, people):
    key, command = partner.submit(people.resident(), bank_code="B" * 201)
    return key, command.SerializeToString(), {}


def not_utf8(partner, people):
    key, command = partner.submit(people.resident(), outlet_code="OUTLET-XYZ")
    return key, command.SerializeToString().replace(b"OUTLET-XYZ", b"OUTLET-\xff\xfe\xfd"), {}


def unknown_type(partner, people):
    key, command = partner.submit(people.resident())
    return key, command.SerializeToString(), {"ce_type": "application.invent"}


def without(header):
    def make(partner, people):
        key, command = partner.submit(people.resident())
        return key, command.SerializeToString(), {"leave_out": (header,)}
    return make


BAD = [
    Bad("not a sealed value", unsealed, "person"),
    Bad("sealed for another holder", sealed_for_another, "person"),
    Bad("ciphertext changed on the way", changed_on_the_way, "person"),
    Bad("key of another holder", key_of_another, ("key", "person")),
    Bad("another person inside", another_person_inside, "key"),
    Bad("sealed as another field", sealed_as_another_field, "person"),
    Bad("no person inside", no_person_inside, "person"),
    Bad("key that is none", short_key, "key"),
    Bad("partition not the key's", wrong_partition, "partition"),
    Bad("no protobuf", no_protobuf, "value"),
    Bad("empty value", empty, ("value", "body")),
    Bad("id of five bytes", short_id, "application_id"),
    Bad("over-long text", over_long, "bank_code"),
    Bad("text that is not UTF-8", not_utf8, ("outlet_code", "value")),
    Bad("type that nobody knows", unknown_type, "ce_type"),
    Bad("without ce_type", without("ce_type"), "ce_type"),
    Bad("without ce_id", without("ce_id"), "ce_id"),
    Bad("without ce_time", without("ce_time"), "ce_time"),
]


def dead_letter(topics, topic, mark, key, value):
    found = topics.wait(f"a dead letter of {topic}", f"{topic}.dlq", mark,
                        lambda r: r.value == value and r.key == key)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.why.replace(" ", "_"))
def test_what_cannot_be_taken_is_a_dead_letter_that_names_field_and_rule(partner, people, topics,
                                                                         bad):
    mark = topics.ends(f"{TOPIC}.dlq")
    key, value, options = bad.make(partner, people)
    options.setdefault("ce_type", "application.submit")
    ident = str(uuid.uuid4())
    part, offset = topics.send(TOPIC, key, value, options.pop("ce_type"), ce_id=ident, **options)
    dead = dead_letter(topics, TOPIC, mark, key, value)
    reason = dead.headers["cf_reason"]
    field, _, rule = reason.partition(": ")
    fields = (bad.field,) if isinstance(bad.field, str) else bad.field
    assert any(name in field for name in fields) and rule, reason
    assert dead.headers["cf_from"] == f"{TOPIC}/{part}/{offset}"
    if "ce_id" not in options.get("leave_out", ()):
        assert dead.headers["orig_ce_id"] == ident
    assert dead.part == part  # beside the record it came from


def test_a_record_beyond_64_kib_is_a_dead_letter_and_stops_nobody(client, partner, people, topics):
    mark = topics.ends(f"{TOPIC}.dlq")
    person = people.resident()
    key, command = partner.submit(person)
    value = command.SerializeToString() + b"\xfa\x07" + b"\xe0\xa7\x12" + bytes(300_000)
    part, offset = partner.send(key, value)
    found = topics.wait("its dead letter", f"{TOPIC}.dlq", mark,
                        lambda r: r.headers.get("cf_from") == f"{TOPIC}/{part}/{offset}")
    assert found[0].headers["cf_reason"]
    assert_a_good_command_works(client, partner, person)


def test_after_all_that_a_good_command_still_works(client, partner, people):
    assert_a_good_command_works(client, partner, people.resident())


def test_either_document_of_a_holder_goes_with_either_reference(client, partner, people, topics):
    """A partner keeps one reference for a person; who comes shows the passport in the hand."""
    commands = CardCommands(topics)
    old = people.foreigner()
    new, stranger = ({**old, "document_number": people.foreigner()["document_number"]}
                     for _ in range(2))
    client.enrol(old)
    client.import_card(old)
    answer = client.api("intake", "upstream").post("/v1/enrolment-events", {
        "type": "document_changed", "revision": 2, "old": client.document(old),
        "new": client.document(new)})
    assert answer.status in (200, 202), answer
    wait_until("status by the new passport", 15, lambda: client.status(
        document=client.document(new))["found"], 0.1)
    client.settle("production")
    client.settle()

    def submitted(keyed, shown):
        key, application_id = partner.submit(keyed)[0], an_id()
        command = partner.submit(shown, application_id, photo_choice="upload", kind="reissue",
                                 reissue_reason="data_changed")[1]
        command.submit.person = partner.seal(
            topics.messages.common.Person(**shown).SerializeToString(), key)
        partner.send(key, command)
        return application_id, key, command.SerializeToString()

    mark = topics.ends(f"{TOPIC}.dlq")
    for keyed in (old, new):
        _, key, value = submitted(keyed, stranger)
        assert dead_letter(topics, TOPIC, mark, key, value).headers["cf_reason"] == \
            "key: not that of the document"
    application_id, *_ = submitted(old, new)
    client.wait_for(str(application_id), "photo_missing")
    again, *_ = submitted(new, old)
    wait_until("the other way round", 15, lambda: [
        reason["code"] for reason in client.outcome(str(again)).get("reasons", [])] ==
        ["duplicate_application"], 0.1)

    def asked(keyed, operation, shown):
        return commands.ask(keyed, operation, actor={"name": shown["name"], **client.document(shown)},
                            operator=client.operator())

    assert asked(old, "report_formal_loss", stranger) == ("refused", ["document_required"])
    assert asked(old, "report_formal_loss", new) == ("done", [])
    assert asked(new, "release", old) == ("done", [])


@pytest.mark.parametrize("topic,ce_type", [
    ("enrolment.events", "enrolment.registered"), ("unit.events", "unit.registered"),
    ("card.commands", "card.operation"), ("bank.results", "bank.result"),
    ("complaint.commands", "complaint.open")])
def test_every_open_topic_keeps_what_cannot_be_read_as_a_dead_letter(client, topics, topic,
                                                                     ce_type):
    if topic.startswith("complaint") and "complaint-handling" not in client.info["http"]:
        pytest.skip("complaint-handling is not built")
    mark = topics.ends(f"{topic}.dlq")
    key, value = os.urandom(16), b"\xff" + os.urandom(60)
    topics.send(topic, key, value, ce_type)
    dead = dead_letter(topics, topic, mark, key, value)
    assert dead.headers["cf_reason"]


def test_no_service_has_ended_over_any_of_it(stack):
    for replicas in stack.services.values():
        for service in replicas:
            if service.exists():
                assert service.alive(), service.name
