"""Changes that a bank did not report itself are told to it until it says that it has heard them."""

import json
import os
import subprocess
import uuid

import pytest
from harness.bank import open_notices, told
from harness.client import Client
from harness.program import wait_until
from harness.topics import Topics


def lose(client, person, **fields):
    answer = client.api("production", "hotline_12345").post("/v1/card-operations", {
        "operation": "report_temporary_loss", "channel": "hotline_12345",
        "holder": client.document(person),
        "actor": client.holder(person), "operator": {"staff_id": "agent-7"}, **fields}, wait=10)
    assert (answer.status, answer.json["result"]) == (200, "done"), answer


def card_of(client, person):
    cards = client.status(document=client.document(person))["cards"]
    return cards[0] if cards else {}


def imported(client, person):
    client.enrol(person)
    client.import_card(person)
    wait_until("the imported card is known", 15, lambda: card_of(client, person), 0.1)
    return person


def test_a_loss_by_phone_is_told_to_the_bank_once_when_it_answers(stack, client, people, topics):
    person = imported(client, people.resident())
    lose(client, person)
    wait_until("the bank has acknowledged", 15,
               lambda: told(topics, person) and not open_notices(stack.info(), topics, person), 0.2)
    assert [(what, bank, times) for what, bank, _, _, times in told(topics, person)] == \
        [("loss", "B01", 1)]
    assert card_of(client, person)["bank_notice"] is None


class Hurried:
    """A stack that tells a bank again within a second, and has no patience with losses."""

    def __init__(self, stack, build_dir):
        self.stack, self.build_dir, self.info = stack, build_dir, stack.info()
        self.client, self.topics = Client(stack), Topics(self.info)
        self.bank = stack.simulators["bank"]

    def listed(self, *words):
        done = subprocess.run(
            [f"{self.build_dir}/bin/cardctl", "notices", "list", "--json", *words],
            capture_output=True, text=True, timeout=60,
            env={**os.environ, "CARDFLOW_POSTGRES_DSN": self.info["postgres"]["production"]})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def gauge(self, state):
        return self.stack.service("production").metrics()[
            f'cardflow_production_bank_notices_open{{state="{state}"}}']

    def events(self, person, kind):
        ref = self.topics.holder_ref(person["document_type"], person["document_number"])
        return [record for record in self.topics.read("card.events")
                if record.key == ref and record.type == kind]

    def acknowledge(self, person, notice_id, bank="B01"):
        answer = self.client.api("production").post("/v1/bank-results", {
            "type": "notice_acknowledged", "notice_id": str(uuid.UUID(bytes=notice_id)),
            "bank_code": bank, **self.client.document(person)})
        assert answer.status == 202, answer


@pytest.fixture
def hurried(make_stack, build_dir):
    stack = make_stack(services=["intake", "production", "inquiry"], settings={"production": {
        "notice_retry_ms": "500ms", "notice_retry_max_ms": "1s", "notice_overdue_ms": "2s"}})
    made = Hurried(stack, build_dir)
    yield made
    made.topics.close()


def test_a_bank_that_does_not_answer_is_told_again_and_a_loss_becomes_overdue(hurried, people):
    client, topics, person = hurried.client, hurried.topics, people.resident()
    imported(client, person)
    hurried.bank.behave(notices="silent")
    lose(client, person)
    wait_until("told again and again", 20, lambda: told(topics, person)[0][4] >= 4, 0.3)
    assert len(told(topics, person)) == 1  # the same notice, by its id
    wait_until("the hotline sees it", 15,
               lambda: card_of(client, person)["bank_notice"] == "overdue", 0.2)
    assert len(hurried.events(person, "card.notice_overdue")) == 1
    seen = hurried.listed("--overdue")
    assert (seen["open"], seen["overdue"]) == (1, 1)
    (row,) = seen["notices"]
    assert (row["what"], row["bank_code"], row["overdue"]) == ("loss", "B01", True)
    assert told(topics, person)[0][2] not in json.dumps(seen)  # the number is masked
    assert hurried.listed("--bank", "B02")["open"] == 0
    wait_until("the operator's gauge", 15, lambda: hurried.gauge("overdue") == 1, 0.3)
    # It answers after all, and twice.
    hurried.bank.behave(notices="double")
    wait_until("acknowledged", 15, lambda: not open_notices(hurried.info, topics, person), 0.2)
    wait_until("the hotline sees that", 15,
               lambda: card_of(client, person)["bank_notice"] is None, 0.2)
    assert len(hurried.events(person, "card.notice_acknowledged")) == 1
    assert hurried.listed()["open"] == 0
    wait_until("the operator's gauge", 15, lambda: hurried.gauge("overdue") == 0, 0.3)
    times = told(topics, person)[0][4]
    hurried.bank.behave(notices="acknowledged")
    other = imported(client, people.resident())
    lose(client, other)
    wait_until("another's notice is acknowledged", 15, lambda: told(topics, other) and
               not open_notices(hurried.info, topics, other), 0.2)
    assert told(topics, person)[0][4] == times
    assert hurried.stack.service("production").metrics()["cardflow_stage_parked_total"] == 0


def test_a_bank_without_kafka_acknowledges_over_http(hurried, people):
    client, topics, person = hurried.client, hurried.topics, people.resident()
    imported(client, person)
    hurried.bank.behave(notices="silent")
    lose(client, person)
    wait_until("told", 15, lambda: told(topics, person), 0.2)
    notice_id = told(topics, person)[0][3]
    hurried.acknowledge(person, uuid.uuid4().bytes)  # of nothing: no harm
    hurried.acknowledge(person, notice_id, bank="B02")  # not its notice: a person must look
    production = hurried.stack.service("production")
    wait_until("the contradiction is parked", 15,
               lambda: production.metrics()["cardflow_stage_parked_total"] == 1, 0.2)
    assert open_notices(hurried.info, topics, person) == 1
    hurried.acknowledge(person, notice_id)
    wait_until("acknowledged", 15, lambda: not open_notices(hurried.info, topics, person), 0.2)
    hurried.acknowledge(person, notice_id)
    wrong = client.api("production").post("/v1/bank-results", {
        "type": "notice_acknowledged", "bank_code": "B01", **client.document(person)})
    assert wrong.status == 400 and wrong.json["errors"][0]["field"] == "notice_id", wrong


def test_an_acknowledgement_that_comes_late_ends_the_sending(hurried, people):
    client, topics, person = hurried.client, hurried.topics, people.resident()
    imported(client, person)
    hurried.bank.behave(notices="late", notice_delay_ms=1500)
    lose(client, person)
    wait_until("told again", 15, lambda: told(topics, person) and told(topics, person)[0][4] > 1, 0.2)
    wait_until("acknowledged", 15, lambda: not open_notices(hurried.info, topics, person), 0.2)
    assert len(told(topics, person)) == 1
