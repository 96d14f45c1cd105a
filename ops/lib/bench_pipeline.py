"""first issues from the command topic to activated cards, beside PostgreSQL alone"""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import bench_baseline
import psycopg
from harness.kafka import ROOT
from harness.stack import Config

ENROLMENTS_READY_S = 600
LATENCY_COUNT, LATENCY_RATE = 400, 20
# A broker that has just started interprets its code: what runs first would measure that.
WARM_BULK, WARM_ALONE = 4000, 200
REST_S, REST_MOST_S = 2, 60


def OPTIONS(parser):
    parser.add_argument("--applications", type=int, default=100_000, metavar="N")
    parser.add_argument("--photos", choices=("own", "on-file"), default="own")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--no-baseline", action="store_true", help="leave PostgreSQL alone out")


def config():
    return Config(build=str(ROOT / "build" / "release"), partitions=8, settings={
        "production": {"batch_lines": 200, "batch_wait_ms": "20ms"},
        "notification": {"quiet_hours": "false"}},
        postgres_settings={"shared_buffers": "1GB", "max_wal_size": "8GB"})


def load(stack, what, *args):
    info = stack.info()
    command = [Path(stack.config.build) / "bin" / "cardflow-load", "--what", what,
               "--kafka-brokers", info["kafka"], "--partitions", str(info["partitions"]),
               "--reference-key-file", info["key_files"]["reference"],
               "--sealing-key-file", info["key_files"]["sealing"], *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise RuntimeError(f"cardflow-load {what}: {done.stderr}")
    return json.loads(done.stdout)


def metrics(replica):
    text = replica.get("/metrics", replica.operator)[1]
    return {name: float(value) for name, value in
            re.findall(r"^(\w+)(?:\{[^}]*\})? ([0-9.eE+-]+)$", text, re.M)}


def wait_enrolled(stack, want):
    until = time.monotonic() + ENROLMENTS_READY_S
    with psycopg.connect(stack.info()["postgres_admin"], autocommit=True) as connection:
        while time.monotonic() < until:
            count = connection.execute(
                "select count(*) from intake.holder where revision > 0").fetchone()[0]
            if count >= want:
                return
            time.sleep(1)
    raise RuntimeError(f"only {count} of {want} persons were enrolled in time")


def wait_at_rest(stack):
    """Until no service has made a step for a while: notices go on after the cards are activated."""
    replicas = [replica for service in stack.services.values() for replica in service
                if replica.alive()]
    until = time.monotonic() + REST_MOST_S
    before = None
    while time.monotonic() < until:
        now = [metrics(replica)["cardflow_stage_records_total"] for replica in replicas]
        if now == before:
            return
        before = now
        time.sleep(REST_S)
    raise RuntimeError(f"the stack did not come to rest within {REST_MOST_S} s")


def programs(stack):
    return {program.name: program for program in stack.programs() if program.alive()}


def tree_cpu(program):
    """CPU seconds of a program and, for PostgreSQL, its backends that have ended as well."""
    if program.name != "postgres":
        return program.cpu_seconds()
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == program.pid:
            ticks += sum(map(int, fields[11:15]))  # its own, and its children that have ended
        elif int(fields[1]) == program.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Watcher(threading.Thread):
    """Peak memory of every program, looked at twice a second."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.peak, self.done = stack, {}, threading.Event()

    def run(self):
        while not self.done.wait(0.5):
            for name, program in programs(self.stack).items():
                try:
                    rss = program.memory_kb()["VmRSS"] / 1024
                except (OSError, KeyError, TypeError):
                    continue
                self.peak[name] = max(self.peak.get(name, 0), round(rss, 1))


def run(stack, args, say):
    n = args.applications
    persons = n + WARM_BULK + WARM_ALONE + LATENCY_COUNT
    say(f"enrolling {persons} persons")
    load(stack, "enrol", "--count", persons)
    wait_enrolled(stack, persons)
    say("warming up")
    photos = ("--photos", args.photos)
    load(stack, "apply", "--first", n, "--count", WARM_BULK, *photos)
    wait_at_rest(stack)
    load(stack, "apply", "--first", n + WARM_BULK, "--count", WARM_ALONE, "--rate", LATENCY_RATE,
         *photos)
    wait_at_rest(stack)
    say("one application alone")
    alone = load(stack, "apply", "--first", n + WARM_BULK + WARM_ALONE, "--count", LATENCY_COUNT,
                 "--rate", LATENCY_RATE, *photos)
    wait_at_rest(stack)
    say(f"{n} applications")
    watcher = Watcher(stack)
    watcher.start()
    before_cpu = {name: tree_cpu(p) for name, p in programs(stack).items()}
    services = {name: replicas[0] for name, replicas in stack.services.items() if replicas[0].alive()}
    before = {name: metrics(replica) for name, replica in services.items()}
    tables = bench_baseline.snapshot(stack)
    figures = load(stack, "apply", "--first", 0, "--count", n, "--photos", args.photos,
                   "--timeout", "30m")
    after_cpu = {name: tree_cpu(p) for name, p in programs(stack).items()}
    after = {name: metrics(replica) for name, replica in services.items()}
    time.sleep(3)
    watcher.done.set()
    steps = {name: (after[name]["cardflow_stage_steps_total"] -
                    before[name]["cardflow_stage_steps_total"]) / n for name in after}
    cpu = {name: round((after_cpu[name] - before_cpu[name]) * 1e6 / n, 1) for name in after_cpu}
    figures["photos"] = args.photos
    figures["alone_p50_ms"], figures["alone_p99_ms"] = alone["p50_ms"], alone["p99_ms"]
    figures["cpu_us_per_application"] = {**cpu, "all": round(sum(cpu.values()), 1)}
    figures["steps_per_application"] = {name: round(value, 2) for name, value in steps.items()}
    figures["steps_of_the_path"] = round(
        sum(steps[name] for name in ("intake", "photo-fetch", "production")), 2)
    figures["peak_memory_mb"] = watcher.peak
    if "first_tenth_rate" in figures and figures["first_tenth_rate"]:
        figures["last_to_first_tenth"] = round(
            figures["last_tenth_rate"] / figures["first_tenth_rate"], 3)
    if not args.no_baseline:
        say("PostgreSQL alone, the same rows in the same transactions")
        alone_rate = bench_baseline.run(stack, tables, before, after, n, say)
        figures["postgresql_alone_per_second"] = round(alone_rate, 1)
        figures["ratio_to_postgresql"] = round(
            figures["applications_per_second"] / alone_rate, 3)
    return figures
