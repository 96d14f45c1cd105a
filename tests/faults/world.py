"""A stack under load: 5,000 first issues while something breaks, and the reckoning afterwards."""

import collections
import contextlib
import json
import os
import subprocess
import time
from pathlib import Path

import audit
import pytest
from harness import protos
from harness.people import People
from harness.program import ProgramError, wait_until
from harness.service import Service

COUNT = 5000             # applications of one load
NOTICES = ("accepted", "ready_for_pickup", "collected", "activated")
LOAD_S, SETTLE_S = 120, 60
MEMBER_TIMEOUT_S = 5     # a replica not seen for so long has lost its shards
PATH = ("intake", "photo-fetch", "production", "notification", "inquiry")
SETTINGS = {
    "notification": {"quiet_hours": "false", "sms_backoff_max": "2s", "sms_breaker_open": "1s"},
    "photo-fetch": {"fetch_backoff_max": "2s", "police_breaker_open": "1s"},
    "production": {"batch_wait_ms": "100ms"},
}


# What would make the ordinary run too long.
in_full = pytest.mark.skipif(not os.environ.get("CARDFLOW_ALL_FAULTS"),
                             reason="CARDFLOW_ALL_FAULTS=1 runs it (docs/faults.md)")


def all_ready(world, timeout=60):
    """Every service says that it is ready; none may have ended."""
    def ready():
        for replica in world.replicas():
            assert replica.alive(), f"{replica.name} has ended\n{replica.log_tail()}"
        return all(replica.is_ready() for replica in world.replicas())

    wait_until("every service is ready", timeout, ready, 0.05)


