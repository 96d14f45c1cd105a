"""A whole cardflow in one folder: Kafka, PostgreSQL, Redis, partner simulators and services.

Everything it makes lies below the run folder: state.json (configuration, ports, passwords) lets
another process go on with it; stack.json tells any program how to join. Two run folders share
nothing but the machine.
"""

import contextlib
import dataclasses
import fcntl
import json
import re
import secrets
import shutil
from pathlib import Path

from .kafka import ROOT, Kafka
from .keys import Keys
from .ports import free_port, is_free
from .postgres import ADMIN, Postgres, role_of
from .program import Program, ProgramError
from .proxy import TcpProxy
from .redis import Redis
from .service import Service, Simulator
from .supervisor import Supervisor

SERVICES = ("intake", "photo-fetch", "production", "notification", "complaint-handling", "inquiry")
SIMULATORS = ("police", "bank", "sms")
OF_THE_STORES = {"proxies", "kafka_nodes", "kafka_heap", "kafka_settings", "postgres_settings",
                 "redis_settings"}
SANITIZER = re.compile(r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: |"
                       r"^==\d+== +(Invalid|Use of|Conditional|Syscall|Mismatched|.* lost in loss )")
MADE_HERE = ("kafka", "postgres", "redis", "keys", "logs", "ready", "pids", "stack.json",
             "state.json")


@dataclasses.dataclass
class Config:
    """What a stack is to be; kept in state.json."""

    build: str = str(ROOT / "build" / "dev")
    services: list = dataclasses.field(default_factory=lambda: list(SERVICES))
    simulators: list = dataclasses.field(default_factory=lambda: list(SIMULATORS))
    replicas: dict = dataclasses.field(default_factory=dict)   # {"intake": 2}; 1 if absent
    partitions: int = 16
    settings: dict = dataclasses.field(default_factory=dict)   # {"*" or service: {setting: value}}
    proxies: list = dataclasses.field(default_factory=list)    # kafka, postgres, redis
    under: list = dataclasses.field(default_factory=list)      # what runs the services: valgrind
    supervise: bool = False          # start again what ends without having been stopped
    timestamps: str = "CreateTime"   # LogAppendTime in production
    kafka_nodes: int = 1             # more than one: no proxy before it
    kafka_heap: str = "512m"
    kafka_settings: dict = dataclasses.field(default_factory=dict)
    postgres_settings: dict = dataclasses.field(default_factory=dict)
    redis_settings: dict = dataclasses.field(default_factory=dict)


