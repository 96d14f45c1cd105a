"""Outcomes, vouchers and one-time notices: every place that shows one tells the same."""

import uuid

import pytest
from harness.program import wait_until

NOT_SHARED = {"as_of", "source"}  # of inquiry: how fresh its answer is


@pytest.fixture(scope="module")
def card(client, people):
    """(person, its application's first answer, its last outcome) of an activated card."""
    person = people.resident()
    first = client.accepted(person)
    last = client.wait_for(first["application_id"], "collected", "已激活")
    return person, first, last


def shape(value):
    """The names in an object and in the objects within."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value and isinstance(value[0], dict) else "list"
    return "value"


def operate(client, person, operation, key="bank_outlet", **fields):
    return client.api("production", key).post("/v1/card-operations", {
        "operation": operation, "holder": client.document(person), "channel": "bank_outlet",
        "actor": client.holder(person), "operator": client.operator(), **fields}, wait=10)


def codes(answer):
    return [(reason["code"], reason["field"]) for reason in answer.json["reasons"]]


def test_intake_and_inquiry_give_the_outcome_in_one_shape(card):
    _, first, last = card
    assert shape(first) == shape({k: v for k, v in last.items() if k not in NOT_SHARED})
    for part in ("receipt_no", "pickup_outlet", "phones"):
        assert first["receipt"][part] == last["receipt"][part]
    outlet = last["receipt"]["pickup_outlet"]
    assert (outlet["bank_code"], outlet["outlet_code"]) == ("B01", "B01001")
    assert outlet["bank_name"] and outlet["outlet_name"]
    assert first["deadline"] == last["deadline"]
    assert first["timeline"] == last["timeline"][:len(first["timeline"])]


def test_the_receipt_tells_the_promised_day_while_the_application_is_open(client, people, bank):
    bank.behave(hold_after="arrived")
    first = client.accepted(people.foreigner())
    client.wait_for(first["application_id"], "photo_missing")
    assert first["receipt"]["promised_date"] is None
    client.put_photo(first["application_id"])
    shown = client.wait_for(first["application_id"], "ready_for_pickup")
    promised = shown["receipt"]["promised_date"]
    assert promised and promised <= shown["deadline"]["due_on"]
    path = f"/v1/applications/{first['application_id']}/receipt"
    intake = client.api("intake", "bank_outlet")
    wait_until("intake has heard of it, too", 15, lambda: intake.get(
        path).json["receipt"]["promised_date"] == promised, 0.1)


def test_a_notice_has_one_shape_too_and_is_found_by_its_number(client, people):
    person = people.resident()
    client.enrol(person)
    first = client.apply({**person, "address": ""}).json
    assert first["outcome"] == "notice", first
    last = client.wait_for(first["application_id"], "noticed")
    assert first == {k: v for k, v in last.items() if k not in NOT_SHARED}
    found = client.api("intake", "bank_outlet").get(f"/v1/notices/{first['notice_no']}")
    assert found.status == 200 and found.json["reasons"] == first["reasons"], found
    for key, number in (("school", first["notice_no"]), ("bank_outlet", "N000000000000")):
        assert client.api("intake", key).get(f"/v1/notices/{number}").status == 404


def test_intake_shows_what_became_of_an_application(client, card):
    person, first, _ = card
    path = f"/v1/applications/{first['application_id']}"
    intake = client.api("intake", "bank_outlet")
    actor = {"role": "holder", "name": person["name"], **client.document(person)}

    def is_activated():
        return intake.get(path + "/receipt").json["label"]["zh"] == "已激活"

    wait_until("intake has heard of the activation", 15, is_activated, 0.1)
    shown = [intake.get(path + "/receipt").json,
             intake.post(path + "/supplements", {"phone": "13900000000"}, wait=10).json,
             intake.post(path + "/withdrawal", {"actor": actor, "reason": "late"}, wait=10).json]
    for outcome in shown:
        assert outcome["application_id"] == first["application_id"]
        assert (outcome["state"], outcome["label"]["zh"]) == ("collected", "已激活"), outcome
        assert [step["state"] for step in outcome["timeline"]] == [
            "received", "accepted", "collected", "activated"]
    assert [outcome["refused_because"] for outcome in shown[1:]] == ["illegal_in_state"] * 2


def test_a_voucher_is_shown_and_signed_once(client, card):
    person, _, _ = card
    done = operate(client, person, "set_password", password={"kind": "social_security"})
    assert done.status == 200 and done.json["result"] == "done", done
    path = f"/v1/vouchers/{done.json['voucher_no']}"
    outlet = client.api("production", "bank_outlet")
    shown = outlet.get(path)
    assert shown.status == 200 and shown.json["operation"] == "set_password", shown
    assert shown.json["signature"] is None and "****" in shown.json["card_no"]
    assert client.api("production", "online").get(path).status == 404
    who = {"role": "holder", "name": person["name"], **client.document(person)}
    signed = {"who": who, "when": "2026-03-02T10:00:00+08:00", "method": "signature_pad"}
    key = str(uuid.uuid4())
    assert outlet.post(path + "/signature", signed, key=key).status == 202
    wait_until("the signature is shown", 15, lambda: outlet.get(path).json["signature"], 0.1)
    again = outlet.post(path + "/signature", signed, key=key)
    assert again.headers.get("idempotency-replayed") == "true", again
    other = outlet.post(path + "/signature", {**signed, "method": "seal"}, key=key)
    assert (other.status, other.json["code"]) == (422, "request_id_conflict"), other
    assert other.json["errors"][0]["field"] == "Idempotency-Key", other
    assert outlet.get(path).json["signature"] == {
        "role": "holder", "method": "signature_pad", "signed_at": "2026-03-02T10:00:00+08:00"}
    wrong = outlet.post(path + "/signature", {"who": who, "method": "telepathy"})
    assert wrong.status == 400 and wrong.json["errors"][0]["field"] == "method", wrong


def test_a_refused_operation_names_the_field_and_leaves_a_notice(client, card):
    person, _, _ = card
    nonsense = operate(client, person, "nonsense")
    assert codes(nonsense) == [("unknown_operation", "operation")], nonsense
    password = operate(client, person, "set_password", password={"kind": "nonsense"})
    assert codes(password) == [("unknown_password_kind", "password")], password
    notice = client.api("production", "bank_outlet").get(f"/v1/notices/{nonsense.json['notice_no']}")
    assert notice.status == 200 and notice.json["result"] == "refused", notice
    assert [reason["code"] for reason in notice.json["reasons"]] == ["unknown_operation"]
