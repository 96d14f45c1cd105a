"""Looks for values in every place where a running stack keeps bytes: logs, metrics, records of
Kafka, Redis, and every column of every table."""

import base64
import json

import confluent_kafka
import psycopg
import redis
from psycopg import sql

END = confluent_kafka.KafkaError._PARTITION_EOF
INSIDE = ("pg_catalog", "information_schema")


def spellings(value):
    """The ways in which a text may hide: UTF-8, as JSON escapes it, UTF-16, hexadecimal, base64."""
    plain = value.encode()
    found = {plain, json.dumps(value)[1:-1].encode(), value.encode("utf-16-le"),
             value.encode("utf-16-be"), plain.hex().encode(), plain.hex().upper().encode()}
    # base64 of a text inside another depends on where it begins.
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        found.add(coded[(0, 2, 3)[shift]:-4 if len(plain) + shift > 5 else None])
    return {spelling for spelling in found if len(spelling) >= 6}


class Scanner:
    """find(bytes) gives the values in it. Values are looked for by their first bytes, which many of
    them share."""

    def __init__(self, values):
        """values: texts, looked for in every spelling, and bytes, looked for as they are."""
        self.stems = {}
        for value in values:
            for spelling in {value} if isinstance(value, bytes) else spellings(value):
                self.stems.setdefault(spelling[:6], []).append((spelling, value))
        self.looked_at = 0
        self._kept = {}  # place: pieces that are looked through together

    def find(self, data):
        self.looked_at += len(data)
        return {value for stem, rest in self.stems.items() if stem in data
                for spelling, value in rest if spelling in data}

    def _add(self, place, data):
        """Many small pieces cost far more than a large one."""
        pieces, size = self._kept.get(place, ([], 0))
        pieces.append(data)
        self._kept[place] = pieces, size + len(data)
        if size + len(data) > 2**20:
            yield from self._look(place)

    def _look(self, place):
        pieces, _ = self._kept.pop(place)
        for value in self.find(b"\0\n\0".join(pieces)):
            yield place, value

    def _look_everywhere(self):
        for place in list(self._kept):
            yield from self._look(place)

    # Each gives (place, value).
    def logs(self, folder):
        for path in sorted(folder.glob("*.log")):
            for value in self.find(path.read_bytes()):
                yield f"log {path.name}", value

    def texts(self, texts):
        """{place: text}"""
        for place, text in texts.items():
            for value in self.find(text.encode()):
                yield place, value

    def topics(self, brokers):
        """Keys, headers and values of every topic there is, also those that nobody declared."""
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": brokers, "group.id": "cardflow-scan", "enable.auto.commit": False,
            "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        try:
            known = consumer.list_topics(timeout=10).topics
            todo = {(name, part) for name, topic in known.items() for part in topic.partitions
                    if not name.startswith("__")}
            consumer.assign([confluent_kafka.TopicPartition(
                name, part, confluent_kafka.OFFSET_BEGINNING) for name, part in todo])
            while todo:
                for message in consumer.consume(2000, timeout=0.1):
                    if message.error():
                        if message.error().code() != END:
                            raise confluent_kafka.KafkaException(message.error())
                        todo.discard((message.topic(), message.partition()))
                        continue
                    yield from self._record(message)
        finally:
            consumer.close()
        yield from self._look_everywhere()

    def _record(self, message):
        parts = {"key": message.key() or b"", "value": message.value() or b"",
                 "headers": b"\n".join(name.encode() + b": " + (value or b"")
                                       for name, value in message.headers() or ())}
        for part, data in parts.items():
            yield from self._add(f"{part} in {message.topic()}", data)

    def redis(self, url):
        with redis.Redis.from_url(url) as store:
            for key in store.scan_iter(count=1000):
                yield from self._add("key in Redis", key)
                kept = store.get(key) if store.type(key) == b"string" else store.dump(key)
                yield from self._add(f"value in Redis under {key[:8]!r}", kept or b"")
        yield from self._look_everywhere()

    def tables(self, dsn):
        with psycopg.connect(dsn) as link:
            names = link.execute(
                "select table_schema, table_name, column_name, data_type "
                "from information_schema.columns "
                "join information_schema.tables using (table_schema, table_name) "
                "where table_type = 'BASE TABLE' and table_schema <> all (%s)",
                (list(INSIDE),)).fetchall()
            for schema, table, column, kind in names:
                yield from self._column(link, schema, table, column, kind)

    def _column(self, link, schema, table, column, kind):
        query = sql.SQL("select {} from {}" if kind == "bytea" else "select {}::text from {}"
                        ).format(sql.Identifier(column), sql.Identifier(schema, table))
        place = f"column {schema}.{table}.{column}"
        with link.cursor(name="scan") as rows:
            rows.itersize = 2000
            for (cell,) in rows.execute(query):
                yield from self._add(place, cell if isinstance(cell, bytes)
                                     else (cell or "").encode())
        yield from self._look_everywhere()
