"""Records that nobody can read, in every topic that a service reads, while applications go on."""

import collections
import time
import uuid

import pytest
from harness.topics import Topics

OPEN = {  # written by outsiders: a bad record is a dead letter; (reader, a type it knows)
    "enrolment.events": ("intake", "enrolment.registered"),
    "unit.events": ("intake", "unit.registered"),
    "application.commands": ("intake", "application.submit"),
    "photo.commands": ("photo-fetch", "photo.upload"),
    "card.commands": ("production", "card.operation"),
    "bank.results": ("production", "bank.result"),
    "complaint.commands": ("complaint-handling", "complaint.open"),
}
NUMBERED = {  # written by one service: each of its readers keeps a bad record for a person
    "application.events": ("photo-fetch", "production", "notification", "inquiry"),
    "photo.events": ("intake", "production", "notification", "inquiry"),
    "card.events": ("intake", "notification", "inquiry"),
    "complaint.events": ("notification",),
    "complaint.holder-events": ("inquiry",),
}
BY_ID = {  # of one service to itself, or of all fronts; a type that it knows
    "intake.internal": ("intake", "work.outcome"),
    "photo-fetch.internal": ("photo-fetch", "work.outcome"),
    "production.internal": ("production", "work.outcome"),
    "notification.internal": ("notification", "work.outcome"),
    "complaint-handling.internal": ("complaint-handling", "work.outcome"),
    "inquiry.internal": ("inquiry", "inquiry.sweep"),
    "audit.events": ("inquiry", "audit"),
}
GARBAGE = bytes(range(256)) * 3
TOO_LONG = b"\x0a" + b"\xff" * 200_000
AS_LONG_AS_KAFKA_TAKES = b"\xff" * 1_048_150  # a batch may have 1,048,588 bytes
TIME = "2026-01-05T09:00:00.000Z"


def headers(ce_type, **more):
    return {"ce_id": str(uuid.uuid4()), "ce_type": ce_type, "ce_source": "poison",
            "ce_time": TIME, "ce_specversion": "1.0", **more}


def bad_records(kind):
    """{why: (key, value, headers)}; none of them may be taken, whoever reads them."""
    def key():
        return uuid.uuid4().bytes
    return {
        "garbage": (key(), GARBAGE, headers(kind)),
        "a length that runs over the end": (key(), b"\x0a\xff\xff\xff\xff\x0f", headers(kind)),
        "over-long": (key(), TOO_LONG, headers(kind)),
        "no value": (key(), None, headers(kind)),
        "no headers": (key(), GARBAGE, {}),
        "no id": (key(), GARBAGE, {"ce_type": kind}),
        "a long key": (b"k" * 5000, GARBAGE, headers(kind)),
        "no key": (None, GARBAGE, headers(kind)),
        "long headers": (key(), GARBAGE, headers(kind, ce_id="i" * 5000, ce_source="s" * 70_000)),
        "a number of nobody": (key(), GARBAGE, headers(kind, cf_src="nobody/99", cf_no="x")),
    }


OF_OPEN_TOPICS = {  # a position would be enough for these elsewhere
    "an unknown type": lambda kind: (uuid.uuid4().bytes, GARBAGE, headers("not.known")),
    "a time that is none": lambda kind: (uuid.uuid4().bytes, GARBAGE,
                                         headers(kind, ce_time="yesterday")),
}


@pytest.fixture
def topics(world):
    opened = Topics(world.stack.info())
    yield opened
    opened.close()


def poison(topics, topic, kind, records):
    for n, (why, (key, value, sent)) in enumerate(records.items()):
        part, _ = topics.send_raw(topic, key, value, n % topics.partitions, sent)
        assert part == n % topics.partitions, why
    return len(records)


def spoil_all(topics):
    """Into every topic; the numbers that must be parked and dead afterwards."""
    refused = collections.Counter()
    for topic, (_, kind) in OPEN.items():
        # Kafka would not take it again with the headers of a dead letter.
        refused["parked"] += poison(topics, topic, kind, {
            "as long as Kafka takes": (uuid.uuid4().bytes, AS_LONG_AS_KAFKA_TAKES, headers(kind))})
        more = {why: make(kind) for why, make in OF_OPEN_TOPICS.items()}
        refused["dead_letters"] += poison(topics, topic, kind, {**bad_records(kind), **more})
    for topic, readers in NUMBERED.items():
        kind = topic.replace(".events", ".ended")
        refused["parked"] += len(readers) * poison(topics, topic, kind, bad_records(kind))
    for topic, (_, kind) in BY_ID.items():
        records = bad_records(kind)
        if kind == "inquiry.sweep":
            del records["no value"]  # a sweep says nothing but its key
        refused["parked"] += poison(topics, topic, kind, records)
    return refused


def misplace(topics):
    """A sound record of each open topic again, in a partition that is not its key's."""
    count = 0
    for topic in OPEN:
        found = topics.read(topic)
        sound = next((r for r in found if r.type and r.headers.get("ce_source") != "poison"), None)
        if sound is None:
            continue  # the load does not write it
        topics.send_raw(topic, sound.key, sound.value, (sound.part + 1) % topics.partitions,
                        {**sound.headers, "ce_id": str(uuid.uuid4())})
        count += 1
    return count


def test_poison_in_every_topic_stops_nobody(world, topics):
    before = {replica.name: replica.pid for replica in world.replicas()}
    with world.load(rate=150, count=500) as load:
        world.in_the_middle(world.stack.service("production"), 300, load)
        world.refused += spoil_all(topics)
        misplaced = misplace(topics)
        assert misplaced >= 3  # enrolment, commands, answers of the bank
        world.refused["dead_letters"] += misplaced
        begin = time.monotonic()
    world.reckon()
    assert {replica.name: replica.pid for replica in world.replicas()} == before
    told = collections.Counter(r.headers["cf_reason"].split(":")[0] for topic in OPEN
                               for r in topics.read(f"{topic}.dlq"))
    assert told.total() == world.refused["dead_letters"], told
    world.tell(f"{world.refused['dead_letters']} dead letters, {world.refused['parked']} parked; "
               f"clean {time.monotonic() - begin:.1f} s after the last bad record")
