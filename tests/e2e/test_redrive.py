"""What waits for a person: seen, redriven and dropped by cardctl, in order and exactly once, with an
entry in the audit for each."""

import json
import os
import subprocess
import time
import urllib.request
import uuid

import psycopg
import pytest
from harness.program import wait_until
from test_kafka_commands import Partner

COMMANDS = "application.commands"
WHO = ("--operator", "op-17", "--purpose", "ticket 4711")


class Cardctl:
    def __init__(self, info, topics):
        self.info, self.program = info, topics.cardctl

    def run(self, service, *words):
        return subprocess.run(
            [self.program, *words[:2], "--service", service, *words[2:]], capture_output=True,
            text=True, timeout=120,
            env={**os.environ, "CARDFLOW_POSTGRES_DSN": self.info["postgres"][service],
                 "CARDFLOW_KAFKA_BROKERS": self.info["kafka"]})

    def json(self, service, *words, code=0):
        done = self.run(service, *words, "--json")
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)

    def rows(self, service, sql, *values):
        with psycopg.connect(self.info["postgres"][service]) as link:
            return link.execute(sql, values).fetchall()

    def audit(self, key):
        """[(action, operator, purpose, outcome)] of a key, the oldest first."""
        return self.rows("inquiry", "select action, operator, purpose, outcome from audit "
                         "where client = 'cardctl' and holder_ref = %s order by entry", key)


@pytest.fixture(scope="module")
def cardctl(stack, topics):
    return Cardctl(stack.info(), topics)


@pytest.fixture(scope="module")
def partner(topics):
    return Partner(topics)


# Parked records.
POISON = b"\xff\xff no line of a queue"


@pytest.fixture
def stuck(client, cardctl, people, topics):
    """A poison message for a bank's queue, and behind it the line of an application."""
    key = b"bank:B01"
    part, offset = topics.send("production.internal", key, POISON, "production.enqueue")
    wait_until("the poison parked", 20, lambda: parked(cardctl, key) == 1)
    application = client.accepted(people.resident())["application_id"]
    wait_until("the line behind it", 30, lambda: parked(cardctl, key) >= 2)
    return key, part, offset, application


def parked(cardctl, key):
    return cardctl.rows("production", "select count(*) from parked where key = %s", key)[0][0]


def test_a_key_goes_on_once_its_poison_is_dropped_and_the_rest_redriven(stuck, client, cardctl,
                                                                        topics):
    key, part, offset, application = stuck
    mine = ("--topic", "production.internal", "--key", key.hex())
    listed = cardctl.json("production", "parked", "list", *mine)
    assert [r["offset"] for r in listed["records"]][0] == offset
    assert listed["records"][0]["reason"] == "value: not a ProductionInternal"
    assert all(r["reason"].startswith("behind") for r in listed["records"][1:])
    assert sum(c["records"] for c in listed["counts"]) == len(listed["records"])

    # Shown without values; by a part of the reason.
    shown = cardctl.run("production", "parked", "show", *mine, "--reason", "not a ProductionInternal")
    assert shown.returncode == 0 and f"production.internal/{part}/{offset}" in shown.stdout
    assert "orig_ce_type: production.enqueue" in shown.stdout
    assert "no line of a queue" not in shown.stdout and POISON.hex() not in shown.stdout

    # Dry runs change nothing.
    internal, audit = topics.ends("production.internal"), topics.ends("audit.events")
    dry = cardctl.json("production", "parked", "redrive", *mine, "--dry-run")
    assert dry["dry_run"] and len(dry["records"]) == parked(cardctl, key)
    assert cardctl.json("production", "parked", "drop", *mine, "--dry-run")["dry_run"]
    assert topics.ends("audit.events") == audit
    assert topics.ends("production.internal") == internal

    # Redriven without a cure, all of it waits as before.
    again = cardctl.json("production", "parked", "redrive", *mine, *WHO, code=1)
    assert (again["keys"], again["redriven"]) == (1, 0)
    assert again["still_parked"] == parked(cardctl, key) >= 2
    assert client.outcome(application)["state"] == "photo_ready"

    dropped = cardctl.json("production", "parked", "drop", *mine, "--reason", "not a ProductionInternal",
                           *WHO)
    assert (dropped["dropped"], dropped["still_parked"]) == (1, 0)
    assert cardctl.rows("production", "select reason from dropped where part = %s and "
                        "log_offset = %s", part, offset) == [("value: not a ProductionInternal",)]
    assert parked(cardctl, key) >= 1

    done = cardctl.json("production", "parked", "redrive", *mine, *WHO, "--rate", "100")
    assert done["redriven"] >= 1 and done["still_parked"] == 0
    assert parked(cardctl, key) == 0
    client.wait_for(application, "collected", "已激活")
    states = [step["state"] for step in client.outcome(application)["timeline"]]
    assert states.count("batched") == 1

    # A second one finds nothing, and the key is free for what comes.
    assert cardctl.json("production", "parked", "redrive", *mine, *WHO)["keys"] == 0
    entries = cardctl.rows("inquiry", "select action, operator, purpose, outcome from audit where "
                           "client = 'cardctl' and outcome like %s order by entry",
                           f"production: % of production.internal/{part}")
    assert [e[0] for e in entries] == ["parked.redrive", "parked.drop", "parked.redrive"]
    assert {e[1:3] for e in entries} == {("op-17", "ticket 4711")}
    assert entries[1][3] == f"production: 1 of production.internal/{part}"


