"""More than one replica: they come and go under load, and owners freeze while others take over."""

import time

from harness.program import wait_until
from world import PATH

WORST = {                          # where a replica freezes itself
    "intake": "after_commit",      # committed, and nothing of it sent yet
    "production": "before_commit", # with its locks held
    "photo-fetch": "mid_publish",  # half of the messages are sent
}
FREEZE_AT = {"after_commit": 20, "before_commit": 20, "mid_publish": 300}


def start_seconds(world, settings):
    """A second replica beside each first one: [(first, second)], each with half of the shards."""
    pairs = [(world.stack.service(name), world.second(name, **own))
             for name, own in settings.items()]
    for pair in pairs:
        world.share(*pair)
    return pairs


def take_over_and_wake(world, pairs, load):
    """Waits until the first replicas have all shards, and wakes the second, which must be fenced.
    """
    partitions = world.stack.config.partitions
    with world.measured("frozen; until the others had all shards"):
        for first, _ in pairs:
            wait_until(f"{first.name} takes over", 60,
                       lambda f=first: world.shards(f) == partitions, 0.05)
    assert load.running()
    time.sleep(0.5)
    with world.measured("woken; until the last was fenced"):
        for _, second in pairs:
            assert second.paused()
            second.resume()
        for _, second in pairs:
            wait_until(f"{second.name} is fenced", 30,
                       lambda s=second: world.figure(s, "fenced_total") > 0, 0.05)


def test_second_replicas_come_and_go_under_load(world):
    with world.load(rate=250) as load:
        world.in_the_middle(world.stack.service("intake"), 300, load)
        with world.measured("a second replica of each service has its half"):
            pairs = start_seconds(world, {name: {} for name in PATH})
        assert load.running()
        with world.measured("all of them stopped, the first have everything again"):
            for _, second in pairs:
                world.drop(second)
    world.reckon()


def test_frozen_owners_are_fenced_when_they_wake(world):
    pairs = start_seconds(world, {name: {} for name in PATH})
    with world.load(rate=250) as load:
        world.in_the_middle(pairs[-1][1], 300, load)
        for _, second in pairs:
            second.pause()
        take_over_and_wake(world, pairs, load)
    world.reckon()
    for _, second in pairs:
        world.drop(second)


def test_owners_frozen_at_the_worst_places_are_fenced(world):
    pairs = start_seconds(world, {name: {"failpoints": f"{place}=stop@{FREEZE_AT[place]}"}
                                  for name, place in WORST.items()})
    with world.load(rate=200) as load:
        for _, second in pairs:
            wait_until(f"{second.name} freezes itself", 30, second.paused, 0.02)
        take_over_and_wake(world, pairs, load)
    world.reckon()
    for _, second in pairs:
        world.drop(second)
