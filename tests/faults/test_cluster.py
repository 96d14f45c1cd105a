"""Three brokers that lose their leaders. Topics have three copies, two of which must be written."""

import collections
import contextlib
import time

from confluent_kafka.admin import AdminClient
from harness.program import wait_until
from world import in_full

STACK = {"kafka_nodes": 3, "kafka_settings": {"min.insync.replicas": 2,
                                              "controlled.shutdown.enable": "false"}}
pytestmark = in_full
IN_SYNC_S, GO_ON_S = 90, 90
LONG = {"rate": 30, "count": 3600, "timeout_s": 240}  # it must outlast starts of brokers
FATAL = '"producer is in a fatal state"'


def leaders(world):
    """{node: partitions that it leads}, and how many have fewer than three copies in sync."""
    admin = AdminClient({"bootstrap.servers": world.stack.kafka.brokers})
    led, behind = collections.Counter(), 0
    for topic in admin.list_topics(timeout=10).topics.values():
        for part in topic.partitions.values():
            led[part.leader] += 1
            behind += len(part.isrs) < 3
    return led, behind


def all_in_sync(world):
    wait_until("all partitions have three copies in sync", IN_SYNC_S,
               lambda: leaders(world)[1] == 0, 0.5)


def leading(world):
    """The broker with the most partitions to lead, and the others."""
    led, _ = leaders(world)
    node = max(world.stack.kafka_nodes, key=lambda kafka: led[kafka.node])
    assert led[node.node] > 0
    return node, [other for other in world.stack.kafka_nodes if other is not node]


@contextlib.contextmanager
def revived(world, ended):
    """Starts a service again that ends because its producer may not go on, as a supervisor does.
    ended: gets the names. Nothing else may end a service."""
    def look():
        for replica in world.replicas():
            if not replica.alive():
                assert replica.log_contains(FATAL), replica.log_tail()
                ended.append(replica.name)
                replica.start(wait=False)
        return all(replica.is_ready() for replica in world.replicas())

    yield look
    wait_until("every service is ready", GO_ON_S, look, 0.2)


def goes_on(world, look, load):
    """Waits until each service on an application's way has done something new."""
    assert load.running(), "the load was over too early"
    names = ("intake", "photo-fetch", "production", "notification", "inquiry")
    services = [world.stack.service(name) for name in names]
    begin = {s.name: (s.pid, world.figure(s, "steps_total")) for s in services if s.alive()}

    def moved(service):
        pid, before = begin.get(service.name, (None, 0))
        now = world.figure(service, "steps_total") if service.operator else 0
        return now > (before if service.pid == pid else 0)

    wait_until("every service goes on", GO_ON_S,
               lambda: look() and all(moved(service) for service in services), 0.1)


def test_each_broker_is_killed_and_comes_back(world):
    ended = []
    with world.load(**LONG) as load, revived(world, ended) as look:
        world.in_the_middle(world.stack.service("production"), 300, load)
        for kafka in world.stack.kafka_nodes:
            kafka.kill()
            with world.measured(f"{kafka.name} killed; every service goes on without it"):
                goes_on(world, look, load)
            kafka.start()
            all_in_sync(world)
    world.reckon()
    world.tell(f"started again: {ended}")


def test_a_leader_dies_with_records_that_only_it_has(world):
    """The others stand still while it takes records, and lead afterwards without these."""
    ended = []
    with world.load(**LONG) as load, revived(world, ended) as look:
        world.in_the_middle(world.stack.service("production"), 300, load)
        for _ in range(2):
            leader, others = leading(world)
            for other in others:
                other.pause()
            time.sleep(1)
            leader.kill()
            for other in others:
                other.resume()
            with world.measured(f"{leader.name} killed, the others resumed; every service goes on"):
                goes_on(world, look, load)
            leader.start()
            all_in_sync(world)
    world.reckon()
    world.tell(f"started again: {ended}")


def test_two_of_three_brokers_are_away(world):
    """What is left may not acknowledge anything."""
    ended = []
    with world.load(**LONG) as load, revived(world, ended) as look:
        world.in_the_middle(world.stack.service("production"), 300, load)
        gone = world.stack.kafka_nodes[1:]
        for kafka in gone:
            kafka.kill()
        time.sleep(8)
        for kafka in gone:
            kafka.start(wait=False)
        with world.measured("two brokers started again; every service goes on"):
            for kafka in gone:
                kafka.wait_ready()
            goes_on(world, look, load)
        all_in_sync(world)
    world.reckon()
    world.tell(f"started again: {ended}")
