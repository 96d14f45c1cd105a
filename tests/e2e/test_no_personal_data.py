"""No personal data outside sealed fields: not in a log, a metric, Kafka, Redis or a column."""

import csv
import io
import json
import uuid

import confluent_kafka
import confluent_kafka.admin
import feed
import psycopg
import pytest
import redis
from harness.client import PHOTO
from harness.kafka import ROOT
from harness.people import personal_values
from harness.program import wait_until
from harness.scan import Scanner

COLUMNS = ("name", "document_type", "document_number", "sex", "birth_date", "phone", "address",
           "unit_code")
UNIT = "U659900001"


def metrics(stack):
    return {f"metrics of {service.name}": service.get("/metrics")[1]
            for replicas in stack.services.values() for service in replicas if service.alive()}


def everything(stack, scanner):
    """Every place that the scanner can see, and what it found there."""
    info = stack.info()
    return [*scanner.logs(stack.run_dir / "logs"), *scanner.texts(metrics(stack)),
            *scanner.topics(info["kafka"]), *scanner.redis(info["redis"]),
            *scanner.tables(info["postgres_admin"])]


def roster(people):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    for person in people:
        writer.writerow({**person, "unit_code": UNIT})
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def fed(stack, client, people):
    """Values that have gone through every way in: all of them are told to the services, none may
    be seen afterwards."""
    begin, agent = len(people.made), people.resident()
    papers = {"unit_code": UNIT, "introduction_letter_no": "JS-2026-00009",
              "agent": {k: agent[k] for k in ("name", "document_type", "document_number")},
              "id_copies_held": True}
    cards = [client.accepted(people.resident())["application_id"] for _ in range(15)]
    cards += [client.accepted(people.resident(), channel="unit", unit_papers=papers)[
        "application_id"] for _ in range(5)]
    cards += [client.accepted(people.child(people.resident()))["application_id"]
              for _ in range(5)]
    for _ in range(5):
        foreigner = people.foreigner()
        application_id = client.accepted(foreigner)["application_id"]
        client.wait_for(application_id, "photo_missing")
        assert client.put_photo(application_id).status == 202
        cards.append(application_id)
    refuse_some(client, people)
    withdraw_one(client, people)
    upload_roster(client, people, papers)
    for application_id in cards:
        client.wait_for(application_id, "collected", "已激活", timeout=60)
    operate(client, people.made[begin + 1])
    order(client, people.resident())
    misuse(client, people)
    ask(client, people.made[begin:])
    return people.made[begin:]


def refuse_some(client, people):
    """Notices, rejections, duplicates and a number that is wrong."""
    for change in ({"phone": "12345"}, {"outlet_code": "B01999"}, {"guardian": None}):
        person = people.resident()
        client.enrol(person)
        client.apply({**person, **change})
    person = people.resident()
    client.enrol(person)
    client.apply(person)
    client.apply({**person, "document_type": "household_book"})
    noticed = client.apply({**person, "document_number": person["document_number"][:17]})
    assert noticed.json["outcome"] == "notice"
    client.api("intake").post(f"/v1/applications/{noticed.json['application_id']}/supplements",
                              {"name": person["name"], "address": person["address"]}, wait=5)


def withdraw_one(client, people):
    person = people.foreigner()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "photo_missing")
    client.api("intake").post(f"/v1/applications/{application_id}/withdrawal", {
        "actor": {"role": "holder", "name": person["name"], **client.document(person)},
        "reason": "changed_mind"}, wait=5)
    client.wait_for(application_id, "withdrawn")


def upload_roster(client, people, papers):
    members = [people.resident() for _ in range(20)]
    client.enrol(*members[:18], unit_code=UNIT)
    wrong = [{**members[18], "phone": ""}, {**members[19], "sex": "male"}]
    answer = feed.post_roster(
        client.api("intake", "unit"),
        {"unit_code": UNIT, "bank_code": "B01", "outlet_code": "B01001", "kind": "first_issue",
         "unit_papers": papers}, "members.csv", roster([*members[:18], *wrong]))
    assert answer.status == 202, answer
    state = feed.wait_roster(client.api("intake", "unit"), answer.json["roster_id"], 60)
    assert (state["accepted"], state["refused"]) == (18, 2)
    for path in ("rows", "rows.csv"):
        client.api("intake", "unit").get(f"/v1/rosters/{answer.json['roster_id']}/{path}")


def operate(client, person):
    for operation in ("report_temporary_loss", "release", "report_formal_loss", "release",
                      "set_password", "open_add_on"):
        client.api("production").post("/v1/card-operations", {
            "operation": operation, "holder": client.document(person), "channel": "bank_outlet",
            "actor": {"role": "holder", "name": person["name"], **client.document(person)},
            "operator": {"staff_id": "T7", "bank_code": "B01", "outlet_code": "B01001"},
            "password": "social_security", "evidence": person["name"], "add_on": "transport",
            "consent": {"by": "holder", "given_at": "2026-03-02T10:00:00+08:00",
                        "document": client.document(person)}}, wait=5)


def order(client, person):
    if "complaint-handling" not in client.info["http"]:
        return
    api = client.api("complaint-handling", "hotline_12345")
    told = f"{person['name']}, {person['document_number']}, {person['phone']}"
    for anonymous in (False, True):
        answer = api.post("/v1/work-orders", {
            "source_system": "qd12345", "order_no": str(uuid.uuid4()), "kind": "complaint",
            "dispatched_at": "2026-03-31T08:30:00+08:00", "anonymous": anonymous, "text": told,
            "holder": {**client.document(person), "name": person["name"],
                       "phone": person["phone"]}}, wait=10)
        path = f"/v1/work-orders/{answer.json['work_order_id']}"
        for action in ("accept", "reply"):
            api.post(f"{path}/actions", {"action": action, "text": told}, wait=5)
        api.get(path)


