"""A program that a test or ops/stack starts, and the record of it that outlives both.

The record (<run>/pids/<name>.json) holds the pid with the start time that the kernel gave it. A
signal is sent only to a process that still has that pid, that start time and the expected word in
its command line, through a pidfd, so that a reused pid is never hit.
"""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path

_children = {}  # pid -> Popen, to reap those that this process started


class ProgramError(RuntimeError):
    """A program did not start, or not stop; the text says which and why."""


@contextlib.contextmanager
def uninterrupted():
    """Holds back Ctrl-C and SIGTERM, so that no process is started without a record."""
    held, old = [], {}
    with contextlib.suppress(ValueError):  # only the main thread may set handlers
        for number in (signal.SIGINT, signal.SIGTERM):
            old[number] = signal.signal(number, lambda got, frame: held.append(got))
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        if held:
            os.kill(os.getpid(), held[0])


def interruptible():
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, even in a shell's background, where SIGINT is
    ignored from birth; and the programs started from here inherit no such ignoring."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid):
    """Clock ticks since boot at which the process started; None when it is gone or a zombie."""
    if pid in _children and _children[pid].poll() is not None:
        return None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def children_of(pid):
    """Pids of the direct children."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == pid:
                    found.append(int(entry.name))
    return found


def wait_until(what, timeout, condition, pause=0.05):
    """Waits for a condition to be true and returns its value; says what was waited for."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise ProgramError(f"waited {timeout} s for: {what}")
        time.sleep(pause)


