"""The harness itself: a stack with real Kafka, PostgreSQL and Redis and dummies for services."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import confluent_kafka
import confluent_kafka.admin
import psycopg
import pytest
import redis

from harness import kafka_wire, stack as stack_module
from harness.kafka import ROOT, topic_config
from harness.program import ProgramError, wait_until
from harness.stack import SERVICES, SIMULATORS, Config, Stack

BASE = Path(os.environ.get("CARDFLOW_TEST_RUN", ROOT / ".run" / "test-harness"))
KEYS_OF_THE_INTERFACE = {"http", "operator", "kafka", "postgres", "redis", "api_keys", "pids",
                         "simulators", "key_files", "topics"}


@pytest.fixture(scope="module")
def dummies(tmp_path_factory):
    build = tmp_path_factory.mktemp("build")
    (build / "bin").mkdir()
    for name in [*(f"cardflow-{s}" for s in SERVICES), *(f"sim-{s}" for s in SIMULATORS)]:
        shutil.copy(ROOT / "tests/harness/dummy_service.py", build / "bin" / name)
        (build / "bin" / name).chmod(0o755)
    return build


@pytest.fixture(scope="module")
def up(dummies):
    config = Config(build=str(dummies), replicas={"intake": 2}, supervise=True,
                    proxies=["kafka", "postgres", "redis"], settings={
                        "*": {"log.level": "debug"}, "production": {"batch.max": "7"}})
    stack = Stack(BASE / "dummies", config)
    try:
        yield stack.up(clean=True)
    finally:
        stack.down()
    assert not list((stack.run_dir / "pids").iterdir())


def told(stack):
    return json.loads((stack.run_dir / "stack.json").read_text())


def env_of(url):
    with urllib.request.urlopen(f"{url}/env", timeout=5) as answer:
        return json.load(answer)


def test_stack_json_has_all_that_the_interface_promises(up):
    said = told(up)
    assert KEYS_OF_THE_INTERFACE <= set(said)
    assert set(said["http"]) == set(SERVICES) == set(said["postgres"])
    assert {name: len(urls) for name, urls in said["operator"].items()} == {
        **dict.fromkeys(SERVICES, 1), "intake": 2}
    assert set(said["simulators"]) == set(SIMULATORS)
    assert set(said["api_keys"]) == {"admin", "bank_outlet", "unit", "school", "online",
                                     "upstream", "hotline_12345", "bank_system", "migration"}
    declared = json.loads((ROOT / "proto/topics.json").read_text())
    assert len(said["topics"]) == len(declared)
    for pids in said["pids"].values():
        for pid in pids:
            os.kill(pid, 0)


def test_secrets_are_readable_by_the_owner_alone(up):
    for path in [up.run_dir / "stack.json", up.run_dir / "state.json",
                 *(up.run_dir / "keys").iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert not any(key in up.keys.api_keys.read_text() for key in up.keys.plain().values())


def test_a_service_is_told_its_settings_by_environment(up):
    env = env_of(told(up)["http"]["production"])
    assert env["CARDFLOW_LOG_LEVEL"] == "debug"
    assert env["CARDFLOW_BATCH_MAX"] == "7"
    assert "CARDFLOW_BATCH_MAX" not in env_of(told(up)["http"]["intake"])
    for setting in ("KAFKA_BROKERS", "POSTGRES_DSN", "REDIS_URL", "PARTITIONS", "API_KEYS_FILE",
                    "REFERENCE_KEY_FILE", "SEALING_KEY_FILE", "CALENDAR_FILE",
                    "POLICIES_FILE"):
        assert env[f"CARDFLOW_{setting}"]
    assert Path(env["CARDFLOW_CALENDAR_FILE"]).exists()


def test_topics_are_as_declared(up):
    made = kafka_wire.metadata(up.kafka.brokers)["topics"]
    assert set(told(up)["topics"]) <= set(made)
    assert all(made[name]["partitions"] == 16 for name in told(up)["topics"])
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": up.kafka.brokers})
    resource = confluent_kafka.admin.ConfigResource("TOPIC", "cardflow.application.commands.v1")
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["flush.messages"].value == "1"
    assert config["message.timestamp.type"].value == "CreateTime"
    resource = confluent_kafka.admin.ConfigResource("TOPIC", "cardflow.status.v1")
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["cleanup.policy"].value == "compact"


def test_kafka_takes_a_record_of_the_future_through_the_proxy(up):
    address = f"127.0.0.1:{up.proxies['kafka'].port}"
    before = up.proxies["kafka"].connections
    producer = confluent_kafka.Producer({"bootstrap.servers": address, "acks": "all"})
    failed = []
    producer.produce("cardflow.enrolment.events.v1", b"x", timestamp=4_000_000_000_000,
                     on_delivery=lambda error, _: failed.append(error))
    assert producer.flush(10) == 0 and failed == [None]
    assert up.proxies["kafka"].connections > before
    assert up.proxies["kafka"].port != up.kafka.port


def test_no_topic_appears_by_itself(up):
    producer = confluent_kafka.Producer({"bootstrap.servers": up.kafka.brokers,
                                         "message.timeout.ms": 2000})
    failed = []
    producer.produce("cardflow.nobody.v1", b"x", on_delivery=lambda e, _: failed.append(e))
    producer.flush(10)
    assert failed[0] is not None
    assert "cardflow.nobody.v1" not in kafka_wire.metadata(up.kafka.brokers)["topics"]


def test_a_service_sees_its_own_schema_and_no_other(up):
    with psycopg.connect(up.postgres.dsn("intake")) as link:
        assert link.execute("show search_path").fetchone()[0] == "intake"
        assert link.execute("show synchronous_commit").fetchone()[0] == "on"
        assert link.execute("show fsync").fetchone()[0] == "on"
        assert link.execute("show data_checksums").fetchone()[0] == "on"
        link.execute("create table mine (x int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute("select * from production.migration")
        link.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute("create table public.mine (x int)")


def test_redis_answers_and_persists_nothing(up):
    with redis.Redis.from_url(up.redis.url) as client:
        assert client.ping()
        assert client.config_get("save")["save"] == ""
        assert client.config_get("appendonly")["appendonly"] == "no"


def test_migrations_are_applied_once_in_order_and_may_not_change(up, tmp_path):
    files = []
    for number in (1, 2):
        path = tmp_path / f"00{number}.sql"
        path.write_text(f"create table :schema.step{number} (n int default :partitions);")
        files.append((f"try/{path.name}", path))
    assert up.postgres.migrate("inquiry", files[:1], 16) == ["try/001.sql"]
    assert up.postgres.migrate("inquiry", files, 16) == ["try/002.sql"]
    assert up.postgres.migrate("inquiry", files, 16) == []
    files[0][1].write_text("create table other (x int);")
    with pytest.raises(ProgramError, match="001.sql has changed"):
        up.postgres.migrate("inquiry", files, 16)


def test_a_migration_that_fails_leaves_nothing(up, tmp_path):
    path = tmp_path / "bad.sql"
    path.write_text("create table half (x int); select 1/0;")
    with pytest.raises(ProgramError, match="division by zero"):
        up.postgres.migrate("inquiry", [("try/bad.sql", path)], 16)
    assert up.postgres.sql("select to_regclass('inquiry.half') is null") == [["t"]]


def test_what_is_killed_by_others_is_started_again(up):
    victim = up.service("notification")
    old = victim.pid
    os.kill(old, signal.SIGKILL)
    wait_until("the supervisor starts it again", 10, lambda: victim.pid not in (None, old))
    victim.wait_ready()
    wait_until("stack.json names the new pid", 5,
               lambda: told(up)["pids"]["notification"] == [victim.pid])


def test_restart_keeps_addresses(up):
    before = told(up)
    up.restart("intake")
    after = told(up)
    assert after["http"] == before["http"] and after["operator"] == before["operator"]
    assert not set(after["pids"]["intake"]) & set(before["pids"]["intake"])
    assert up.service("intake").metrics() == {'x{a="b"}': 3.0}


def test_up_again_changes_nothing_and_another_replica_count_only_what_it_must(up):
    before = told(up)
    again = Stack(up.run_dir, up.config).up()
    assert told(again) == before
    smaller = Config(**{**up.config.__dict__, "replicas": {}})
    assert len(told(Stack(up.run_dir, smaller).up())["pids"]["intake"]) == 1
    assert [name for name, state, _, _ in Stack(up.run_dir).status() if state != "ready"] == []
    Stack(up.run_dir, up.config).up()
    assert told(up)["store_pids"] == before["store_pids"]


def test_stores_come_back_after_kill_with_their_data(up):
    up.postgres.sql("create table kept as select 1 as x")
    for store in (up.kafka, up.postgres, up.redis):
        store.kill()
        assert not store.alive()
    for store in (up.kafka, up.postgres, up.redis):
        store.start()
    assert up.postgres.sql("select x from kept") == [["1"]]
    wait_until("the topics are there", 20, lambda: set(told(up)["topics"]) <= set(
        kafka_wire.metadata(up.kafka.brokers)["topics"]))


def test_postgres_stopped_immediately_recovers(up):
    up.postgres.sql("create table after_immediate as select 1 as x")
    assert up.postgres.stop(with_signal=signal.SIGQUIT)
    up.postgres.start()
    assert up.postgres.log_contains("automatic recovery in progress")
    assert up.postgres.sql("select x from after_immediate") == [["1"]]


def test_two_stacks_do_not_disturb_each_other(up, dummies):
    other = Stack(BASE / "other", Config(build=str(dummies), simulators=[], services=["inquiry"]))
    try:
        other.up(clean=True)
        mine, theirs = told(up), told(other)
        assert mine["kafka"] != theirs["kafka"] and mine["redis"] != theirs["redis"]
        assert set(theirs["pids"]) == {"inquiry"}
        # Even without its state, what a stack has started can be stopped.
        (other.run_dir / "state.json").unlink()
        subprocess.run([sys.executable, ROOT / "ops/lib/stack.py", "--run", other.run_dir, "down"],
                       check=True, capture_output=True)
        assert not any(program.alive() for program in other.programs())
    finally:
        other.down()
    assert all(state == "ready" for _, state, _, _ in Stack(up.run_dir).status())


def test_an_unready_service_is_an_error_that_says_why(dummies, tmp_path):
    stack = Stack(tmp_path, Config(build=str(dummies), settings={"intake": {"unready": 1}}))
    service = stack.service("intake")
    stack.keys.prepare()
    try:
        with pytest.raises(ProgramError, match="shards: none yet"):
            service.start(wait=False).wait_ready(1)
    finally:
        service.kill()


def test_a_service_that_ends_at_once_is_an_error_with_its_last_words(dummies, tmp_path):
    stack = Stack(tmp_path, Config(build=str(dummies), settings={"intake": {"fail": 1}}))
    service = stack.service("intake")
    stack.keys.prepare()
    service.start(wait=False)
    wait_until("it has ended", 10, lambda: not service.alive())
    with pytest.raises(ProgramError, match="dummy: told to fail"):
        service.wait_ready(5)


def test_a_service_that_is_not_built_is_told_plainly(tmp_path):
    said = []
    stack = Stack(tmp_path, Config(build=str(tmp_path), services=["intake"], simulators=[]),
                  said.append)
    stack._start_own()
    assert said == [f"not in {tmp_path}/bin, so not started: cardflow-intake"]


def test_an_unknown_retention_is_refused():
    with pytest.raises(ProgramError, match="status: keep is 'soon'"):
        topic_config({"name": "status", "keep": "soon"}, 16, "CreateTime")


def test_production_topics_take_the_brokers_time_and_are_cut():
    made = topic_config({"name": "unit.events", "keep": "30d"}, 16, "LogAppendTime")
    assert made["config"] == {"message.timestamp.type": "LogAppendTime",
                              "retention.ms": 30 * 86_400_000}


def test_the_command_line(dummies, tmp_path):
    def run(*words):
        return subprocess.run([sys.executable, ROOT / "ops/lib/stack.py", "--run", tmp_path / "r",
                               *words], capture_output=True, text=True, check=False, cwd="/")

    assert run("down").returncode == 0
    assert "there is no stack" in run("status").stderr
    assert "no service 'printing'" in run("up", "--services", "printing").stderr
    assert "a number from 1 to 16" in run("up", "--replicas", "intake=0").stderr
    assert "must be NAME=VALUE" in run("up", "--set", "log.level").stderr
    assert run("logs", "intake").stderr.startswith("error: there is no log")
    assert stack_module.Stack(tmp_path / "x", Config()).config.partitions == 16
