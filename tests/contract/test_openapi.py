"""proto/openapi.yaml by itself, and beside the routes of the programs."""

import json
import re

import openapi_spec_validator
import pytest
from harness.contract import SOURCE, Contract, load, operations
from harness.kafka import ROOT

ROUTE = re.compile(r'"(GET|PUT|POST)",\s*(?:\.pattern\s*=\s*)?"(/v1/[^"]+)"'
                   r'(?:,\s*(?:\.scope\s*=\s*)?("[^"]*"|[A-Z_]+))?')
MACRO = re.compile(r'^#define (\w+) "([^"]+)"', re.M)


def routes():
    """(method, path): services and scopes, out of the sources."""
    found = {}
    for source in sorted((ROOT / "services").glob("*/api*.c")):
        text = source.read_text("utf-8")
        words = {name: value for other in source.parent.glob("*.[ch]")
                 for name, value in MACRO.findall(other.read_text("utf-8"))}
        words.update(MACRO.findall(text))
        for method, path, scope in ROUTE.findall(text):
            scope = scope.strip('"') if scope.startswith('"') else words.get(scope, "")
            entry = found.setdefault((method, path), (set(), set()))
            entry[0].add(source.parent.name)
            entry[1].add(scope)
    return found


@pytest.fixture(scope="module")
def description():
    return load()


def test_it_is_valid_openapi(description):
    openapi_spec_validator.validate(description)


def test_the_routes_of_the_programs_are_those_described(description):
    described = {(method, path): (set(op["x-service"]), {op.get("x-scope", "")})
                 for method, path, op in operations(description)}
    written = {key: value for key, value in routes().items()
               if not key[1].startswith("/v1/internal/")}
    assert len(written) > 20
    assert written == described


def test_every_operation_has_a_name_a_summary_and_its_errors(description):
    names = [op["operationId"] for _, _, op in operations(description)]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in description["tags"]}
    for method, path, op in operations(description):
        assert op["summary"] and set(op["tags"]) <= tags, path
        needs = {"401", "403", "503"} if "x-scope" in op else set()
        if method != "GET":
            needs |= {"400", "413", "415"}
        assert needs <= set(op["responses"]), path


def test_every_example_is_valid(description):
    contract, seen = Contract(), 0
    for _, _, op in operations(description):
        for content in op.get("requestBody", {}).get("content", {}).values():
            if "example" not in content:
                continue
            seen += 1
            assert not list(contract._errors(content["schema"], content["example"], False))
    assert seen > 10


def test_no_personal_data_travels_in_a_path_or_query(description):
    secret = re.compile(r"document|card_no|receipt_no|phone|name")
    for _, path, op in operations(description):
        shared = description["paths"][path].get("parameters", [])
        for parameter in [*shared, *op.get("parameters", [])]:
            while "$ref" in parameter:
                parameter = description["components"]["parameters"][
                    parameter["$ref"].rpartition("/")[2]]
            assert parameter["in"] == "header" or not secret.search(parameter["name"]), path


REASONS = {"reasons": []}
OUTCOME = {"application_id": "416126d7-c2f7-8fd1-a0f0-48a9defca219"}


@pytest.mark.parametrize("status, body, headers", [
    (202, OUTCOME | {"more": 1}, {}),
    (202, {"application_id": "no id"}, {}),
    (202, {}, {}),
    (204, OUTCOME, {}),
    (202, OUTCOME, {"idempotency-replayed": "yes"}),
    (503, {"type": "urn:cardflow:problem:unavailable", "title": "x", "status": 503,
           "code": "unavailable", "trace_id": "0" * 32}, {"content-type": "application/problem+json"}),
    (202, OUTCOME, {"content-type": "text/plain"}),
])
def test_an_answer_that_is_not_described_is_noticed(status, body, headers):
    good = {"content-type": "application/json"}
    sent = {"idempotency-key": "k"}
    told = Contract().check("POST", "/v1/applications", sent, b"{}", status, good | headers,
                            json.dumps(body).encode())
    assert told
    assert not Contract().check("POST", "/v1/applications", sent, b"{}", 202, good,
                                json.dumps(OUTCOME).encode())


def test_a_request_that_is_not_described_is_noticed_when_it_is_taken():
    answer = (202, {"content-type": "application/json"}, json.dumps(OUTCOME).encode())
    assert Contract().check("POST", "/v1/applications", {}, b"{}", *answer)
    assert Contract().check("POST", "/v1/applications", {"idempotency-key": "k"},
                            b'{"name": 5}', *answer)


def test_the_page_of_the_interface_is_up_to_date():
    import api_docs

    assert (ROOT / "docs" / "api.md").read_text("utf-8") == api_docs.page(load()), \
        f"{SOURCE.name} has changed: run ops/lib/api_docs.py"
