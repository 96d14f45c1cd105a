"""What the demo feeds, through the public interface only: enrolment records, cards of before, the
5,000-row roster, the 500 applications of tests/data, and photos for those the police have none of."""

import collections
import csv
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import confluent_kafka
from harness import protos
from harness.api import Api
from harness.kafka import ROOT

DATA = ROOT / "tests" / "data"
ROSTER = "02_large_5000.csv"
ROSTER_BANK, ROSTER_OUTLET = "B01", "B01001"
SETTINGS = {
    "notification": {"quiet_hours": "false"},
    "production": {"batch_wait_ms": "500ms"},
}
WAIT_S = 300
REPLACEMENTS = ("loss_replacement", "damage_replacement")
KIND_OF_ROSTER = "first_issue"
POLICE_TYPES = ("resident_id", "household_book")
# Upstream knows nobody by any other document, and intake takes no record of one.
ACCEPTED_TYPES = (*POLICE_TYPES, "residence_permit_hmt", "foreign_pr_2023", "foreign_pr_2017",
                  "home_return_permit", "taiwan_permit", "passport")


class Feed:
    def __init__(self, stack, say):
        self.stack, self.say, self.info = stack, say, stack.info()
        key = self.info["api_keys"]["migration"]
        self.api = {name: Api(url, key, timeout=30) for name, url in self.info["http"].items()}
        with open(DATA / "applications.jsonl", encoding="utf-8") as file:
            self.applications = [json.loads(line) for line in file]
        self.counts = collections.Counter()
        self.failures = []
        self.accepted = {}     # application_id -> row
        self.watcher = Watcher(self.info)

    # Before: who is insured, and which cards there are.
    def enrolments(self):
        people = {}
        for row in self.applications:
            person = {"document_type": row["document_type"],
                      "document_number": normalise(row["document_number"] or ""),
                      "name": normalise_name(row["name"] or ""), "birth_date": row["birth_date"],
                      "sex": row["sex"], "unit_code": (row.get("unit_papers") or {}).get(
                          "unit_code") or ""}
            if person["document_type"] in ACCEPTED_TYPES and person["document_number"] and \
                    person["name"]:
                people.setdefault(ref(person), person)
        with open(DATA / "rosters" / "expected.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["roster_file"] == ROSTER and row["accepted"] == "1":
                    people.setdefault(ref(row), {
                        "document_type": row["document_type"],
                        "document_number": row["document_number"], "name": row["name"],
                        "birth_date": row["birth_date"], "sex": row["sex"],
                        "unit_code": unit_of(ROSTER)})
        return list(people.values())

    def enrol(self):
        people = self.enrolments()
        self.say(f"enrolling {len(people)} persons")
        refused = 0
        for begin in range(0, len(people), 500):
            events = [{"type": "registered", "revision": 1, **person}
                      for person in people[begin:begin + 500]]
            answer = self.api["intake"].post("/v1/enrolment-events", events,
                                             key=f"demo-enrol-{begin}")
            if answer.status not in (200, 202):
                raise RuntimeError(f"enrolment events: {answer}")
            refused += len((answer.json or {}).get("refused", []))
        self.say(f"enrolled; {refused} records name no valid document")

    def import_cards(self):
        cards = [row for row in self.applications if row["kind"] in REPLACEMENTS]
        self.say(f"importing {len(cards)} cards of before")

        def one(row):
            body = {"operation": "import_card", "channel": "upstream",
                    "holder": {"document_type": row["document_type"],
                               "document_number": normalise(row["document_number"] or "")},
                    "bank_code": row["bank_code"], "state": "normal", "issued_on": "2020-01-02",
                    "has_photo": True}
            return self.api["production"].post("/v1/card-operations", body, wait=10,
                                               key=f"demo-card-{row['request_id']}")

        with ThreadPoolExecutor(8) as pool:
            for row, answer in zip(cards, pool.map(one, cards)):
                if answer.status not in (200, 202, 400, 422):
                    raise RuntimeError(f"import of the card for {row['request_id']}: {answer}")
        # intake learns of the cards over card.events.
        self.watcher.settle()

    # The main thing.
    def upload_roster(self):
        content = (DATA / "rosters" / ROSTER).read_bytes()
        meta = {"unit_code": unit_of(ROSTER), "bank_code": ROSTER_BANK,
                "outlet_code": ROSTER_OUTLET, "kind": KIND_OF_ROSTER,
                "unit_papers": {"unit_code": unit_of(ROSTER),
                                "introduction_letter_no": "JS-2026-00001",
                                "agent": {"name": "张伟", "document_type": "resident_id",
                                          "document_number": "370202199003070011"},
                                "id_copies_held": True}}
        answer = post_roster(self.api["intake"], meta, ROSTER, content, key="demo-roster")
        if answer.status not in (200, 202):
            raise RuntimeError(f"roster: {answer}")
        self.replayed_roster = answer.headers.get("idempotency-replayed") == "true"
        return answer.json["roster_id"]

    def check_roster(self, roster_id):
        state = wait_roster(self.api["intake"], roster_id, WAIT_S)
        rows = {row["row_no"]: row for row in roster_rows(self.api["intake"], roster_id)}
        for want in expected_rows(ROSTER):
            row = rows.get(int(want["row_no"]), {})
            problem = compare_row(row, want)
            self.judge(problem is None, f"roster row {want['row_no']}: {problem}")
            if self.replayed_roster:
                self.counts["replayed"] += 1
            elif row.get("outcome") == "accepted":
                self.counts["accepted"] += 1
            elif row.get("outcome") == "refused":
                self.counts["rows_refused"] += 1
            if row.get("outcome") == "accepted":
                self.accepted[row["application_id"]] = want
        self.counts["submitted"] += state["records"]

    def apply(self, row):
        body = {k: v for k, v in row.items() if k != "expected"}
        return self.api["intake"].post("/v1/applications", body, key=row["request_id"], wait=10)

    def check_application(self, row, answer):
        want = row["expected"]
        self.counts["submitted"] += 1
        if answer.status == 422 and answer.json.get("code") == "request_id_conflict":
            self.counts["conflicts"] += 1
            self.judge("request_id_conflict" in want["reasons"], f"{row['request_id']}: conflict")
            return
        if answer.status != 200:
            self.judge(False, f"{row['request_id']}: {answer}")
            return
        outcome = answer.json
        replayed = answer.headers.get("idempotency-replayed") == "true"
        reasons = sorted(reason["code"] for reason in outcome["reasons"])
        wanted = [reason for reason in want["reasons"] if reason != "idempotent_replay"]
        same = (outcome["outcome"], reasons) == (want["outcome"], wanted)
        if want["outcome"] == "accepted" and "idempotent_replay" not in want["reasons"]:
            same = same and sorted(outcome["warnings"]) == want["warnings"]
        if "idempotent_replay" in want["reasons"]:
            same = same and replayed
        self.judge(same, f"{row['request_id']}: {outcome['outcome']} {reasons} "
                         f"{outcome['warnings']}, want {want}")
        place = "replayed" if replayed else {"accepted": "accepted", "notice": "noticed",
                                             "rejected": "rejected"}.get(outcome["outcome"])
        self.counts[place] += 1
        if outcome["outcome"] == "accepted":
            self.accepted[outcome["application_id"]] = row

    def judge(self, good, problem):
        self.counts["vectors_matched" if good else "vectors_failed"] += 1
        if not good:
            self.failures.append(problem)

    def upload_photos(self):
        photo = (DATA / "photos" / "01_ok.jpg").read_bytes()
        ids = [i for i, row in self.accepted.items() if "request_id" in row
               and row["kind"] == KIND_OF_ROSTER and row["document_type"] not in POLICE_TYPES]
        self.say(f"uploading {len(ids)} photos for those the police do not have")

        def one(application_id):
            return self.api["photo-fetch"].call(
                "PUT", f"/v1/applications/{application_id}/photo", photo,
                {"Content-Type": "image/jpeg", "Idempotency-Key": f"demo-photo-{application_id}"})

        with ThreadPoolExecutor(4) as pool:
            for answer in pool.map(one, ids):
                if answer.status not in (200, 202):
                    raise RuntimeError(f"photo: {answer}")

    # After: the cards.
    def awaited(self):
        """First issues that reach the holder's hand in this demo: with a photo, or without by a
        guardian's declaration."""
        return {i for i, row in self.accepted.items()
                if row.get("kind", KIND_OF_ROSTER) == KIND_OF_ROSTER
                and ("request_id" in row or row["document_type"] in POLICE_TYPES)}

    def wait_for_cards(self):
        awaited = self.awaited()
        until, shown = time.monotonic() + WAIT_S, 0
        while time.monotonic() < until:
            self.watcher.look(0.5)
            done = len(awaited & self.watcher.activated)
            if time.monotonic() - shown > 2:
                self.say(f"  {done} of {len(awaited)} cards activated")
                shown = time.monotonic()
            if done == len(awaited):
                break
        self.say(f"  {len(awaited & self.watcher.activated)} of {len(awaited)} cards activated")

    def states(self):
        def one(application_id):
            for _ in range(50):
                answer = self.api["inquiry"].get(f"/v1/applications/{application_id}")
                if answer.status != 404:
                    return answer.json
                time.sleep(0.1)
            return None

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(one, self.accepted))


