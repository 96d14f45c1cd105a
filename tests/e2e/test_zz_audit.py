"""After all other tests: the independent audit over topics and stores of the stack they shared."""

import time

import audit

KINDS = ("lost", "duplicated", "stuck", "contradictory", "parked")


def settled(info, seconds):
    """The last audit: the first without a finding, or the one after that time."""
    end = time.monotonic() + seconds
    while True:
        found = audit.audit(info)
        if not any(found[kind] for kind in KINDS) or time.monotonic() > end:
            return found
        time.sleep(2)


def test_nothing_is_lost_doubled_stuck_contradictory_or_parked(stack, client, people):
    client.wait_for(client.accepted(people.resident())["application_id"], "collected", "已激活",
                    timeout=60)
    found = settled(stack.info(), 60)
    assert {kind: found[kind] for kind in KINDS} == dict.fromkeys(KINDS, 0), \
        (found["details"], found["parked_by_stage"])
