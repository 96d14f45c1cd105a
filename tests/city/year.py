#!/usr/bin/env python3
"""A year of a small city: has every timer fired once, and on the right day?

    tests/city/year.py PROGRAM      PROGRAM is build/<preset>/tests/city/year

The program plays the year and writes down what happened. When it must have happened is counted here
anew: days and hours from the rules, working days from tests/data/calendar.csv. Whatever time alone
causes is looked at (TIMED), and for each person it must be exactly what is expected of their part:
nothing is missing, nothing comes twice, nothing else happens.

Every kind of work of the services, and every setting that is a time, stands in KINDS, TIMES and DAYS
with the parts that show it; a new one that is not there fails. For a new timer: a part in year.h and
year_parts.c, what is expected of it in EXPECTED, and its line in the lists.
"""

import collections
import csv
import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOUR, DAY = 3600_000, 86400_000
EAST = 8 * HOUR  # Asia/Shanghai
SLACK = 2000     # ms that services may take to hear of it

# ---- what there is in the code ------------------------------------------------------------------

# Kinds of work: service's enum and number -> parts that show it, or why there is nothing to show.
KINDS = {
    "INTAKE_WORK_TIMER": ["never_enrolled", "not_put_right"],
    "INTAKE_WORK_SPLIT": "no timer: a roster is read",
    "INTAKE_WORK_COLLECT": "no timer: production is asked for cards",
    "INTAKE_WORK_UNIT": ["unit_done", "unit_late"],
    "PHOTO_WORK_FETCH": ["police_away"],
    "PHOTO_WORK_EXPIRE": ["no_photo"],
    "PRODUCTION_WORK_HOLDER": ["account_failed", "unanswered", "not_collected", "lost", "too_early",
                               "ahead", "old_card", "temporary"],
    "PRODUCTION_WORK_BANK": ["straight"],
    "PRODUCTION_WORK_NOTICE": ["bank_deaf"],
    "NOTIFY_WORK_SMS": ["sms_away"],
    "NOTIFY_WORK_REMIND": ["not_collected", "collected_late"],
    "COMPLAINT_WORK_TIMER": ["order_idle", "order_extended", "order_silent"],
    "COMPLAINT_WORK_ASK": "no timer: a holder's status is asked for at once",
}
# Times of struct production_policy.
TIMES = {
    "answer_ms": ["unanswered", "bank_back"],
    "pickup_ms": ["not_collected"],
    "account_ms": ["account_failed"],
    "loss_ms": ["lost"],
    "operation_wait_ms": ["too_early"],
    "early_ms": ["ahead"],
    "number_retry_ms": "tests/unit/production/test_decide.c: there are ten million numbers here",
    "card_years": ["old_card"],
    "temporary_days": ["temporary", "temporary_left"],
    "temporary_months": ["temporary_longer"],
    "batch_wait_ms": ["straight"],
    "notice_retry_ms": ["bank_deaf"],
    "notice_retry_max_ms": ["bank_deaf"],
    "notice_overdue_ms": ["bank_deaf"],
    "warn_days": ["no_photo", "unanswered"],
    "lead_days": ["straight"],
    "remake_max": "no time", "batch_lines": "no time", "daily_capacity": "no time",
    "priority_quota": "no time",
}
# Times of the other services' settings, and of work orders.
DAYS = {
    "enrolment_wait_ms": ["never_enrolled"],
    "days_to_give": ["no_photo"],
    "backoff": ["police_away", "sms_away"], "backoff_max": ["police_away", "sms_away"],
    "give_up": ["sms_away"],
    "quiet": ["not_collected"],
    "COMPLAINT_DAYS": ["order_idle"],
    "COMPLAINT_YELLOW_DAYS": ["order_idle"],
    "COMPLAINT_EXTEND_MAX": "no timer: the most that may be asked for",
    "COMPLAINT_RETURN_DAYS": "no timer: judged when somebody returns it",
    "COMPLAINT_SILENT_DAYS": ["order_silent"],
    "ask_again": "no timer here: nobody can be asked", "ask_max": "no time", "can_ask": "no time",
}
# The year is played with these (tests/sim/services.c), and counted with them below.
DEFAULTS = {
    ("intake", "enrolment_wait"): "24h", ("photo-fetch", "photo_days_to_give"): "30",
    ("photo-fetch", "fetch_backoff"): "500ms", ("production", "batch_wait_ms"): "1000",
    ("production", "bank_lead_days"): "3", ("production", "bank_answer_ms"): "120h",
    ("production", "early_alarm_ms"): "1h", ("production", "activation_wait_ms"): "10s",
    ("production", "pickup_days"): "365", ("production", "account_failed_days"): "30",
    ("production", "temporary_loss_days"): "7", ("production", "card_years"): "10",
    ("production", "temporary_card_days"): "60", ("production", "temporary_card_months"): "6",
    ("production", "notice_retry_ms"): "1m", ("production", "notice_retry_max_ms"): "1h",
    ("production", "notice_overdue_ms"): "10m",
    ("production", "remake_max"): "3", ("notification", "sms_give_up"): "72h",
    ("notification", "sms_backoff_max"): "2m", ("notification", "quiet_from"): "21:00",
    ("notification", "quiet_to"): "08:00",
}