class Program:
    """Start, stop, kill, pause, resume; subclasses say how, and when it is ready."""

    stop_signal = signal.SIGTERM
    stop_timeout = 20
    start_timeout = 90           # of a machine that has much else to do

    def __init__(self, name, run_dir):
        self.name = name
        self.run_dir = Path(run_dir)
        self.log_path = self.run_dir / "logs" / f"{name}.log"
        self.record_path = self.run_dir / "pids" / f"{name}.json"
        self.log_mark = 0
        self.asked = False

    # What subclasses say about themselves.
    def argv(self):
        raise NotImplementedError

    def env(self):
        return dict(os.environ)

    def user(self):
        """Name of the user to run as; None for the caller."""
        return None

    def cwd(self):
        return self.run_dir

    def prepare(self):
        """Files and folders that must be there before the start."""

    def is_ready(self):
        return True

    # Who it is.
    def record(self):
        try:
            return json.loads(self.record_path.read_text())
        except (OSError, ValueError):
            return None

    def _matches(self, record):
        if record["boot"] != boot_id() or start_time(record["pid"]) != record["start"]:
            return False
        try:
            line = Path(f"/proc/{record['pid']}/cmdline").read_bytes()
        except OSError:
            return False
        # Empty: it is just being replaced by another program of the same process (a script).
        return not line or record["word"].encode() in line

    @property
    def pid(self):
        """Pid of the running process, None when there is none."""
        record = self.record()
        return record["pid"] if record and self._matches(record) else None

    def alive(self):
        return self.pid is not None

    def wanted(self):
        """Whether it is meant to run: started, and not stopped since."""
        record = self.record()
        return bool(record and record["wanted"])

    def paused(self):
        pid = self.pid
        return pid is not None and (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")

    # Starting.
    def start(self, wait=True):
        if self.alive():
            return self
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.record_path.parent.mkdir(parents=True, exist_ok=True)
        self.prepare()
        self.log_mark = self.log_path.stat().st_size if self.log_path.exists() else 0
        argv = [str(word) for word in self.argv()]
        with uninterrupted(), open(self.log_path, "ab") as log:
            try:
                child = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.cwd(),
                    env=self.env(), start_new_session=True, **self._as_user())
            except OSError as error:
                raise ProgramError(f"{self.name}: cannot run {argv[0]}: {error}") from error
            _children[child.pid] = child
            self._write_record(child.pid, argv)
        if wait:
            self.wait_ready()
        return self

    def _as_user(self):
        name = self.user()
        if name is None:
            return {}
        entry = pwd.getpwnam(name)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _write_record(self, pid, argv):
        self._save({"pid": pid, "start": start_time(pid), "boot": boot_id(), "wanted": True,
                    "word": os.path.basename(argv[0])})

    def _save(self, record):
        part = self.record_path.with_suffix(".part")
        part.write_text(json.dumps(record))
        part.replace(self.record_path)

    def wait_ready(self, timeout=None):
        timeout = timeout or self.start_timeout
        end = time.monotonic() + timeout
        while not self.is_ready():
            if not self.alive():
                raise ProgramError(f"{self.name} ended while starting\n{self.log_tail()}")
            if time.monotonic() > end:
                raise ProgramError(f"{self.name} was not ready within {timeout} s: "
                                   f"{self.why_not_ready()}\n{self.log_tail()}")
            time.sleep(0.02)
        return self

    def why_not_ready(self):
        return "no answer"

    # Signals.
    def signal(self, number):
        """Sends a signal to this very process; False when it does not run."""
        record = self.record()
        if record is None:
            return False
        try:
            handle = os.pidfd_open(record["pid"])
        except OSError:
            return False
        try:
            if not self._matches(record):
                return False
            signal.pidfd_send_signal(handle, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(handle)

    def pause(self):
        """SIGSTOP, and waits until it stands still."""
        if not self.signal(signal.SIGSTOP):
            raise ProgramError(f"{self.name} does not run")
        wait_until(f"{self.name} stands still", 5, self.paused, 0.005)

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9, and waits until it is gone. The record goes: it is not wanted any more."""
        self._unwanted()
        self.signal(signal.SIGKILL)
        self._wait_gone(10)
        self.record_path.unlink(missing_ok=True)

    def ask_to_stop(self):
        """Sends the signal and does not wait; stop() then does, and does not send it again."""
        self._unwanted()
        self.signal(self.stop_signal)
        self.signal(signal.SIGCONT)
        self.asked = True

    def stop(self, timeout=None, with_signal=None):
        """Asks it to stop; kills it when it has not in time. True when it went by itself."""
        timeout = timeout or self.stop_timeout
        self._unwanted()
        clean = True
        if self.asked or self.signal(with_signal or self.stop_signal):
            self.signal(signal.SIGCONT)
            self.asked = False
            try:
                self._wait_gone(timeout)
            except ProgramError:
                clean = False
                self.signal(signal.SIGKILL)
                self._wait_gone(10)
        self.record_path.unlink(missing_ok=True)
        return clean

    def restart(self):
        self.stop()
        return self.start()

    def _unwanted(self):
        record = self.record()
        if record:
            self._save({**record, "wanted": False})

    def _wait_gone(self, timeout):
        wait_until(f"{self.name} ends", timeout, lambda: not self.alive(), 0.01)

    def exit_code(self):
        """Exit code (negative: signal) of the last process started here; None if not known."""
        argv = [str(word) for word in self.argv()]
        ended = [child for child in _children.values() if child.args == argv]
        if not ended or self.alive():
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            ended[-1].wait(5)  # the last of its threads may still be ending
        return ended[-1].returncode

    # What it says and uses.
    def log_text(self, since_start=True):
        if not self.log_path.exists():
            return ""
        with open(self.log_path, "rb") as log:
            log.seek(self.log_mark if since_start else 0)
            return log.read().decode("utf-8", "replace")

    def log_contains(self, text, since_start=True):
        return text in self.log_text(since_start)

    def log_tail(self, lines=20):
        text = self.log_text().splitlines()[-lines:]
        return "\n".join([f"-- last lines of {self.log_path} --", *text])

    def cpu_seconds(self):
        """User and system time that it has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def forget_peak_memory(self):
        """VmHWM counts from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def memory_kb(self):
        """{"VmRSS": now, "VmHWM": at most} in kB."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return {line.split(":")[0]: int(line.split()[1])
                for line in lines if line.startswith(("VmRSS", "VmHWM"))}
