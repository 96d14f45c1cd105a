"""Work orders of 12345: taken, routed, answered, extended, returned, reopened and closed."""

import datetime
import uuid

import pytest
from harness import workdays
from harness.notices import notifications, received_sms
from harness.program import wait_until

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


@pytest.fixture(scope="module", autouse=True)
def built(client):
    if "complaint-handling" not in client.info["http"]:
        pytest.skip("complaint-handling is not built")


class Hotline:
    def __init__(self, client):
        self.client = client
        self.api = client.api("complaint-handling", "hotline_12345")

    def open(self, order_no=None, key=None, **fields):
        body = {"source_system": "qd12345", "order_no": order_no or f"GD-{uuid.uuid4().hex[:12]}",
                "kind": "complaint", "anonymous": False, "text": "柜台说卡丢了。",
                "dispatched_at": datetime.datetime.now(SHANGHAI).isoformat(timespec="seconds"),
                **fields}
        answer = self.api.post("/v1/work-orders", body, key=key, wait=10)
        assert answer.status == 200, answer
        return answer.json["work_order_id"], body

    def get(self, order_id):
        answer = self.api.get(f"/v1/work-orders/{order_id}")
        assert answer.status == 200, answer
        return answer.json

    def wait_state(self, order_id, state):
        wait_until(f"the order is {state}", 20, lambda: self.get(order_id)["state"] == state, 0.1)
        return self.get(order_id)

    def act(self, order_id, action, **fields):
        """(result, state or the reasons of a refusal)"""
        answer = self.api.post(f"/v1/work-orders/{order_id}/actions", {"action": action, **fields},
                               wait=10)
        assert answer.status == 200, answer
        result = answer.json["result"]
        return result, answer.json["reasons" if result == "refused" else "state"]


@pytest.fixture(scope="module")
def hotline(client):
    return Hotline(client)


def due_after(at, days):
    return workdays.count(datetime.datetime.fromisoformat(at).astimezone(SHANGHAI).date(),
                          days)[0].isoformat()


def holder_of(client, person):
    return {**client.document(person), "name": person["name"], "phone": person["phone"]}


def test_an_order_is_taken_routed_accepted_replied_and_closed(stack, client, hotline, people,
                                                              topics):
    person = people.resident()
    client.wait_for(client.accepted(person)["application_id"], "collected", "已激活")
    order_id, body = hotline.open(holder=holder_of(client, person))
    order = hotline.wait_state(order_id, "routed")
    assert order["owner"], "work without an owner goes to a default owner"
    assert (order["order_no"], order["kind"]) == (body["order_no"], "complaint")
    assert order["text"] == body["text"]
    assert order["due_on"] == due_after(body["dispatched_at"], 5)
    _, counted, _ = workdays.count(datetime.datetime.fromisoformat(
        body["dispatched_at"]).date(), 5)
    assert order["deadline"]["counted"] == [day.isoformat() for day in counted]
    number = person["document_number"]
    assert order["reporter"]["document_number"] == f"{number[:4]}**********{number[-4:]}"
    assert hotline.act(order_id, "accept") == ("done", "in_progress")
    assert hotline.act(order_id, "reply", text="卡已找到，可到网点领取。") == ("done", "replied")
    assert hotline.get(order_id)["reply"] == "卡已找到，可到网点领取。"
    assert hotline.act(order_id, "revisit", satisfied=True) == ("done", "closed")
    closed = hotline.get(order_id)
    assert [step["action"] for step in closed["timeline"] if step["action"] in (
        "accept", "reply", "revisit")] == ["accept", "reply", "revisit"]
    wait_until("the holder's status shows it closed", 15, lambda: [
        (order["order_no"], order["state"]) for order in client.status(
            document=client.document(person))["work_orders"]] == [(body["order_no"], "closed")],
        0.1)
    wait_until("the SMS of the reply", 20,
               lambda: "order_replied" in notifications(topics, person), 0.3)
    told = notifications(topics, person)["order_replied"]
    assert len(told) == 1 and received_sms(stack, person["phone"]).count(told[0]) == 1


def events(topics, order_id):
    event = topics.messages.complaint.ComplaintEvent
    return [said for r in topics.read("complaint.events")
            if (said := event.FromString(r.value)).order_id == uuid.UUID(order_id).bytes]


def test_an_order_sent_again_is_the_same_order(client, hotline, people, topics):
    person = people.resident()
    order_id, body = hotline.open(holder=holder_of(client, person))
    hotline.wait_state(order_id, "routed")
    again, _ = hotline.open(body["order_no"], holder=holder_of(client, person),
                            dispatched_at=body["dispatched_at"])
    assert again == order_id
    other, _ = hotline.open(body["order_no"], source_system="jn12345")
    assert other != order_id
    opened = [e for e in events(topics, order_id) if e.action == "open" and e.result == "done"]
    assert len(opened) == 1
    assert hotline.get(order_id)["due_on"] == due_after(body["dispatched_at"], 5)