def text(path):
    return re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text("utf-8"), flags=re.S)


def names_in(path, opening):
    """The names of an enum, or of the members of a struct."""
    body = re.search(re.escape(opening) + r"\s*\{(.*?)\}", text(path), re.S)
    if not body:
        return [f"{path}: {opening} is not there"]
    if opening.startswith("enum"):
        return re.findall(r"\b([A-Z][A-Z0-9_]+)\b", body.group(1))
    return [name for line in body.group(1).split(";")
            for name in re.findall(r"\b(\w+)\s*(?:\[.*?\])?\s*(?:,|$)", line.strip())]


def check_lists(wrong):
    found = [name for service in ("intake", "photo-fetch", "production", "notification",
                                  "complaint-handling")
             for name in re.findall(r"\b([A-Z]+_WORK_[A-Z]+)\b", " ".join(
                 re.findall(r"enum \w+_work\s*\{(.*?)\}", text(f"services/{service}/codec.h"), re.S)))
             if not name.endswith(("_NONE", "_COUNT"))]
    compare(wrong, "kinds of work", found, KINDS)
    compare(wrong, "struct production_policy",
            names_in("services/production/rules.h", "struct production_policy"), TIMES)
    numbers = re.search(r"enum\s*\{(\s*COMPLAINT_DAYS.*?)\}",
                        text("services/complaint-handling/rules.h"), re.S)
    others = re.findall(r"\b(COMPLAINT_\w+)\b", numbers.group(1)) if numbers else []
    for path, struct, plain in (
            ("services/intake/codec.h", "intake_env", {"ring", "calendar", "outlets", "number_key", "policies"}),
            ("services/photo-fetch/handlers.h", "photo_fetch_env", set()),
            ("services/notification/handlers.h", "notification_env", set()),
            ("services/complaint-handling/codec.h", "complaint_env", {"ring", "calendar", "owners"})):
        others += [name for name in names_in(path, f"struct {struct}") if name not in plain]
    compare(wrong, "times of settings", others, DAYS)
    for (service, setting), value in DEFAULTS.items():
        row = re.search(rf'CONF\(\w+, {setting}, "(.*?)"', text(f"services/{service}/conf.def"))
        if not row or row.group(1) != value:
            wrong.append(f"{service}: {setting} is {row and row.group(1)} by default, not {value}")


def compare(wrong, what, found, listed):
    for name in sorted(set(found) - set(listed)):
        wrong.append(f"{what}: {name} is not in the list of this test: who shows that it fires?")
    for name in sorted(set(listed) - set(found)):
        wrong.append(f"{what}: {name} is in the list of this test only")
    for name, parts in listed.items():
        for part in parts if isinstance(parts, list) else ():
            if part not in EXPECTED:
                wrong.append(f"{what}: {name}: nobody plays {part}")


