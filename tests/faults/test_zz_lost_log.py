"""A log that has lost what a service has not read: the shard stands still with an alarm, the others
go on, and nothing is passed over in silence. On a stack of its own, for nobody mends a lost log."""

import time

import audit
import confluent_kafka
from confluent_kafka.admin import AdminClient, NewTopic
from harness.program import wait_until
from harness.topics import Topics, full
from world import Load

STACK = {"kafka_settings": {"log.retention.check.interval.ms": 1000}}
COUNT = 200


def positions(world, service, topic):
    return dict(world.audit.tables.rows(
        f"select part, last_offset from {service.replace('-', '_')}.cursor where topic = %s",
        topic))


def lose(world, topic, part, before):
    admin = AdminClient({"bootstrap.servers": world.stack.kafka.brokers})
    gone = admin.delete_records([confluent_kafka.TopicPartition(full(topic), part, before)])
    for future in gone.values():
        future.result(20)


def stopped(service):
    """Of how many shards it says that they stand still."""
    return service.metrics().get("cardflow_stage_shards_stopped", 0) if service.operator else 0


def test_records_taken_from_the_log_before_they_were_read(world):
    topics, service = Topics(world.stack.info()), world.stack.service("production")
    with world.load(rate=200, count=COUNT):
        pass
    world.reckon()
    read = positions(world, "production", "application.events")
    service.stop()
    world.enrol(COUNT)
    load = Load(world, world.applied - COUNT, COUNT, 200)
    try:
        wait_until("applications of a second load wait for production", 30, lambda: sum(
            topics.ends("application.events").values()) >= sum(read.values()) + len(read)
            + COUNT, 0.2)
        ends = topics.ends("application.events")
        part = max(ends, key=lambda p: ends[p] - read.get(p, -1))
        lose(world, "application.events", part, ends[part] - 1)
        with world.measured("records lost; the shard stands still"):
            service.start(wait=False)
            wait_until("production says so", 40, lambda: stopped(service) == 1, 0.1)
        assert "shard_stopped" in service.get("/readyz")[1]
        wait_until("the alarm is in the log", 5,
                   lambda: service.log_contains('"shard.stopped"'), 0.2)
        # The others go on: whoever is not of this shard has a card.
        wait_until("the other shards have read everything", 60, lambda: all(
            offset == topics.ends("application.events")[p] - 1 for p, offset in positions(
                world, "production", "application.events").items() if p != part), 0.5)
        assert positions(world, "production", "application.events")[part] == read[part]
        service.stop()
        service.start(wait=False)
        wait_until("and again after a restart", 40, lambda: stopped(service) == 1, 0.1)
        time.sleep(1)
        assert positions(world, "production", "application.events")[part] == read[part]
    finally:
        load.stop()
        topics.close()


def test_a_topic_deleted_and_made_again(world):
    """Its readers had positions in it that the new one does not have."""
    with world.load(rate=200, count=COUNT):
        pass
    world.reckon()
    readers = ("intake", "production", "notification", "inquiry")
    before = {name: positions(world, name, "photo.events") for name in readers}
    world.audit.reader.close()  # librdkafka 2.8 crashes at the end of one whose topic has gone
    admin = AdminClient({"bootstrap.servers": world.stack.kafka.brokers})
    for future in admin.delete_topics([full("photo.events")]).values():
        future.result(20)
    time.sleep(1)
    made = NewTopic(full("photo.events"), world.stack.config.partitions, 1)

    def made_again():
        try:
            admin.create_topics([made])[full("photo.events")].result(20)
        except confluent_kafka.KafkaException:  # still being deleted
            return False
        return True

    wait_until("the topic is made again", 30, made_again, 0.5)
    used = {name: sum(offset >= 0 for offset in before[name].values()) for name in readers}
    with world.measured("topic deleted and made again; every shard with a position in it stopped"):
        for name in readers:
            service = world.stack.service(name)
            wait_until(f"{name} stops its shards", 90,
                       lambda s=service, n=name: stopped(s) == used[n] or not s.alive(), 0.2)
            assert service.alive(), service.log_tail()
    assert {name: positions(world, name, "photo.events") for name in readers} == before
    world.audit.reader = audit.Reader(world.stack.kafka.brokers, world.stack.info()["topics"])
