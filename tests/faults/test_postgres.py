"""PostgreSQL that is there and does not do what it is asked: read-only, full, sessions ended."""

import contextlib
import os
import shutil
import subprocess
import time

import pytest
from harness.program import ProgramError, wait_until
from world import PATH, all_ready

SMALL = {"rate": 150, "count": 500}
SESSIONS = "select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> " \
    "pg_backend_pid() and backend_type = 'client backend' and usename <> 'cardflow_admin'"
FULL_MB = 24


def steps(world):
    return sum(world.figure(world.stack.service(name), "steps_total") for name in PATH)


def not_ready(world):
    wait_until("a service says that it cannot work", 20, lambda: any(
        replica.get("/readyz")[0] != 200 for replica in world.replicas()), 0.1)


def test_postgres_is_read_only_for_a_while(world):
    """As after a failover that came to a replica. New sessions are, and so are all transactions."""
    postgres = world.stack.postgres
    with world.load(**SMALL) as load:
        world.in_the_middle(world.stack.service("production"), 500, load)
        try:
            postgres.sql("alter system set default_transaction_read_only = on")
            postgres.sql("select pg_reload_conf()")
            not_ready(world)
            before = steps(world)
            time.sleep(2)
            assert steps(world) == before, "something was written to a database that is read-only"
            assert load.running()
        finally:
            postgres.sql("set transaction_read_only = off;"
                         "set default_transaction_read_only = off;"
                         "alter system reset default_transaction_read_only")
            postgres.sql("select pg_reload_conf()")
        with world.measured("PostgreSQL writable again; every service ready"):
            all_ready(world)
    world.reckon()


def test_every_session_is_ended_again_and_again(world):
    postgres = world.stack.postgres
    with world.load(**SMALL) as load:
        world.in_the_middle(world.stack.service("intake"), 100, load)
        ended = 0
        for _ in range(8):
            ended += int(postgres.sql(SESSIONS)[0][0])
            time.sleep(0.4)
        assert load.running() and ended >= 8 * len(PATH)
        with world.measured(f"{ended} sessions ended; every service ready"):
            all_ready(world)
    world.reckon()


@contextlib.contextmanager
def small_disk(postgres):
    """A tablespace with room for production's journal as it is, and FULL_MB more."""
    place = postgres.data.parent / "small-disk"
    (used,), = postgres.sql("select coalesce(sum(pg_total_relation_size(relid))::bigint, 0) >> 20 "
                            "from pg_partition_tree('production.journal')")
    size = f"size={int(used) + FULL_MB}m"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "small-disk", place],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        place.rmdir()
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        shutil.chown(place, postgres.user() or None)
        postgres.sql(f"create tablespace small location '{place}'")
        yield place
    finally:
        with contextlib.suppress(ProgramError):
            postgres.sql("drop tablespace small")
        subprocess.run(["umount", "-l", place], check=False)
        place.rmdir()


def move(postgres, schema, table, space):
    """Partitions too; a table that moves is locked, so the services wait for it."""
    names = postgres.sql(f"select format('%I.%I', '{schema}', relname) from pg_class where "
                         f"relnamespace = '{schema}'::regnamespace and relkind = 'r' and "
                         f"relname like '{table}%'")
    for (name,) in names:
        postgres.sql(f"alter table {name} set tablespace {space}")
    return len(names)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_is_full_for_a_while(world):
    """The files of production's tables cannot grow; the log of PostgreSQL itself has room, for
    when that is full the server ends, which is another test (test_kills.py)."""
    postgres = world.stack.postgres
    with small_disk(postgres) as place:
        with world.load(rate=150, count=1000) as load:
            world.in_the_middle(world.stack.service("production"), 300, load)
            assert move(postgres, "production", "journal", "small") > 0
            ballast = place / "ballast"
            with open(ballast, "wb") as out, contextlib.suppress(OSError):
                while True:
                    out.write(bytes(65536))
                    out.flush()
            wait_until("production says that it cannot write", 30, lambda: world.stack.service(
                "production").get("/readyz")[0] != 200, 0.1)
            before = world.figure(world.stack.service("production"), "steps_total")
            time.sleep(2)
            assert world.figure(world.stack.service("production"), "steps_total") == before
            assert load.running()
            ballast.unlink()
            with world.measured("room on the disk again; every service ready"):
                all_ready(world)
        world.reckon()
        move(postgres, "production", "journal", "pg_default")
