"""Memory that is not given, and no room for PostgreSQL's log: programs end, and nothing is lost."""

import contextlib
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from harness.program import ProgramError, wait_until
from world import all_ready, in_full

ROOM_BYTES = 1 << 20
BACKLOG_S = 2
SAYS = ("cardflow: out of memory", "rd_malloc: Assertion")  # the service's words, librdkafka's
WAL_MB = 48  # three segments more than there are


def no_more_memory(service):
    """It may map a little more than it has, and then nothing."""
    lines = Path(f"/proc/{service.pid}/status").read_text().splitlines()
    size = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmSize"))
    _, hard = resource.prlimit(service.pid, resource.RLIMIT_AS)
    resource.prlimit(service.pid, resource.RLIMIT_AS, (size + ROOM_BYTES, hard))


def catch_up_with_little(service, load):
    """A service that has just been started, and more to do than it has memory for."""
    no_more_memory(service)
    service.pause()
    time.sleep(BACKLOG_S)
    service.resume()
    wait_until(f"{service.name} ends", 20, lambda: not service.alive(), 0.02)
    assert load.running()


@pytest.mark.parametrize("name", ["intake", "production"])
def test_a_service_gets_no_more_memory(world, name):
    """It ends with a message, and whoever starts it again finds everything."""
    service = world.stack.service(name)
    with world.load(rate=700, count=3000, enrolled=service.restart) as load:
        catch_up_with_little(service, load)
        assert any(map(service.log_contains, SAYS)), service.log_tail()
        with world.measured(f"{name} ended for want of memory, started again, ready"):
            service.start()
    world.reckon()


def move_wal(postgres, to):
    """Of a server that is down."""
    place = postgres.data / "pg_wal"
    owner = to.stat()
    for path in list(place.iterdir()):
        shutil.move(path, to / path.name)
        os.chown(to / path.name, owner.st_uid, owner.st_gid)
    if place.is_symlink():
        place.unlink()
    else:
        place.rmdir()
    return place


def folder_like(path, like):
    path.mkdir(exist_ok=True)
    os.chown(path, like.st_uid, like.st_gid)
    os.chmod(path, 0o700)
    return path


@contextlib.contextmanager
def wal_on_a_small_disk(postgres):
    """A disk for PostgreSQL's log alone; the server is started anew, before and after."""
    owner = (postgres.data / "pg_wal").stat()
    postgres.sql("checkpoint")
    assert postgres.stop()
    used = sum(path.stat().st_size for path in (postgres.data / "pg_wal").iterdir())
    disk = folder_like(postgres.data.parent / "small-wal", owner)
    size = f"size={(used >> 20) + WAL_MB}m"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "small-wal", disk],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        disk.rmdir()
        postgres.start()
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    try:
        folder_like(disk, owner)
        move_wal(postgres, disk).symlink_to(disk)
        postgres.start()
        yield disk
    finally:
        postgres.stop()
        back = folder_like(postgres.data / "pg_wal.back", owner)
        back.rename(move_wal(postgres, back))
        subprocess.run(["umount", "-l", disk], check=False)
        disk.rmdir()
        postgres.start()


def fill(disk):
    ballast = disk / "ballast"
    with open(ballast, "wb") as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(65536))
            out.flush()
    return ballast


def use_up_the_wal(postgres):
    """Segments that were made before are used one after the other; then the server ends."""
    def gone():
        with contextlib.suppress(ProgramError):
            postgres.sql("select pg_logical_emit_message(true, 'fill', 'x'), pg_switch_wal() "
                         "from generate_series(1, 10)")
        return not postgres.alive()

    wait_until("PostgreSQL ends", 60, gone, 0.2)
    assert postgres.log_contains("No space left on device"), postgres.log_tail()


@in_full
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_of_postgres_log_is_full(world):
    """The server itself ends; with room again it recovers, and so does everybody."""
    postgres = world.stack.postgres
    with wal_on_a_small_disk(postgres) as disk:
        all_ready(world)
        with world.load(rate=150, count=1000) as load:
            world.in_the_middle(world.stack.service("production"), 300, load)
            ballast = fill(disk)
            use_up_the_wal(postgres)
            assert load.running()
            ballast.unlink()
            with world.measured("room for the log again; PostgreSQL started, every service ready"):
                postgres.start()
                all_ready(world)
        world.reckon()
    all_ready(world)
