"""cardctl deadlines recalculate --dry-run: what another calendar would move, and nothing moves."""

import datetime
import json
import os
import subprocess

import pytest
from harness import workdays
from harness.kafka import ROOT

CALENDAR = ROOT / "tests" / "data" / "calendar.csv"
ACCEPTED = datetime.date(2026, 3, 2)


@pytest.fixture
def recalculate(stack, build_dir):
    def run(calendar, *words):
        return subprocess.run(
            [f"{build_dir}/bin/cardctl", "deadlines", "recalculate", "--calendar", calendar,
             *words], capture_output=True, text=True, timeout=60,
            env={**os.environ, "CARDFLOW_POSTGRES_DSN": stack.info()["postgres"]["intake"]})
    return run


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
    holiday = counted[2]
    rows = CALENDAR.read_text(encoding="utf-8").splitlines()
    later = sorted([*rows[1:], f"{holiday},holiday,临时放假"])
    path = tmp_path / "calendar.csv"
    path.write_text("\n".join([rows[0], *later]) + "\n", encoding="utf-8")
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
    done = recalculate(CALENDAR)
    assert done.returncode == 2 and "--dry-run" in done.stderr
    broken = tmp_path / "broken.csv"
    broken.write_text("date,kind,name\n2026-13-01,holiday,x\n", encoding="utf-8")
    done = recalculate(broken, "--dry-run")
    assert done.returncode == 1 and "line 2" in done.stderr, done.stderr