# ---- the calendar -------------------------------------------------------------------------------

class Calendar:
    def __init__(self):
        with open(ROOT / "tests/data/calendar.csv", encoding="utf-8") as rows:
            self.kinds = {row["date"]: row["kind"] for row in csv.DictReader(rows)}

    def works(self, day):
        date = date_of(day)
        kind = self.kinds.get(date.isoformat())
        return kind == "makeup" or (kind is None and date.weekday() < 5)

    def add(self, day, n):
        step = 1 if n > 0 else -1
        while n:
            day += step
            n -= step * self.works(day)
        return day


def date_of(day):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=day)


def day_of(at):
    return (at + EAST) // DAY


def midnight(day):
    return day * DAY - EAST


def months_later(day, months):
    date = date_of(day)
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    last = date.day
    while True:
        try:
            return (datetime.date(year, month + 1, last) - datetime.date(1970, 1, 1)).days
        except ValueError:
            last -= 1


def awake(at):
    """The end of the quiet hours, 21:00 to 08:00, in which it falls."""
    minute = (at + EAST) % DAY // 60_000
    if 8 * 60 <= minute < 21 * 60:
        return at
    return midnight(day_of(at) + (minute >= 21 * 60)) + 8 * HOUR


# ---- what is expected of each part --------------------------------------------------------------

TIMED = re.compile(
    r"noticed not_enrolled|ended expired|photo_ended |step (expired|pickup_expired|production_failed)"
    r"|card (release|expired|cancel) |answered activate refused|order (mark|silent) "
    r"|deadline |bank_notice |unit |sms pickup_reminder|notice \w+ failed|late ")
CALENDAR = Calendar()


class Person:
    def __init__(self, part):
        self.part, self.lines = part, []

    def did(self, word, which=0):
        return [at for at, words in self.lines if words.split()[:2] == ["did", word]][which]

    def all(self, pattern):
        return [(at, words) for at, words in self.lines if re.match(pattern, words)]


def never_enrolled(p):
    told = p.did("submit") + 24 * HOUR
    return [(told, "noticed not_enrolled"), (midnight(day_of(told) + 31), "ended expired")]


def not_put_right(p):
    return [(midnight(day_of(p.did("submit")) + 31), "ended expired")]


def no_photo(p):
    return [(midnight(day_of(p.did("submit")) + 31), "photo_ended expired"),
            (midnight(day_of(p.did("submit")) + 31), "step expired photo_not_given")]


def account_failed(p):
    return [(midnight(day_of(p.did("account_failed")) + 31), "step expired account_failed")]


def unanswered(p):
    """Made again three times; each line is given five days."""
    batched = [at for at, _ in p.all("step batched")]
    return [(p.did("submit") + 5 * DAY + 1000 + i * (5 * DAY + 1000), "step production_failed")
            for i in range(4)] if len(batched) == 4 else [(0, "four lines")]


def bank_back(p):
    """Two lines are given up; what is said of them later changes nothing."""
    return [(p.did("submit") + 5 * DAY + 1000 + i * (5 * DAY + 1000), "step production_failed")
            for i in range(2)]


def reminders(p, days):
    return [(awake(p.did("arrived") + n * DAY), "sms pickup_reminder") for n in days]


def not_collected(p):
    end = p.did("arrived") + 365 * DAY
    return reminders(p, (30, 180, 330)) + [(end, "card cancel"), (end, "step pickup_expired")]


def collected_late(p):
    return reminders(p, (30, 180))


def lost(p):
    return [(p.did("report_temporary_loss") + 7 * DAY, "card release normal")]


