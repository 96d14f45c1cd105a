"""Free TCP ports on the loopback interface."""

import random
import socket

# Below the range that Linux gives to outgoing connections, so that none of them can take a port
# between the moment it is chosen and the moment its program binds it.
FIRST, LAST = 20000, 32000


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken=()):
    """A port that nobody listens on and that is not in `taken`."""
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if port not in taken and is_free(port):
            return port
    raise RuntimeError(f"no free TCP port between {FIRST} and {LAST}")
