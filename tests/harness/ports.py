"""Free TCP ports on the loopback interface."""

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

# Below the range that Linux gives to outgoing connections, so that none of them can take a port
# between the moment it is chosen and the moment its program binds it.
FIRST, LAST = 20000, 32000
# One empty file a port; who has chosen it holds its lock until the process ends. Stacks that are
# made at the same time choose apart, though their programs bind a while later.
CHOSEN = Path(tempfile.gettempdir()) / f"cardflow-ports-{os.getuid()}"
_held = []


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose(port):
    """Whether the port is ours to bind."""
    CHOSEN.mkdir(mode=0o700, exist_ok=True)
    lock = open(CHOSEN / str(port), "w", encoding="ascii")  # noqa: SIM115: held, see above
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _held.append(lock)
    return True


def free_port(taken=()):
    """A port that nobody listens on, that is not in `taken`, and that no other process has chosen."""
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if port not in taken and choose(port) and is_free(port):
            return port
    raise RuntimeError(f"no free TCP port between {FIRST} and {LAST}")
