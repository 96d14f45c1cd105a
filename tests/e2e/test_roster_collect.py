"""The agent of a unit's list takes its cards: those that are ready, at their outlet, once."""

import datetime
import time
import uuid

import pytest
from harness.notices import notifications
from harness.program import wait_until
from harness.walks import bank_says, operate, states
from test_rosters_again import OUTLET, as_text, counts, send, table, unit_code

import feed

AGENT = {"name": "张伟", "document_type": "resident_id", "document_number": "370202199003070011"}
READY = ["accepted", "photo_ready", "batched", "account_opened", "produced", "shipped",
         "ready_for_pickup"]


def collect(client, roster_id, key=None, who="unit", outlet=OUTLET, **fields):
    return client.api("intake", who).post(f"/v1/rosters/{roster_id}/collect", {
        "outlet_code": outlet, "collector": AGENT, **fields}, key=key)


def left(answer):
    """{reason: (count, rows)} of those that are not collected."""
    return {entry["reason"]: (entry["count"], entry["rows"])
            for entry in answer.json["not_collected"]}


def collection(client, roster_id, collection_id, who="unit"):
    return client.api("intake", who).get(f"/v1/rosters/{roster_id}/collections/{collection_id}")


def worked_off(client, roster_id, asked):
    """What is told of a collection once production is asked for all of it."""
    seen = []

    def done():
        seen[:] = [collection(client, roster_id, asked.json["collection_id"])]
        return seen[0].status == 200 and seen[0].json["state"] == "done"

    wait_until("the collection is worked off", 15, done, 0.1)
    return seen[0]


def steps(client, application_id):
    """Without the first: whether it had to wait for its enrolment."""
    return [state for state in states(client, application_id) if state != "received"]


def rows_of(client, roster_id):
    return {row["row_no"]: row
            for row in feed.roster_rows(client.api("intake", "unit"), roster_id)}


def in_state(client, roster_id, state, *rows):
    wait_until(f"{state} {rows}", 60, lambda: all(
        row["application_state"] == state for no, row in rows_of(client, roster_id).items()
        if no in rows), 0.2)


@pytest.fixture
def listed(client, people, bank):
    """A list of three whose cards lie at the outlet, and of one who has to put something right."""
    bank.behave(hold_after="arrived")
    unit, persons = unit_code(), [people.resident() for _ in range(4)]
    client.enrol(*persons, unit_code=unit)
    persons[3]["phone"] = "1990000123"
    roster_id, state, _ = send(client, unit, as_text(table(unit, persons)).encode())
    assert counts(state) == (3, 1, 0)
    in_state(client, roster_id, "ready_for_pickup", 1, 2, 3)
    return roster_id, persons


def test_named_rows_first_and_the_rest_of_the_list_then(client, listed, topics):
    roster_id, persons = listed
    rows, key = rows_of(client, roster_id), str(uuid.uuid4())
    apps = {no: row["application_id"] for no, row in rows.items()}
    answer = collect(client, roster_id, key, rows=[1, 4, 9])
    assert (answer.status, answer.json["to_collect"]) == (202, 1), answer
    assert left(answer) == {"not_ready_for_pickup": (1, [4]), "unknown_row": (1, [9])}
    client.wait_for(apps[1], "collected", "领卡未激活")
    assert steps(client, apps[1]) == [*READY, "collected"]
    in_state(client, roster_id, "collected", 1)
    assert rows_of(client, roster_id)[1]["notices"] == []

    shown = worked_off(client, roster_id, answer)
    assert (shown.json["roster_id"], shown.json["outlet_code"]) == (roster_id, OUTLET), shown
    assert (shown.json["to_collect"], left(shown)) == (0, {
        "already_collected": (1, [1]), "not_ready_for_pickup": (1, [4]), "unknown_row": (1, [9])})
    asked_at = datetime.datetime.fromisoformat(shown.json["requested_at"])
    assert abs(time.time() - asked_at.timestamp()) < 60, shown

    again = collect(client, roster_id, key, rows=[1, 4, 9])
    assert again.status == 202 and again.headers["idempotency-replayed"] == "true", again
    assert again.json["collection_id"] == answer.json["collection_id"]
    assert collect(client, roster_id, key, rows=[1, 2]).json["code"] == "request_id_conflict"

    rest = collect(client, roster_id)
    assert rest.json["to_collect"] == 2, rest
    assert left(rest) == {"already_collected": (1, []), "not_ready_for_pickup": (1, [])}
    in_state(client, roster_id, "collected", 1, 2, 3)
    shown = worked_off(client, roster_id, rest)
    assert (shown.json["to_collect"], left(shown)) == (0, {
        "already_collected": (3, []), "not_ready_for_pickup": (1, [])}), shown
    client.settle()
    last = collect(client, roster_id)
    assert last.json["to_collect"] == 0 and left(last)["already_collected"] == (3, []), last
    client.settle()
    for no in (1, 2, 3):
        assert steps(client, apps[no]) == [*READY, "collected"]
    assert client.outcome(apps[4])["state"] == "noticed"
    shown = client.api("intake", "unit").get(f"/v1/rosters/{roster_id}").json
    assert shown["by_application_state"]["ended"] == 3, shown

    # As any card that was handed over: told once, the bank's own word changes nothing, activated.
    bank_says(client, persons[0], apps[1], "collected", bank="B02")
    client.settle()
    wait_until("told of the collection", 30,
               lambda: "collected" in notifications(topics, persons[0]), 0.3)
    assert len(notifications(topics, persons[0])["collected"]) == 1
    assert operate(client, persons[0], "activate",
                   operator=client.operator("B02")).json["result"] == "done"
    client.wait_for(apps[1], "collected", "已激活")


