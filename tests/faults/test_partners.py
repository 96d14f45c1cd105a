"""Partners that are slow, fail, answer twice or send wrong bytes."""

import json
import uuid

from harness.client import Client
from harness.program import wait_until
from harness.topics import Topics
from world import COUNT


def stats(simulator):
    return json.loads(simulator.get("/sim/stats", simulator.http)[1])


def upload_what_is_missing(world, topics, client, since):
    """Gives a photo for everyone the police sent rubbish for, as an outlet would; how many."""
    event = topics.messages.photo.PhotoEvent
    given = set()

    def all_there():
        for record in topics.read("photo.events", since):
            said = event.FromString(record.value)
            if said.HasField("missing") and said.application_id not in given:
                given.add(said.application_id)
                answer = client.put_photo(str(uuid.UUID(bytes=said.application_id)))
                assert answer.status == 202, answer
        seen = {event.FromString(r.value).application_id
                for r in topics.read("photo.events", since)}
        return len(seen) == COUNT

    wait_until("a photo or the want of one for everybody", 90, all_there, 1)
    return len(given)


def test_partners_at_their_worst(world):
    simulators = world.stack.simulators
    topics, client = Topics(world.stack.info()), Client(world.stack)
    before = {name: stats(simulator) for name, simulator in simulators.items()}
    simulators["police"].behave(delay_ms=50, error_rate=0.05, busy_rate=0.05, duplicates=0.05,
                                wrong_bytes_rate=0.01)
    simulators["sms"].behave(error_rate=0.1, busy_rate=0.1, duplicates=0.2, item_busy_rate=0.05)
    simulators["bank"].behave(duplicates=1)
    since = topics.ends("photo.events")
    try:
        with world.load():
            uploaded = upload_what_is_missing(world, topics, client, since)
            world.notices["photo_missing"] += uploaded
        world.reckon()
    finally:
        for simulator in simulators.values():
            simulator.behave(delay_ms=0, error_rate=0, duplicates=0)
        topics.close()
    after = {name: stats(simulator) for name, simulator in simulators.items()}
    assert uploaded > 0
    assert after["sms"]["duplicates"] > before["sms"]["duplicates"]
    world.tell(f"{uploaded} photos given by hand; {after['sms']['duplicates']} messages and "
               f"{after['bank']['answers'] - COUNT * 5} bank answers came twice")
