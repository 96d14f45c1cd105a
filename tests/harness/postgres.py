"""One PostgreSQL server of its own, with a schema and a role for every service."""

import contextlib
import glob
import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from .program import Program, ProgramError, children_of, wait_until

DATABASE = "cardflow"
ADMIN = "cardflow_admin"
UNPRIVILEGED = "cardflow"

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "lz4",
    "jit": "off",
    "max_connections": 100,
    "password_encryption": "scram-sha-256",
    # Plans are fixed by the statements themselves, and most tables are only added to: looking at
    # all rows again whenever a tenth is new would cost as much as the work itself.
    "autovacuum_analyze_scale_factor": 2,
    "autovacuum_vacuum_insert_scale_factor": 2,
    # A frozen or vanished client must not hold its locks for long.
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 10000,
    # No values in the log: it must never hold personal data.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": 0,
    "log_parameter_max_length_on_error": 0,
}
ROLE_SETTINGS = {
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "2s",
    "statement_timeout": "5s",
}


def binaries():
    """The folder of the newest server that is installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"),
                   key=lambda path: int(path.split("/")[4]))
    if not found:
        raise ProgramError("PostgreSQL's server is not installed: run ops/lib/setup packages")
    return Path(found[-1]).parent


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


class Postgres(Program):
    stop_signal = signal.SIGINT  # fast: ends sessions, writes a checkpoint
    start_timeout = 60           # recovery after a crash is part of it
    stop_timeout = 60

    def __init__(self, run_dir, port, passwords, settings=None):
        """passwords: {role: password}, ADMIN among them."""
        super().__init__("postgres", run_dir)
        self.port, self.passwords = port, passwords
        self.settings = {**SETTINGS, **(settings or {})}
        self.data = self._data_dir()

    def user(self):
        if os.geteuid() != 0:
            return None
        try:
            return pwd.getpwnam(UNPRIVILEGED).pw_name
        except KeyError as error:
            raise ProgramError(f"PostgreSQL does not run as root, and there is no user "
                               f"{UNPRIVILEGED}: run ops/lib/setup packages") from error

    def _data_dir(self):
        """Below the run folder, unless the unprivileged user could not get there."""
        inside = self.run_dir / "postgres"
        above = [path for path in (self.run_dir, *self.run_dir.resolve().parents) if path.exists()]
        if os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in above):
            return inside
        mark = hashlib.sha256(str(self.run_dir.resolve()).encode()).hexdigest()[:12]
        return Path("/var/lib/cardflow") / mark / "postgres"

    def cwd(self):
        return self.data

    def prepare(self):
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        elif int((self.data / "PG_VERSION").read_text()) != int(binaries().parent.name):
            raise ProgramError(f"the data in {self.data} is of another PostgreSQL version: "
                               "start anew with --clean")
        lines = {**self.settings, "port": self.port, "listen_addresses": "127.0.0.1",
                 "unix_socket_directories": ""}
        (self.data / "cardflow.conf").write_text(
            "".join(f"{key} = {quoted(value)}\n" for key, value in lines.items()))
        self._check_left_over()

    def _check_left_over(self):
        """The pid that a crash left in postmaster.pid may by now be another program's, and then
        PostgreSQL would refuse to start; if it is a PostgreSQL without our record, so do we."""
        left = self.data / "postmaster.pid"
        if not left.exists():
            return
        pid = int(left.read_text().split()[0])
        try:
            program = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            program = ""
        if program.endswith("/postgres"):
            raise ProgramError(f"a PostgreSQL that this stack has no record of (pid {pid}) holds "
                               f"{self.data}")
        left.unlink()

    def _initdb(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o700)
        secret = self.data.parent / "admin.password"
        secret.touch(mode=0o600)
        secret.write_text(self.passwords[ADMIN])
        who = self._as_user()
        if who:
            os.chown(self.data, who["user"], who["group"])
            os.chown(secret, who["user"], who["group"])
        try:
            done = subprocess.run(
                [binaries() / "initdb", "-D", self.data, "-U", ADMIN, "-E", "UTF8",
                 "--locale=C.UTF-8", "--data-checksums", "--auth=scram-sha-256",
                 f"--pwfile={secret}"],
                capture_output=True, text=True, cwd=self.data, check=False, **who)
        finally:
            secret.unlink()
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ProgramError(f"initdb failed\n{done.stdout}{done.stderr}")
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("include 'cardflow.conf'\n")

    def argv(self):
        return [binaries() / "postgres", "-D", self.data]

    def is_ready(self):
        if not self._answers():
            return False
        done = self._psql(ADMIN, "postgres", "select 1")
        return done.returncode == 0

    def _answers(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self, timeout=None, with_signal=None):
        """with_signal=SIGQUIT is `immediate`: no checkpoint, recovery at the next start."""
        backends = children_of(self.pid) if self.pid else []
        clean = super().stop(timeout, with_signal)
        self._wait_children(backends)
        return clean

    def kill(self):
        """kill -9 of the postmaster; its children see that and end by themselves."""
        backends = children_of(self.pid) if self.pid else []
        super().kill()
        self._wait_children(backends)

    @staticmethod
    def _wait_children(pids):
        # As long as one lives, the shared memory does, and a new server refuses to start.
        wait_until("PostgreSQL's backends end", 20,
                   lambda: not any(_is_postgres(pid) for pid in pids))

    # Talking to it.
    def dsn(self, role=ADMIN, database=DATABASE, port=None):
        return (f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{port or self.port}"
                f"/{database}?connect_timeout=3")

    def _psql(self, role, database, sql, *options, env=None):
        # The password goes by the environment, never by the command line.
        return subprocess.run(
            [binaries() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
             "127.0.0.1", "-p", str(self.port), "-U", role, "-d", database, *options],
            input=sql, capture_output=True, text=True, check=False,
            env={**os.environ, "PGPASSWORD": self.passwords[role], "PGCONNECT_TIMEOUT": "3",
                 **(env or {})})

    def sql(self, sql, role=ADMIN, database=DATABASE, options=(), env=None):
        """Runs statements; rows come back as lists of text (empty for NULL)."""
        done = self._psql(role, database, sql, "-F", "\x1f", *options, env=env)
        if done.returncode:
            raise ProgramError(f"SQL failed: {done.stderr.strip()}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def create_schemas(self, services):
        """One database; in it one role with a schema of its own for every service."""
        if not self.sql(f"select 1 from pg_database where datname = {quoted(DATABASE)}",
                        database="postgres"):
            self.sql(f"create database {DATABASE}", database="postgres")
            self.sql(f"revoke all on database {DATABASE} from public;"
                     "revoke all on schema public from public")
        have = {row[0] for row in self.sql("select rolname from pg_roles")}
        for service in services:
            role = role_of(service)
            verb = "alter" if role in have else "create"
            lines = [f"{verb} role {role} login password {quoted(self.passwords[role])};",
                     f"create schema if not exists {role} authorization {role};",
                     f"grant connect on database {DATABASE} to {role};",
                     f"alter role {role} set search_path = {role};"]
            lines += [f"alter role {role} set {key} = {quoted(value)};"
                      for key, value in ROLE_SETTINGS.items()]
            self.sql("".join(lines), env={"PGOPTIONS": "-c client_min_messages=warning"})

    def migrate(self, service, files, partitions):
        """Applies those of the files that are not applied yet, in the order given, each in a
        transaction of its own with its record. They see :schema and :partitions."""
        role = role_of(service)
        self.sql("create table if not exists migration (name text primary key, sha256 text not "
                 "null, applied_at timestamptz not null default now())", role,
                 env={"PGOPTIONS": "-c client_min_messages=warning"})
        applied = {name: digest for name, digest in
                   self.sql("select name, sha256 from migration", role)}
        new = []
        for name, path in files:
            text = Path(path).read_bytes()
            digest = hashlib.sha256(text).hexdigest()
            if name not in applied:
                self.sql(f"{text.decode()}\n;insert into migration (name, sha256) values "
                         f"({quoted(name)}, {quoted(digest)});", role,
                         options=["-1", "-v", f"schema={role}", "-v", f"partitions={partitions}"],
                         env={"PGOPTIONS": "-c client_min_messages=warning "
                                           "-c statement_timeout=0"})
                new.append(name)
            elif applied[name] != digest:
                raise ProgramError(f"{service}: migration {name} has changed since it was "
                                   "applied: add a new file, or start anew with --clean")
        return new

    def remove_data(self):
        shutil.rmtree(self.data, ignore_errors=True)
        if self.data.parent != self.run_dir:
            shutil.rmtree(self.data.parent, ignore_errors=True)


def role_of(service):
    """Role and schema of a service have the same name."""
    return service.replace("-", "_")


def _is_postgres(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe").endswith("/postgres")
    except OSError:  # gone, or a zombie
        return False
