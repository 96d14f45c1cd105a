"""The two requests of Kafka's protocol that a stack needs: Metadata v4 and CreateTopics v4.

The layouts are those of Kafka's protocol guide. Spoken by hand, so that topics are made in
milliseconds, without a JVM and before any Python package is installed.
"""

import socket
import struct

METADATA, CREATE_TOPICS = 3, 19
ALREADY_EXISTS = 36


class KafkaError(RuntimeError):
    """The broker refused; the text names the topic and the error."""


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def _take(self, form):
        value = struct.unpack_from(form, self.data, self.at)[0]
        self.at += struct.calcsize(form)
        return value

    def int8(self):
        return self._take(">b")

    def int16(self):
        return self._take(">h")

    def int32(self):
        return self._take(">i")

    def string(self):
        size = self.int16()
        if size < 0:
            return None
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def array(self, item):
        return [item() for _ in range(self.int32())]


def _string(text):
    if text is None:
        return struct.pack(">h", -1)
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _array(items):
    items = list(items)
    return struct.pack(">i", len(items)) + b"".join(items)


def _receive(link, size):
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise ConnectionError("the broker closed the connection")
        data += part
    return data


def _ask(brokers, api, version, body, timeout):
    host, _, port = brokers.split(",")[0].rpartition(":")
    request = struct.pack(">hhi", api, version, 1) + _string("cardflow-ops") + body
    with socket.create_connection((host, int(port)), timeout) as link:
        link.sendall(struct.pack(">i", len(request)) + request)
        size = struct.unpack(">i", _receive(link, 4))[0]
        answer = _Reader(_receive(link, size))
    answer.int32()  # correlation id
    answer.int32()  # throttle time
    return answer


def metadata(brokers, timeout=5):
    """{"brokers": count, "topics": {name: {"partitions": count, "led": count with a leader}}}"""
    body = struct.pack(">i", -1) + b"\0"  # all topics, make none
    answer = _ask(brokers, METADATA, 4, body, timeout)
    nodes = answer.array(lambda: (answer.int32(), answer.string(), answer.int32(),
                                  answer.string()))
    answer.string()  # cluster id
    answer.int32()   # controller

    def partition():
        answer.int16()
        answer.int32()
        leader = answer.int32()
        answer.array(answer.int32)
        answer.array(answer.int32)
        return leader

    topics = {}
    for _ in range(answer.int32()):
        answer.int16()
        name = answer.string()
        answer.int8()
        leaders = answer.array(partition)
        topics[name] = {"partitions": len(leaders), "led": sum(x >= 0 for x in leaders)}
    return {"brokers": len(nodes), "topics": topics}


def create_topics(brokers, topics, replicas=1, timeout=30):
    """topics: [{"name", "partitions", "config": {}}]; those that exist are left as they are."""
    body = _array(
        _string(topic["name"]) + struct.pack(">ih", topic["partitions"], replicas) + _array([])
        + _array(_string(key) + _string(str(value)) for key, value in topic["config"].items())
        for topic in topics)
    body += struct.pack(">i", timeout * 1000) + b"\0"
    answer = _ask(brokers, CREATE_TOPICS, 4, body, timeout + 5)
    refused = []
    for _ in range(answer.int32()):
        name, code, text = answer.string(), answer.int16(), answer.string()
        if code not in (0, ALREADY_EXISTS):
            refused.append(f"{name}: error {code} {text or ''}")
    if refused:
        raise KafkaError("; ".join(refused))
