"""An audit of a running stack, independent of the services: it reads topics and tables only.

lost           a request, message or number that has no trace where it must have one
duplicated     something that exists twice and may exist once
stuck          something that waits for nobody: work long overdue, messages not acknowledged
contradictory  two places that tell different things
"""

import argparse
import collections
import json
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "ops" / "lib")]

import confluent_kafka  # noqa: E402
import psycopg  # noqa: E402
from harness import protos  # noqa: E402

STAGES = ("intake", "photo-fetch", "production", "notification", "complaint-handling", "inquiry")
USABLE = ("normal", "app_locked", "temporary_loss")
STREAM = re.compile(rf"({'|'.join(STAGES)})/\d+")
KINDS = ("lost", "duplicated", "stuck", "contradictory")
EXAMPLES = 5
PATIENCE_S = 30
AWAY = (confluent_kafka.KafkaError._TRANSPORT, confluent_kafka.KafkaError._ALL_BROKERS_DOWN)


class Finding:
    def __init__(self):
        self.counts = collections.Counter()
        self.examples = collections.defaultdict(list)

    def copy(self):
        other = Finding()
        other.counts.update(self.counts)
        other.examples.update({name: list(found) for name, found in self.examples.items()})
        return other

    def add(self, kind, what, example="", count=1):
        self.counts[kind] += count
        name = f"{kind}: {what}"
        self.counts[name] += count
        if len(self.examples[name]) < EXAMPLES:
            self.examples[name].append(example)

    def summary(self):
        details = [{"what": name, "count": count, "examples": self.examples[name]}
                   for name, count in sorted(self.counts.items()) if name not in KINDS]
        return {**{kind: self.counts[kind] for kind in KINDS}, "details": details}


class Reader:
    """Reads topics; each time what has come since the last time."""

    def __init__(self, brokers, topics):
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": brokers, "group.id": "cardflow-audit",
            "enable.auto.commit": False, "enable.partition.eof": True,
            "auto.offset.reset": "earliest", "log_level": 0})
        known = self.consumer.list_topics(timeout=10).topics
        self.next = {(topic, part): 0 for topic in topics for part in known[topic].partitions}

    def read(self):
        """New records: (topic, partition, offset, key, headers, value)."""
        self.consumer.assign([confluent_kafka.TopicPartition(topic, part, offset)
                              for (topic, part), offset in self.next.items()])
        unread, until = set(self.next), time.monotonic() + PATIENCE_S
        while unread:
            if time.monotonic() > until:
                raise RuntimeError(f"Kafka: no answer for {PATIENCE_S} s")
            for message in self.consumer.consume(2000, timeout=0.1):
                place, error = (message.topic(), message.partition()), message.error()
                if error:
                    if error.code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        unread.discard(place)
                    elif error.code() not in AWAY:
                        raise RuntimeError(f"{place}: {error}")
                    continue
                until = time.monotonic() + PATIENCE_S
                self.next[place] = message.offset() + 1
                headers = {k: v.decode("utf-8", "replace") for k, v in message.headers() or ()}
                yield (*place, message.offset(), message.key(), headers, message.value())
        self.consumer.unassign()

    def close(self):
        self.consumer.close()


class Streams:
    """Numbers of each stream: from 1 without a hole, first appearances in order; a number that
    comes again must be the same message."""

    def __init__(self, finding):
        self.finding = finding
        self.newest = collections.Counter()
        self.ids = {}
        declared = json.loads((ROOT / "proto" / "topics.json").read_text())
        self.open = {entry["name"] for entry in declared if entry["writer"] == "open"}

    def see(self, topic, part, headers):
        """True when the record is the first with its number (or has none)."""
        src, number = headers.get("cf_src", ""), headers.get("cf_no", "")
        # Outsiders write open topics: a number there is nobody's word, to the services too.
        if topic in self.open:
            return True
        # Without a number it is no message of a stage; who reads it parks it or knows it by id.
        if not STREAM.fullmatch(src) or not number.isdigit():
            return False
        stream, number = (topic, part, src), int(number)
        if number <= self.newest[stream]:
            if self.ids.get((stream, number)) != headers.get("ce_id"):
                self.finding.add("contradictory", "one stream number, two messages",
                                 f"{stream} {number}")
            return False
        if number > self.newest[stream] + 1:
            self.finding.add("lost", "numbers missing in a stream",
                             f"{stream} after {self.newest[stream]}",
                             number - self.newest[stream] - 1)
        self.newest[stream] = number
        self.ids[stream, number] = headers.get("ce_id")
        return True