class Load:
    """cardflow-load at work: it applies, and watches until all cards are activated."""

    def __init__(self, world, first, count, rate, timeout_s=LOAD_S):
        self.world, self.first, self.count = world, first, count
        self.timeout_s = timeout_s
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            world.load_command("apply", "--first", first, "--count", count, "--rate", rate,
                               "--timeout", f"{timeout_s}s"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def running(self):
        return self.process.poll() is None

    def result(self):
        """What it says at its end."""
        out, err = self.process.communicate(timeout=self.timeout_s + 30)
        assert out, f"cardflow-load: {err}"
        return json.loads(out)

    def stop(self):
        if self.running():
            self.process.kill()
        self.process.communicate()


class World:
    def __init__(self, stack):
        self.stack = stack
        self.tell = print  # a line for the end of the test run
        self.torn = False  # something has begun whose reckoning has not come out well
        self.applied = 0
        self.notices = collections.Counter()  # what holders are to be told, by template
        self.refused = collections.Counter()  # parked and dead_letters that there must be
        self.audit = audit.Audit(stack.info())
        self.status_type = protos.load().status.Status
        self.statuses = Statuses(stack.info(), self.status_type)
        self.sms = Sms(stack.simulators["sms"])
        self.extras = []
        self.people = People()  # for applications over HTTP

    def close(self):
        for extra in self.extras:
            extra.stop()
        self.audit.close()
        self.statuses.close()

    # Load.
    def load_command(self, what, *args):
        info = self.stack.info()
        return [str(word) for word in (
            Path(info["build"]) / "bin" / "cardflow-load", "--what", what,
            "--kafka-brokers", info["kafka"], "--partitions", info["partitions"],
            "--reference-key-file", info["key_files"]["reference"],
            "--sealing-key-file", info["key_files"]["sealing"], *args)]

    def enrol(self, count):
        """New persons of the load program, who will apply; the number of the first."""
        self.torn = True
        first, self.applied = self.applied, self.applied + count
        self.notices.update(dict.fromkeys(NOTICES, count))
        subprocess.run(self.load_command("enrol", "--first", first, "--count", count),
                       check=True, stdout=subprocess.DEVNULL, timeout=60)
        wait_until("everybody is enrolled", 60, lambda: self.audit.tables.one(
            "select count(*) from intake.holder where revision > 0") >= self.applied, 0.2)
        return first

    @contextlib.contextmanager
    def load(self, rate=700, count=COUNT, timeout_s=LOAD_S, enrolled=lambda: None):
        """Enrols new persons and applies for them; at the end all cards must be activated.
        enrolled: what is to be done in between."""
        first = self.enrol(count)
        enrolled()
        running = Load(self, first, count, rate, timeout_s)
        try:
            yield running
            figures = running.result()
        finally:
            running.stop()
        assert figures["activated"] == count, self.explain(figures)
        self.tell(f"{count} applications in {figures['seconds']:.1f} s, "
                  f"p99 {figures['p99_ms'] / 1000:.1f} s")

    def explain(self, figures):
        """What is known when cards are missing."""
        lines = [f"{figures['activated']} of {figures['applications']} cards were activated"]
        for replica in self.replicas():
            ready = replica.get("/readyz")[1].strip() if replica.alive() else "it has ended"
            lines.append(f"{replica.name}: {ready}")
        found = self.audit.look(5)
        lines.append(json.dumps(found["details"], ensure_ascii=False))
        lines.append(f"parked: {found['parked_by_stage']}, dead letters: {found['dead_letters']}")
        tables = self.audit.tables
        for stage in map(audit.schema, audit.STAGES):
            lines += [f"{stage} parked {row}" for row in tables.rows(
                f"select topic, reason, ce_type, count(*) from {stage}.parked group by 1, 2, 3")]
            lines += [f"{stage} work {row}" for row in tables.rows(
                f"select kind, attempt, count(*), min(due) from {stage}.work group by 1, 2")]
        lines += [f"holders {row}" for row in tables.rows(
            "select app_state, made_state, card_state, count(*) from production.holder "
            "group by 1, 2, 3")]
        lines += [f"now {int(time.time() * 1000)}"]
        return "\n".join(lines)

    def replicas(self):
        return [*(replica for some in self.stack.services.values() for replica in some),
                *self.extras]

    # Where it stands.
    @staticmethod
    def figure(replica, name):
        return replica.metrics().get(f"cardflow_stage_{name}", 0)

    def shards(self, replica):
        return self.figure(replica, "shards")

    def in_the_middle(self, replica, records, load):
        """Waits until a replica has read so many records from now on."""
        start = self.figure(replica, "records_total")
        wait_until(f"{replica.name} is in the middle", 60,
                   lambda: self.figure(replica, "records_total") >= start + records, 0.01)
        assert load.running(), "the load was over before anything could break"

    @contextlib.contextmanager
    def measured(self, what):
        """Tells how long something took."""
        begin = time.monotonic()
        yield
        self.tell(f"{what}: {time.monotonic() - begin:.1f} s")

    # Replicas beside those of the configuration.
    def second(self, name, **settings):
        """A second replica of a service, started and ready."""
        first = self.stack.service(name)
        place = f"{name}.2"
        own = {"http.listen": f"127.0.0.1:{self.stack._port(place + '.http')}",
               "operator.listen": f"127.0.0.1:{self.stack._port(place + '.operator')}"}
        replica = Service(name, self.stack.run_dir, self.stack.config.build,
                          {**first.settings, **own, **settings}, 2)
        self.extras.append(replica.start())
        return replica

    def share(self, *replicas):
        """Waits until replicas own the same number of shards, and all together."""
        part = self.stack.config.partitions // len(replicas)
        wait_until("the shards are shared", 30,
                   lambda: all(self.shards(r) == part for r in replicas), 0.1)

    def drop(self, replica):
        """An extra replica leaves in order; the first one has all shards again."""
        left_by_itself = replica.stop()
        self.extras.remove(replica)
        assert left_by_itself, f"{replica.name} had to be killed"
        self.share(self.stack.service(replica.service))

    # The reckoning.
    def settle(self):
        """Waits until nothing is under way; nothing may be lost, doubled or stuck, and only what a
        test spoilt on purpose parked or dead."""
        result, end = None, time.monotonic() + SETTLE_S

        def quiet():
            nonlocal result
            result = self.audit.look(patience_s=5)
            told = len(self.audit.notices)
            return (audit.is_clean(result) and told == self.notices.total()
                    and all(result[key] >= n for key, n in self.refused.items())
                    ) or time.monotonic() > end

        wait_until("the reckoning", SETTLE_S + 60, quiet, 0.5)
        counts = {key: result[key] for key in (*audit.KINDS, "parked", "dead_letters")}
        want = {**dict.fromkeys(counts, 0), **self.refused}
        assert counts == want, json.dumps(result, ensure_ascii=False)
        return result

    def reckon(self):
        """After every load: each application has one card, each step one message, once."""
        self.settle()
        seen = self.audit
        assert len(seen.applications.submitted) == self.applied
        assert collections.Counter(map(tuple, seen.applications.outcomes.values())) == {
            ("accepted",): self.applied}
        assert len(seen.applications.lines) == self.applied, "one card ordered an application"
        self.check_notifications()
        self.check_statuses()
        for replica in self.replicas():
            assert replica.alive(), f"{replica.name} has ended\n{replica.log_tail()}"
            assert self.figure(replica, "shards_stopped") == 0, replica.name
        self.torn = False

    def check_notifications(self):
        """What the gateway has taken is what was to be told, each once, under one id."""
        kinds = collections.Counter(states[0] for states in self.audit.notices.values())
        assert kinds == {f"{template} sms sent": count
                         for template, count in self.notices.items()}
        self.sms.read()
        assert self.sms.ids.keys() == self.audit.notices.keys()
        assert set(self.sms.ids.values()) == {1}, "a message was sent twice under one id"
        twice = [text for text, count in self.sms.texts.items() if count > 1]
        assert not twice, f"{len(twice)} persons were told the same twice"

    def check_statuses(self):
        """What inquiry tells of each holder is where the card has come to."""
        want = {("collected", "normal"): self.applied}

        def told():
            self.statuses.read()
            return collections.Counter(self.statuses.newest.values())

        with contextlib.suppress(ProgramError):
            wait_until("every status is final", 20, lambda: told() == want, 0.5)
        assert told() == want


class Sms:
    """What the simulated gateway says that it has received."""

    def __init__(self, simulator):
        self.simulator, self.since = simulator, 0
        self.ids, self.texts = collections.Counter(), collections.Counter()

    def read(self):
        while True:
            page = json.loads(self.simulator.get(
                f"/sim/received?since={self.since}&limit=10000", self.simulator.http, 30)[1])
            for item in page["items"]:
                self.ids[bytes.fromhex(item["id"].replace("-", ""))] += 1
                self.texts[item["to_sha256"], item["text_sha256_16"]] += 1
            self.since = page["next"]
            if not page["items"]:
                return


class Statuses:
    """The newest status of every holder, as (state of the application, state of the card)."""

    def __init__(self, info, message):
        self.message, self.newest, self.versions = message, {}, {}
        self.reader = audit.Reader(info["kafka"], ["cardflow.status.v1"])

    def read(self):
        for _, _, _, key, _, value in self.reader.read():
            status = self.message.FromString(value)
            if status.version < self.versions.get(key, 0):
                continue  # published again
            self.versions[key] = status.version
            self.newest[key] = (*(a.state for a in status.applications),
                                *(c.state for c in status.cards))

    def close(self):
        self.reader.close()
