"""A batch is reconciled line by line: a word repeated about one line takes nothing from another."""

import uuid

import psycopg
import pytest
from harness.client import Client
from harness.program import wait_until
from harness.walks import bank_says, states


@pytest.fixture
def unanswered(make_stack):
    """No bank: a line without an answer for four seconds is missing, and its card made again."""
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                      simulators=["police"],
                      settings={"production": {"batch_wait_ms": "1500ms", "bank_answer_ms": "4s",
                                               "remake_max": 1}})


def lines_of(topics, application_id):
    """The lines that the bank got for an application, the oldest first."""
    order = topics.messages.card.BankOrder
    said = [order.FromString(record.value) for record in topics.read("bank.orders")]
    return [o for o in said if o.HasField("line") and
            o.line.application_id == uuid.UUID(application_id).bytes]


def batch(stack, batch_id):
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        return link.execute("select lines, made, failed, missing, late_voided from batch "
                            "where id = %s", (batch_id,)).fetchone()


def test_a_word_repeated_about_one_line_takes_no_other(unanswered, opened, people):
    """Two are given up, one fails. That the first was made is said twice, under two ids; that the
    failed one was made, too: one line is late, one stays missing, one stays failed."""
    client, topics = Client(unanswered), opened(unanswered)
    persons = [people.resident() for _ in range(3)]
    apps = [client.accepted(person)["application_id"] for person in persons]
    for app in apps:
        client.wait_for(app, "batched")
    first = [lines_of(topics, app)[0] for app in apps]
    batch_id = uuid.UUID(bytes=first[0].batch_id)
    assert {line.batch_id for line in first} == {batch_id.bytes}, "one batch"
    bank_says(client, persons[2], apps[2], "failed", reason="bank_rejected")
    wait_until("two are given up", 30, lambda: batch(unanswered, batch_id) == (3, 0, 1, 2, 0), 0.2)

    def made(at):
        bank_says(client, persons[at], apps[at], "produced", card_no=first[at].line.card_no,
                  batch_id=str(batch_id), line_no=first[at].line.line_no)

    for at in (0, 0, 2, 2):
        made(at)
    wait_until("late", 15, lambda: batch(unanswered, batch_id) == (3, 0, 1, 1, 1), 0.2)
    client.settle("production")
    assert batch(unanswered, batch_id) == (3, 0, 1, 1, 1)
    made(1)
    wait_until("the other, too", 15, lambda: batch(unanswered, batch_id) == (3, 0, 1, 0, 2), 0.2)
    metrics = unanswered.service("production").metrics()
    assert metrics["cardflow_stage_parked_total"] == 0
    assert all("production_failed" in states(client, app) for app in apps)
