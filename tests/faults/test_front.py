"""The HTTP front: clients that are slow, half-open or in doubt; no descriptors; no Kafka."""

import contextlib
import os
import resource
import socket
import time
import urllib.parse

from harness.program import wait_until
from harness.proxy import TcpProxy
from outlet import Outlet
from world import all_ready

HEAD_S = 15       # by then an unfinished request has been ended
QUICK_S = 2       # an answer beside them
OUTAGE_S = 15
NEW_S = 5         # a new request, while what has waited is caught up with
GROWTH_KB = 24 << 10  # what a service may hold more while Kafka is away


def address(world, name="intake"):
    url = urllib.parse.urlsplit(world.stack.info()["http"][name])
    return url.hostname, url.port


def ended(link):
    """Has the other side closed it? What it said before is thrown away."""
    link.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        try:
            while link.recv(65536):
                pass
        except ConnectionError:
            pass
        return True
    return False


def test_slow_and_half_open_clients_hold_up_nobody(world):
    outlet = Outlet(world, 40)
    idle = [socket.create_connection(address(world)) for _ in range(100)]
    half = [socket.create_connection(address(world)) for _ in range(100)]
    slow = [socket.create_connection(address(world)) for _ in range(100)]
    for link in half:
        link.sendall(b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    begin, took = time.monotonic(), []
    text = b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nX-Pad: " + b"a" * 4000
    left = set(slow)
    for n, person in enumerate(outlet.people):
        for link in list(left):
            try:
                link.sendall(text[n:n + 1])
            except OSError:
                left.discard(link)
        before = time.monotonic()
        outlet.apply(person)
        took.append(time.monotonic() - before)
        time.sleep(0.1)
    try:
        wait_until("slow and half-open clients are ended", HEAD_S, lambda: all(
            ended(link) for link in half + slow), 0.2)
        assert time.monotonic() - begin < HEAD_S + 5
    finally:
        for link in idle + half + slow:
            link.close()
    outlet.end()
    assert max(took) < QUICK_S, f"an answer took {max(took):.1f} s beside slow clients"
    world.reckon()
    world.tell(f"300 bad clients; the slowest good answer took {max(took):.2f} s")


def test_descriptors_run_out_and_come_back(world):
    service = world.stack.service("intake")
    open_now = len(os.listdir(f"/proc/{service.pid}/fd"))
    old = resource.prlimit(service.pid, resource.RLIMIT_NOFILE)
    outlet, links = Outlet(world, 20), []
    with world.load(rate=100, count=300) as load:
        world.in_the_middle(service, 100, load)
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, (open_now + 12, old[1]))
        try:
            for _ in range(60):
                links.append(socket.create_connection(address(world), 5))
            wait_until("some are turned away", 10, lambda: any(map(ended, links)), 0.05)
            # What is to be opened again now finds no descriptor.
            world.stack.postgres.sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'intake'")
            time.sleep(2)
            assert service.alive(), service.log_tail()
        finally:
            for link in links:
                link.close()
        # Still few, but some: the service comes back without help.
        with world.measured("descriptors free again; every service ready"):
            all_ready(world)
        outlet.begin(4)
        outlet.end()
        resource.prlimit(service.pid, resource.RLIMIT_NOFILE, old)
        assert load.running() or load.process.returncode == 0
    world.reckon()


def test_a_client_that_lost_the_answer_asks_again_and_has_one_application(world):
    outlet = Outlet(world, 24)
    with TcpProxy(address(world)[1]) as proxy:
        base = f"http://127.0.0.1:{proxy.port}"
        outlet_begin = time.monotonic()
        for n, person in enumerate(outlet.people):
            if n % 3 == 0:
                proxy.cut_after("down", 1)     # the answer is lost after its first byte
            elif n % 3 == 1:
                proxy.cut_at("down", b"HTTP")  # all of it
            else:
                proxy.cut_after("up", 300)     # half of the request
            outlet.apply(person, base)
        assert proxy.cuts >= len(outlet.people)
        took = time.monotonic() - outlet_begin
    outlet.end()
    assert outlet.statuses["none"] >= len(outlet.people)
    world.reckon()
    world.tell(f"{proxy.cuts} answers lost, {len(outlet.people)} applications, {took:.1f} s")


def test_http_says_503_while_kafka_is_away_and_holds_nothing(world):
    kafka, service = world.stack.kafka, world.stack.service("intake")
    outlet, fresh = Outlet(world, 300), Outlet(world, 1)
    outlet.begin(clients=30, pause_s=0.3)
    wait_until("some have applied", 20, lambda: len(outlet.ids) >= 60, 0.02)
    before = {r.name: r.memory_kb()["VmRSS"] for r in world.replicas()}
    kafka.kill()
    begin = time.monotonic()
    most = dict(before)
    while time.monotonic() < begin + OUTAGE_S:
        for replica in world.replicas():
            assert replica.alive(), replica.log_tail()
            most[replica.name] = max(most[replica.name], replica.memory_kb()["VmRSS"])
        time.sleep(0.5)
    assert service.get("/readyz")[0] == 503
    taken, refused = len(outlet.ids), list(outlet.refusals)
    with world.measured("Kafka started again"):
        kafka.start()
    with world.measured("then every service ready"):
        all_ready(world)
    new = time.monotonic()
    fresh.apply(fresh.people[0])
    new = time.monotonic() - new
    fresh.end()
    outlet.end()
    world.reckon()
    assert taken < len(outlet.people) and len(refused) > 30
    assert new < NEW_S, f"a new request had to wait {new:.1f} s behind the catching up"
    late = sorted(took for when, took in refused if when > begin + OUTAGE_S / 2)
    assert late and late[len(late) // 2] < 1, "503 comes late although Kafka is long known away"
    growth = {name: most[name] - before[name] for name in before}
    assert max(growth.values()) < GROWTH_KB, growth
    world.tell(f"{OUTAGE_S} s without Kafka: {len(refused)} answers 503, p50 "
               f"{late[len(late) // 2] * 1000:.0f} ms; a new request beside the catching up "
               f"{new:.1f} s; no service grew by more than {max(growth.values()) >> 10} MB")
