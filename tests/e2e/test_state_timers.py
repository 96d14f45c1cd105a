"""The edges that time walks, by the test clock and on a stack of its own: a shard's time never goes
back. Banks take what waits an hour, so that their queue can be looked into; their answers are given
here. Each timer is looked at just before it is due and just after. All begin at noon, whatever the
time of day: what ends with a day would end a day apart for those before and after midnight."""

import collections
import datetime

import psycopg
import pytest
from harness.client import Client
from harness.ends import EAST, today
from harness.fixtures import running
from harness.notices import notifications
from harness.program import wait_until
from harness.stack import Config
from harness.topics import Topics
from harness.machines import AFTER, ANSWERS, Holder, all_of
from test_state_pairs import STEPS as BANK_STEPS
from test_state_pairs import none_wrong, parked, refusal

DAY_MS = 24 * 3600 * 1000
STEPS = ("account_opened", "produced", "shipped", "arrived", "collected")

Timer = collections.namedtuple("Timer", "who still due before after")


# What is looked at.
def state(h):
    return h.state()


def last(h):
    """The last two states."""
    return [step["state"] for step in h.client.outcome(h.app)["timeline"]][-2:]


def card(h):
    return h.cards()


def temporary(h):
    return h.cards(temporary=True)


def identity(h):
    shown = h.client.status(document=h.document)["cards"][0]
    return shown["state"], shown["identity"]["reasons"]


def next_day(h):
    """Days from the beginning to the date that the holder is told; None: no date."""
    told = h.client.status(document=h.document)["next_date"]
    return told and (datetime.date.fromisoformat(told) - h.begun).days


def reminded(h):
    return len(notifications(h.topics, h.person).get("pickup_reminder", []))


# Days since the beginning: on `still` it is as before, on `due` it has happened. What is due at a
# day's end is looked at in the middle of that day and of the next.
TIMERS = {
    "received notice noticed": Timer("waiting", 0.9, 1.1, (state, "received"),
                                     (state, "noticed")),
    "noticed expire expired": Timer("noticed", 30, 31, (state, "noticed"), (state, "expired")),
    "the day to answer a notice by": Timer("noticed", 30, 31, (next_day, 30), (next_day, None)),
    "photo_missing expire expired": Timer("missing", 20, 21, (state, "photo_missing"),
                                          (state, "expired")),
    "the day to give a photo by": Timer("missing", 20, 21, (next_day, 20), (next_day, None)),
    "photo_ready batched batched": Timer("queued", 0, 0.05, (state, "photo_ready"),
                                         (state, "batched")),
    "production_failed remake photo_ready": Timer(
        "remade", 0.06, 0.2, (last, ["production_failed", "photo_ready"]), (state, "batched")),
    "batched unanswered production_failed": Timer(
        "unanswered", 4.9, 5.2, (state, "batched"), (last, ["production_failed", "photo_ready"])),
    "account_opened unanswered production_failed": Timer(
        "half answered", 4.9, 5.2, (state, "account_opened"),
        (last, ["production_failed", "photo_ready"])),
    "account_failed expire expired": Timer("account failed", 25, 26,
                                           (state, "account_failed"), (state, "expired")),
    "the day to settle the account by": Timer("account failed", 25, 26, (next_day, 25),
                                              (next_day, None)),
    "uncollected for 30 days": Timer("uncollected", 29.9, 30.2, (reminded, 0), (reminded, 1)),
    "uncollected for 180 days": Timer("uncollected", 179.9, 180.2, (reminded, 1), (reminded, 2)),
    "uncollected for 330 days": Timer("uncollected", 329.9, 330.2, (reminded, 2), (reminded, 3)),
    "ready_for_pickup expire pickup_expired": Timer(
        "uncollected", 339.9, 340.2, (state, "ready_for_pickup"), (state, "pickup_expired")),
    "the day to collect a card by": Timer("uncollected", 339.9, 340.2, (next_day, 340),
                                          (next_day, None)),
    "a card that nobody collected": Timer("uncollected", 339.9, 340.2, (card, ["sealed"]),
                                          (card, ["cancelled"])),
    "no reminder after that": Timer("uncollected", 340.2, 900, (reminded, 3), (reminded, 3)),
    "the day on which a loss ends": Timer("lost normal", 5.9, 6.1, (next_day, 6),
                                          (next_day, None)),
    **{f"temporary_loss release {was}": Timer(f"lost {was}", 5.9, 6.1,
                                              (card, ["temporary_loss"]), (card, [was]))
       for was in ("sealed", "normal", "app_locked")},
    "a formal loss stays": Timer("formally lost", 5.9, 6.1, (card, ["formal_loss"]),
                                 (card, ["formal_loss"])),
    "a temporary card in use": Timer("bridged", 60, 61, (temporary, ["normal"]),
                                     (temporary, ["cancelled"])),
    "a temporary card that was extended": Timer("extended", 120, 121, (temporary, ["normal"]),
                                                (temporary, ["cancelled"])),
    "produced expire pickup_expired": Timer("untaken", 60, 61, (state, "produced"),
                                            (state, "pickup_expired")),
    "a permanent card after ten years": Timer("old", 400, 401, (identity, ("normal", [])),
                                              (identity, ("normal", ["expired"]))),
    "answers ahead of the queue": Timer("answered early", 0, 0.05, (state, "photo_ready"),
                                        (state, "collected")),
    "a failed account ahead of the queue": Timer("failed early", 0, 0.05, (state, "photo_ready"),
                                                 (state, "account_failed")),
    "a failed make ahead of the queue": Timer(
        "rejected early", 0, 0.05, (state, "photo_ready"),
        (last, ["production_failed", "photo_ready"])),
}


