"""The public HTTP interface as a client sees it; standard library only."""

import json
import urllib.error
import urllib.request
import uuid


class Answer:
    """status, headers (names in lower case), body (bytes), json (parsed, None when it is none)."""

    def __init__(self, status, headers, body):
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.json = None
        if "json" in self.headers.get("content-type", ""):
            self.json = json.loads(body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Api:
    """Calls with the key of one client."""

    # Told of every exchange: method, path, headers sent, body, Answer.
    watch = None

    def __init__(self, base, key, timeout=15):
        self.base, self.key, self.timeout = base, key, timeout

    def call(self, method, path, body=None, headers=None):
        """body: bytes as they are, anything else as JSON."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        request = urllib.request.Request(self.base + path, body, sent, method=method)
        answer = self._answer(request)
        if Api.watch:
            Api.watch(method, path, sent, body, answer)
        return answer

    def _answer(self, request):
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def get(self, path, **headers):
        return self.call("GET", path, headers=headers)

    def post(self, path, body, key=None, wait=None, **headers):
        """key: Idempotency-Key, a new one if not given; wait: seconds of Prefer: wait."""
        headers["Idempotency-Key"] = key or str(uuid.uuid4())
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        return self.call("POST", path, body, headers)
