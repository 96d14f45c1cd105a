"""One Redis (or Valkey) server of its own. It keeps nothing on disk: it is only a cache."""

import shutil
import socket

from .program import Program, ProgramError


class Redis(Program):
    def __init__(self, run_dir, port, settings=None):
        super().__init__("redis", run_dir)
        self.port, self.settings = port, settings or {}
        self.url = f"redis://127.0.0.1:{port}"

    def prepare(self):
        (self.run_dir / "redis").mkdir(parents=True, exist_ok=True)

    def argv(self):
        server = shutil.which("redis-server") or shutil.which("valkey-server")
        if not server:
            raise ProgramError("neither redis-server nor valkey-server is installed: "
                               "run ops/lib/setup packages")
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no",
                   "dir": self.run_dir / "redis", "daemonize": "no", **self.settings}
        return [server, *(word for key, value in options.items() for word in (f"--{key}", value))]

    def is_ready(self):
        try:
            return self.command("PING") == "PONG"
        except OSError:
            return False

    def command(self, *words, timeout=2):
        """One command; the first line of its answer without the type sign."""
        lines = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            lines.append(b"$%d\r\n%s\r\n" % (len(data), data))
        with socket.create_connection(("127.0.0.1", self.port), timeout) as link:
            link.sendall(b"".join(lines))
            answer = link.makefile("rb").readline()
        if answer[:1] == b"-":
            raise ProgramError(f"Redis: {answer[1:].decode().strip()}")
        return answer[1:].decode().strip()
