"""The harness itself: the proxy breaks connections in just the way it is told."""

import socket
import threading
import time

import pytest

from harness.proxy import TcpProxy


@pytest.fixture
def echo():
    """A server that sends back what it gets, in upper case, and `bye` after the client's end."""
    listener = socket.create_server(("127.0.0.1", 0))
    links = []

    def talk(link):
        with link:
            try:
                while data := link.recv(65536):
                    link.sendall(data.upper())
                link.sendall(b"bye")
            except OSError:
                pass

    def accept():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            links.append(threading.Thread(target=talk, args=(link,)))
            links[-1].start()

    thread = threading.Thread(target=accept)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)
    for link in links:
        link.join(5)


@pytest.fixture
def proxy(echo):
    with TcpProxy(echo) as made:
        yield made


@pytest.fixture
def client(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as link:
        yield link


def talk(link, data, size=None):
    link.sendall(data)
    got = b""
    while len(got) < (size or len(data)):
        part = link.recv(65536)
        if not part:
            break
        got += part
    return got


def test_it_forwards_both_ways(client):
    assert talk(client, b"abc") == b"ABC"
    assert talk(client, b"x" * 300_000) == b"X" * 300_000


def test_an_orderly_end_goes_through_and_loses_nothing(client, proxy):
    client.sendall(b"last words")
    client.shutdown(socket.SHUT_WR)
    assert client.makefile("rb").read() == b"LAST WORDSbye"
    assert proxy.cuts == 0


def test_delay(client, proxy):
    proxy.delay = 0.2
    begin = time.monotonic()
    assert talk(client, b"abc") == b"ABC"
    assert time.monotonic() - begin >= 0.4


def test_cut_is_a_reset(client, proxy):
    assert talk(client, b"abc") == b"ABC"
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert proxy.cuts == 1


def test_hold_keeps_the_connection_and_release_lets_all_through(client, proxy):
    proxy.hold("down")
    client.sendall(b"abc")
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(5)
    proxy.release()
    assert client.recv(10) == b"ABC"


def test_cut_after_a_number_of_bytes(client, proxy):
    proxy.cut_after("up", 5)
    assert talk(client, b"abc") == b"ABC"
    client.sendall(b"defgh")
    with pytest.raises(ConnectionResetError):
        while client.recv(10):
            pass


def test_cut_at_a_pattern_forwards_none_of_it(client, proxy):
    proxy.cut_at("down", b"COMMIT")
    assert talk(client, b"begin") == b"BEGIN"
    client.sendall(b"commit")
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_refuse_and_a_dead_server_are_resets(proxy):
    proxy.refuse = True
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            with socket.create_connection(("127.0.0.1", proxy.port), 5) as link:
                link.recv(1)
        proxy.refuse = False
        proxy.target = ("127.0.0.1", 1)  # nobody listens there
    assert proxy.connections == 2
