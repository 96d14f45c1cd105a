"""A liar in front of a partner over HTTP: each call reaches the partner, and of every second one
the answer that comes back is made up, each lie in its turn."""

import collections
import contextlib
import http.client
import http.server
import threading


class Liar:
    """lies: functions of (status, head, body) as the partner answered, to the bytes that are sent
    instead, after which the connection ends."""

    def __init__(self, target, lies):
        host, _, port = target.removeprefix("http://").partition(":")
        self.target, self.lies = (host, int(port)), lies
        self.told = collections.Counter()
        self.calls, self.lock = 0, threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def next_lie(self):
        """None when it is the truth's turn."""
        with self.lock:
            self.calls += 1
            if self.calls % 2 == 0:
                return None
            lie = self.lies[self.calls // 2 % len(self.lies)]
            self.told[lie.__name__] += 1
            return lie

    def ask(self, path, head, body):
        link = http.client.HTTPConnection(*self.target, timeout=30)
        try:
            link.request("POST", path, body, {key: value for key, value in head.items()
                                              if key.lower() not in ("host", "connection")})
            answer = link.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            link.close()

    def _handler(self):
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, kind, truth = liar.ask(self.path, self.headers, body)
                lie = liar.next_lie()
                sent = lie(status, kind, truth) if lie else response(status, kind, truth)
                self.close_connection = bool(lie)
                with contextlib.suppress(ConnectionError):  # it need not hear the lie to its end
                    self.wfile.write(sent)

            def log_message(self, *_):
                pass

        return Handler


def response(status, kind, body, length=None):
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n" \
           f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


# Lies of any partner.
def not_http(_status, _kind, _body):
    return bytes(range(256)) * 8


def nothing(_status, _kind, _body):
    return b""


def half_a_body(status, kind, body):
    return response(status, kind, body)[:-(len(body) // 2 + 1)]


def half_a_head(status, kind, body):
    return response(status, kind, body)[:20]


def a_length_below_zero(status, kind, body):
    return response(status, kind, body, -5)


def a_length_of_a_terabyte(status, kind, body):
    return response(status, kind, body, 10**12)


def a_body_too_large(status, kind, _body):
    return response(status, kind, b"[" + b" " * (3 << 20) + b"]")


def a_page_of_maintenance(_status, _kind, _body):
    return response(200, "text/html", b"<html><body>We are back soon.</body></html>")


def a_redirection(_status, _kind, _body):
    return b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"


def a_status_of_nobody(_status, kind, body):
    return response(799, kind, body)


OF_ANYBODY = (not_http, nothing, half_a_body, half_a_head, a_length_below_zero,
              a_length_of_a_terabyte, a_body_too_large, a_page_of_maintenance, a_redirection,
              a_status_of_nobody)