class Watcher:
    """card.events and the topics' ends, seen from outside."""

    def __init__(self, info):
        self.info, self.activated, self.cards = info, set(), {}
        self.events = protos.load().card.CardEvent
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": info["kafka"], "group.id": "cardflow-demo",
            "enable.auto.commit": False, "auto.offset.reset": "earliest"})
        self.consumer.assign([
            confluent_kafka.TopicPartition("cardflow.card.events.v1", part,
                                           confluent_kafka.OFFSET_BEGINNING)
            for part in range(info["partitions"])])

    def look(self, seconds):
        for message in self.consumer.consume(5000, timeout=seconds):
            if message.error():
                continue
            headers = dict(message.headers() or ())
            if headers.get("ce_type") != b"card.changed":
                continue
            event = self.events.FromString(message.value())
            # A card is made for an application, and activated by an operation on the card.
            if event.application_id and event.card_changed.state == "sealed":
                self.cards[event.card_no] = str(uuid.UUID(bytes=event.application_id))
            if event.card_changed.state == "normal" and event.card_no in self.cards:
                self.activated.add(self.cards[event.card_no])

    def settle(self, quiet_s=1.0, most_s=30):
        """Until nothing new has come to card.events for a while."""
        until, still = time.monotonic() + most_s, time.monotonic()
        while time.monotonic() < until and time.monotonic() - still < quiet_s:
            if self.consumer.consume(5000, timeout=0.2):
                still = time.monotonic()
        self.consumer.assign([
            confluent_kafka.TopicPartition("cardflow.card.events.v1", part,
                                           confluent_kafka.OFFSET_BEGINNING)
            for part in range(self.info["partitions"])])


