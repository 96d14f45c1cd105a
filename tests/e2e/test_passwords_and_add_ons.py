"""Passwords with every edge of their table, marks of add-ons, and fees of banks, over HTTP."""

from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from harness.commands import CardCommands
from harness.program import wait_until
from harness.topics import milliseconds
from harness.walks import bank_says, withdraw
from test_redrive import WHO, Cardctl


@pytest.fixture
def counter(stack, client, people):
    """A person with a card in use at B01, and what its outlet and its bank do with it."""
    return Counter(stack, client, people.resident())


class Counter:
    def __init__(self, stack, client, person):
        self.stack, self.client, self.person = stack, client, person
        self.document = client.document(person)
        self.application_id = client.accepted(person)["application_id"]
        client.wait_for(self.application_id, "collected", "已激活")
        wait_until("the card is in use", 20, lambda: self.card().get("state") == "normal", 0.1)
        self.card_no = self.sql("select card_no from issued where app_id = %s",
                                self.application_id)[0][0]

    def sql(self, statement, *values):
        with psycopg.connect(self.stack.info()["postgres"]["production"]) as link:
            return link.execute(statement, values).fetchall()

    def card(self):
        cards = self.client.status(document=self.document)["cards"]
        return cards[0] if cards else {}

    def operate(self, operation, kind="social_security", role="holder", **fields):
        answer = self.client.api("production", "bank_outlet").post("/v1/card-operations", {
            "operation": operation, "channel": "bank_outlet", "holder": self.document,
            "card_no": self.card_no, "password": kind,
            "actor": {"role": role, "name": self.person["name"], **self.document},
            "operator": self.client.operator(), **fields}, wait=10)
        assert answer.status == 200, answer
        return answer.json["result"], [reason["code"] for reason in answer.json["reasons"]]

    def report(self, key=None, **fields):
        answer = self.client.api("production").post("/v1/bank-results", {
            **self.document, "bank_code": "B01", "card_no": self.card_no, **fields}, key=key)
        assert answer.status == 202, answer

    def wrong(self, tries, kind="social_security", key=None):
        self.report(key=key, type="password_wrong", password_kind=kind, tries=tries)

    def shows(self, **want):
        """Waits until the hotline sees these passwords."""
        wait_until(f"{want} is shown", 20, lambda: want.items() <= (
            self.card()["passwords"] or {}).items(), 0.1)

    def parked(self):
        return self.sql("select count(*) from parked")[0][0]


def test_every_edge_of_a_password_is_walked_and_shown(counter):
    kind = "social_security"
    counter.shows(social_security="unset", financial="unset")
    # unset
    assert counter.operate("reset_password") == ("already", [])
    assert counter.operate("disable_password") == ("done", [])
    counter.shows(social_security="disabled", financial="unset")
    # disabled
    assert counter.operate("disable_password") == ("already", [])
    assert counter.operate("reset_password") == ("done", [])
    counter.shows(social_security="unset")
    assert counter.operate("disable_password") == ("done", [])
    assert counter.operate("set_password") == ("done", [])
    counter.shows(social_security="set")
    # set
    assert counter.operate("set_password") == ("done", [])
    assert counter.operate("reset_password") == ("done", [])
    assert counter.operate("set_password") == ("done", [])
    assert counter.operate("disable_password") == ("done", [])
    assert counter.operate("set_password") == ("done", [])
    counter.wrong(5)
    counter.wrong(6, key="locks-" + counter.card_no)
    counter.shows(social_security="locked", financial="unset")
    # locked
    assert counter.operate("set_password") == ("refused", ["password_locked"])
    assert counter.operate("disable_password") == ("refused", ["password_locked"])
    assert counter.operate("reset_password", role="agent") == ("refused", ["holder_only"])
    counter.wrong(7)  # said before
    counter.shows(social_security="locked")
    assert counter.operate("reset_password") == ("done", [])
    counter.shows(social_security="unset")
    assert counter.operate("set_password") == ("done", [])
    counter.wrong(6, key="locks-" + counter.card_no)  # a repeat of what was dealt with
    assert counter.operate("set_password") == ("done", [])
    counter.shows(social_security="set")
    # The other password has edges of its own.
    assert counter.operate("set_password", "financial") == ("done", [])
    counter.wrong(6, "financial")
    counter.shows(social_security="set", financial="locked")
    assert counter.operate("set_password", kind) == ("done", [])
    locks = counter.sql("select result from operation where card_no = %s and operation = %s",
                        counter.card_no, "password_wrong")
    assert locks == [("done",), ("done",)], "each lock is on record, once"


def test_wrong_tries_of_a_password_that_nobody_has_set_are_parked(counter, topics):
    parked = counter.parked()
    counter.wrong(6, "financial")
    wait_until("a person must look", 20, lambda: counter.parked() == parked + 1, 0.1)
    counter.shows(financial="unset")
    key = topics.holder_ref(*counter.document.values()).hex()
    dropped = Cardctl(counter.stack.info(), topics).json(
        "production", "parked", "drop", "--topic", "bank.results", "--key", key, *WHO)
    assert (dropped["dropped"], counter.parked()) == (1, parked)


def test_five_wrong_tries_lock_nothing(counter):
    assert counter.operate("set_password") == ("done", [])
    for tries in range(1, 6):
        counter.wrong(tries)
    assert counter.operate("set_password") == ("done", [])
    counter.shows(social_security="set")


def test_a_report_of_tries_needs_card_password_and_count(counter):
    refused = counter.client.api("production").post("/v1/bank-results", {
        **counter.document, "bank_code": "B01", "type": "password_wrong", "password_kind": "pin"})
    assert refused.status == 400, refused
    assert {error["field"] for error in refused.json["errors"]} == {
        "card_no", "password_kind", "tries"}


