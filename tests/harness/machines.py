"""An application and its card on their way through the machines, as counter, upstream and bank
drive them over HTTP. Many walks go side by side, see all_of()."""

import concurrent.futures
import time
import uuid

from .client import PERSON
from .program import wait_until

# The bank's answers that lead from batched to a state.
ANSWERS = {
    "batched": (),
    "account_failed": ("account_failed",),
    "account_opened": ("account_opened",),
    "production_failed": ("failed",),
    "produced": ("account_opened", "produced"),
    "shipped": ("account_opened", "produced", "shipped"),
    "ready_for_pickup": ("account_opened", "produced", "shipped", "arrived"),
    "collected": ("account_opened", "produced", "shipped", "arrived", "collected"),
}
AFTER = {"account_opened": "account_opened", "account_failed": "account_failed",
         "failed": "production_failed", "produced": "produced", "shipped": "shipped",
         "arrived": "ready_for_pickup", "collected": "collected"}
# Operations that only the bank or the authority asks for.
BANK_ONLY = ("lock", "unlock")


class Holder:
    """One person; app is the id of the application that is walked, once there is one."""

    def __init__(self, client, person):
        self.client, self.person, self.app, self.revision = client, person, None, 0
        self.document = client.document(person)
        self.actor = {"role": "holder", "name": person["name"], **self.document}

    def post(self, service, key, path, body, wait=None):
        """As a partner does: what could not be taken is sent again under the same key. A
        broker that has just started on a busy machine may refuse partitions for seconds."""
        api, once, end = self.client.api(service, key), str(uuid.uuid4()), time.monotonic() + 60
        while True:
            answer = api.post(path, body, key=once, wait=wait)
            if answer.status != 503 or time.monotonic() > end:
                break
            time.sleep(int(answer.headers.get("retry-after", 1)))
        assert answer.status in (200, 202), (path, answer)
        return answer.json

    # Upstream.
    def enrolment(self, kind, **fields):
        self.revision += 1
        self.post("intake", "upstream", "/v1/enrolment-events", [
            {"type": kind, "revision": self.revision, **fields}])

    def enrol(self):
        self.enrolment("registered", unit_code="", **{key: self.person[key] for key in PERSON})

    def leave(self):
        self.enrolment("ended", reason="left", **self.document)

    def die(self):
        self.enrolment("ended", reason="death", **self.document)

    # The counter.
    def apply(self, enrol=True, **fields):
        if enrol:
            self.enrol()
        said = self.post("intake", "migration", "/v1/applications",
                         self.client.application(self.person, **fields), 10 if enrol else None)
        self.app = said["application_id"]
        return said

    def _about(self, what, body):
        return self.post("intake", "bank_outlet", f"/v1/applications/{self.app}/{what}", body, 10)

    def supplement(self, **fields):
        return self._about("supplements", fields)

    def withdraw(self):
        return self._about("withdrawal", {"actor": self.actor, "reason": "changed_mind"})

    def upload(self):
        answer = self.client.put_photo(self.app, wait=10)
        assert answer.status in (200, 404), answer
        return answer.json

    def operate(self, operation, channel="bank_outlet", **fields):
        actor = {**self.actor, "role": "bank"} if operation in BANK_ONLY else self.actor
        if operation in BANK_ONLY:
            fields.setdefault("reason", "court order")
        return self.post("production", "bank_outlet", "/v1/card-operations", {
            "operation": operation, "channel": channel, "holder": self.document, "actor": actor,
            "operator": self.client.operator(), **fields}, 20)

    # The bank.
    def bank(self, *steps, **fields):
        """Answers of the bank, without waiting for what becomes of them."""
        self.post("production", "migration", "/v1/bank-results", [
            {"application_id": self.app, "bank_code": "B01", "type": step, **self.document,
             **fields} for step in steps])

    # What is seen.
    def state(self):
        return self.client.outcome(self.app).get("state")

    def at(self, state, timeout=60):
        return self.client.wait_for(self.app, state, timeout=timeout)

    def cards(self, temporary=False):
        """States of the cards that are shown, sorted."""
        shown = self.client.status(document=self.document)["cards"]
        return sorted(card["state"] for card in shown
                      if (card["kind"] == "temporary") == temporary)

    def has_cards(self, *states, temporary=False):
        wait_until(f"cards {states}", 30, lambda: self.cards(temporary) == sorted(states), 0.2)

    # There.
    def reach(self, state):
        """A first issue in one of the states from batched on, by the bank's answers."""
        self.apply()
        self.at("batched")
        for step in ANSWERS[state]:
            self.bank(step)
            self.at(AFTER[step])
        return self

    def waits(self):
        """Submitted before its enrolment is known."""
        self.apply(enrol=False)
        self.at("received")
        return self

    def noticed(self):
        assert self.apply(phone="")["state"] == "noticed"
        return self

    def without_photo(self):
        self.apply(photo_choice="upload")
        self.at("photo_missing")
        return self

    def with_card(self, state, issued_on="2020-01-02", kind="permanent"):
        """A card of before cardflow, in that state."""
        self.enrol()
        said = self.post("production", "migration", "/v1/card-operations", {
            "operation": "import_card", "channel": "upstream", "bank_code": "B01",
            "holder": self.document, "state": state, "issued_on": issued_on, "kind": kind,
            "has_photo": True}, 20)
        assert said["result"] == "done", said
        self.has_cards(state, temporary=kind == "temporary")
        return self

    def with_temporary(self):
        """A temporary card that lies ready, of somebody whose card is lost."""
        self.with_card("formal_loss")
        self.apply(enrol=False, kind="temporary")
        self.at("produced")
        return self


def all_of(walks, threads=12):
    """Runs {name: function} side by side; {name: None, or the error that it ended with}."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        going = {name: pool.submit(walk) for name, walk in walks.items()}
    return {name: done.exception() for name, done in going.items()}
