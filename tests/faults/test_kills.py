"""kill -9 of every service and every store in the middle of 5,000 applications."""

import signal
import time

import pytest
from harness.program import wait_until
from world import PATH, all_ready

# Where a service ends itself when it has just come back: the places where an end hurts most.
AND_AGAIN = {
    "intake": "before_commit",
    "photo-fetch": "after_commit",
    "production": "mid_publish",
    "notification": "before_publish",
    "inquiry": "after_commit",
}


@pytest.mark.parametrize("name", PATH)
def test_a_killed_service_loses_and_doubles_nothing(world, name):
    service = world.stack.service(name)
    with world.load() as load:
        world.in_the_middle(service, 1500, load)
        with world.measured("killed, started, killed again at " + AND_AGAIN[name] + ", ready"):
            service.kill()
            assert load.running()
            service.settings["failpoints"] = AND_AGAIN[name] + "=kill@2"
            service.start(wait=False)
            wait_until("it ends itself", 30, lambda: not service.alive(), 0.02)
            del service.settings["failpoints"]
            service.start()
    world.reckon()


def test_postgres_killed_twice(world):
    postgres = world.stack.postgres
    with world.load() as load:
        world.in_the_middle(world.stack.service("production"), 2000, load)
        with world.measured("PostgreSQL killed, started, every service ready"):
            postgres.kill()
            time.sleep(0.5)
            postgres.start()
            all_ready(world)
        assert load.running()
        with world.measured("PostgreSQL stopped at once, started, every service ready"):
            postgres.stop(with_signal=signal.SIGQUIT)
            postgres.start()
            all_ready(world)
    world.reckon()


def test_kafka_killed(world):
    kafka = world.stack.kafka
    with world.load() as load:
        world.in_the_middle(world.stack.service("production"), 2000, load)
        with world.measured("Kafka killed, started, every service ready"):
            kafka.kill()
            time.sleep(1)
            kafka.start()
            all_ready(world)
        assert load.running()
    world.reckon()


def test_redis_killed(world):
    """Nobody waits for it; inquiry answers from PostgreSQL meanwhile."""
    redis = world.stack.redis
    with world.load() as load:
        world.in_the_middle(world.stack.service("inquiry"), 2000, load)
        with world.measured("Redis killed, started, every service ready"):
            redis.kill()
            time.sleep(2)
            redis.start()
            all_ready(world)
    world.reckon()
