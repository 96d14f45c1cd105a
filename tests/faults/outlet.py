"""Bank outlets: clients that apply over HTTP, and try again with the same key until they know."""

import collections
import threading
import time
import urllib.error
import uuid

from harness.client import Client
from world import NOTICES


class Outlet:
    """Persons enrolled for one test, and what came of each request for them."""

    def __init__(self, world, count):
        self.world, self.client = world, Client(world.stack)
        self.people = [world.people.resident() for _ in range(count)]
        world.torn = True
        self.client.enrol(*self.people)
        self.client.settle()
        world.applied += count
        world.notices.update(dict.fromkeys(NOTICES, count))
        self.ids = {}                          # request id -> application id, as answered
        self.statuses = collections.Counter()  # of all answers
        self.refusals = []                     # (when, seconds it took) of every 503
        self.wrong = []                        # what no client may see
        self.threads, self.lock = [], threading.Lock()

    def apply(self, person, base=None, patience_s=120):
        """Until there is an answer that counts."""
        api, key = self.client.api("intake"), str(uuid.uuid4())
        api.base, api.timeout = base or api.base, 15
        body = self.client.application(person)
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            begin, wait_s = time.monotonic(), 0.2
            try:
                answer = api.post("/v1/applications", body, key=key)
            except (OSError, urllib.error.URLError):  # no answer: whoever asks again is safe
                self.statuses["none"] += 1
            else:
                with self.lock:
                    self.statuses[answer.status] += 1
                    wait_s = self.judge(answer, key, time.monotonic() - begin)
                if wait_s is None:
                    return
            time.sleep(wait_s)
        self.wrong.append("an application without an answer")

    def judge(self, answer, key, took_s):
        """None: done; else when to ask again."""
        if answer.status in (200, 202):
            self.ids[key] = answer.json["application_id"]
            return None
        if answer.status == 503 and answer.headers.get("retry-after", "").isdigit():
            self.refusals.append((time.monotonic(), took_s))
            return min(1, int(answer.headers["retry-after"]))
        self.wrong.append(repr(answer))
        return None

    def begin(self, clients=8, pause_s=0.0):
        """All persons, by so many clients at a time."""
        left = iter(self.people)

        def work():
            while True:
                with self.lock:
                    person = next(left, None)
                if person is None:
                    return
                self.apply(person)
                time.sleep(pause_s)

        self.threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def working(self):
        return any(thread.is_alive() for thread in self.threads)

    def end(self):
        for thread in self.threads:
            thread.join(180)
        assert not self.working(), "clients are still waiting"
        assert not self.wrong, self.wrong[:3]
        assert len(set(self.ids.values())) == len(self.people)
