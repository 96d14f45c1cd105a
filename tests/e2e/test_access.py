"""Who may call what: every operation of proto/openapi.yaml by every kind of key, by a wrong one and by none."""

import uuid

import pytest
from harness.contract import load, operations
from harness.keys import API_KEYS
from harness.walks import operate
from test_rosters_again import as_text, send, table, unit_code

OPERATIONS = [(method, path, service, operation.get("x-scope"))
              for method, path, operation in operations(load())
              for service in operation["x-service"]]
IDS = [f"{service} {method} {path}" for method, path, service, _ in OPERATIONS]
OWN = [row for row in OPERATIONS if row[3]]
# Numbers with a right check digit that nobody was given.
NUMBERS = {"no": "V000000000008", "unit_code": "U000000000"}


def address(path, **values):
    """The path with somebody else's values, or with ones that nobody has."""
    for part in path.split("/"):
        if part.startswith("{"):
            name = part[1:-1]
            value = values.get(name) or NUMBERS.get(name) or str(uuid.uuid4())
            path = path.replace(part, value)
    return path


def call(client, service, method, path, key):
    """With a body that is none: what may be asked stops there and does nothing."""
    body = None if method == "GET" else b"{"
    return client.api(service, key).call(method, address(path), body, {
        "Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"})


def may(key, scope):
    return bool({"*", scope} & set(API_KEYS[key]["scopes"]))


def assert_refused(answer, status, code):
    assert (answer.status, answer.json["code"]) == (status, code), answer
    assert answer.headers["content-type"] == "application/problem+json", answer.headers


@pytest.mark.parametrize("method, path, service, scope", OPERATIONS, ids=IDS)
def test_only_a_missing_scope_is_forbidden(client, method, path, service, scope):
    for key in API_KEYS:
        answer = call(client, service, method, path, key)
        if scope and not may(key, scope):
            assert_refused(answer, 403, "missing_scope")
        else:
            assert answer.status in (200, 400, 404, 415), (key, answer)


@pytest.mark.parametrize("method, path, service, scope", OPERATIONS, ids=IDS)
def test_without_a_key_only_the_catalogues_answer(client, method, path, service, scope):
    api = client.api(service, None)
    for key in (None, "", "cf_admin_", "0" * 64, client.info["api_keys"]["admin"] + "0",
                client.info["api_keys"]["admin"][:-1]):
        api.key = key
        answer = api.call(method, address(path), None if method == "GET" else {},
                          {"Idempotency-Key": str(uuid.uuid4())})
        if scope:
            assert_refused(answer, 401, "unauthorized")
            assert "www-authenticate" in answer.headers, answer.headers
        else:
            assert answer.status == 200, answer


def test_every_scope_is_somebodys_and_somebody_lacks_it():
    """Else the matrix above would show one half only."""
    for scope in {row[3] for row in OWN}:
        narrow = [key for key in API_KEYS if "*" not in API_KEYS[key]["scopes"]]
        assert not all(may(key, scope) for key in narrow), scope


@pytest.fixture(scope="module")
def objects(client, people):
    """What the unit and the bank have, by parameter."""
    unit, person, holder = unit_code(), people.resident(), people.resident()
    client.enrol(person, unit_code=unit)
    roster_id, _, _ = send(client, unit, as_text(table(unit, [person])).encode())
    application_id = client.accepted(holder)["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    done = operate(client, holder, "report_temporary_loss").json
    refused = operate(client, holder, "lock", reason="").json
    return {"roster_id": roster_id, "voucher": done["voucher_no"], "notice": refused["notice_no"]}


FOREIGN = [
    ("GET", "/v1/rosters/{roster_id}", "intake", "roster_id", "school"),
    ("GET", "/v1/rosters/{roster_id}/rows", "intake", "roster_id", "school"),
    ("GET", "/v1/rosters/{roster_id}/rows.csv", "intake", "roster_id", "school"),
    ("POST", "/v1/rosters/{roster_id}/collect", "intake", "roster_id", "school"),
    ("GET", "/v1/vouchers/{no}", "production", "voucher", "online"),
    ("GET", "/v1/notices/{no}", "production", "notice", "online"),
]
NOBODYS = {"voucher": "V000000000008", "notice": "N000000000008"}
COLLECT = {"outlet_code": "B01001", "collector": {
    "name": "张伟", "document_type": "resident_id", "document_number": "370202199003070011"}}


@pytest.mark.parametrize("method, path, service, what, key", FOREIGN,
                         ids=[f"{row[0]} {row[1]}" for row in FOREIGN])
def test_what_is_anothers_answers_like_what_is_not_there(client, objects, method, path, service,
                                                         what, key):
    body = COLLECT if method == "POST" else None
    name = path[path.index("{") + 1:path.index("}")]

    def ask(value, who):
        return client.api(service, who).call(method, address(path, **{name: value}), body,
                                             {"Idempotency-Key": str(uuid.uuid4())})

    foreign = ask(objects[what], key)
    unknown = ask(NOBODYS.get(what) or str(uuid.uuid4()), key)
    assert (foreign.status, unknown.status) == (404, 404), (foreign, unknown)
    for answer in (foreign, unknown):  # each request has a trace of its own
        answer.json.pop("trace_id", None)
    assert foreign.json == unknown.json
    owner = ask(objects[what], "unit" if what == "roster_id" else "bank_outlet")
    assert owner.status in (200, 202), owner
