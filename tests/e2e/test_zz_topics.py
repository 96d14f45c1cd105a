"""After the other tests: every record of every topic is a CloudEvent that proto/asyncapi.yaml describes.

Read with the official kit of CloudEvents. On open topics the tests have written what is wrong on purpose:
there the records that have become dead letters are left out.
"""

import pytest
from harness.asyncapi import Records
from harness.topics import Topics

# What the way of one first issue leaves behind.
STRAIGHT = {("enrolment.events", "enrolment.registered"), ("application.commands", "application.submit"),
            ("application.events", "application.accepted"), ("photo.events", "photo.ready"),
            ("card.events", "card.step"), ("card.events", "card.changed"),
            ("bank.orders", "bank.line"), ("bank.orders", "bank.manifest"),
            ("bank.results", "bank.result"), ("notification.events", "notification.ended"),
            ("status", "status"), ("audit.events", "audit")}


@pytest.fixture(scope="module")
def records():
    return Records()


@pytest.fixture(scope="module", autouse=True)
def card(client, people):
    application = client.accepted(people.resident())["application_id"]
    client.wait_for(application, "collected", "已激活", timeout=60)


def refused(topics, topic):
    """(partition, offset) of records that became dead letters."""
    name = f"{topic}.dlq"
    if name not in topics.names:
        return set()
    found = set()
    for record in topics.read(name):
        source, part, offset = record.headers["cf_from"].rsplit("/", 2)
        assert source.endswith(topic) or topic in source, record.headers["cf_from"]
        found.add((int(part), int(offset)))
    return found


def test_every_record_is_an_event_that_is_described(topics, records):
    wrong = []
    for topic in {topic for topic, _ in records.described}:
        left_out = refused(topics, topic)
        for record in topics.read(topic):
            said = records.check(record) if (record.part, record.offset) not in left_out else None
            if said:
                wrong.append(f"{topic}/{record.part}@{record.offset}: {said}")
    assert not wrong[:20]
    assert STRAIGHT <= records.seen


def test_a_record_that_is_not_described_is_noticed(topics, records):
    record = next(r for r in topics.read("card.events") if r.type == "card.step")
    assert records.check(record) is None
    for header, value in (("ce_type", "card.walked"), ("ce_type", "card.promised"),
                          ("ce_specversion", "0.1"), ("ce_id", "")):
        wrong = record.__class__(**{**vars(record), "headers": {**record.headers, header: value}})
        assert records.check(wrong), header
