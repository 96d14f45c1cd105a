"""The harness itself: starting, stopping, and never touching anybody else's process."""

import json
import os
import signal
import subprocess
import sys

import pytest

from harness.program import Program, ProgramError, boot_id, start_time, wait_until


class Sleeper(Program):
    script = "print('up', flush=True); import time; time.sleep(60)"

    def argv(self):
        return [sys.executable, "-c", self.script]

    def is_ready(self):
        return self.log_contains("up")


@pytest.fixture
def sleeper(tmp_path):
    program = Sleeper("sleeper", tmp_path)
    yield program
    program.kill()


def test_start_stop_and_start_again(sleeper):
    first = sleeper.start().pid
    assert first and sleeper.start().pid == first
    assert sleeper.stop() and not sleeper.alive()
    assert sleeper.start().pid != first


def test_another_process_finds_it_by_its_record(sleeper):
    sleeper.start()
    again = Sleeper("sleeper", sleeper.run_dir)
    assert again.pid == sleeper.pid
    again.kill()
    assert not sleeper.alive()


def test_pause_and_resume(sleeper):
    sleeper.start()
    assert not sleeper.paused()
    sleeper.pause()
    assert sleeper.paused() and sleeper.alive()
    sleeper.resume()
    wait_until("it runs again", 5, lambda: not sleeper.paused())


def test_a_paused_program_can_be_stopped(sleeper):
    sleeper.start()
    sleeper.pause()
    assert sleeper.stop()


def test_what_ignores_the_signal_is_killed_and_said_to_be(sleeper):
    sleeper.script = ("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                      "print('up', flush=True); time.sleep(60)")
    sleeper.start()
    assert sleeper.stop(timeout=0.3) is False
    assert not sleeper.alive()


def test_a_program_that_ends_at_once_is_an_error_with_its_last_words(sleeper):
    sleeper.script = "import sys; sys.exit('no such setting')"
    with pytest.raises(ProgramError, match="no such setting"):
        sleeper.start()


def test_a_program_that_does_not_become_ready_is_an_error(sleeper):
    sleeper.script = "import time; time.sleep(60)"
    with pytest.raises(ProgramError, match="not ready within"):
        sleeper.start(wait=False).wait_ready(0.3)


@pytest.mark.parametrize("field, value", [("start", 1), ("boot", "another boot"),
                                          ("word", "some-other-program")])
def test_a_reused_pid_is_never_signalled(sleeper, field, value):
    sleeper.start()
    record = sleeper.record()
    sleeper.record_path.write_text(json.dumps({**record, field: value}))
    assert sleeper.pid is None
    assert sleeper.signal(signal.SIGKILL) is False
    assert sleeper.stop()
    assert start_time(record["pid"]) == record["start"], "it must still run"
    os.kill(record["pid"], signal.SIGKILL)


def test_a_zombie_counts_as_gone():
    child = subprocess.Popen(["true"])
    wait_until("it is a zombie", 5, lambda: start_time(child.pid) is None)
    child.wait()


def test_a_program_killed_by_others_is_still_wanted(sleeper):
    sleeper.start()
    os.kill(sleeper.pid, signal.SIGKILL)
    wait_until("it is gone", 5, lambda: not sleeper.alive())
    assert sleeper.wanted()
    sleeper.start()
    sleeper.stop()
    assert not sleeper.wanted()


def test_ctrl_c_while_starting_leaves_no_process_without_record(tmp_path):
    code = f"""
import os, signal, subprocess, sys
sys.path[:0] = {sys.path!r}
from harness.program import interruptible
from harness.test_program import Sleeper
interruptible()
real = subprocess.Popen
class Slow(real):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGINT)
subprocess.Popen = Slow
try:
    Sleeper("sleeper", {str(tmp_path)!r}).start()
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.stdout == "interrupted\n", done.stderr
    program = Sleeper("sleeper", tmp_path)
    assert program.record()["boot"] == boot_id() and program.alive()
    program.kill()
    assert not program.alive()
