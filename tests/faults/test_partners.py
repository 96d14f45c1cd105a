"""Partners that are slow, fail, answer twice or send wrong bytes."""

import json
import uuid

from harness.client import Client
from harness.program import wait_until
from harness.topics import Topics
from world import COUNT

ANSWERS = 5  # of the bank to a line, without the activation


def stats(simulator):
    return json.loads(simulator.get("/sim/stats", simulator.http)[1])


def upload_what_is_missing(world, topics, client, since):
    """Gives a photo for everyone the police sent rubbish for, as an outlet would; how many."""
    event = topics.messages.photo.PhotoEvent
    given, heard = set(), set()

    def all_there():
        events = [event.FromString(r.value) for r in topics.read("photo.events", since)]
        for said in events:
            heard.add(said.application_id)
            if said.HasField("missing") and said.application_id not in given:
                given.add(said.application_id)
                answer = client.put_photo(str(uuid.UUID(bytes=said.application_id)))
                assert answer.status == 202, answer
        return len(heard) == COUNT

    wait_until("a photo or the want of one for everybody", 90, all_there, 1)
    return len(given)


WORST = {
    "police": {"delay_ms": 50, "error_rate": 0.05, "busy_rate": 0.05, "duplicates": 0.05,
               "wrong_bytes_rate": 0.01},
    "sms": {"error_rate": 0.1, "busy_rate": 0.1, "duplicates": 0.2, "item_busy_rate": 0.05},
    "bank": {"duplicates": 1},
}


def test_partners_at_their_worst(world):
    simulators = world.stack.simulators
    topics, client = Topics(world.stack.info()), Client(world.stack)
    before = {name: stats(simulator) for name, simulator in simulators.items()}
    for name, behaviour in WORST.items():
        simulators[name].behave(**behaviour)
    since = topics.ends("photo.events")
    try:
        with world.load():
            uploaded = upload_what_is_missing(world, topics, client, since)
            world.notices["photo_missing"] += uploaded
        world.reckon()
    finally:
        for name, behaviour in WORST.items():
            simulators[name].behave(**dict.fromkeys(behaviour, 0))
        topics.close()
    after = {name: stats(simulator) for name, simulator in simulators.items()}
    sms = after["sms"]["duplicates"] - before["sms"]["duplicates"]
    bank = after["bank"]["answers"] - before["bank"]["answers"] - COUNT * ANSWERS
    assert uploaded > 0 and sms > 0 and bank >= COUNT * ANSWERS
    world.tell(f"{uploaded} photos given by hand; {sms} messages and {bank} bank answers came "
               "twice")