def test_an_opened_add_on_leaves_a_mark_that_is_shown(counter):
    consent = {"by": "holder", "given_at": "2026-03-02T10:00:00+08:00", "document": "signed form 7"}
    assert counter.card()["add_ons"] == []
    assert counter.operate("open_add_on", add_on="transport") == (
        "refused", ["add_on_without_consent"])
    assert counter.operate("open_add_on", consent=consent) == ("refused", ["missing_add_on"])
    assert counter.operate("open_add_on", add_on="transport", consent=consent) == ("done", [])
    assert counter.operate("open_add_on", add_on="transport", consent=consent) == ("already", [])
    assert counter.operate("open_add_on", add_on="公园年票", consent=consent) == ("done", [])
    wait_until("both are shown", 20, lambda: len(counter.card()["add_ons"]) == 2, 0.1)
    first, second = counter.card()["add_ons"]
    assert (first["add_on"], first["consent_by"]) == ("transport", "holder")
    assert (second["add_on"], second["consent_by"]) == ("公园年票", "holder")
    assert first["opened_at"] < second["opened_at"]


CONSENT = {"by": "holder", "given_at": "2026-03-02T10:00:00+08:00", "document": "form 7"}


def test_a_consent_says_who_when_and_by_which_document(counter):
    def opened(consent, name="transport"):
        return counter.operate("open_add_on", add_on=name, consent=consent)

    without = ("refused", ["add_on_without_consent"])
    ahead = datetime.now(timezone.utc) + timedelta(minutes=10)
    for consent in (True, {}, *({k: v for k, v in CONSENT.items() if k != left_out}
                                for left_out in CONSENT),
                    {**CONSENT, "given_at": "yesterday"}, {**CONSENT, "document": ""},
                    {**CONSENT, "given_at": ahead.isoformat(timespec="seconds")},
                    {**CONSENT, "document": {"document_type": "resident_id",
                                             "document_number": "370202199003070012"}}):
        assert opened(consent) == without, consent
    assert opened({**CONSENT, "by": "agent"}) == ("refused", ["holder_only"])
    assert opened({**CONSENT, "by": "guardian"}) == ("refused", ["holder_only"]), "of an adult"
    assert counter.card()["add_ons"] == []
    assert opened(CONSENT) == ("done", [])
    assert opened({**CONSENT, "document": counter.document}, "park") == ("done", [])
    kept = counter.sql("select consent from operation where operation = 'open_add_on' and "
                       "card_no = %s and result = 'done'", counter.card_no)
    for (consent,) in kept:
        assert consent and b"holder" in consent
        assert b"form 7" not in consent
        assert counter.document["document_number"].encode() not in consent
    assert len(kept) == 2


def test_a_consent_over_kafka_is_sealed_for_the_holder(counter, topics):
    commands = CardCommands(topics)

    def opened(**consent):
        key, command = commands.command(counter.person, "open_add_on", add_on="transport",
                                        operator=counter.client.operator())
        messages = topics.messages
        for name, value in consent.items():
            if name == "document":
                value = commands.seal(messages.card.ConsentDocument(**value), key, 3)
            setattr(command.consent_given, name, value)
        command.consent = True  # is not read any more
        return commands.answer(key, command)

    when = milliseconds("2026-03-02T10:00:00+08:00")
    without = ("refused", ["add_on_without_consent"])
    assert opened() == without
    assert opened(by="holder", given_at_ms=when) == without
    assert opened(by="holder", given_at_ms=when, document={}) == without
    assert opened(by="holder", given_at_ms=when, document={"reference": "form 7"}) == ("done", [])


def test_a_fee_in_a_bank_result_is_refused_and_on_record(client, people, bank, stack):
    bank.behave(hold_after="account_opened")
    person = people.resident()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "account_opened")
    for step in ("produced", "account_opened"):  # the second says nothing new
        told = client.api("production").post("/v1/bank-results", {
            "application_id": application_id, **client.document(person), "bank_code": "B01",
            "type": step, "fees": [{"type": "card", "amount": 0.01}]})
        assert told.status == 202, told
        client.wait_for(application_id, "produced")
        client.settle("production")
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        rows = link.execute("select o.result, o.reasons, o.notice_no from operation o "
                            "join issued i on i.card_no = o.card_no "
                            "where i.app_id = %s and o.operation = %s",
                            (application_id, "bank_result")).fetchall()
    assert [row[:2] for row in rows] == [("refused", "fee_not_allowed")] * 2
    for *_, number in rows:
        notice = client.api("production").get(f"/v1/notices/{number}")
        assert (notice.status, [r["code"] for r in notice.json["reasons"]]) == \
            (200, ["fee_not_allowed"]), notice


def test_a_fee_about_an_application_that_was_withdrawn_before_is_on_record(client, people, stack,
                                                                           topics):
    person = people.foreigner()
    first = client.accepted(person, photo_choice="upload")["application_id"]
    client.wait_for(first, "photo_missing")
    assert withdraw(client, person, first).json["result"] == "done"
    client.wait_for(first, "withdrawn")
    again = client.apply(person, photo_choice="upload").json["application_id"]
    client.wait_for(again, "photo_missing")
    client.settle("production")
    bank_says(client, person, first, "shipped", fees=[{"type": "card", "amount": 5}])
    client.settle("production")
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        (number,), = link.execute(
            "select notice_no from operation where holder = %s and operation = 'bank_result' "
            "and result = 'refused'", (topics.holder_ref(*client.document(person).values()),))
    notice = client.api("production").get(f"/v1/notices/{number}")
    assert [r["code"] for r in notice.json["reasons"]] == ["fee_not_allowed"], notice
    assert client.outcome(again)["state"] == "photo_missing"