# How everybody comes to be there.
def lose(was, *operations):
    def run(h):
        h.with_card(was)
        for operation in operations:
            assert h.operate(operation)["result"] == "done"
    return run


def bridge(*more):
    """A temporary card in use."""
    def run(h):
        h.with_temporary().bank("collected")
        h.at("collected")
        with psycopg.connect(h.client.info["postgres"]["production"]) as link:
            card_no = link.execute("select card_no from issued where app_id = %s",
                                   (h.app,)).fetchone()[0]
        for operation in ("activate", *more):
            assert h.operate(operation, card_no=card_no)["result"] == "done"
    return run


def grow_old(h):
    """A card whose last day is the 400th from now."""
    last_day = h.begun + datetime.timedelta(days=400)
    day = 28 if (last_day.month, last_day.day) == (2, 29) else last_day.day
    h.with_card("normal", issued_on=str(last_day.replace(year=last_day.year - 10, day=day)))


def queue(*early):
    def run(h):
        h.apply()
        h.at("photo_ready")
        h.bank(*early) if early else None
    return run


BEGIN = {
    "waiting": Holder.waits,
    "noticed": Holder.noticed,
    "missing": Holder.without_photo,
    "untaken": Holder.with_temporary,
    "bridged": bridge(),
    "extended": bridge("extend_temporary"),
    "lost sealed": lose("sealed", "report_temporary_loss"),
    "lost normal": lose("normal", "report_temporary_loss"),
    "lost app_locked": lose("app_locked", "report_temporary_loss"),
    "formally lost": lose("normal", "report_temporary_loss", "report_formal_loss"),
    "old": grow_old,
    "answered early": queue(*STEPS),
    "failed early": queue("account_failed"),
    "rejected early": queue("failed"),
}
# Those of the queue, and what the bank answers when it has them.
QUEUED = {"queued": (), "unanswered": (), "half answered": ("account_opened",),
          "account failed": ("account_failed",), "remade": ("failed",),
          "uncollected": ANSWERS["ready_for_pickup"]}


# In the queue at once.
def leaves(act, to):
    def run(h):
        queue()(h)
        act(h)
        h.at(to)
    return run


def withdraw(h):
    assert h.withdraw()["result"] == "done"


def refused(h):
    queue()(h)
    assert h.supplement(address="elsewhere")["refused_because"] == "illegal_in_state"
    assert h.upload()["reasons"] == ["photo_not_wanted"]
    assert h.state() == "photo_ready"


AT_ONCE = {
    "photo_ready withdraw withdrawn": leaves(withdraw, "withdrawn"),
    "photo_ready close closed": leaves(Holder.leave, "closed"),
    "photo_ready die closed": leaves(Holder.die, "closed"),
    "photo_ready refuses": refused,
}


# When all is over: the answers of a bank (e: after the end, dropped; P: parked, for production never
# knew the application) and withdrawal, supplement and photo, each with its refusal.
NO_PHOTO = ("illegal_in_state", "illegal_in_state", "not_yet_known")
TOO_LATE = ("illegal_in_state", "illegal_in_state", "photo_not_wanted")
ENDED = {
    "noticed": ("expired", "P", NO_PHOTO),
    "missing": ("expired", "e", TOO_LATE),
    "account failed": ("expired", "e", TOO_LATE),
    "uncollected": ("pickup_expired", "e", TOO_LATE),
    "untaken": ("pickup_expired", "e", NO_PHOTO),
}