def test_parked_records_are_in_the_metrics(stuck, client, cardctl, topics, stack):
    key = stuck[0]
    operator = stack.info()["operator"]["production"][0]
    reason = 'reason="value: not a ProductionInternal"'

    def told():
        lines = client_text(operator).splitlines()
        return [line for line in lines if line.startswith("cardflow_stage_parked_waiting{")
                and reason in line and line.endswith(" 1")]
    wait_until("the reason in the metrics", 30, told)
    assert "cardflow_stage_parked_oldest_seconds " in client_text(operator)
    service = stack.service("production")
    wait_until("/readyz says that it waits", 30,
               lambda: "parked_too_long" in service.get("/readyz")[1])
    mine = ("--topic", "production.internal", "--key", key.hex())
    cardctl.json("production", "parked", "drop", *mine, "--reason", "not a ProductionInternal", *WHO)
    cardctl.json("production", "parked", "redrive", *mine, *WHO)
    client.wait_for(stuck[3], "collected", "已激活")
    wait_until("none in the metrics", 30, lambda: not told())
    # Other tests may have left records that wait.
    wait_until("/readyz says whether one waits", 30, lambda: bool(cardctl.rows(
        "production", "select count(*) from parked")[0][0]) ==
        ("parked_too_long" in service.get("/readyz")[1]))


def client_text(operator):
    with urllib.request.urlopen(operator + "/metrics", timeout=10) as answer:
        return answer.read().decode()


