"""What a stack leaves running: it does in development what the restart policy does in compose."""

import sys
import time

from .kafka import ROOT
from .program import Program


class Supervisor(Program):
    def __init__(self, run_dir):
        super().__init__("supervisor", run_dir)

    def argv(self):
        return [sys.executable, ROOT / "ops" / "lib" / "stack.py", "--run", self.run_dir,
                "supervise"]


def supervise(revive):
    """Calls revive(), which gives the names of what it has started again, twice a second; what
    ends again and again is started ever more slowly."""
    ends, pause = [], 0
    while True:
        time.sleep(0.5)
        now = time.monotonic()
        ends = [at for at in ends if at > now - 60]
        if ends and now - ends[-1] < pause:
            continue
        for name in revive():
            print(f"{name} had ended and was started again", flush=True)
            ends.append(now)
        pause = min(30, 2 ** (len(ends) // 3) - 1)
