#!/usr/bin/env python3
"""Stands for a service in the tests of the harness: the same settings, files and addresses."""

import http.server
import json
import os
import signal
import sys
import threading


def serve(listen, paths):
    host, _, port = listen.rpartition(":")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, text = paths.get(self.path, (404, "no such path"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{host}:{server.server_port}"


def main():
    env = {key: value for key, value in os.environ.items() if key.startswith("CARDFLOW_")}
    if "CARDFLOW_FAIL" in env:
        sys.exit("dummy: told to fail")
    ready = (503, "shards: none yet") if "CARDFLOW_UNREADY" in env else (200, "ok")
    said = {
        "http": serve(env["CARDFLOW_HTTP_LISTEN"], {"/env": (200, json.dumps(env))}),
        "operator": serve(env["CARDFLOW_OPERATOR_LISTEN"],
                          {"/readyz": ready, "/metrics": (200, "# HELP x y\nx{a=\"b\"} 3\n")}),
        "pid": os.getpid(),
    }
    with open(env["CARDFLOW_READY_FILE"], "w", encoding="ascii") as out:
        json.dump(said, out)
    print("dummy: serving", flush=True)
    signal.sigwait([signal.SIGTERM])
    print("dummy: stopped as asked", flush=True)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main()