# Dead letters.
def test_a_dead_letter_is_redriven_once(client, cardctl, partner, people, topics):
    person = people.resident()
    client.enrol(person)
    application = uuid.uuid4()
    key, command = partner.submit(person, application)
    right, _ = topics.send(COMMANDS, key, b"where would it go?", "application.submit")
    mark = topics.ends(f"{COMMANDS}.dlq")
    partner.send(key, command, part=(right + 1) % topics.partitions)
    topics.wait("the dead letter", f"{COMMANDS}.dlq", mark,
                lambda r: r.value == command.SerializeToString())
    mine = ("--topic", COMMANDS, "--key", key.hex(), "--reason", "partition")
    listed = cardctl.json("intake", "dlq", "list", *mine)
    assert [r["type"] for r in listed["records"]] == ["application.submit"]
    shown = cardctl.run("intake", "dlq", "show", *mine)
    assert f"from: {COMMANDS}/{(right + 1) % topics.partitions}/" in shown.stdout
    assert person["document_number"] not in shown.stdout

    ends = topics.ends(COMMANDS)
    dry = cardctl.json("intake", "dlq", "redrive", *mine, "--dry-run")
    assert dry["dry_run"] and len(dry["records"]) == 1
    assert topics.ends(COMMANDS) == ends and cardctl.audit(key) == []
    # Who and why must be said, and a slip of the pen is no redrive.
    assert cardctl.run("intake", "dlq", "redrive", *mine).returncode == 2
    assert cardctl.run("intake", "dlq", "redrive", *mine, *WHO, "--dryrun").returncode == 2
    assert cardctl.run("intake", "dlq", "redrive", "--topic", COMMANDS, "--from",
                       "yesterday", *WHO).returncode == 2
    assert topics.ends(COMMANDS) == ends

    assert cardctl.json("intake", "dlq", "redrive", *mine, *WHO)["redriven"] == 1
    client.wait_for(str(application), "collected", "已激活")
    ends = topics.ends(COMMANDS)
    assert cardctl.json("intake", "dlq", "redrive", *mine, *WHO)["redriven"] == 0
    assert topics.ends(COMMANDS) == ends
    assert cardctl.json("intake", "dlq", "list", *mine)["records"] == []
    handled = cardctl.json("intake", "dlq", "list", *mine, "--handled")["records"]
    assert [r["note"] for r in handled] == ["handled"]
    kinds = [kind for kind, _ in partner.events(application)]
    assert kinds.count("application.accepted") == 1
    wait_until("the audit entry", 20, lambda: len(cardctl.audit(key)) == 1)
    assert cardctl.audit(key) == [("dlq.redrive", "op-17", "ticket 4711",
                                   f"intake: 1 of {COMMANDS}/{(right + 1) % topics.partitions}")]


def test_dead_letters_of_a_key_are_redriven_in_order(cardctl, topics):
    key = uuid.uuid4().bytes
    part, _ = topics.send(COMMANDS, key, b"first", "application.submit")
    mark = topics.ends(COMMANDS)
    for value in (b"second", b"third"):
        topics.send(COMMANDS, key, value, "application.submit")
    mine = ("--topic", COMMANDS, "--key", key.hex())
    wait_until("three dead letters", 20, lambda: len(
        cardctl.json("intake", "dlq", "list", *mine)["records"]) == 3)
    mark = topics.ends(COMMANDS)
    started = time.monotonic()
    assert cardctl.json("intake", "dlq", "redrive", *mine, *WHO, "--rate", "2")["redriven"] == 3
    assert time.monotonic() - started >= 1.0
    again = [r for r in topics.read(COMMANDS, mark) if r.key == key]
    assert [(r.value, r.part) for r in again] == [(b"first", part), (b"second", part),
                                                  (b"third", part)]
    # They are as bad as before, and dead again: new dead letters, to be dropped.
    wait_until("dead again", 20, lambda: len(
        cardctl.json("intake", "dlq", "list", *mine)["records"]) == 3)
    assert cardctl.json("intake", "dlq", "drop", *mine, *WHO)["dropped"] == 3
    assert cardctl.json("intake", "dlq", "list", *mine)["records"] == []
    assert cardctl.json("intake", "dlq", "redrive", *mine, *WHO)["redriven"] == 0


def test_a_numbered_message_is_never_put_back_into_a_stream(cardctl, topics):
    key = uuid.uuid4().bytes
    topics.send(COMMANDS, key, b"not sealed", "application.submit", cf_src="intake/0", cf_no="7")
    mine = ("--topic", COMMANDS, "--key", key.hex())
    wait_until("its dead letter", 20, lambda: len(
        cardctl.json("intake", "dlq", "list", *mine)["records"]) == 1)
    ends = topics.ends(COMMANDS)
    told = cardctl.json("intake", "dlq", "redrive", *mine, *WHO, code=1)
    assert (told["redriven"], told["refused"]) == (0, 1)
    assert told["records"][0]["note"] == "refused: a numbered message of a stage"
    assert topics.ends(COMMANDS) == ends
    assert cardctl.json("intake", "dlq", "drop", *mine, *WHO)["dropped"] == 1


def test_another_services_database_is_refused(cardctl):
    done = subprocess.run(
        [cardctl.program, "parked", "list", "--service", "production"], capture_output=True,
        text=True, env={**os.environ, "CARDFLOW_POSTGRES_DSN": cardctl.info["postgres"]["intake"]})
    assert done.returncode == 1 and "another service" in done.stderr
