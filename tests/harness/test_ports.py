"""Ports for stacks that are made at the same time."""

import subprocess
import sys

from harness import ports
from harness.kafka import ROOT


def elsewhere(port):
    """What another process says to the same port."""
    done = subprocess.run(
        [sys.executable, "-c", f"from harness import ports; print(ports.choose({port}))"],
        cwd=ROOT / "tests", capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_port_that_one_process_has_chosen_is_not_chosen_by_another():
    port = ports.free_port()
    assert elsewhere(port) == "False"
    ports._held.pop().close()
    assert elsewhere(port) == "True"
    assert elsewhere(port) == "True", "the choice ends with its process"


def test_a_process_does_not_choose_a_port_twice():
    port = ports.free_port()
    assert not ports.choose(port)
