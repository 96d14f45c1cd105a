"""Deadlines of applications: marks by the test clock, extensions over HTTP and Kafka."""

import datetime
import uuid

import pytest
from harness import workdays
from harness.client import Client
from harness.kafka import ROOT
from harness.notices import wait_for_sms
from harness.program import wait_until
from harness.topics import Topics

ACCEPTED = datetime.date(2026, 3, 2)
DAY = datetime.timedelta(days=1)
# Two days of work before the day that is due.
DUE, COUNTED, _ = workdays.count(ACCEPTED, 7)
WARN = COUNTED[4]


def day_of(text):
    return datetime.date.fromisoformat(text[:10]) if text else None


def marks(client, application_id):
    told = client.outcome(application_id).get("deadline")
    if told is None:  # inquiry has not heard of it yet
        return None, None
    return day_of(told["warned_at"]), day_of(told["overdue_at"])


def marked(topics, person, since=None):
    """[(what, silent, due_on)] of card.deadline_marked about a person, in order."""
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    event = topics.messages.card.CardEvent
    said = [event.FromString(r.value).deadline for r in topics.read("card.events", since)
            if r.key == ref and r.type == "card.deadline_marked"]
    return [(d.what, d.silent) for d in said]


def make_card(client, person, application_id):
    """What the bank reports until the card is ready for pickup."""
    client.wait_for(application_id, "batched")
    for step in ("account_opened", "produced", "shipped", "arrived"):
        told = client.api("production").post("/v1/bank-results", {
            "type": step, "application_id": application_id, "bank_code": "B01",
            **client.document(person)})
        assert told.status == 202, told
    client.wait_for(application_id, "ready_for_pickup")


def extend(client, application_id, days, reason="制卡设备检修", key="migration", **options):
    return client.api("intake", key).post(f"/v1/applications/{application_id}/extension",
                                          {"days": days, "reason": reason,
                                           "operator": {"staff_id": "o-17"}}, **options)


@pytest.fixture
def days(make_stack):
    """A stack of its own whose clock stands at the day of acceptance. The simulated bank is silent: it has
    the machine's clock, and what it answers would move the time of a shard on to today."""
    stack = make_stack(services=["intake", "photo-fetch", "production", "notification", "inquiry"],
                       settings={"notification": {"quiet_hours": "false"},
                                 "production": {"batch_wait_ms": "100ms"}})
    stack.simulators["bank"].behave(off=True)
    stack.set_clock(now=f"{ACCEPTED}T09:00:00+08:00")
    return stack


@pytest.fixture
def waiting(client, people):
    """An accepted application that waits for a photo."""
    person = people.resident()
    outcome = client.accepted(person, photo_choice="upload")
    client.wait_for(outcome["application_id"], "photo_missing")
    return outcome


def test_marks_come_once_on_their_day_and_not_when_the_card_was_ready(days, people):
    client, topics = Client(days), Topics(days.info())
    late, met, spot = people.resident(), people.resident(), people.resident()
    first = client.accepted(late, photo_choice="upload")
    assert day_of(first["deadline"]["due_on"]) == DUE
    late_id, met_id = first["application_id"], client.accepted(met)["application_id"]
    spot_id = client.accepted(spot, kind="temporary")["application_id"]
    client.wait_for(late_id, "photo_missing")
    make_card(client, met, met_id)
    client.wait_for(spot_id, "produced")
    days.set_clock(now=f"{WARN - DAY}T23:00:00+08:00")
    wait_until("a card on the spot is overdue on the next day", 20,
               lambda: marks(client, spot_id) == (None, WARN - DAY), 0.1)
    assert marks(client, late_id) == (None, None)
    days.set_clock(now=f"{WARN}T00:01:00+08:00")
    wait_until("the warning", 20, lambda: marks(client, late_id) == (WARN, None), 0.1)
    assert client.outcome(late_id)["deadline"]["waiting_on"] == "holder"
    # On the last day nothing more is said, though others move.
    days.set_clock(now=f"{DUE}T23:00:00+08:00")
    other = client.accepted(people.resident(), photo_choice="upload")["application_id"]
    client.wait_for(other, "photo_missing")
    assert marks(client, late_id) == (WARN, None)
    days.set_clock(now=f"{DUE + DAY}T00:01:00+08:00")
    wait_until("overdue", 20, lambda: marks(client, late_id) == (WARN, DUE + DAY), 0.1)
    shown = client.status(document=client.document(late))["applications"][0]
    assert day_of(shown["overdue_at"]) == DUE + DAY and shown["waiting_on"] == "holder"
    assert marks(client, met_id) == (None, None) and marked(topics, met) == []
    assert marked(topics, late) == [("warned", False), ("overdue", False)]
    assert marked(topics, spot) == [("overdue", False)]
    wait_for_sms(days, topics, late,
                 {"accepted", "photo_missing", "deadline_warned", "deadline_overdue"})
    topics.close()