def misuse(client, people):
    """Personal data where they do not belong: in broken bodies, paths, queries and headers."""
    person = people.resident()
    for value in personal_values(person):
        client.api("intake").call("POST", "/v1/applications", f'{{"name": "{value}'.encode(), {
            "Content-Type": "application/json", "Idempotency-Key": "broken"})
        client.api("intake").call("POST", "/v1/applications", json.dumps(
            {"kind": [value], value: value, "channel": value * 100}).encode(), {
                "Content-Type": "application/json", "Idempotency-Key": "wrong"})
        plain = value.encode().hex() if not value.isascii() else value.replace(" ", "-")
        for service in ("intake", "inquiry", "photo-fetch", "production"):
            client.api(service).get(f"/v1/applications/{plain}?name={plain}")
        client.api("inquiry").call("POST", "/v1/status-queries", json.dumps(
            {"document": {"document_type": "resident_id", "document_number": value}}).encode(),
            {"Content-Type": "application/json"})
    key = person["document_number"]
    client.enrol(person)
    client.apply(person, request_id=key)
    client.apply({**person, "phone": "1"}, request_id=key)


def ask(client, people):
    for person in people[:20]:
        client.status(document=client.document(person))
        client.status(verified=False, document=client.document(person))


def values_of(people):
    return set().union(*map(personal_values, people))


def test_no_place_holds_a_name_a_number_a_phone_or_an_address(stack, fed, topics):
    values = values_of(fed)
    assert len(values) > 200
    wait_until("the notifications are out", 30, lambda: len(
        topics.read("notification.events")) > 50, 0.5)
    scanner = Scanner(values)
    found = everything(stack, scanner)
    assert scanner.looked_at > 10**6, "the scanner has seen next to nothing"
    assert not found, sorted({place for place, _ in found})


def test_no_place_holds_a_photo(stack, fed):
    photo = PHOTO.read_bytes()
    # Of the picture itself, behind the tables that every JPEG of this kind has.
    parts = {photo[at:at + 24] for at in range(2000, len(photo) - 24, 1000)}
    assert len(parts) > 10 and fed
    found = everything(stack, Scanner(parts))
    assert not found, sorted({place for place, _ in found})


def test_no_place_holds_the_persons_of_the_data(stack, fed):
    values = set()
    with open(ROOT / "tests" / "data" / "applications.jsonl", encoding="utf-8") as file:
        for row in map(json.loads, file):
            values |= {row[key] for key in ("document_number", "phone", "address")
                       if row[key] and len(row[key]) > 7}
    assert len(values) > 1000 and fed
    found = everything(stack, Scanner(values))
    assert not found, sorted({place for place, _ in found})


def test_no_log_metric_or_record_holds_a_secret(stack, fed):
    info = stack.info()
    secrets = {*info["api_keys"].values(), *stack.passwords.values(),
               stack.keys.reference.read_text().strip(),
               *json.loads(stack.keys.sealing.read_text())["keys"].values()}
    assert len(secrets) > 10 and fed
    found = everything(stack, Scanner(secrets))
    assert not found, sorted({place for place, _ in found})


# The scanner itself.
@pytest.fixture
def planted(stack):
    """A value of its own in one place of each kind, gone afterwards."""
    value, info = f"乌鲁木齐种植-{uuid.uuid4()}", stack.info()
    log = stack.run_dir / "logs" / "planted.log"
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": info["kafka"]})
    topic = confluent_kafka.admin.NewTopic("planted", 1, 1)
    admin.create_topics([topic])["planted"].result(10)
    producer = confluent_kafka.Producer({"bootstrap.servers": info["kafka"]})
    with psycopg.connect(info["postgres_admin"], autocommit=True) as link, \
            redis.Redis.from_url(info["redis"]) as store:
        try:
            log.write_text(json.dumps({"message": value}) + "\n")
            for part in ("key", "value", "header"):
                told = {where: value.encode() if where == part else b"-"
                        for where in ("key", "value", "header")}
                producer.produce("planted", told["value"], told["key"],
                                 headers=[("planted", told["header"])])
            producer.flush(10)
            store.set(f"planted:{value}", "-")
            store.set("planted:value", b"\0" + value.encode())
            link.execute("create schema planted")
            link.execute("create table planted.t (a text, b bytea, c jsonb)")
            link.execute("insert into planted.t values (%s, %s, %s)",
                         (value, b"\x01" + value.encode("utf-16-le"),
                          json.dumps({"v": value.encode().hex()})))
            yield value
        finally:
            link.execute("drop schema if exists planted cascade")
            store.delete("planted:value", f"planted:{value}")
            admin.delete_topics(["planted"])["planted"].result(10)
            log.unlink(missing_ok=True)


def test_the_scanner_finds_what_was_planted_in_each_place(stack, planted):
    found = everything(stack, Scanner({planted}))
    assert sorted({place for place, _ in found}) == [
        "column planted.t.a", "column planted.t.b", "column planted.t.c", "headers in planted",
        "key in Redis", "key in planted", "log planted.log", "value in Redis under b'planted:'",
        "value in planted"]
    assert {value for _, value in found} == {planted}
    assert [*Scanner({planted}).texts({"metrics": f'x{{name="{planted}"}} 1'})] == \
        [("metrics", planted)]