# ---- small things that tests use as well -------------------------------------------------------

def normalise(number):
    """A document number as intake normalises it (tests/data/README.md)."""
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in number)
    return "".join(c for c in text if c not in "\t \u00a0\u3000").upper()


def normalise_name(name):
    """Good enough for the names of the data: what intake makes of them, by tests/data/README.md."""
    import unicodedata
    text = name.strip(" \t\u00a0\u3000")
    text = "".join(chr(ord(c) - 0xFEE0) if 0xFF21 <= ord(c) <= 0xFF5A else c for c in text)
    if any(c.isascii() and c.isalpha() for c in text):
        for old, new in (("\u2019", "'"), ("\u2010", "-"), ("\u2013", "-")):
            text = text.replace(old, new)
        return " ".join(text.replace("\u3000", " ").replace("\u00a0", " ").split())
    for dot in "\u2022\u2027\u30fb\uff65\uff0e\u22c5\u2219\u25cf\u318d.":
        text = text.replace(dot, "\u00b7")
    return unicodedata.normalize("NFC", "".join(text.split()).replace("\u3000", ""))


def ref(person):
    kind = person["document_type"]
    return ("resident_id" if kind == "household_book" else kind, person["document_number"])


def unit_of(roster):
    with open(DATA / "rosters" / "expected_summary.csv", encoding="utf-8", newline="") as file:
        return next(row["unit_code"] for row in csv.DictReader(file)
                    if row["roster_file"] == roster)


def expected_rows(roster):
    with open(DATA / "rosters" / "expected.csv", encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["roster_file"] == roster]


def compare_row(row, want):
    """None, or what differs between a row of the API and one of expected.csv."""
    outcome = "accepted" if want["accepted"] == "1" else "refused"
    if row.get("outcome") != outcome:
        return f"outcome {row.get('outcome')} {row.get('reasons')}, want {outcome}"
    if "|".join(sorted(row["reasons"])) != want["reasons"]:
        return f"reasons {row['reasons']}, want {want['reasons']}"
    if outcome == "accepted" and "|".join(sorted(row["warnings"])) != want["warnings"]:
        return f"warnings {row['warnings']}, want {want['warnings']}"
    return None


def post_roster(api, meta, name, content, key=None):
    boundary = uuid.uuid4().hex
    parts = (f'--{boundary}\r\nContent-Disposition: form-data; name="meta"\r\n'
             f"Content-Type: application/json\r\n\r\n{json.dumps(meta, ensure_ascii=False)}\r\n"
             f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
             f"Content-Type: application/octet-stream\r\n\r\n").encode() + content + \
        f"\r\n--{boundary}--\r\n".encode()
    return api.call("POST", "/v1/rosters", parts, {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Idempotency-Key": key or str(uuid.uuid4())})


def wait_roster(api, roster_id, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = api.get(f"/v1/rosters/{roster_id}")
        if answer.status == 200 and answer.json["state"] == "done":
            return answer.json
        time.sleep(0.2)
    raise RuntimeError(f"the roster is not done after {seconds} s: {answer}")


def roster_rows(api, roster_id):
    after = 0
    while True:
        answer = api.get(f"/v1/rosters/{roster_id}/rows?after={after}&limit=1000")
        if answer.status != 200:
            raise RuntimeError(f"rows of the roster: {answer}")
        rows = answer.json["rows"]
        yield from rows
        if not rows:
            return
        after = rows[-1]["row_no"]
