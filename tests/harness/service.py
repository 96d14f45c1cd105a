"""A service or partner simulator: configured by environment, ready by its own word."""

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from .program import Program

PASSED_ON = ("ASAN_", "UBSAN_", "LSAN_", "TSAN_", "GCOV_", "LLVM_")


def variable(setting):
    """kafka.brokers -> CARDFLOW_KAFKA_BROKERS"""
    return "CARDFLOW_" + setting.upper().replace(".", "_")


class Service(Program):
    """One replica; the first is called as the service, others <service>.2, <service>.3 ..."""

    prefix = "cardflow-"

    def __init__(self, name, run_dir, build, settings, replica=1, under=()):
        """settings: {"kafka.brokers": ...} as in conf.def; under: a program that runs it."""
        super().__init__(name if replica == 1 else f"{name}.{replica}", run_dir)
        self.service, self.replica, self.under = name, replica, under
        self.binary = Path(build) / "bin" / f"{self.prefix}{name}"
        self.ready_path = self.run_dir / "ready" / f"{self.name}.json"
        self.settings = {**settings, "ready_file": self.ready_path}
        self.more_env = {}  # variables that are no settings

    def exists(self):
        return self.binary.is_file()

    def is_stale(self):
        """It runs, but from a binary that has been replaced since."""
        pid = self.pid
        return pid is not None and os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")

    def argv(self):
        return [*self.under, self.binary]

    def env(self):
        kept = {key: value for key, value in os.environ.items()
                if key in ("PATH", "HOME", "TMPDIR") or key.startswith(PASSED_ON)}
        return {**kept, "LANG": "C.UTF-8", **self.more_env,
                **{variable(key): str(value) for key, value in self.settings.items()}}

    def prepare(self):
        self.ready_path.parent.mkdir(parents=True, exist_ok=True)
        self.ready_path.unlink(missing_ok=True)

    def addresses(self):
        """What the program wrote about itself: {"http", "operator", "pid"}; {} until it did."""
        try:
            return json.loads(self.ready_path.read_text())
        except (OSError, ValueError):
            return {}

    @property
    def http(self):
        return self.addresses().get("http")

    @property
    def operator(self):
        return self.addresses().get("operator")

    def is_ready(self):
        said = self.addresses()
        if not said or said.get("pid") != self.pid:
            return False
        return not said.get("operator") or self.get("/readyz", said["operator"])[0] == 200

    def why_not_ready(self):
        if not self.addresses():
            return f"it wrote no {self.ready_path}"
        return self.get("/readyz", self.operator)[1] if self.operator else "no answer"

    def get(self, path, base=None, timeout=5):
        """(status, text) of a GET to the operator's or a given address; status 0: no answer."""
        try:
            with urllib.request.urlopen((base or self.operator) + path, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode("utf-8", "replace")
        except OSError as error:
            return 0, str(error)

    def set_clock(self, **body):
        """POST /test/clock of test builds: now="2026-03-31T09:00:00+08:00" or advance_ms=n."""
        request = urllib.request.Request(self.operator + "/test/clock", json.dumps(body).encode(),
                                         {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found


class Simulator(Service):
    """A partner: police, bank or sms."""

    prefix = "sim-"

    def __init__(self, name, run_dir, build, settings):
        super().__init__(name, run_dir, build, settings)
        self.name = f"sim-{name}"
        self.log_path = self.run_dir / "logs" / f"{self.name}.log"
        self.record_path = self.run_dir / "pids" / f"{self.name}.json"
        self.ready_path = self.run_dir / "ready" / f"{self.name}.json"
        self.settings["ready_file"] = self.ready_path

    def behave(self, **behaviour):
        """PUT /sim/behaviour, e.g. behave(delay_ms=200, error_rate=0.1, off=True)."""
        request = urllib.request.Request(
            self.http + "/sim/behaviour", json.dumps(behaviour).encode(),
            {"Content-Type": "application/json"}, method="PUT")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status

    def received(self, since=0):
        """The list of what it got."""
        return json.loads(self.get(f"/sim/received?since={since}", self.http)[1])
