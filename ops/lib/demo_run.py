"""The course of the demo on a stack that is up: feed, watch, audit, sum up."""

import collections
import time

import audit
import feed
import inventory
from harness.api import Api
from harness.program import ProgramError

# Each request is counted once: the first is the sum of the others.
COUNTED = ("submitted", "accepted", "noticed", "rejected", "rows_refused", "replayed", "conflicts")


def run(stack, say, keep=False):
    """The summary. keep: the same input was fed before; what it makes now is counted as new."""
    followed = audit.Audit(stack.info())
    try:
        return run_followed(stack, say, followed, keep)
    finally:
        followed.close()


def run_followed(stack, say, followed, keep):
    before, sms_before = None, 0
    if keep:
        settled(followed)
        before, sms_before = inventory.take(followed), received_sms(stack)
        if not before["applications"]:
            raise ProgramError("there is nothing to feed again here: run it without --keep first")
    feeding = feed.Feed(stack, say)
    feeding.enrol()
    feeding.import_cards()
    say("uploading the roster of 5,000 and sending 500 applications")
    roster_id = feeding.upload_roster()
    for row in feeding.applications:
        feeding.check_application(row, feeding.apply(row))
    feeding.check_roster(roster_id)
    feeding.upload_photos()
    feeding.wait_for_cards()
    states = feeding.states()
    say("auditing topics and stores")
    found = settled(followed)
    names = collections.Counter((state or {}).get("state") for state in states)
    for problem in feeding.failures[:20]:
        say(f"  not as expected: {problem}")
    summary = {**{key: feeding.counts[key] for key in COUNTED},
               "waiting_photo": names["photo_missing"],
               "activated": len(set(feeding.accepted) & feeding.watcher.activated),
               "vectors_matched": feeding.counts["vectors_matched"],
               "vectors_failed": feeding.counts["vectors_failed"],
               "lost": found["lost"], "duplicated": found["duplicated"],
               "stuck": found["stuck"], "contradictory": found["contradictory"],
               "notifications": received_sms(stack),
               "states": dict(sorted((str(k), v) for k, v in names.items())),
               "audit": found["details"], "parked": found["parked"],
               "dead_letters": found["dead_letters"]}
    if keep:
        made = inventory.new(before, inventory.take(followed))
        made["messages to phones"] = summary["notifications"] - sms_before
        summary |= {"new": sum(made.values()), "new_by_kind": made}
    return summary


def settled(followed, most_s=60):
    """The audit, when all that was fed has come to rest."""
    until = time.monotonic() + most_s
    while True:
        found = followed.look()
        if audit.is_clean(found) or time.monotonic() > until:
            return found
        time.sleep(2)


def received_sms(stack):
    answer = Api(stack.info()["simulators"]["sms"], None).get("/sim/stats")
    return answer.json.get("distinct", answer.json.get("messages", 0)) if answer.json else 0


def is_good(summary):
    good = summary["submitted"] == sum(summary[key] for key in COUNTED[1:]) and not any(
        summary[key] for key in ("vectors_failed", *audit.KINDS))
    if "new" not in summary:
        return good
    # Fed again: each answer is the first one's, and a request that was refused as another's is
    # refused again.
    return good and summary["new"] == 0 and \
        summary["submitted"] == summary["replayed"] + summary["conflicts"]
