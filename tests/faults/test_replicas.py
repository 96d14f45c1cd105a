"""More than one replica: they come and go under load, and one is frozen while another takes over."""

import time

import pytest
from harness.program import wait_until
from world import PATH


def test_second_replicas_come_and_go_under_load(world):
    first = [world.stack.service(name) for name in PATH]
    with world.load(rate=250) as load:
        world.in_the_middle(first[0], 300, load)
        with world.measured("a second replica of each service has its half"):
            second = [world.second(name) for name in PATH]
            for pair in zip(first, second, strict=True):
                world.share(*pair)
        assert load.running()
        with world.measured("all of them stopped, the first have everything again"):
            for replica in second:
                world.drop(replica)
    world.reckon()


def frozen(world, service, other, load):
    """Waits until another replica has all shards, wakes the frozen one, which must be fenced."""
    partitions = world.stack.config.partitions
    with world.measured(f"{service.name} frozen, {other.name} has all its shards"):
        wait_until("the other took over", 60, lambda: world.shards(other) == partitions, 0.05)
        assert load.running()
    time.sleep(0.5)
    with world.measured("woken and fenced"):
        service.resume()
        wait_until("the woken owner is fenced", 30,
                   lambda: world.figure(service, "fenced_total") > 0, 0.05)


@pytest.mark.parametrize("name", PATH)
def test_a_frozen_owner_is_fenced_when_it_wakes(world, name):
    first = world.stack.service(name)
    second = world.second(name)
    world.share(first, second)
    with world.load(rate=300) as load:
        world.in_the_middle(second, 300, load)
        second.pause()
        frozen(world, second, first, load)
    world.reckon()
    world.drop(second)


@pytest.mark.parametrize("name, place", [
    ("intake", "after_commit"),          # committed, and nothing of it sent yet
    ("production", "before_commit"),     # with its locks held
    ("production", "mid_publish"),       # half of the messages are sent
])
def test_an_owner_frozen_at_the_worst_place_is_fenced(world, name, place):
    first = world.stack.service(name)
    at = 300 if place == "mid_publish" else 20
    second = world.second(name, failpoints=f"{place}=stop@{at}")
    world.share(first, second)
    with world.load(rate=250) as load:
        wait_until("it freezes itself", 30, second.paused, 0.02)
        frozen(world, second, first, load)
    world.reckon()
    world.drop(second)
