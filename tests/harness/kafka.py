"""Kafka brokers of its own: KRaft, each node is broker and controller; mostly there is one."""

import base64
import subprocess
import uuid
from pathlib import Path

from . import kafka_wire
from .program import Program, ProgramError, wait_until

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 2**63 - 1
DAY_MS = 86_400_000


class Kafka(Program):
    start_timeout = 60
    stop_timeout = 30

    def __init__(self, run_dir, port, controller_port, proxy_port=None, proxied_port=None,
                 heap="512m", settings=None):
        """proxy_port: clients that come in on proxied_port are told to come back there."""
        super().__init__("kafka", run_dir)
        self.port, self.controller_port = port, controller_port
        self.proxy_port, self.proxied_port = proxy_port, proxied_port
        self.heap, self.settings = heap, settings or {}
        self.dir = self.run_dir / "kafka"
        self.address = self.brokers = f"127.0.0.1:{port}"
        self.node, self.nodes = 1, [self]

    def join(self, nodes, node):
        """Makes it one of several nodes of a cluster; before its first start."""
        self.node, self.nodes = node, nodes
        self.brokers = ",".join(other.address for other in nodes)
        if node > 1:
            super().__init__(f"kafka.{node}", self.run_dir)
            self.dir = self.run_dir / "kafka" / str(node)

    @staticmethod
    def jars():
        return ROOT / ".run" / "lib" / "kafka"

    def _config(self):
        listeners = {"BROKER": self.port, "CONTROLLER": self.controller_port}
        advertised = {"BROKER": self.port}
        if self.proxy_port:
            listeners["PROXIED"] = self.proxied_port
            advertised["PROXIED"] = self.proxy_port

        def addresses(ports):
            return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())

        return {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": ",".join(
                f"{other.node}@127.0.0.1:{other.controller_port}" for other in self.nodes),
            "listeners": addresses(listeners),
            "advertised.listeners": addresses(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "inter.broker.listener.name": "BROKER",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.dir / "data",
            "auto.create.topics.enable": "false",
            "delete.topic.enable": "true",
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": len(self.nodes),
            "transaction.state.log.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "background.threads": 2,
            # After kill -9 the broker may register again only when its old session is over.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "log.cleaner.dedupe.buffer.size": 16 * 2**20,
            "log.index.size.max.bytes": 2**20,
            # The test clock may be years ahead of the broker's.
            "log.message.timestamp.after.max.ms": LONGEST,
            **self.settings,
        }

    def _java(self, *args):
        return ["java", f"-Dlog4j2.configurationFile={ROOT / 'ops/kafka/log4j2.properties'}",
                "-Djava.awt.headless=true", *args]

    def prepare(self):
        if not any(self.jars().glob("kafka_*.jar")):
            raise ProgramError("Kafka's jars are not there: run ops/lib/setup kafka")
        self.dir.mkdir(parents=True, exist_ok=True)
        config = self.dir / "server.properties"
        config.write_text("".join(f"{key}={value}\n" for key, value in self._config().items()))
        if (self.dir / "data" / "meta.properties").exists():
            return
        done = subprocess.run(
            # A program of a second: compiling it well costs more than it takes.
            self._java("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{self.jars()}/*",
                       "kafka.tools.StorageTool", "format", "-t", self._cluster_id(), "-c",
                       config),
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise ProgramError(f"formatting Kafka's storage failed\n{done.stdout}{done.stderr}")

    def _cluster_id(self):
        """The same for all nodes; the first one makes it."""
        path = self.nodes[0].dir / "cluster"
        if not path.exists():
            ident = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("C" + ident[1:])
        return path.read_text()

    def argv(self):
        return self._java("-Xms256m", f"-Xmx{self.heap}", "-XX:+UseSerialGC",
                          "-XX:+ExitOnOutOfMemoryError",
                          "-cp", f"{self.jars()}/*", "kafka.Kafka",
                          self.dir / "server.properties")

    def is_ready(self):
        try:
            return kafka_wire.metadata(self.address)["brokers"] == len(self.nodes)
        except OSError:
            return False

    def create_topics(self, declared, partitions, timestamps="CreateTime"):
        """Makes what is missing of proto/topics.json and waits until every partition is led."""
        topics = [topic_config(entry, partitions, timestamps) for entry in declared]
        known = kafka_wire.metadata(self.brokers)["topics"]
        for topic in topics:
            have = known.get(topic["name"], topic)["partitions"]
            if have != partitions:
                raise ProgramError(f"topic {topic['name']} has {have} partitions, not "
                                   f"{partitions}: start anew with --clean")
        missing = [topic for topic in topics if topic["name"] not in known]
        if missing:
            kafka_wire.create_topics(self.brokers, missing, len(self.nodes))

        def led():
            now = kafka_wire.metadata(self.brokers)["topics"]
            return all(now.get(t["name"], {}).get("led") == partitions for t in topics)

        wait_until("every partition has a leader", 30, led)
        return [topic["name"] for topic in topics]


def topic_config(entry, partitions, timestamps):
    """A row of proto/topics.json as Kafka wants it."""
    config = {"message.timestamp.type": timestamps}
    if timestamps == "CreateTime":
        config["message.timestamp.after.max.ms"] = LONGEST
    keep = entry["keep"]
    if keep == "compact":
        config["cleanup.policy"] = "compact"
    elif keep == "forever":
        config["retention.ms"] = -1
    elif keep.endswith("d") and keep[:-1].isdigit():
        # Back-dated input must not be old already when it comes in.
        config["retention.ms"] = -1 if timestamps == "CreateTime" else int(keep[:-1]) * DAY_MS
    else:
        raise ProgramError(f"proto/topics.json: {entry['name']}: keep is {keep!r}; "
                           "it must be forever, compact or <days>d")
    if entry.get("flush"):
        config["flush.messages"] = 1
    return {"name": f"cardflow.{entry['name']}.v1", "partitions": partitions, "config": config}
