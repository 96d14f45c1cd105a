"""Whatever comes in over HTTP: a clear refusal that names field, rule and cure, and the next good
request works."""

import http.client
import json
import urllib.parse
import uuid

import feed
import pytest
from harness.kafka import ROOT

JSON = {"Content-Type": "application/json"}
ROSTER = ROOT / "tests" / "data" / "rosters" / "01_normal_30.csv"


def assert_problem(answer, status, code=None, field=None):
    """A problem+json (RFC 9457) that says what is wrong and how to put it right."""
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.headers
    problem = answer.json
    assert problem["type"] and problem["title"] and problem["status"] == status
    assert problem["code"] and problem["trace_id"]
    if code:
        assert problem["code"] == code, answer
    if status in (400, 413, 415, 422) and problem["code"] != "request_id_conflict":
        assert problem["errors"], answer
    for error in problem.get("errors", []):
        assert error["field"] and error["rule"] and error["cure"], answer
    if field:
        assert any(field in error["field"] for error in problem["errors"]), answer
    return problem


@pytest.fixture
def still_good(stack, client, people):
    """After the test every service is the same process, and takes a good application."""
    before = {service.name: service.pid for replicas in stack.services.values()
              for service in replicas if service.exists()}
    yield
    after = {service.name: service.pid for replicas in stack.services.values()
             for service in replicas if service.exists()}
    assert after == before
    assert client.accepted(people.resident())["receipt"]["receipt_no"]


pytestmark = pytest.mark.usefixtures("still_good")


def post(client, path, body, service="intake", key="migration", **headers):
    sent = {**JSON, "Idempotency-Key": str(uuid.uuid4()), **headers}
    return client.api(service, key).call("POST", path, body, sent)


# Bodies that cannot be read.
MALFORMED = {
    "nothing": b"",
    "half an object": b'{"channel": "bank_outlet",',
    "no JSON": b"channel=bank_outlet",
    "a name twice": b'{"kind": "first_issue", "kind": "temporary"}',
    "a text on top": b'"first_issue"',
    "a number beyond reason": b'{"submitted_at": ' + b"9" * 400 + b"}",
    "nested too deep": b'{"a":' * 500 + b"1" + b"}" * 500,
    "not UTF-8": b'{"name": "\xff\xfe\xfd"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a NUL in a text": b'{"name": "a\\u0000b"}',
    "UTF-16": '{"name": "厍"}'.encode("utf-16"),
    "behind the end": b'{"kind": "first_issue"} {"kind": "temporary"}',
    "a byte-order mark alone": b"\xef\xbb\xbf",
}
WRITES = [("intake", "/v1/applications"), ("intake", "/v1/enrolment-events"),
          ("intake", "/v1/unit-events"), ("production", "/v1/card-operations"),
          ("production", "/v1/bank-results"), ("inquiry", "/v1/status-queries"),
          ("complaint-handling", "/v1/work-orders")]


@pytest.mark.parametrize("service,path", WRITES, ids=[path for _, path in WRITES])
def test_a_body_that_cannot_be_read_is_answered_400(client, service, path):
    if service not in client.info["http"]:
        pytest.skip(f"{service} is not built")
    for why, body in MALFORMED.items():
        answer = post(client, path, body, service)
        assert answer.status == 400, (why, answer)
        assert_problem(answer, 400)


WRONG_TYPES = {
    "channel": 7, "kind": ["first_issue"], "name": {"family": "厍"}, "document_number": 370202,
    "guardian": "mother", "unit_papers": [], "submitted_at": 1700000000, "bank_code": True,
    "fees": "none", "address": ["x"], "phone": 19900000000, "birth_date": 19870605,
}


@pytest.mark.parametrize("field", sorted(WRONG_TYPES))
def test_a_wrong_type_is_answered_400_with_the_field(client, people, field):
    body = {**client.application(people.resident()), field: WRONG_TYPES[field]}
    assert_problem(post(client, "/v1/applications", json.dumps(body).encode()), 400, field=field)


@pytest.mark.parametrize("field", ["name", "address", "document_number", "phone", "bank_code",
                                   "kind", "channel", "outlet_code", "photo_choice"])
def test_over_long_text_is_answered_400_with_the_field(client, people, field):
    body = {**client.application(people.resident()), field: "長" * 5000}
    assert_problem(post(client, "/v1/applications", json.dumps(body).encode()), 400, field=field)


