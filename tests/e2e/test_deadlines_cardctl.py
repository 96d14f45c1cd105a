"""cardctl deadlines recalculate: what another calendar moves is listed, and moved when it is applied."""

import datetime
import json
import os
import subprocess

import pytest
from harness import workdays
from harness.client import Client
from harness.kafka import ROOT
from harness.program import wait_until
from harness.topics import Topics

CALENDAR = ROOT / "tests" / "data" / "calendar.csv"
POLICIES = ROOT / "tests" / "data" / "policies.csv"
ACCEPTED = datetime.date(2026, 3, 2)


def cardctl(build_dir, info, calendar, *words):
    return subprocess.run(
        [f"{build_dir}/bin/cardctl", "deadlines", "recalculate", "--calendar", calendar, *words],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "CARDFLOW_POSTGRES_DSN": info["postgres"]["intake"],
             "CARDFLOW_KAFKA_BROKERS": info["kafka"],
             "CARDFLOW_POLICIES_FILE": str(POLICIES)})


@pytest.fixture
def recalculate(stack, build_dir):
    return lambda calendar, *words: cardctl(build_dir, stack.info(), calendar, *words)


def with_holiday(day):
    """The calendar with one more holiday."""
    rows = CALENDAR.read_text(encoding="utf-8").splitlines()
    return "\n".join([rows[0], *sorted([*rows[1:], f"{day},holiday,临时放假"])]) + "\n"


@pytest.fixture
def waiting(client, people, bank):
    """An accepted application without a photo: its deadline is open."""
    person = people.resident()
    client.enrol(person)
    outcome = client.apply(person, photo_choice="upload",
                           submitted_at=f"{ACCEPTED}T09:00:00+08:00").json
    assert outcome["outcome"] == "accepted", outcome
    client.wait_for(outcome["application_id"], "photo_missing")
    return outcome


def changed(done):
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["changed"] == len(said["deadlines"]) <= said["open"] and said["open"] > 0
    return {row["application_id"]: row for row in said["deadlines"]}


def test_a_new_holiday_moves_open_deadlines_by_a_day(client, waiting, recalculate, tmp_path):
    due, counted, _ = workdays.count(ACCEPTED, 7)
    assert waiting["deadline"]["due_on"] == str(due)
    path = tmp_path / "calendar.csv"
    path.write_text(with_holiday(counted[2]), encoding="utf-8")
    moved = changed(recalculate(path, "--dry-run", "--json"))[waiting["application_id"]]
    after, _, _ = workdays.count(due, 1)
    assert (moved["due_on"], moved["would_be"]) == (str(due), str(after))
    assert (moved["policy"], moved["accepted_on"]) == ("first_issue_2018", str(ACCEPTED))
    assert moved["provisional"] is False
    assert client.outcome(waiting["application_id"])["deadline"]["due_on"] == str(due)


def test_the_same_calendar_moves_nothing(waiting, recalculate):
    assert waiting["application_id"] not in changed(recalculate(CALENDAR, "--dry-run", "--json"))


def test_a_shorter_calendar_makes_dates_provisional(waiting, recalculate, tmp_path):
    path = tmp_path / "calendar.csv"
    path.write_text("".join(line for line in CALENDAR.read_text(encoding="utf-8").splitlines(True)
                            if not line.startswith("2026")), encoding="utf-8")
    row = changed(recalculate(path, "--dry-run", "--json"))[waiting["application_id"]]
    assert row["provisional"] is True


def test_wrong_use_is_said_and_nothing_is_done(recalculate, tmp_path):
    for words in ([], ["--reason", "x"], ["--operator", "x"]):
        done = recalculate(CALENDAR, *words)
        assert done.returncode == 2 and "--dry-run" in done.stderr, (words, done)
    broken = tmp_path / "broken.csv"
    broken.write_text("date,kind,name\n2026-13-01,holiday,x\n", encoding="utf-8")
    done = recalculate(broken, "--dry-run")
    assert done.returncode == 1 and "line 2" in done.stderr, done.stderr


def test_applying_moves_each_deadline_once_with_reason_and_audit(make_stack, people, build_dir,
                                                                 tmp_path):
    calendar = tmp_path / "calendar.csv"
    calendar.write_bytes(CALENDAR.read_bytes())
    stack = make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                       settings={"*": {"calendar_file": str(calendar)}})
    client, topics = Client(stack), Topics(stack.info())
    person = people.resident()
    outcome = client.accepted(person, photo_choice="upload")
    application_id = outcome["application_id"]
    client.wait_for(application_id, "photo_missing")
    accepted = datetime.date.fromisoformat(outcome["deadline"]["accepted_on"])
    due, counted, _ = workdays.count(accepted, 7)
    holiday = next(day for day in counted if day not in workdays.CALENDAR and day.weekday() < 5)
    after = str(workdays.count(due, 1)[0])
    calendar.write_text(with_holiday(holiday), encoding="utf-8")
    words = ["--reason", "临时放假一天", "--operator", "li.w", "--json"]

    def apply(*more):
        done = cardctl(build_dir, stack.info(), calendar, *words, *more)
        return done.returncode, json.loads(done.stdout)

    def told():
        return client.outcome(application_id)["deadline"]

    # The services still count by the calendar they have read.
    code, said = apply("--wait", "2")
    assert (code, said["changed"], said["applied"], said["left"]) == (1, 1, 0, 1), said
    assert told()["due_on"] == str(due) and told()["changes"] == []
    for service in ("intake", "production", "inquiry"):
        stack.restart(service)
    listed = cardctl(build_dir, stack.info(), calendar, "--dry-run", "--json")
    code, said = apply()
    assert (code, said["applied"], said["left"]) == (0, 1, 0), said
    assert said["deadlines"] == json.loads(listed.stdout)["deadlines"]
    row, = said["deadlines"]
    assert (row["application_id"], row["due_on"], row["would_be"]) == \
        (application_id, str(due), after)
    wait_until("the new date", 20, lambda: told()["due_on"] == after, 0.1)
    change, = told()["changes"]
    assert (change["what"], change["due_before"], change["due_on"], change["reason"]) == \
        ("recalculated", str(due), after, "临时放假一天")
    assert {"date": str(holiday), "name": "临时放假"} in told()["skipped"]
    # Again: there is nothing left to move.
    code, said = apply()
    assert (code, said["changed"], said["applied"], said["deadlines"]) == (0, 0, 0, []), said
    client.settle("production")
    event = topics.messages.card.CardEvent
    moved = [event.FromString(r.value).deadline for r in topics.read("card.events")
             if r.type == "card.deadline_changed"]
    assert [(d.what, d.reason) for d in moved] == [("recalculated", "临时放假一天")]
    audit = topics.messages.audit.AuditEvent
    kept = [audit.FromString(r.value) for r in topics.read("audit.events")]
    kept = [(a.operator, a.purpose) for a in kept if a.action == "deadlines.recalculate"]
    assert kept == [("li.w", "临时放假一天")] * 2  # the refused run, and the one that moved it
    topics.close()