def bank_deaf(p):
    """Told again after a minute, and longer each time, until it hears; overdue after ten minutes."""
    at = p.did("report_temporary_loss")
    told = [when for when, _ in p.all("told loss ")]
    for n, (a, b) in enumerate(zip(told, told[1:])):
        wait = min(HOUR, 60_000 * 2 ** n)
        if not wait / 2 <= b - a <= wait + SLACK:
            return [(a + wait, f"told loss {n + 2}")]
    if not told or not at + 3 * HOUR <= told[-1] <= at + 4 * HOUR + SLACK:
        return [(at + 3 * HOUR, "told loss")]
    return [(at + 10 * 60_000, "bank_notice loss overdue"),
            (told[-1], "bank_notice loss acknowledged"), *lost(p)]


def too_early(p):
    return [(p.did("activate") + 10_000, "answered activate refused not_collected")]


def ahead(p):
    """The alarm counts, and moves nothing: that its timer has fired is all there is to see."""
    at = p.did("shipped") + HOUR
    fired = sum(abs(t - at) < SLACK for t, _ in p.all("timer production 1"))
    return [] if fired == 1 else [(at, "timer")]


def old_card(p):
    issued = int(p.all("did import_card")[0][1].split()[2])
    return [(midnight(months_later(issued, 120) + 1), "card expired normal")]


def temporary(p):
    return [(midnight(day_of(p.did("submit")) + 61), "card expired cancelled")]


def temporary_longer(p):
    last = months_later(day_of(p.did("submit")), 6)
    return [(midnight(last + 1), "card expired cancelled")]


def temporary_left(p):
    end = midnight(day_of(p.did("submit")) + 61)
    return [(end, "card "), (end, "step pickup_expired")]


def police_away(p):
    """Asked six times: half a second after the first failure at most, then longer, with jitter."""
    asked = [at for at, _ in p.all("asked")]
    waits = [b - a for a, b in zip(asked, asked[1:])]
    good = len(asked) == 6 and all(w <= 500 * 2 ** (i + 1) + SLACK for i, w in enumerate(waits))
    return [] if good else [(0, f"six questions, not after {waits} ms")]


def sms_away(p):
    """Each message is given up after 72 hours, at its next turn; at night there is none."""
    told = {"accepted": p.did("submit"), "ready_for_pickup": p.did("arrived"),
            "collected": p.did("collected"), "activated": p.did("activate")}
    failed = {words.split()[1]: at for at, words in p.all("notice \\w+ failed")}
    for template, at in told.items():
        late = failed.get(template, 0) - awake(at + 72 * HOUR)
        if template != "activated" and not 0 <= late <= 150_000:
            return [(awake(at + 72 * HOUR), f"notice {template} failed")]
    return [(at, f"notice {template} failed") for template, at in failed.items()
            if template in told]


def marks(p, days):
    due = CALENDAR.add(day_of(p.did("open")), days)
    return [(midnight(CALENDAR.add(due, -1)), "order mark done routed yellow"),
            (midnight(due + 1), "order mark done routed red")]


def order_idle(p):
    return marks(p, 5)


def order_extended(p):
    return marks(p, 10)


def order_silent(p):
    return [(midnight(CALENDAR.add(day_of(p.did("reply")), 5) + 1), "order silent done closed")]


def unit_marks(p):
    """Of a unit registered today: what is past already, or overtaken, is said silently."""
    at = p.did("register")
    today = day_of(at)
    first = date_of(today).replace(day=28) + datetime.timedelta(days=4)
    due = CALENDAR.add(today + (first.replace(day=1) - date_of(today)).days, -1)
    days = [("warned_5", CALENDAR.add(due, -5)), ("warned_2", CALENDAR.add(due, -2)),
            ("overdue", due + 1)]
    return due, [(max(at, midnight(day)), f"unit {what} {due} {int(day < today)}")
                 for what, day in days]


def unit_done(p):
    due, _ = unit_marks(p)
    return [(max(midnight(due + 1), p.did("register")), f"unit met {due} 1")]