def test_a_load_of_old_applications_is_marked_in_silence(stack, client, people, topics):
    person = people.resident()
    application_id = client.accepted(
        person, photo_choice="upload",
        submitted_at=f"{ACCEPTED}T09:00:00+08:00")["application_id"]
    wait_until("both marks", 20, lambda: None not in marks(client, application_id), 0.1)
    assert marked(topics, person) == [("warned", True), ("overdue", True)]
    client.wait_for(application_id, "photo_missing")
    wait_for_sms(stack, topics, person, {"accepted", "photo_missing"})


def test_an_extension_moves_the_due_date_and_its_marks(days, people):
    client, topics = Client(days), Topics(days.info())
    person = people.resident()
    application_id = client.accepted(person, photo_choice="upload")["application_id"]
    client.wait_for(application_id, "photo_missing")
    days.set_clock(now=f"{WARN}T09:00:00+08:00")
    wait_until("the warning", 20, lambda: marks(client, application_id) == (WARN, None), 0.1)
    due, counted, skipped = workdays.count(ACCEPTED, 10)
    done = extend(client, application_id, 3, wait=10)
    assert (done.status, done.json["result"]) == (200, "done"), done
    assert day_of(done.json["deadline"]["due_on"]) == due
    wait_until("the new date", 20,
               lambda: client.outcome(application_id)["deadline"]["due_on"] == str(due), 0.1)
    told = client.outcome(application_id)["deadline"]
    assert (told["working_days"], told["warned_at"]) == (10, None)
    assert told["counted"] == [str(day) for day in counted]
    assert [row["date"] for row in told["skipped"]] == [str(day) for day, _ in skipped]
    change, = told["changes"]
    assert (change["what"], change["due_before"], change["due_on"], change["reason"]) == \
        ("extended", str(DUE), str(due), "制卡设备检修")
    assert client.status(document=client.document(person))["applications"][0]["due_on"] == str(due)
    days.set_clock(now=f"{counted[7]}T00:01:00+08:00")
    wait_until("a warning before the new date", 20,
               lambda: marks(client, application_id) == (counted[7], None), 0.1)
    days.set_clock(now=f"{due + DAY}T00:01:00+08:00")
    wait_until("overdue", 20, lambda: marks(client, application_id) == (counted[7], due + DAY), 0.1)
    assert marked(topics, person) == [("warned", False)] * 2 + [("overdue", False)]
    late = extend(client, application_id, 1, wait=10)
    assert (late.json["result"], late.json["refused_because"]) == \
        ("refused", "extension_too_late"), late
    topics.close()


