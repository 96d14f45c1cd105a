"""Redis that forgets, stands still or has no room: what inquiry says stays true."""

import time

import pytest
from harness.program import wait_until
from outlet import Outlet
from world import all_ready

SMALL = {"rate": 150, "count": 500}


@pytest.fixture
def holder(world):
    """Somebody whose card is activated before anything breaks."""
    outlet = Outlet(world, 1)
    outlet.apply(outlet.people[0])
    outlet.end()
    client, person = outlet.client, outlet.people[0]

    def states():
        told = client.status(document=client.document(person))
        return [card["state"] for card in told["cards"]]

    wait_until("a card", 30, lambda: states() == ["normal"], 0.2)
    return states


def test_redis_is_flushed_again_and_again(world, holder):
    with world.load(**SMALL) as load:
        world.in_the_middle(world.stack.service("inquiry"), 500, load)
        for _ in range(10):
            world.stack.redis.command("FLUSHALL")
            assert holder() == ["normal"]
            time.sleep(0.2)
        assert load.running()
    world.reckon()


def test_redis_stands_still(world, holder):
    """It takes connections and answers nobody."""
    redis, slowest = world.stack.redis, 0
    with world.load(**SMALL) as load:
        world.in_the_middle(world.stack.service("inquiry"), 500, load)
        redis.pause()
        try:
            for _ in range(20):
                begin = time.monotonic()
                assert holder() == ["normal"]
                slowest = max(slowest, time.monotonic() - begin)
                time.sleep(0.1)
            assert load.running()
        finally:
            redis.resume()
        with world.measured("Redis goes on; every service ready"):
            all_ready(world)
    world.reckon()
    assert slowest < 1, f"an answer took {slowest:.1f} s while Redis stood still"
    world.tell(f"the slowest answer meanwhile took {slowest * 1000:.0f} ms")


def test_redis_is_full(world, holder):
    redis = world.stack.redis
    redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.command("CONFIG", "SET", "maxmemory", "1mb")
    try:
        with world.load(**SMALL) as load:
            world.in_the_middle(world.stack.service("inquiry"), 500, load)
            for _ in range(10):
                assert holder() == ["normal"]
                time.sleep(0.1)
            assert load.running()
        world.reckon()
    finally:
        redis.command("CONFIG", "SET", "maxmemory", "0")
    all_ready(world)