class Tables:
    def __init__(self, dsn):
        self.dsn = dsn
        self.connection = psycopg.connect(dsn, autocommit=True)

    def rows(self, sql, *args):
        try:
            return self.connection.execute(sql, args or None).fetchall()
        except psycopg.OperationalError:  # the server has been started anew since the last look
            self.connection = psycopg.connect(self.dsn, autocommit=True)
            return self.connection.execute(sql, args or None).fetchall()

    def one(self, sql, *args):
        return self.rows(sql, *args)[0][0]

    def has(self, schema, table):
        return self.one("select to_regclass(%s) is not null", f"{schema}.{table}")


def short(topic):
    return topic.removeprefix("cardflow.").removesuffix(".v1")


def schema(stage):
    return stage.replace("-", "_")


def numbers(data):
    return [int.from_bytes(data[i:i + 8], "big") for i in range(0, len(data), 8)]


def check_streams_stored(tables, streams, finding):
    """What the journal gave out and what the topics hold must be the same."""
    for stage in STAGES:
        if not tables.has(schema(stage), "output"):
            continue
        for part, topic, last_no in tables.rows(
                f"select part, topic, last_no from {schema(stage)}.output"):
            for target, last in enumerate(numbers(last_no)):
                stream = (topic, target, f"{stage}/{part}")
                seen = streams.newest[stream]
                if seen < last:
                    finding.add("lost", "messages committed and never in the log",
                                str(stream), last - seen)
                elif seen > last:
                    finding.add("contradictory", "the log knows messages the database does not",
                                str(stream))


def check_positions(tables, ends, finding):
    """Every record must have been read by the stages that read its topic."""
    for stage in STAGES:
        if not tables.has(schema(stage), "cursor"):
            continue
        for part, topic, offset in tables.rows(
                f"select part, topic, last_offset from {schema(stage)}.cursor"):
            behind = ends.get((topic, part), 0) - 1 - offset
            if behind > 0:
                finding.add("stuck", f"{stage} has not read all of {topic}", f"part {part}",
                            behind)


def check_work(tables, finding, now_ms, patience_s):
    for stage in STAGES:
        if not tables.has(schema(stage), "work"):
            continue
        late = tables.one(f"select count(*) from {schema(stage)}.work where due < %s",
                          now_ms - 1000 * patience_s)
        if late:
            finding.add("stuck", f"{stage} has work long overdue", "", late)
        unacked = tables.one(
            f"select coalesce(sum(journal_seq - acked_seq), 0) from {schema(stage)}.shard")
        if unacked:
            finding.add("stuck", f"{stage} has journal rows not acknowledged", "", int(unacked))


