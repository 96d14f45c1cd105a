"""Connections that end at the worst moment or are slow, by a TCP proxy before PostgreSQL and Kafka.
"""

import time

import pytest
from world import PATH, all_ready, in_full

STACK = {"proxies": ["postgres", "kafka"]}


def retries(world):
    return sum(world.figure(world.stack.service(name), "retries_total") for name in PATH)


def test_postgres_is_cut_off_when_a_commit_goes_out(world):
    proxy = world.stack.proxies["postgres"]
    before, cuts = retries(world), proxy.cuts
    with world.load(rate=500) as load:
        world.in_the_middle(world.stack.service("intake"), 300, load)
        for _ in range(10):
            proxy.cut_at("up", b"commit")
            time.sleep(0.4)
        assert load.running()
        proxy.release()
    world.reckon()
    assert proxy.cuts - cuts >= 10 and retries(world) > before
    world.tell(f"{proxy.cuts - cuts} connections cut, {retries(world) - before:.0f} batches again")


def test_postgres_commits_and_its_answer_is_lost(world):
    proxy = world.stack.proxies["postgres"]
    cuts = proxy.cuts
    with world.load(rate=500) as load:
        world.in_the_middle(world.stack.service("intake"), 300, load)
        for _ in range(8):
            proxy.hold("down")  # what is sent arrives, what is answered does not
            time.sleep(0.2)
            proxy.cut()
            proxy.release()
            time.sleep(0.5)
        assert load.running()
    world.reckon()
    world.tell(f"{proxy.cuts - cuts} connections cut with their answers held back")


def test_kafka_connections_are_cut(world):
    proxy = world.stack.proxies["kafka"]
    cuts = proxy.cuts
    with world.load(rate=500) as load:
        world.in_the_middle(world.stack.service("production"), 500, load)
        for turn in range(10):
            if turn % 2:
                proxy.hold("down")  # what is produced is stored and not acknowledged
                time.sleep(0.2)
            proxy.cut()
            proxy.release()
            time.sleep(0.5)
        assert load.running()
    world.reckon()
    world.tell(f"{proxy.cuts - cuts} connections cut")


@in_full
@pytest.mark.parametrize("store, delay_s", [("kafka", 0.25), ("postgres", 0.2)])
def test_a_store_is_slow(world, store, delay_s):
    """Every piece of data both ways is late."""
    proxy = world.stack.proxies[store]
    with world.load(rate=100, count=500) as load:
        world.in_the_middle(world.stack.service("production"), 100, load)
        proxy.delay = delay_s
        time.sleep(8)
        for replica in world.replicas():
            assert replica.alive(), replica.log_tail()
        proxy.release()
        with world.measured(f"{store} quick again; every service ready"):
            all_ready(world)
    world.reckon()