def test_every_wrong_field_is_named_at_once(client, people):
    body = {**client.application(people.resident()), **WRONG_TYPES}
    problem = assert_problem(post(client, "/v1/applications", json.dumps(body).encode()), 400)
    named = " ".join(error["field"] for error in problem["errors"])
    assert [field for field in WRONG_TYPES if field not in named] == []


def test_odd_business_values_are_a_decision_and_no_bad_request(client, people):
    person = people.resident()
    client.enrol(person)
    answer = client.apply({**person, "phone": "call me", "sex": "yes"}, channel="smoke_signal",
                          kind="wish", bank_code="nowhere", outlet_code="", photo_choice="oil")
    assert (answer.status, answer.json["outcome"]) == (200, "rejected"), answer
    assert {"bad_phone"} <= {reason["code"] for reason in answer.json["reasons"]}


def test_an_event_that_is_wrong_is_named_by_its_place_in_the_array(client, people):
    good = {"type": "registered", "revision": 1, **{k: v for k, v in people.resident().items()
                                                    if k not in ("phone", "address")}}
    body = [good, {**good, "revision": "one"}, {**good, "type": "forgotten"}]
    problem = assert_problem(post(client, "/v1/enrolment-events", json.dumps(body).encode()), 400)
    named = " ".join(error["field"] for error in problem["errors"])
    assert "1" in named and "revision" in named and "2" in named and "type" in named
    many = [good] * 1001
    assert_problem(post(client, "/v1/enrolment-events", json.dumps(many).encode()), 400)


# Sizes and types of bodies.
LIMITS = [("intake", "POST", "/v1/applications", "application/json"),
          ("inquiry", "POST", "/v1/status-queries", "application/json"),
          ("production", "POST", "/v1/card-operations", "application/json"),
          ("photo-fetch", "PUT", f"/v1/applications/{uuid.uuid4()}/photo", "image/jpeg")]


@pytest.mark.parametrize("service,method,path,kind", LIMITS, ids=[row[0] for row in LIMITS])
def test_a_body_over_the_limit_is_answered_413(client, service, method, path, kind):
    headers = {"Content-Type": kind, "Idempotency-Key": str(uuid.uuid4())}
    status, answered = raw(client, service, method, path, headers, length=200_000_000)
    assert status == 413 and answered["code"]
    assert answered["errors"][0]["rule"] and answered["errors"][0]["cure"]


def raw(client, service, method, path, headers, length, body=b"", key="migration"):
    """Announces a body of that length and reads what is said at once."""
    host = urllib.parse.urlsplit(client.info["http"][service]).netloc
    link = http.client.HTTPConnection(host, timeout=10)
    try:
        link.putrequest(method, path)
        link.putheader("Authorization", f"Bearer {client.info['api_keys'][key]}")
        for name, value in headers.items():
            link.putheader(name, value)
        link.putheader("Content-Length", str(length))
        link.endheaders()
        link.send(body)
        answer = link.getresponse()
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        return answer.status, json.loads(answer.read())
    finally:
        link.close()


@pytest.mark.parametrize("service,method,path", [row[:3] for row in LIMITS],
                         ids=[row[0] for row in LIMITS])
def test_a_body_of_another_kind_is_answered_415(client, service, method, path):
    for kind in ("text/plain", "application/xml", "application/jsonp", ""):
        answer = client.api(service).call(method, path, b'{"kind": "first_issue"}', {
            "Content-Type": kind, "Idempotency-Key": str(uuid.uuid4())})
        assert_problem(answer, 415)