class Applications:
    """Follows every application and card through the topics."""

    def __init__(self, finding):
        self.finding = finding
        self.submitted = {}
        self.outcomes = collections.defaultdict(list)
        self.steps = collections.defaultdict(list)
        self.cards = {}          # card_no -> (holder, state, temporary)
        self.lines = {}          # card_no -> (application, batch, line)
        self.batch_lines = collections.Counter()
        self.manifests = {}
        self.told, self.heard = {}, set()  # notices to banks by id: the card; acknowledged

    def command(self, message):
        if message.WhichOneof("body") == "submit":
            self.submitted[message.submit.application_id] = True

    def application(self, message):
        body = message.WhichOneof("body")
        if body in ("accepted", "rejected"):
            self.outcomes[message.application_id].append(body)
        if body == "noticed":
            self.outcomes[message.application_id].append("noticed")

    def card(self, key, message):
        body = message.WhichOneof("body")
        if body == "step":
            self.steps[message.application_id].append(message.step.state)
        elif body == "card_changed" and message.card_no:
            self.cards[message.card_no] = (key, message.card_changed.state,
                                           message.card_changed.temporary)

    def order(self, message):
        body = message.WhichOneof("body")
        if body == "line":
            known = self.lines.get(message.line.card_no)
            if known:
                self.finding.add("duplicated", "a card number ordered twice")
            self.lines[message.line.card_no] = (message.line.application_id, message.batch_id,
                                                message.line.line_no)
            self.batch_lines[message.batch_id] += 1
        elif body == "card_notice":
            known = self.told.setdefault(message.card_notice.notice_id,
                                         message.card_notice.card_no)
            if known != message.card_notice.card_no:
                self.finding.add("contradictory", "one notice to a bank, two cards")
        elif body == "manifest":
            self.manifests[message.batch_id] = message.manifest.lines

    def result(self, message):
        if message.step == "notice_acknowledged":
            self.heard.add(message.notice_id)

    def check(self, finding):
        for outcomes in self.outcomes.values():
            for final in ("accepted", "rejected"):
                if outcomes.count(final) > 1:
                    finding.add("duplicated", f"an application {final} twice")
            if "accepted" in outcomes and "rejected" in outcomes:
                finding.add("contradictory", "an application accepted and rejected")
        for steps in self.steps.values():
            for once in ("collected", "withdrawn", "closed", "expired", "pickup_expired"):
                if steps.count(once) > 1:
                    finding.add("duplicated", f"an application {once} twice")
        usable = collections.Counter(
            (key, temporary) for key, state, temporary in self.cards.values() if state in USABLE)
        for (_, _), count in usable.items():
            if count > 1:
                finding.add("duplicated", "a holder with more than one usable card")
        for batch, count in self.batch_lines.items():
            if batch not in self.manifests:
                finding.add("lost", "a batch without its manifest")
            elif self.manifests[batch] != count:
                finding.add("contradictory", "a manifest with another count of lines")


def check_intake(tables, applications, dead, finding):
    """Every application that came in is one row, a dead letter, or parked; or it was a row of a list
    that is about an application which was there before (unchanged, or put right)."""
    rows = {row[0].bytes: row[1] for row in tables.rows("select id, state from intake.application")}
    parked = tables.one("select (select count(*) from intake.parked where topic = "
                        "'application.commands') + (select count(*) from intake.dropped where "
                        "topic = 'application.commands')")
    listed = {row[0].bytes for row in tables.rows(
        "select id from intake.roster_row where outcome <> 0")}
    missing = [i for i in applications.submitted if i not in rows and i not in listed]
    unexplained = len(missing) - dead["application.commands.dlq"] - parked
    if unexplained > 0:
        finding.add("lost", "applications without an outcome", "", unexplained)
    return rows


def check_issued(tables, applications, finding):
    issued = {row[0] for row in tables.rows("select card_no from production.issued")}
    for number in applications.lines:
        if number not in issued:
            finding.add("contradictory", "a card number ordered that was never issued")


def check_notices(tables, messages, finding):
    """One end state a notification, and one row."""
    for ident, states in messages.items():
        if len(states) > 1:
            finding.add("duplicated", "a notification with two end states",
                        f"{ident.hex()}: {', '.join(states)}")


def check_bank_notices(tables, applications, finding):
    """Every notice to a bank is a row, and is acknowledged when all is at rest."""
    if not tables.has("production", "card_notice"):
        return
    rows = {row[0].bytes: row[1] for row in tables.rows(
        "select id, acknowledged_at from production.card_notice")}
    waiting = 0
    for ident in applications.told:
        if ident not in rows:
            finding.add("contradictory", "a bank was told of what is no notice", ident.hex())
    for ident, acknowledged_at in rows.items():
        if ident not in applications.told:
            finding.add("lost", "a notice that no bank was told", ident.hex())
        if acknowledged_at and ident not in applications.heard:
            finding.add("contradictory", "a notice acknowledged by nobody", ident.hex())
        waiting += not acknowledged_at
    if waiting:
        finding.add("stuck", "notices that their banks have not acknowledged", "", waiting)


