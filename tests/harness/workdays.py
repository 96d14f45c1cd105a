"""Working days by tests/data/calendar.csv alone, written apart from common/pure/calendar.c."""

import csv
import datetime

from .kafka import ROOT


def load():
    with open(ROOT / "tests" / "data" / "calendar.csv", encoding="utf-8", newline="") as file:
        return {datetime.date.fromisoformat(row["date"]): row for row in csv.DictReader(file)}


CALENDAR = load()


def is_worked(day):
    row = CALENDAR.get(day)
    return day.weekday() < 5 if row is None else row["kind"] == "makeup"


def count(start, working_days):
    """(due date, days counted, [(day skipped, its holiday or None)]); the day after is day 1."""
    day, counted, skipped = start, [], []
    while len(counted) < working_days:
        day += datetime.timedelta(days=1)
        if is_worked(day):
            counted.append(day)
        else:
            skipped.append((day, CALENDAR[day]["name"] if day in CALENDAR else None))
    return counted[-1], counted, skipped