def test_a_question_about_progress_is_answered_without_a_person(client, hotline, people):
    person = people.resident()
    client.wait_for(client.accepted(person)["application_id"], "collected", "已激活")
    wanted = client.status(document=client.document(person))["sentence"]["zh"]
    order_id, _ = hotline.open(kind="consultation", text="请问我的社保卡办到哪一步了？",
                               holder=holder_of(client, person))
    order = hotline.wait_state(order_id, "replied")
    assert order["reply"] == wanted
    assert "in_progress" not in {step["state"] for step in order["timeline"]}


def test_another_question_goes_to_a_person(client, hotline, people):
    order_id, _ = hotline.open(kind="consultation", text="换银行要带哪些材料？",
                               holder=holder_of(client, people.resident()))
    assert hotline.wait_state(order_id, "routed")["reply"] is None


def test_an_anonymous_report_names_nobody(client, hotline, people, topics):
    person = people.resident()
    mark = topics.ends("complaint.holder-events")
    sent = topics.ends("complaint.commands")
    order_id, body = hotline.open(kind="report", anonymous=True, text="某网点收取工本费。",
                               holder=holder_of(client, person))
    order = hotline.wait_state(order_id, "routed")
    assert order["anonymous"] is True and order["reporter"] is None
    assert {e.holder_ref for e in events(topics, order_id)} == {b""}
    command = topics.messages.complaint.ComplaintCommand
    opened = [c.open for r in topics.read("complaint.commands", sent)
              if (c := command.FromString(r.value)).order_no == body["order_no"]]
    # Not even sealed.
    assert [(o.holder_ref, o.reporter) for o in opened] == [(b"", b"")]
    ref = topics.holder_ref(person["document_type"], person["document_number"])
    assert ref not in {r.key for r in topics.read("complaint.holder-events", mark)}
    assert client.status(document=client.document(person))["work_orders"] == []


def test_an_order_is_extended_once_with_a_reason_and_by_at_most_ten_days(hotline):
    order_id, body = hotline.open()
    hotline.wait_state(order_id, "routed")
    assert hotline.act(order_id, "extend", days=5)[0] == "refused"
    assert hotline.act(order_id, "extend", days=11, reason="awaiting_bank")[0] == "refused"
    assert hotline.get(order_id)["due_on"] == due_after(body["dispatched_at"], 5)
    assert hotline.act(order_id, "extend", days=10, reason="awaiting_bank")[0] == "done"
    assert hotline.get(order_id)["due_on"] == due_after(body["dispatched_at"], 15)
    assert hotline.act(order_id, "extend", days=1, reason="once_more")[0] == "refused"
    assert hotline.get(order_id)["due_on"] == due_after(body["dispatched_at"], 15)


def test_what_was_routed_wrongly_is_returned_and_routed_again(hotline):
    order_id, _ = hotline.open()
    hotline.wait_state(order_id, "routed")
    assert hotline.act(order_id, "return", reason="not_ours") == ("done", "returned")
    assert hotline.act(order_id, "route", owner="desk-b") == ("done", "routed")
    assert hotline.get(order_id)["owner"] == "desk-b"


def test_who_is_not_satisfied_reopens_once(hotline):
    order_id, body = hotline.open()
    hotline.wait_state(order_id, "routed")
    for round_ in range(2):
        assert hotline.act(order_id, "accept") == ("done", "in_progress")
        assert hotline.act(order_id, "reply", text="已处理。") == ("done", "replied")
        result, state = hotline.act(order_id, "reopen")
        assert (result, state) == (("done", "reopened") if round_ == 0 else
                                   ("refused", state))
    assert hotline.get(order_id)["state"] == "replied"
    assert hotline.act(order_id, "revisit", satisfied=True) == ("done", "closed")
    assert hotline.get(order_id)["due_on"] == due_after(body["dispatched_at"], 5)


def test_an_action_that_the_state_does_not_allow_is_refused_and_repeated_ones_are_already_done(
        hotline):
    order_id, _ = hotline.open()
    hotline.wait_state(order_id, "routed")
    assert hotline.act(order_id, "reply", text="太早。") == ("refused", ["illegal_in_state"])
    assert hotline.act(order_id, "revisit", satisfied=True)[0] == "refused"
    assert hotline.act(order_id, "accept") == ("done", "in_progress")
    assert hotline.act(order_id, "accept")[0] == "already"
    assert hotline.act(order_id, "withdraw") == ("done", "withdrawn")
    assert hotline.act(order_id, "accept")[0] == "refused"


def test_an_unknown_order_is_404_and_an_unknown_action_400(hotline):
    unknown = uuid.uuid4()
    assert hotline.api.get(f"/v1/work-orders/{unknown}").json["code"] == "not_yet_known"
    answer = hotline.api.post(f"/v1/work-orders/{unknown}/actions", {"action": "accept"}, wait=5)
    assert (answer.status, answer.json["code"]) == (404, "not_yet_known"), answer
    order_id, _ = hotline.open()
    answer = hotline.api.post(f"/v1/work-orders/{order_id}/actions", {"action": "forget"})
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "action"), answer
    refused = hotline.api.post("/v1/work-orders", {"order_no": 7, "kind": "wish"})
    assert refused.status == 400
    assert {error["field"] for error in refused.json["errors"]} >= {
        "order_no", "kind", "source_system", "dispatched_at"}