def test_each_card_has_a_voucher_of_the_lists_channel(client, listed):
    roster_id, _ = listed
    collect(client, roster_id, rows=[2])
    in_state(client, roster_id, "collected", 2)
    api = client.api("production", "unit")

    def unsigned():
        return [v for v in api.get("/v1/vouchers?signed=false&limit=500").json["vouchers"]
                if v["operation"] == "collect"]

    wait_until("the voucher", 15, unsigned, 0.1)
    entry = unsigned()[-1]
    assert (entry["channel"], entry["outlet_code"]) == ("unit", OUTLET), entry
    shown = api.get(f"/v1/vouchers/{entry['voucher_no']}")
    assert (shown.json["operation"], shown.json["result"]) == ("collect", "done"), shown
    assert shown.json["card_state"] == "sealed", shown


def test_at_another_outlet_nothing_is_handed_over(client, listed):
    roster_id, _ = listed
    answer = collect(client, roster_id, outlet="B02002")
    assert answer.json["to_collect"] == 3, answer
    wait_until("the refusals", 30, lambda: all(
        rows_of(client, roster_id)[no]["notices"] == ["other_outlet"] for no in (1, 2, 3)), 0.2)
    client.settle()
    assert {rows_of(client, roster_id)[no]["application_state"] for no in (1, 2, 3)} == \
        {"ready_for_pickup"}


def test_a_key_that_was_used_collects_nothing_that_became_ready_later(client, people, bank):
    bank.behave(hold_after="shipped")
    unit, person, key = unit_code(), people.resident(), str(uuid.uuid4())
    client.enrol(person, unit_code=unit)
    roster_id, _, rows = send(client, unit, as_text(table(unit, [person])).encode())
    client.wait_for(rows[0]["application_id"], "shipped", timeout=60)
    early = collect(client, roster_id, key)
    assert (early.json["to_collect"], left(early)) == (0, {"not_ready_for_pickup": (1, [])})
    client.settle()
    bank.behave(hold_after="arrived")
    bank_says(client, person, rows[0]["application_id"], "arrived", bank="B02")
    in_state(client, roster_id, "ready_for_pickup", 1)
    assert collect(client, roster_id, key).status == 202
    client.settle()
    assert client.outcome(rows[0]["application_id"])["state"] == "ready_for_pickup"
    collect(client, roster_id)
    client.wait_for(rows[0]["application_id"], "collected")


def test_a_list_of_somebody_else_is_not_there(client, listed):
    roster_id, _ = listed
    for roster, who in ((roster_id, "school"), (uuid.uuid4(), "unit")):
        answer = collect(client, roster, who=who)
        assert (answer.status, answer.json["code"]) == (404, "not_yet_known"), answer
    assert collect(client, roster_id, who="bank_outlet").status == 403
    mine, other = collect(client, roster_id, rows=[4]), uuid.uuid4()
    worked_off(client, roster_id, mine)
    for roster, one, who in ((roster_id, mine.json["collection_id"], "school"),
                             (other, mine.json["collection_id"], "unit"),
                             (roster_id, other, "unit")):
        answer = collection(client, roster, one, who)
        assert (answer.status, answer.json["code"]) == (404, "not_yet_known"), answer
    assert collection(client, roster_id, "1").status == 404
    assert {row["application_state"] for row in rows_of(client, roster_id).values()} == \
        {"ready_for_pickup", "noticed"}


@pytest.mark.parametrize("field, changes", [
    ("collector.document_number",
     {"collector": {**AGENT, "document_number": "370202199003070012"}}),
    ("collector", {"collector": None}),
    ("outlet_code", {"outlet_code": ""}),
    ("rows", {"rows": []}), ("rows", {"rows": [0]}), ("rows", {"rows": ["1"]}),
    ("rows", {"rows": list(range(1, 1002))}),
])
def test_what_cannot_be_read_is_told_by_field(client, people, field, changes):
    unit, person = unit_code(), people.resident()
    client.enrol(person, unit_code=unit)
    roster_id, _, _ = send(client, unit, as_text(table(unit, [person])).encode())
    body = {"outlet_code": OUTLET, "collector": AGENT, **changes}
    answer = client.api("intake", "unit").post(f"/v1/rosters/{roster_id}/collect", body)
    assert answer.status == 400, answer
    assert [error["field"] for error in answer.json["errors"]] == [field], answer