def test_a_body_that_never_comes_does_not_hold_the_service(client, people):
    host = urllib.parse.urlsplit(client.info["http"]["intake"]).netloc
    idle = []
    for _ in range(50):
        link = http.client.HTTPConnection(host, timeout=10)
        link.connect()
        link.sock.send(b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        idle.append(link)
    try:
        assert client.accepted(people.resident())
    finally:
        for link in idle:
            link.close()


@pytest.mark.parametrize("lines", [
    b"POST /v1/applications HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/applications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /v1/%00reasons HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /v1/reasons HTTP/1.1\r\n folded: x\r\nHost: x\r\n\r\n",
    b"GET /v1/reasons HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20000 + b"\r\n\r\n"], ids=[
        "two_lengths", "negative_length", "chunked", "nul_in_the_path", "bad_escape", "no_request",
        "unknown_version", "folded_header", "header_too_large"])
def test_a_request_that_is_no_proper_http_is_refused(client, lines):
    host = urllib.parse.urlsplit(client.info["http"]["intake"]).netloc
    link = http.client.HTTPConnection(host, timeout=10)
    link.connect()
    try:
        link.sock.sendall(lines)
        link.sock.settimeout(10)
        said = link.sock.recv(65536)
        assert said.startswith(b"HTTP/1.1 ") and said[9:10] in b"45", said[:200]
        assert b"application/problem+json" in said
    finally:
        link.close()


# Who may do what.
def test_without_a_key_or_with_a_wrong_one_the_answer_is_401(client):
    for service, method, path in (("intake", "POST", "/v1/applications"),
                                  ("inquiry", "POST", "/v1/status-queries"),
                                  ("inquiry", "GET", f"/v1/applications/{uuid.uuid4()}"),
                                  ("production", "POST", "/v1/card-operations"),
                                  ("intake", "GET", f"/v1/rosters/{uuid.uuid4()}")):
        for bearer in (None, "Bearer cf_nobody_0000", "Bearer ", "Basic dXNlcjpwYXNz"):
            headers = {"Idempotency-Key": "x", **JSON}
            if bearer is not None:
                headers["Authorization"] = bearer
            answer = client.api(service, None).call(
                method, path, b"{}" if method == "POST" else None, headers)
            assert_problem(answer, 401)


@pytest.mark.parametrize("key,service,method,path", [
    ("hotline_12345", "intake", "POST", "/v1/applications"),
    ("bank_outlet", "intake", "POST", "/v1/enrolment-events"),
    ("online", "intake", "POST", "/v1/enrolment-events"),
    ("unit", "production", "POST", "/v1/card-operations"),
    ("online", "production", "POST", "/v1/bank-results"),
    ("hotline_12345", "photo-fetch", "PUT", f"/v1/applications/{uuid.uuid4()}/photo"),
    ("bank_outlet", "intake", "GET", f"/v1/rosters/{uuid.uuid4()}")])
def test_without_the_scope_the_answer_is_403(client, key, service, method, path):
    kind = {"PUT": "image/jpeg", "POST": "application/json"}.get(method)
    answer = client.api(service, key).call(method, path, b"{}" if kind else None, {
        "Idempotency-Key": "x", **({"Content-Type": kind} if kind else {})})
    assert_problem(answer, 403)


def test_a_key_speaks_for_its_own_channels_only(client, people):
    person = people.resident()
    client.enrol(person)
    assert_problem(client.apply(person, key="online", channel="bank_outlet"), 403)
    assert client.apply(person, key="online", channel="online").json["outcome"] == "accepted"


def test_only_a_key_that_may_back_date_does(client, people):
    person = people.resident()
    client.enrol(person)
    answer = client.apply(person, key="bank_outlet", submitted_at="2025-01-27T10:00:00+08:00")
    assert [reason["code"] for reason in answer.json["reasons"]] == ["submitted_too_old"], answer
    answer = client.apply(person, submitted_at="2099-01-27T10:00:00+08:00")
    assert [reason["code"] for reason in answer.json["reasons"]] == ["submitted_in_future"], answer


# Ids and keys.
def test_an_id_that_nobody_knows_is_answered_404_with_a_time_to_come_back(client):
    unknown = str(uuid.uuid4())
    for service, path in (("inquiry", f"/v1/applications/{unknown}"),
                          ("intake", f"/v1/applications/{unknown}/receipt"),
                          ("intake", f"/v1/rosters/{unknown}"),
                          ("intake", f"/v1/rosters/{unknown}/rows")):
        answer = client.api(service).get(path)
        assert_problem(answer, 404, "not_yet_known")
        assert int(answer.headers["retry-after"]) >= 1
    answer = client.put_photo(unknown)
    assert_problem(answer, 404, "not_yet_known")
    answer = post(client, f"/v1/applications/{unknown}/supplements", b'{"phone": "19800000000"}')
    assert_problem(answer, 404, "not_yet_known")


def test_an_id_that_is_none_and_a_path_that_is_none_are_answered_404(client):
    for service, path in (("inquiry", "/v1/applications/1"), ("intake", "/v1/rosters/x"),
                          ("intake", "/v1/nothing"), ("inquiry", "/")):
        assert_problem(client.api(service).get(path), 404)
    answer = client.api("intake").call("DELETE", "/v1/applications")
    assert_problem(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_a_write_without_an_idempotency_key_is_answered_400(client, people):
    body = json.dumps(client.application(people.resident())).encode()
    answer = client.api("intake").call("POST", "/v1/applications", body, JSON)
    assert_problem(answer, 400, field="Idempotency-Key")
    assert_problem(post(client, "/v1/applications", body, **{"Idempotency-Key": "k" * 500}), 400,
                   field="Idempotency-Key")


def test_a_repeat_answers_the_first_result_and_says_so(client, people):
    person, key = people.resident(), str(uuid.uuid4())
    client.enrol(person)
    first = client.apply(person, request_id=key)
    assert "idempotency-replayed" not in first.headers
    # The same meaning in other bytes: names in another order, blanks between them.
    fields = client.application(person)
    body = json.dumps(dict(reversed(fields.items())), indent=2).encode()
    again = post(client, "/v1/applications", body, **{"Idempotency-Key": key, "Prefer": "wait=10"})
    assert again.status == 200 and again.headers["idempotency-replayed"] == "true"
    for field in ("application_id", "outcome", "deadline"):
        assert again.json[field] == first.json[field]
    # The bank may have promised a day meanwhile.
    for field in ("receipt_no", "pickup_outlet", "phones"):
        assert again.json["receipt"][field] == first.json["receipt"][field]


def test_the_same_key_with_another_body_is_a_conflict_and_makes_nothing(client, people, topics):
    one, two, key = people.resident(), people.resident(), str(uuid.uuid4())
    client.enrol(one, two)
    first = client.apply(one, request_id=key)
    mark = topics.ends("application.events")
    assert_problem(client.apply(two, request_id=key), 422, "request_id_conflict")
    assert client.status(document=client.document(two))["applications"] == []
    refs = topics.holder_ref(two["document_type"], two["document_number"])
    assert [r for r in topics.read("application.events", mark) if r.key == refs] == []
    again = client.apply(one, request_id=key)
    assert again.json["application_id"] == first.json["application_id"]


def test_the_same_key_of_another_client_is_another_request(client, people):
    one, two, key = people.resident(), people.resident(), str(uuid.uuid4())
    client.enrol(one, two)
    first = client.apply(one, request_id=key)
    second = client.apply(two, request_id=key, key="bank_outlet")
    assert second.json["outcome"] == "accepted", second
    assert second.json["application_id"] != first.json["application_id"]


def test_a_request_id_in_the_body_must_be_the_key(client, people):
    body = json.dumps({**client.application(people.resident()), "request_id": "one"}).encode()
    assert_problem(post(client, "/v1/applications", body, **{"Idempotency-Key": "other"}), 400,
                   field="request_id")


# Questions.
@pytest.mark.parametrize("body", [
    {}, {"document": {"document_type": "resident_id"}}, {"receipt_no": 12}, {"card_no": []},
    {"document": "650102"}, {"receipt_no": "1", "card_no": "2"}, {"document": None},
    {"receipt_no": "1" * 5000}, {"document": {"document_type": "library_card",
                                              "document_number": "7"}}], ids=str)
def test_a_question_that_names_nobody_is_answered_400(client, body):
    answer = post(client, "/v1/status-queries", json.dumps(body).encode(), "inquiry")
    assert_problem(answer, 400)


def test_a_personal_number_in_a_path_finds_nothing(client, people):
    person = people.resident()
    client.accepted(person)
    for path in (f"/v1/applications/{person['document_number']}",
                 f"/v1/status-queries/{person['document_number']}"):
        assert_problem(client.api("inquiry").get(path), 404)


# Rosters.
def test_a_roster_that_is_no_multipart_is_refused(client):
    api = client.api("intake", "unit")
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    assert_problem(api.call("POST", "/v1/rosters", ROSTER.read_bytes(),
                            {**headers, "Content-Type": "text/csv"}), 415)
    for body in (b"", b"--x\r\n", b"--x\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}",
                 b"--x--\r\n", b"--y\r\n\r\n--y--\r\n", b"\x00" * 1000):
        answer = api.call("POST", "/v1/rosters", body, {
            **headers, "Content-Type": "multipart/form-data; boundary=x"})
        assert_problem(answer, 400)
    assert_problem(api.call("POST", "/v1/rosters", b"x", {
        **headers, "Content-Type": "multipart/form-data"}), 400)
    for meta in ([], {"unit_code": 5}, {"kind": ["first_issue"]}):
        answer = feed.post_roster(api, meta, "x.csv", ROSTER.read_bytes())
        assert_problem(answer, 400)