def stays(h, name):
    """Nothing changes it any more."""
    end, letter, reasons = ENDED[name]
    for act, reason in zip((h.withdraw, lambda: h.supplement(address="elsewhere"), h.upload),
                           reasons, strict=True):
        said = act()
        assert refusal(said) == reason, (name, said)
    h.bank(*BANK_STEPS)
    h.client.settle("production")
    waits = parked(h.client.info, h.topics.holder_ref, h.person)
    assert bool(waits) == (letter == "P"), (name, waits)
    h.client.settle("inquiry")
    assert h.state() == end, (name, h.state())


class Story:
    """Everybody's story along the days, and what was found wrong with each timer."""

    def __init__(self, stack, people):
        self.stack, self.client, self.topics = stack, Client(stack), Topics(stack.info())
        self.people, self.day, self.found = people, 0, {}
        self.begun = today() + datetime.timedelta(days=1)
        stack.set_clock(now=datetime.datetime.combine(self.begun, datetime.time(12),
                                                      EAST).isoformat())
        self.holders = {name: self._holder() for name in (*BEGIN, *QUEUED)}

    def _holder(self):
        h = Holder(self.client, self.people.resident())
        h.topics, h.begun = self.topics, self.begun
        return h

    def begin(self):
        for name, run in AT_ONCE.items():
            self.found[name] = all_of({name: (lambda run=run: run(self._holder()))})[name]
        wrong = all_of({name: (lambda name=name, run=run: run(self.holders[name]))
                        for name, run in (BEGIN | dict.fromkeys(QUEUED, queue())).items()})
        none_wrong(wrong)

    def go_to(self, day):
        if day > self.day:
            self.stack.set_clock(advance_ms=round((day - self.day) * DAY_MS))
            self.day = day
        if day == 0.06:
            none_wrong(all_of({name: (lambda name=name: self._answer(name)) for name in QUEUED}))

    def _answer(self, name):
        for step in QUEUED[name]:
            self.holders[name].bank(step)
            if AFTER[step] != "production_failed":
                self.holders[name].at(AFTER[step])

    def _look(self, name, want, timeout):
        timer = TIMERS[name]
        seen, value = want
        h, was = self.holders[timer.who], None

        def there():
            nonlocal was
            was = seen(h)
            return was == value
        try:
            wait_until(name, timeout, there, 0.2)
        except Exception as error:
            self.found.setdefault(name, AssertionError(
                f"day {self.day}: {seen.__name__} is {was}, not {value} ({error})"))

    def run(self):
        self.begin()
        for day in sorted({day for t in TIMERS.values() for day in (t.still, t.due)}):
            self.go_to(day)
            for name, timer in TIMERS.items():
                if timer.due == day:
                    self._look(name, timer.after, 20)
            still = [name for name, timer in TIMERS.items() if timer.still == day]
            if still:
                self.client.settle("production")
                for name in still:
                    self._look(name, TIMERS[name].before, 5)
        self.ended = all_of({name: (lambda name=name: stays(self.holders[name], name))
                             for name in ENDED})


@pytest.fixture(scope="module")
def story(build_dir, people):
    # Days that are not the usual ones: what the holder is told must be what is done.
    settings = {"production": {"batch_wait_ms": "1h", "pickup_days": 340, "account_failed_days": 25,
                               "temporary_loss_days": 6},
                "photo-fetch": {"photo_days_to_give": 20},
                "notification": {"quiet_hours": "false"}}
    with running("timers", Config(
            build=str(build_dir), simulators=["police", "sms"], settings=settings,
            services=["intake", "photo-fetch", "production", "notification", "inquiry"])) as stack:
        told = Story(stack, people)
        told.run()
        yield told
        told.topics.close()


@pytest.mark.parametrize("timer", [*TIMERS, *AT_ONCE])
def test_time_walks_an_edge(story, timer):
    if story.found.get(timer):
        raise story.found[timer]


@pytest.mark.parametrize("who", ENDED)
def test_what_has_ended_by_time_stays_so(story, who):
    if story.ended[who]:
        raise story.ended[who]