def unit_late(p):
    due, passed = unit_marks(p)
    met = midnight(day_of(p.did("register") + 45 * DAY) + 1)
    return [*passed, (met, f"unit met {due} 0")]


def deadlines(p):
    """Marks of what is open then: two working days before, and on the first day after."""
    ends = [at for at, _ in p.all("step (ready_for_pickup|collected|expired|pickup_expired|closed)")]
    want = []
    for _, words in p.all("accepted "):
        kind, on, due = map(int, words.split()[1:])
        if kind != 5:  # a temporary card has no days that could be warned of
            want.append((midnight(max(on, CALENDAR.add(due, -2))), f"deadline warned {due} 0"))
        want.append((midnight(due + 1), f"deadline overdue {due} 0"))
    return [(at, words) for at, words in want if at < min(ends, default=at + 1)]


EXPECTED = {f.__name__: f for f in (
    never_enrolled, not_put_right, no_photo, account_failed, unanswered, bank_back, not_collected,
    collected_late, lost, bank_deaf, too_early, ahead, old_card, temporary, temporary_longer, temporary_left,
    police_away, sms_away, order_idle, order_extended, order_silent,
    unit_done, unit_late)}
EXPECTED["straight"] = lambda p: []


# ---- what has happened --------------------------------------------------------------------------

def shown(at):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=at + EAST)).isoformat(
        " ", "milliseconds")


def check_person(wrong, who, p):
    want = sorted(EXPECTED[p.part](p) + deadlines(p))
    seen = sorted((at, words) for at, words in p.lines if TIMED.match(words))
    for at, words in list(want):
        for event in seen:
            if abs(event[0] - at) < SLACK and event[1].startswith(words):
                want.remove((at, words))
                seen.remove(event)
                break
    for at, words in want:
        wrong.append(f"{p.part} {who}: not at {shown(at)}: {words}")
    for at, words in seen:
        wrong.append(f"{p.part} {who}: nobody expects at {shown(at)}: {words}")


def check_days(wrong, who, p):
    for at, words in p.lines:
        word, *rest = words.split()
        if word == "accepted":
            kind, on, due = map(int, rest)
            right = CALENDAR.add(on, 7)
            if kind == 5:
                right = on if CALENDAR.works(on) else CALENDAR.add(on, 1)
            if due != right or on != day_of(at):
                wrong.append(f"{p.part} {who}: due on {date_of(due)}, not {date_of(right)}")
        if word == "promised" and int(rest[0]) != CALENDAR.add(day_of(at), 3):
            wrong.append(f"{p.part} {who}: promised on {date_of(int(rest[0]))}")
        if word == "sms" and rest[1] == "0" and awake(at) != at:
            wrong.append(f"{p.part} {who}: {rest[0]} told at night, {shown(at)}")
    queued, batched = p.all("promised"), p.all("step batched")
    if len(queued) != len(batched) or any(
            not 0 < b[0] - q[0] <= 1000 + SLACK for q, b in zip(queued, batched)):
        wrong.append(f"{p.part} {who}: a batch has not closed after its second")


def main():
    done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{sys.argv[1]} ended with {done.returncode}")
    people, fired, wrong = {}, collections.Counter(), []
    for line in done.stdout.splitlines():
        at, who, part, words = line.split("\t")
        people.setdefault(int(who), Person(part)).lines.append((int(at), words))
        if words.startswith("timer "):
            fired[words] += 1
    check_lists(wrong)
    people.pop(0, None)
    for who, p in people.items():
        check_person(wrong, who, p)
        check_days(wrong, who, p)
    for part in sorted(set(EXPECTED) - {p.part for p in people.values()}):
        wrong.append(f"nobody has played {part}")
    print("\n".join(wrong[:50]))
    print(f"year: {len(people)} persons, {sum(fired.values())} timers fired, {len(wrong)} wrong")
    return 1 if wrong or not people else 0


if __name__ == "__main__":
    sys.exit(main())
