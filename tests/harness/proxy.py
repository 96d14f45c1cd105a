"""A TCP proxy that misbehaves on purpose, to stand between a service and what it needs.

    with TcpProxy(target_port=5432) as proxy:
        proxy.delay = 0.2              every piece of data is late
        proxy.hold("down")             nothing more goes to the client, connections stay open
        proxy.cut()                    all connections end by RST
        proxy.refuse = True            new connections are refused by RST
        proxy.cut_after("up", 1000)    ends the connection that sends byte 1000
        proxy.cut_at("up", b"COMMIT")  ends a connection instead of forwarding these bytes

`up` is from the client to the server. release() takes all of it back.
"""

import contextlib
import select
import socket
import struct
import threading
import time

CHUNK = 65536


class TcpProxy:
    def __init__(self, target_port, port=0, target_host="127.0.0.1"):
        self.target = (target_host, target_port)
        self.delay = 0.0
        self.refuse = False
        self.connections = 0  # accepted so far
        self.cuts = 0         # connections ended on purpose
        self._held = set()
        self._limits = {}
        self._patterns = {}
        self._pairs = set()
        self._half_closed = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._listener.settimeout(0.2)
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Misbehaviour.
    def cut(self):
        """Ends every connection there is, by RST to both sides."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._end(pair, on_purpose=True)

    def hold(self, direction):
        self._held.add(direction)

    def cut_after(self, direction, count):
        """Counts bytes from now on, over all connections."""
        self._limits[direction] = count

    def cut_at(self, direction, pattern):
        """Acts once; what stands before the pattern in the same piece is held back too."""
        self._patterns[direction] = pattern

    def release(self):
        self.delay, self.refuse = 0.0, False
        self._held.clear()
        self._limits.clear()
        self._patterns.clear()

    def close(self):
        self._closing.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    # Work.
    def _accept(self):
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            if self.refuse:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self.target, 5)
            except OSError:
                _reset(client)
                continue
            for link in (client, server):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            self._threads = [t for t in self._threads if t.is_alive()]
            for direction, source, sink in (("up", client, server), ("down", server, client)):
                thread = threading.Thread(target=self._pump, daemon=True,
                                          args=(pair, direction, source, sink))
                self._threads.append(thread)
                thread.start()

    def _pump(self, pair, direction, source, sink):
        # Waits with a timeout, so that a close by another thread is noticed.
        try:
            while pair in self._pairs:
                if direction in self._held:
                    time.sleep(0.02)
                    continue
                if not select.select([source], [], [], 0.2)[0]:
                    continue
                data = source.recv(CHUNK)
                if not data:
                    self._finish(pair, sink)
                    return
                if not self._forward(pair, direction, sink, data):
                    return
        except (OSError, ValueError):  # closed or reset meanwhile
            self._end(pair)

    def _forward(self, pair, direction, sink, data):
        if self.delay:
            self._closing.wait(self.delay)
        while direction in self._held and pair in self._pairs:
            time.sleep(0.02)
        pattern = self._patterns.get(direction)
        if pattern and pattern in data:
            del self._patterns[direction]
            self._end(pair, on_purpose=True)
            return False
        if direction in self._limits:
            left = self._limits[direction]
            self._limits[direction] = left - len(data)
            if left <= len(data):
                del self._limits[direction]
                sink.sendall(data[:left])
                self._end(pair, on_purpose=True)
                return False
        sink.sendall(data)
        return True

    def _finish(self, pair, sink):
        """One side has no more to say; when both have not, the connection is over."""
        sink.shutdown(socket.SHUT_WR)
        with self._lock:
            if pair not in self._half_closed:
                self._half_closed.add(pair)
                return
            self._half_closed.discard(pair)
            self._pairs.discard(pair)
        for link in pair:
            link.close()

    def _end(self, pair, on_purpose=False):
        with self._lock:
            if pair not in self._pairs:
                return
            self._pairs.discard(pair)
            self._half_closed.discard(pair)
            self.cuts += on_purpose
        for link in pair:
            _reset(link)


def _reset(link):
    """Closes with RST, so that the other side sees an error and not an orderly end."""
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        link.close()
