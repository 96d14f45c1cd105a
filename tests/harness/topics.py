"""Kafka as an outsider sees it: reading what came, and writing to the open topics."""

import dataclasses
import datetime
import json
import subprocess
import time
import uuid
from pathlib import Path

import confluent_kafka

from . import protos
from .program import wait_until

END = confluent_kafka.KafkaError._PARTITION_EOF


@dataclasses.dataclass
class Record:
    topic: str        # without cardflow. and .v1
    part: int
    offset: int
    key: bytes
    headers: dict     # name -> text
    value: bytes

    @property
    def type(self):
        return self.headers.get("ce_type")


def full(topic):
    return f"cardflow.{topic}.v1"


class Topics:
    def __init__(self, info):
        self.brokers, self.partitions = info["kafka"], info["partitions"]
        self.names = [name.removeprefix("cardflow.").removesuffix(".v1")
                      for name in info["topics"]]
        self.cardctl = Path(info["build"]) / "bin" / "cardctl"
        self.key_files = info["key_files"]
        self.messages = protos.load()
        self._consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.brokers, "group.id": "cardflow-e2e",
            "enable.auto.commit": False, "enable.partition.eof": True,
            "auto.offset.reset": "earliest", "fetch.wait.max.ms": 20})
        self._producer = confluent_kafka.Producer({
            "bootstrap.servers": self.brokers, "partitioner": "murmur2_random", "acks": "all",
            "message.max.bytes": 4_000_000})

    def close(self):
        self._consumer.close()

    # Reading.
    def ends(self, topic):
        """{partition: next offset}: a place to read on from."""
        newest = self._consumer.offsets_for_times([
            confluent_kafka.TopicPartition(full(topic), part, confluent_kafka.OFFSET_END)
            for part in range(self.partitions)], timeout=10)
        for found in newest:
            if found.error:
                raise confluent_kafka.KafkaException(found.error)
        return {found.partition: found.offset for found in newest}

    def read(self, topic, since=None):
        """All records of the topic, or those from a place that ends() gave."""
        ends = self.ends(topic)
        todo = {part for part, end in ends.items() if end > (since or {}).get(part, 0)}
        records = []
        self._consumer.assign([
            confluent_kafka.TopicPartition(full(topic), part, (since or {}).get(part, 0))
            for part in todo])
        while todo:
            # It waits for all it is asked for, or for the whole time.
            for message in self._consumer.consume(1000, timeout=0.05):
                error = message.error()
                if error and error.code() == END:
                    todo.discard(message.partition())
                elif error:
                    raise confluent_kafka.KafkaException(error)
                else:
                    if message.offset() + 1 >= ends[message.partition()]:
                        todo.discard(message.partition())
                    records.append(Record(
                        topic, message.partition(), message.offset(), message.key(),
                        {k: v.decode("utf-8", "replace") for k, v in message.headers() or ()},
                        message.value()))
        self._consumer.unassign()
        return records

    def wait(self, what, topic, since, fits, timeout=20):
        """The records that fit, as soon as there is one."""
        return wait_until(what, timeout,
                          lambda: [r for r in self.read(topic, since) if fits(r)], 0.2)

    # Writing.
    def send(self, topic, key, value, ce_type, part=None, ce_time=None, leave_out=(), **headers):
        """Sends one record with the headers of CloudEvents and returns (partition, offset)."""
        when = ce_time or datetime.datetime.now(datetime.timezone.utc)
        sent = {"ce_id": str(uuid.uuid4()), "ce_type": ce_type, "ce_source": "e2e",
                "ce_time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "ce_specversion": "1.0", **headers}
        return self.send_raw(topic, key, value, part,
                             {k: v for k, v in sent.items() if k not in leave_out})

    def send_raw(self, topic, key, value, part, headers):
        """Sends one record as it is and returns (partition, offset)."""
        done = []
        self._producer.produce(
            full(topic), value, key, -1 if part is None else part,
            headers=[(k, v.encode()) for k, v in headers.items()],
            on_delivery=lambda error, message: done.append((error, message)))
        self._producer.flush(10)
        error, message = done[0]
        if error:
            raise confluent_kafka.KafkaException(error)
        return message.partition(), message.offset()

    def seal(self, person):
        """(holder_ref, packed Sealed) by cardctl, as a partner on Kafka would do it."""
        done = subprocess.run(
            [self.cardctl, "seal", "--with-ref", "--reference-key-file",
             self.key_files["reference"], "--sealing-key-file", self.key_files["sealing"]],
            input=json.dumps(person, ensure_ascii=False) + "\n", capture_output=True, text=True,
            check=True)
        ref, sealed = done.stdout.split()
        return bytes.fromhex(ref), bytes.fromhex(sealed)

    def holder_ref(self, document_type, number):
        done = subprocess.run(
            [self.cardctl, "holder-ref", "--type", document_type, "--reference-key-file",
             self.key_files["reference"]],
            input=number + "\n", capture_output=True, text=True, check=True)
        return bytes.fromhex(done.stdout.strip())


def milliseconds(text=None):
    """Milliseconds since the epoch of a time of RFC 3339, or of now."""
    return int((datetime.datetime.fromisoformat(text).timestamp() if text else time.time()) * 1000)