class Stack:
    def __init__(self, run_dir, config=None, say=lambda text: None):
        """Without a config the stack is the one that state.json describes."""
        self.run_dir = Path(run_dir).resolve()
        self.say = say
        self.keys = Keys(self.run_dir)
        self.proxies = {}
        self._load(config)

    # State.
    def _load(self, config):
        state = self._read_state()
        if config is None and not state:
            raise ProgramError(f"there is no stack in {self.run_dir}")
        self.config = config or Config(**{
            field.name: state["config"][field.name] for field in dataclasses.fields(Config)
            if field.name in state["config"]})
        self.changed = {key for key, value in dataclasses.asdict(self.config).items()
                        if state and state["config"].get(key) != value}
        self.ports = state.get("ports", {})
        self.passwords = state.get("passwords", {})
        self._build_programs()

    def _read_state(self):
        try:
            return json.loads((self.run_dir / "state.json").read_text())
        except (OSError, ValueError):
            return {}

    def _write(self, name, content):
        part = self.run_dir / f"{name}.part"
        part.touch(mode=0o600)
        part.write_text(json.dumps(content, indent=1) + "\n")
        part.replace(self.run_dir / name)

    def _save_state(self):
        self._write("state.json", {"config": dataclasses.asdict(self.config),
                                   "ports": self.ports, "passwords": self.passwords})

    @contextlib.contextmanager
    def locked(self):
        """One change at a time, whoever makes it."""
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with open(self.run_dir / "lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _port(self, name):
        if name not in self.ports:
            self.ports[name] = free_port(set(self.ports.values()))
        return self.ports[name]

    def _password(self, role):
        return self.passwords.setdefault(role, secrets.token_urlsafe(18))

    # What it consists of.
    def _build_programs(self):
        config = self.config
        for role in (ADMIN, *map(role_of, SERVICES)):
            self._password(role)
        proxied = "kafka" in config.proxies
        self.kafka = Kafka(self.run_dir, self._port("kafka"), self._port("kafka.controller"),
                           self._port("proxy.kafka") if proxied else None,
                           self._port("kafka.proxied") if proxied else None,
                           config.kafka_heap, config.kafka_settings)
        self._join_nodes()
        self.postgres = Postgres(self.run_dir, self._port("postgres"), self.passwords,
                                 config.postgres_settings)
        self.redis = Redis(self.run_dir, self._port("redis"), config.redis_settings)
        self.simulators = {name: Simulator(name, self.run_dir, config.build,
                                           self._settings(f"sim-{name}", f"sim-{name}"))
                           for name in config.simulators}
        self.services = {
            name: [Service(name, self.run_dir, config.build,
                           self._settings(name, f"{name}.{replica}"), replica, config.under)
                   for replica in range(1, config.replicas.get(name, 1) + 1)]
            for name in config.services}
        self.supervisor = Supervisor(self.run_dir)

    def _join_nodes(self):
        """A cluster: the first node stands for all of them where only one is asked."""
        config = self.config
        self.kafka_nodes = [self.kafka, *(
            Kafka(self.run_dir, self._port(f"kafka.{node}"), self._port(f"kafka.{node}.controller"),
                  heap=config.kafka_heap, settings=config.kafka_settings)
            for node in range(2, config.kafka_nodes + 1))]
        if config.kafka_nodes > 1:
            for node, kafka in enumerate(self.kafka_nodes, 1):
                kafka.join(self.kafka_nodes, node)

    def _settings(self, name, place):
        """name: service or sim-<partner>; place: what its ports are remembered under."""
        config = self.config

        def port(program):
            through = f"proxy.{program}" if program in config.proxies else program
            return self._port(through)

        settings = {
            "kafka.brokers": self.kafka.brokers if config.kafka_nodes > 1
                             else f"127.0.0.1:{port('kafka')}",
            "partitions": config.partitions,
            "http.listen": f"127.0.0.1:{self._port(place + '.http')}",
            "operator.listen": f"127.0.0.1:{self._port(place + '.operator')}",
            "reference_key_file": self.keys.reference,
            "sealing_key_file": self.keys.sealing,
            "api_keys_file": self.keys.api_keys,
            "calendar_file": ROOT / "tests" / "data" / "calendar.csv",
            "policies_file": ROOT / "tests" / "data" / "policies.csv",
        }
        if name in SERVICES:
            settings["postgres.dsn"] = self.postgres.dsn(role_of(name), port=port("postgres"))
            settings["redis.url"] = f"redis://127.0.0.1:{port('redis')}"
        settings.update(self._partners(name))
        settings.update(config.settings.get("*", {}))
        settings.update(config.settings.get(name, {}))
        return settings

    def _partners(self, name):
        """Addresses of others and files that only this service has a setting for."""
        def url(place):
            return f"http://127.0.0.1:{self._port(place + '.http')}"

        return {
            "intake": {"outlets_file": ROOT / "tests" / "data" / "outlets.csv",
                       "photo_fetch.url": url("photo-fetch.1"),
                       "photo_fetch.key_file": self.keys.file("online")},
            "inquiry": {"outlets_file": ROOT / "tests" / "data" / "outlets.csv"},
            "photo-fetch": {"police.url": url("sim-police")},
            "notification": {"sms.url": url("sim-sms")},
            "complaint-handling": {"inquiry.url": url("inquiry.1"),
                                   "inquiry.key_file": self.keys.file("hotline_12345")},
        }.get(name, {})

    def own_programs(self):
        """Simulators and services, all replicas."""
        return [*self.simulators.values(),
                *(replica for replicas in self.services.values() for replica in replicas)]

    def programs(self):
        return [*self.kafka_nodes, self.postgres, self.redis, *self.own_programs()]

    def program(self, name):
        for program in self.programs():
            if program.name == name:
                return program
        known = ", ".join(program.name for program in self.programs())
        raise ProgramError(f"no program {name!r} in this stack; there are: {known}")

    def service(self, name, replica=1):
        return self.services[name][replica - 1]

    # Up and down.
    def up(self, clean=False):
        with self.locked():
            self._load(self.config)  # another process may have changed it meanwhile
            if clean:
                self._down()
                self._remove()
            elif self.changed & OF_THE_STORES:
                self._down()
            elif self.changed:
                self._stop_own()
            self._stop_strangers()
            self._move_from_taken_ports()
            self.run_dir.mkdir(parents=True, exist_ok=True)
            self._save_state()
            self._start_stores()
            self._prepare_stores()
            self._start_own()
            self._write("stack.json", self.info())
            if self.config.supervise:
                self.supervisor.start()
        return self

    def _move_from_taken_ports(self):
        """Ports are kept from run to run; one that somebody else has meanwhile is given up."""
        taken = False
        running = any(program.alive() for program in self.programs())
        for name, port in list(self.ports.items()):
            if not running and not is_free(port):
                del self.ports[name]
                taken = True
        if taken:
            self._build_programs()

    def _start_stores(self):
        self.say("starting Kafka, PostgreSQL and Redis")
        for name in self.config.proxies:
            target = self.ports["kafka.proxied" if name == "kafka" else name]
            port = self._port(f"proxy.{name}")
            # Taken: the test that made this stack has it, and this is another process.
            if name not in self.proxies and is_free(port):
                self.proxies[name] = TcpProxy(target, port)
        stores = (*self.kafka_nodes, self.postgres, self.redis)
        for store in stores:
            store.start(wait=False)
        for store in stores:
            store.wait_ready()

    def _prepare_stores(self):
        declared = json.loads((ROOT / "proto" / "topics.json").read_text())
        self.topics = self.kafka.create_topics(declared, self.config.partitions,
                                               self.config.timestamps)
        self.postgres.create_schemas(SERVICES)
        for service in SERVICES:
            applied = self.postgres.migrate(service, migrations(service), self.config.partitions)
            if applied:
                self.say(f"{service}: migrations {', '.join(applied)}")
        self.keys.prepare()

    def _start_own(self):
        started, missing = [], []
        for program in self.own_programs():
            if not program.exists():
                missing.append(program.binary.name)
                continue
            if program.is_stale():
                program.stop()
            started.append(program.start(wait=False))
        for program in started:
            program.wait_ready()
        if started:
            self.say(f"up: {', '.join(program.name for program in started)}")
        if missing:
            self.say(f"not in {self.config.build}/bin, so not started: {', '.join(missing)}")

    def down(self):
        with self.locked():
            self._down()

    def _down(self):
        self.supervisor.stop()
        self._stop_own()
        # All brokers but the last at once: a controller waits for those that are left.
        for kafka in self.kafka_nodes[1:]:
            kafka.ask_to_stop()
        for program in (self.redis, self.postgres, *self.kafka_nodes):
            if program.alive():
                self.say(f"stopping {program.name}")
            program.stop()
        for proxy in self.proxies.values():
            proxy.close()
        self.proxies = {}
        self._stop_strangers(every=True)
        (self.run_dir / "stack.json").unlink(missing_ok=True)

    def _stop_own(self):
        """All at once: each needs a moment to give its shards up."""
        running = [program for program in self.own_programs() if program.alive()]
        for program in running:
            program.ask_to_stop()
        for program in running:
            if not program.stop():
                self.say(f"{program.name} did not stop by itself and was killed")

    def _stop_strangers(self, every=False):
        """Programs of an earlier configuration, known only by their records."""
        known = () if every else {p.name for p in (*self.programs(), self.supervisor)}
        for record in sorted((self.run_dir / "pids").glob("*.json")):
            if record.stem not in known:
                Program(record.stem, self.run_dir).stop()

    def remove_data(self):
        """Of the stores, when they are down; logs, keys and state stay."""
        self._remove(("kafka", "postgres", "redis"))

    def _remove(self, names=MADE_HERE):
        self.postgres.remove_data()
        for name in names:
            path = self.run_dir / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def restart(self, name):
        """A program by name; the name of a service means all its replicas."""
        with self.locked():
            for program in self.services.get(name) or [self.program(name)]:
                program.restart()
            self._write("stack.json", self.info())

    def revive(self):
        """Starts again what ended without having been stopped; names of what was started."""
        with self.locked():
            dead = [program for program in self.own_programs()
                    if program.wanted() and not program.alive()]
            for program in dead:
                program.start(wait=False)
            if dead:
                self._write("stack.json", self.info())
        return [program.name for program in dead]

    def sanitizer_reports(self):
        """Lines of the logs in which a sanitizer or valgrind found something."""
        return [f"{path.name}: {line}" for path in sorted((self.run_dir / "logs").glob("*.log"))
                for line in path.read_text("utf-8", "replace").splitlines()
                if SANITIZER.search(line)]

    def set_clock(self, **body):
        """Of all services; see Service.set_clock."""
        for replicas in self.services.values():
            for replica in replicas:
                if replica.alive():
                    replica.set_clock(**body)

    # What others may know.
    def info(self):
        """The content of stack.json."""
        running = {name: [replica for replica in replicas if replica.alive()]
                   for name, replicas in self.services.items()}
        running = {name: replicas for name, replicas in running.items() if replicas}
        partners = {name: s for name, s in self.simulators.items() if s.alive()}
        return {
            "http": {name: f"http://{replicas[0].settings['http.listen']}"
                     for name, replicas in running.items()},
            "operator": {name: [f"http://{replica.settings['operator.listen']}"
                                for replica in replicas] for name, replicas in running.items()},
            "kafka": self.kafka.brokers,
            "postgres": {name: self.postgres.dsn(role_of(name)) for name in SERVICES},
            "redis": self.redis.url,
            "api_keys": self.keys.plain(),
            "pids": {name: [replica.pid for replica in replicas]
                     for name, replicas in running.items()},
            "simulators": {name: f"http://{simulator.settings['http.listen']}"
                           for name, simulator in partners.items()},
            "key_files": {"reference": str(self.keys.reference),
                          "sealing": str(self.keys.sealing)},
            "topics": [f"cardflow.{entry['name']}.v1" for entry in
                       json.loads((ROOT / "proto" / "topics.json").read_text())],
            "postgres_admin": self.postgres.dsn(),
            "store_pids": {program.name: program.pid
                           for program in (self.kafka, self.postgres, self.redis)},
            "simulator_pids": {name: simulator.pid for name, simulator in partners.items()},
            "partitions": self.config.partitions,
            "build": self.config.build,
            "logs": str(self.run_dir / "logs"),
        }

    def status(self):
        """[(name, state, pid, detail)] of every program."""
        rows = []
        for program in self.programs():
            if isinstance(program, Service) and not program.exists():
                rows.append((program.name, "not built", None, str(program.binary)))
            elif not program.alive():
                rows.append((program.name, "dead" if program.wanted() else "down", None, ""))
            elif program.paused():
                rows.append((program.name, "paused", program.pid, ""))
            elif program.is_ready():
                rows.append((program.name, "ready", program.pid,
                             f"{program.memory_kb()['VmRSS'] // 1024} MB"))
            else:
                rows.append((program.name, "not ready", program.pid, program.why_not_ready()))
        return rows


def migrations(service):
    """(name, path) of the loop's and the service's own SQL files, in the order of their names."""
    common = sorted((ROOT / "common" / "io" / "stage" / "db").glob("*.sql"))
    own = sorted((ROOT / "services" / service / "db").glob("*.sql"))
    return [(f"stage/{path.name}", path) for path in common] + \
           [(f"{service}/{path.name}", path) for path in own]