class Audit:
    """Follows a stack: each look reads what is new in the topics and judges all there is."""

    def __init__(self, info):
        self.messages = protos.load()
        self.found = Finding()  # by reading alone; what was missing once stays missing
        self.streams, self.applications = Streams(self.found), Applications(self.found)
        self.dead, self.totals = collections.Counter(), collections.Counter()
        self.notices = collections.defaultdict(list)
        self.ends = {}
        self.tables = Tables(info["postgres_admin"])
        self.reader = Reader(info["kafka"], info["topics"])
        self.totals.update({short(topic): 0 for topic in info["topics"]})

    def close(self):
        self.reader.close()
        self.tables.connection.close()

    def read(self):
        for full, part, offset, key, headers, value in self.reader.read():
            topic = short(full)
            self.ends[topic, part] = offset + 1
            self.totals[topic] += 1
            if self.streams.see(topic, part, headers):
                self.take(topic, key, headers, value)

    def take(self, topic, key, headers, value):
        """A record that is no repeat."""
        if topic.endswith(".dlq"):
            self.dead[topic] += 1
        elif topic == "application.commands" and headers.get("ce_type") == "application.submit":
            try:
                command = self.messages.application.ApplicationCommand.FromString(value)
            except Exception:  # undecodable: it must be a dead letter, counted above
                return
            self.applications.command(command)
        elif topic == "application.events":
            self.applications.application(
                self.messages.application.ApplicationEvent.FromString(value))
        elif topic == "card.events":
            self.applications.card(key, self.messages.card.CardEvent.FromString(value))
        elif topic == "bank.results":
            try:
                self.applications.result(self.messages.card.BankResult.FromString(value))
            except Exception:  # undecodable: it must be a dead letter, counted above
                return
        elif topic == "bank.orders":
            self.applications.order(self.messages.card.BankOrder.FromString(value))
        elif topic == "notification.events":
            event = self.messages.notification.NotificationEvent.FromString(value)
            self.notices[event.notification_id].append(
                f"{event.template} {event.channel} {event.state} {event.reason}".strip())

    def look(self, patience_s=120):
        """The counts as they are now."""
        self.read()
        finding, tables = self.found.copy(), self.tables
        self.applications.check(finding)
        check_streams_stored(tables, self.streams, finding)
        check_positions(tables, self.ends, finding)
        check_work(tables, finding, int(time.time() * 1000), patience_s)
        check_intake(tables, self.applications, self.dead, finding)
        check_issued(tables, self.applications, finding)
        check_bank_notices(tables, self.applications, finding)
        check_notices(tables, self.notices, finding)
        parked = {stage: tables.one(f"select count(*) from {schema(stage)}.parked")
                  for stage in STAGES if tables.has(schema(stage), "parked")}
        return {**finding.summary(), "parked": sum(parked.values()), "parked_by_stage": parked,
                "dead_letters": sum(self.dead.values()), "records": dict(self.totals)}


def is_clean(result):
    return not any(result[kind] for kind in KINDS)


def audit(info, patience_s=120):
    """The counts for the stack that stack.json describes."""
    once = Audit(info)
    try:
        return once.look(patience_s)
    finally:
        once.close()


def main():
    parser = argparse.ArgumentParser(prog="ops/audit", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=ROOT / ".run", help="folder of the stack")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there")
    parser.add_argument("--wait", type=int, default=0, metavar="SECONDS",
                        help="look again until all is zero, at most this long")
    args = parser.parse_args()
    if not (args.run / "stack.json").exists():
        sys.exit(f"error: nothing runs in {args.run}: start it with ops/stack up")
    info = json.loads((args.run / "stack.json").read_text())
    until, followed = time.monotonic() + args.wait, Audit(info)
    while True:
        result = followed.look()
        if is_clean(result) or time.monotonic() >= until:
            break
        time.sleep(2)
    followed.close()
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if is_clean(result) else 1


if __name__ == "__main__":
    sys.exit(main())
