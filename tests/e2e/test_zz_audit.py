"""After all other tests: the independent audit over topics and stores of the stack they shared."""

import feed


def test_nothing_is_lost_doubled_stuck_or_contradictory(stack, client, people):
    client.wait_for(client.accepted(people.resident())["application_id"], "collected", "已激活",
                    timeout=60)
    found = feed.settled_audit(stack.info(), 60)
    assert {key: found[key] for key in ("lost", "duplicated", "stuck", "contradictory")} == \
        dict.fromkeys(("lost", "duplicated", "stuck", "contradictory"), 0), found["details"]
    assert found["parked"] == 0, found["parked_by_stage"]
