"""What a bank outlet, a unit and the upstream system do over HTTP, in words of the field."""

import uuid

from .api import Api
from .kafka import ROOT
from .program import ProgramError, wait_until

PHOTO = ROOT / "tests" / "data" / "photos" / "01_ok.jpg"
PERSON = ("document_type", "document_number", "name", "sex", "birth_date")
ENDS = {"rejected", "collected", "withdrawn", "expired", "pickup_expired", "closed"}


class Client:
    def __init__(self, stack):
        self.stack, self.info = stack, stack.info()

    def api(self, service, key="migration"):
        """key: a name of stack.json, or None for no key."""
        return Api(self.info["http"][service], self.info["api_keys"].get(key), timeout=30)

    # What upstream does.
    def enrol(self, *people, unit_code="", revision=1):
        events = [{"type": "registered", "revision": revision, "unit_code": unit_code,
                   **{key: person[key] for key in PERSON}} for person in people]
        for begin in range(0, len(events), 1000):
            answer = self.api("intake", "upstream").post("/v1/enrolment-events",
                                                         events[begin:begin + 1000])
            assert answer.status in (200, 202), answer

    def end_enrolment(self, person, reason, revision=2):
        event = {"type": "ended", "reason": reason, "revision": revision,
                 "document_type": person["document_type"],
                 "document_number": person["document_number"]}
        answer = self.api("intake", "upstream").post("/v1/enrolment-events", event)
        assert answer.status in (200, 202), answer

    def import_card(self, person, bank_code="B01", state="normal", issued_on="2020-01-02"):
        answer = self.api("production").post("/v1/card-operations", {
            "operation": "import_card", "channel": "upstream", "bank_code": bank_code,
            "holder": {key: person[key] for key in ("document_type", "document_number")},
            "state": state, "issued_on": issued_on, "has_photo": True}, wait=10)
        assert (answer.status, answer.json["result"]) == (200, "done"), answer

    def settle(self, service="intake"):
        """Waits until a service has read all that was sent to it. Needed between writes to two
        topics, which have no order between them."""
        replica = self.stack.service(service)
        read = [None]

        def still():
            last, read[0] = read[0], replica.metrics()["cardflow_stage_records_total"]
            return last == read[0]

        wait_until(f"{service} has read everything", 60, still, 0.5)

    # What a counter does.
    @staticmethod
    def application(person, **fields):
        """The body of POST /v1/applications."""
        return {"channel": "bank_outlet", "kind": "first_issue", "bank_code": "B01",
                "outlet_code": "B01001", "photo_choice": "public_security", "guardian": None,
                **person, **fields}

    def apply(self, person, key="migration", request_id=None, wait=10, **fields):
        """The answer to an application; with wait the outcome is there."""
        return self.api("intake", key).post("/v1/applications", self.application(person, **fields),
                                            key=request_id, wait=wait)

    def accepted(self, person, **fields):
        """Enrols and applies; the outcome, which must be accepted."""
        self.enrol(person)
        answer = self.apply(person, **fields)
        assert (answer.status, (answer.json or {}).get("outcome")) == (200, "accepted"), answer
        return answer.json

    def put_photo(self, application_id, content=None, wait=None, key=None):
        headers = {"Content-Type": "image/jpeg", "Idempotency-Key": key or str(uuid.uuid4())}
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        return self.api("photo-fetch", "bank_outlet").call(
            "PUT", f"/v1/applications/{application_id}/photo",
            PHOTO.read_bytes() if content is None else content, headers)

    # What everybody asks.
    def outcome(self, application_id, key="bank_outlet"):
        """GET /v1/applications/{application_id}; {} as long as the id is not yet known."""
        answer = self.api("inquiry", key).get(f"/v1/applications/{application_id}")
        if answer.status == 404:
            return {}
        assert answer.status == 200, answer
        return answer.json

    def wait_for(self, application_id, state, label=None, timeout=30):
        """The outcome, once the application is in that state (and has that Chinese label)."""
        last = {}

        def there():
            last.clear()
            last.update(self.outcome(application_id))
            return last.get("state") == state and (label is None or last["label"]["zh"] == label)

        try:
            wait_until(f"{state} {label or ''}", timeout, there, 0.1)
        except ProgramError as error:
            raise AssertionError(f"{error}; it is {last.get('state')} {last.get('label')}, "
                                 f"{last.get('timeline')}") from None
        return dict(last)

    def status(self, verified=True, key="hotline_12345", **who):
        """POST /v1/status-queries by document=, receipt_no= or card_no=."""
        body = dict(who)
        if verified:
            body["verification"] = {"method": "document_shown", "passed": True}
        answer = self.api("inquiry", key).call("POST", "/v1/status-queries", body, {
            "Cardflow-Purpose": "progress", "Cardflow-Operator": "agent-7"})
        assert answer.status == 200, answer
        return answer.json

    @staticmethod
    def document(person):
        return {key: person[key] for key in ("document_type", "document_number")}

    def holder(self, person):
        """The holder as who asks, with the document."""
        return {"role": "holder", "name": person["name"], **self.document(person)}

    @staticmethod
    def operator(bank_code="B01"):
        """Who serves at an outlet of that bank."""
        return {"staff_id": "s1", "bank_code": bank_code, "outlet_code": f"{bank_code}001"}
