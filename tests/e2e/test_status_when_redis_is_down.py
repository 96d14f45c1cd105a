"""Status is answered from PostgreSQL when Redis is away, and from Redis again when it is back."""

import time
import uuid

import pytest
from harness.program import wait_until


@pytest.fixture(scope="module")
def card(client, people):
    person = people.resident()
    accepted = client.accepted(person)
    client.wait_for(accepted["application_id"], "collected", "已激活")
    for service in ("notification", "inquiry"):  # what the holder was told stands there, too
        client.settle(service)
    return person, accepted["application_id"], accepted["receipt"]["receipt_no"]


@pytest.fixture(autouse=True)
def redis_again(stack):
    """Whatever a test does to Redis, the next one finds it running."""
    yield
    stack.redis.resume()
    stack.redis.start()


def source(client, person):
    return client.status(document=client.document(person))["source"]


def wait_for_cache(client, person):
    wait_until("answers come from Redis", 20, lambda: source(client, person) == "cache", 0.1)


def without_source(answer):
    return {key: value for key, value in answer.items() if key not in ("source", "age_ms")}


def every_way(client, card):
    person, application_id, receipt_no = card
    return [client.status(document=client.document(person)), client.status(receipt_no=receipt_no),
            client.outcome(application_id)]


def test_status_comes_from_redis_as_long_as_it_is_there(client, card):
    wait_for_cache(client, card[0])
    for answer in every_way(client, card):
        assert answer["source"] == "cache"


def test_status_is_the_same_from_the_store_when_redis_is_stopped(stack, client, card):
    wait_for_cache(client, card[0])
    cached = [without_source(answer) for answer in every_way(client, card)]
    stack.redis.stop()
    stored = every_way(client, card)
    assert [answer["source"] for answer in stored] == ["store"] * 3
    assert [without_source(answer) for answer in stored] == cached
    stack.redis.start()
    wait_for_cache(client, card[0])
    assert [without_source(answer) for answer in every_way(client, card)] == cached


def test_status_is_answered_after_redis_has_forgotten_everything(stack, client, card):
    wait_for_cache(client, card[0])
    before = [without_source(answer) for answer in every_way(client, card)]
    stack.redis.command("FLUSHALL")
    assert [without_source(answer) for answer in every_way(client, card)] == before
    wait_for_cache(client, card[0])
    assert [without_source(answer) for answer in every_way(client, card)] == before


def test_a_redis_that_hangs_does_not_hold_the_answer(stack, client, card):
    wait_for_cache(client, card[0])
    stack.redis.pause()
    slowest = 0
    for _ in range(10):
        begin = time.monotonic()
        assert source(client, card[0]) == "store"
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < 1
    stack.redis.resume()
    wait_for_cache(client, card[0])


def operate(client, person, operation):
    answer = client.api("production").post("/v1/card-operations", {
        "operation": operation, "holder": client.document(person), "channel": "bank_outlet",
        "actor": client.holder(person), "operator": client.operator()}, wait=10)
    assert answer.json["result"] == "done", answer


def state(client, person):
    return client.status(document=client.document(person))["cards"][0]["state"]


def test_what_happens_while_redis_is_down_is_shown_at_once_and_stays(stack, client, card):
    person = card[0]
    wait_for_cache(client, person)
    stack.redis.stop()
    operate(client, person, "report_temporary_loss")
    wait_until("the loss is shown", 10, lambda: state(client, person) == "temporary_loss", 0.1)
    stack.redis.start()
    wait_for_cache(client, person)
    assert state(client, person) == "temporary_loss"
    operate(client, person, "release")
    wait_until("the release is shown", 10, lambda: state(client, person) == "normal", 0.1)


def test_what_redis_missed_while_it_hung_is_put_right_when_it_wakes(stack, client, card):
    person = card[0]
    wait_for_cache(client, person)
    stack.redis.pause()
    operate(client, person, "report_temporary_loss")
    wait_until("the loss is shown", 10, lambda: state(client, person) == "temporary_loss", 0.1)
    stack.redis.resume()
    wait_for_cache(client, person)
    wait_until("Redis has the loss too", 20, lambda: state(client, person) == "temporary_loss",
               0.2)
    for _ in range(10):
        assert state(client, person) == "temporary_loss"
    operate(client, person, "release")


def test_nothing_is_made_up_while_redis_is_down(stack, client, people):
    stack.redis.stop()
    assert client.status(document=client.document(people.resident()))["found"] is False
    assert client.outcome(str(uuid.uuid4())) == {}
    # And the way of a card does not depend on it.
    accepted = client.accepted(people.resident())
    client.wait_for(accepted["application_id"], "collected", "已激活")