def test_extensions_stop_at_thirty_working_days(client, waiting):
    application_id = waiting["application_id"]
    for days_more, reason, want in [(24, "x", "extension_past_limit"),
                                    (5, "", "extension_without_reason")]:
        refused = extend(client, application_id, days_more, reason, wait=10)
        assert (refused.status, refused.json["result"], refused.json["refused_because"]) == \
            (200, "refused", want), refused
    first = extend(client, application_id, 23, wait=10)
    assert first.json["result"] == "done", first
    accepted = datetime.date.fromisoformat(waiting["deadline"]["accepted_on"])
    assert first.json["deadline"]["due_on"] == str(workdays.count(accepted, 30)[0])
    more = extend(client, application_id, 1, wait=10)
    assert more.json["refused_because"] == "extension_past_limit", more


def test_what_has_no_extension_is_refused(client, people):
    person = people.resident()
    client.enrol(person)
    client.import_card(person)
    wait_until("the imported card is known", 15,
               lambda: client.status(document=client.document(person))["cards"], 0.1)
    lost = client.apply(person, kind="loss_replacement", photo_choice="upload")
    assert lost.json["outcome"] == "accepted", lost
    refused = extend(client, lost.json["application_id"], 1, wait=10)
    assert refused.json["refused_because"] == "extension_not_allowed", refused
    noticed = client.apply(people.resident(), phone="").json["application_id"]
    refused = extend(client, noticed, 1, wait=10)
    assert refused.json["refused_because"] == "illegal_in_state", refused


def test_an_extension_needs_a_right_and_an_application(client, waiting):
    application_id = waiting["application_id"]
    assert extend(client, application_id, 1, key="bank_outlet").status == 403
    assert extend(client, uuid.uuid4(), 1).status == 404
    wrong = extend(client, application_id, 0)
    assert wrong.status == 400 and wrong.json["errors"][0]["field"] == "days", wrong


def test_an_extension_over_kafka_and_the_same_twice(client, people, topics):
    person = people.resident()
    outcome = client.accepted(person, photo_choice="upload")
    application_id = outcome["application_id"]
    client.wait_for(application_id, "photo_missing")
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    command = topics.messages.application.ApplicationCommand()
    command.extend.application_id = uuid.UUID(application_id).bytes
    command.extend.command_id = uuid.uuid4().bytes
    command.extend.days, command.extend.reason = 2, "银行系统升级"
    for _ in range(2):
        topics.send("application.commands", ref, command.SerializeToString(), "application.extend")
    accepted = datetime.date.fromisoformat(outcome["deadline"]["accepted_on"])
    due = str(workdays.count(accepted, 9)[0])
    wait_until("the new date", 20,
               lambda: client.outcome(application_id)["deadline"]["due_on"] == due, 0.1)
    client.settle("intake")
    client.settle("production")
    told = client.outcome(application_id)["deadline"]
    assert len(told["changes"]) == 1 and told["due_on"] == due


def test_the_policy_of_the_acceptance_day_counts_for_life(make_stack, people, tmp_path):
    policies = tmp_path / "policies.csv"
    later = ACCEPTED + 2 * DAY
    policies.write_text((ROOT / "tests" / "data" / "policies.csv").read_text() +
                        f"7,first_issue_test,first_issue,{later},5,0\n")
    stack = make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                       settings={"*": {"policies_file": str(policies)}})
    client = Client(stack)
    stack.set_clock(now=f"{ACCEPTED}T09:00:00+08:00")
    before = client.accepted(people.resident(), photo_choice="upload")
    stack.set_clock(now=f"{later}T09:00:00+08:00")
    after = client.accepted(people.resident(), photo_choice="upload")
    for outcome, policy, start, days_given in [(before, "first_issue_2018", ACCEPTED, 7),
                                               (after, "first_issue_test", later, 5)]:
        client.wait_for(outcome["application_id"], "photo_missing")
        for told in (outcome["deadline"], client.outcome(outcome["application_id"])["deadline"]):
            assert (told["policy"], told["working_days"], told["due_on"]) == \
                (policy, days_given, str(workdays.count(start, days_given)[0]))
    assert extend(client, before["application_id"], 1, wait=10).json["result"] == "done"
    refused = extend(client, after["application_id"], 1, wait=10)
    assert refused.json["refused_because"] == "extension_not_allowed", refused
