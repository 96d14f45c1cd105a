"""Applications, receipts, notices and lists are deleted application_days (5475) after their end."""

import psycopg
import pytest
from harness.program import wait_until
from harness.walks import withdraw
from test_roster_collect import collect, in_state
from test_rosters_again import as_text, send, table, unit_code

DAY_MS = 86_400_000
PAST, SHORT = 5476, 5474


@pytest.fixture
def tables(stack):
    with psycopg.connect(stack.info()["postgres"]["intake"], autocommit=True) as link:
        yield link


def count(tables, table, column, value):
    return tables.execute(f"select count(*) from {table} where {column} = %s",
                          (value,)).fetchone()[0]


def make_older(tables, application_id, days):
    """The application and its end happened so many days earlier."""
    changed = tables.execute(
        "update application set submitted_at = submitted_at - %(ms)s, judged_at = judged_at - %(ms)s "
        "where id = %(id)s", {"id": application_id, "ms": days * DAY_MS}).rowcount
    tables.execute(
        "update application_end set at = at - %(ms)s, "
        "activated_at = greatest(activated_at - %(ms)s, 0) where id = %(id)s",
        {"id": application_id, "ms": days * DAY_MS})
    assert changed == 1


def receipt(client, application_id):
    return client.api("intake", "bank_outlet").get(f"/v1/applications/{application_id}/receipt")


def ended(client, person):
    """An application that ends with an activated card."""
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    return application_id


def test_what_ended_long_ago_goes_and_a_day_earlier_not(client, people, tables):
    gone, kept = (ended(client, people.resident()) for _ in range(2))
    client.settle()
    make_older(tables, gone, PAST)
    make_older(tables, kept, SHORT)
    wait_until("the old one is gone", 15, lambda: receipt(client, gone).status == 404, 0.2)
    assert count(tables, "application_end", "id", gone) == 0
    assert receipt(client, kept).status == 200
    assert count(tables, "application_end", "id", kept) == 1


def test_a_notice_goes_with_its_rejected_application(client, people, tables):
    """A withdrawn one's command goes, too; one that still waits for an answer does not."""
    loser, caller, leaver = (people.resident() for _ in range(3))
    client.enrol(loser, caller, leaver)
    refused = client.apply(loser, kind="loss_replacement").json
    noticed = client.apply(caller, phone="1").json
    withdrawn = client.apply(leaver, phone="1").json["application_id"]
    assert (refused["outcome"], noticed["outcome"]) == ("rejected", "notice")
    assert withdraw(client, leaver, withdrawn).status == 200
    assert count(tables, "command", "application_id", withdrawn) == 1
    for answered in (refused["application_id"], noticed["application_id"], withdrawn):
        make_older(tables, answered, PAST)
    papers = client.api("intake", "bank_outlet")
    wait_until("the rejected one is gone", 15, lambda: papers.get(
        "/v1/notices/" + refused["notice_no"]).status == 404, 0.2)
    wait_until("the withdrawn one is gone", 15, lambda: count(
        tables, "application", "id", withdrawn) == 0, 0.2)
    assert count(tables, "command", "application_id", withdrawn) == 0
    assert papers.get("/v1/notices/" + noticed["notice_no"]).status == 200


def test_an_application_stays_while_its_card_may_be_activated(client, people, tables):
    """The holder's row still names it as the one that made the card."""
    person = people.resident()
    application_id = ended(client, person)
    client.settle()
    tables.execute("update holder set made_app = %s where key = (select holder from application "
                   "where id = %s)", (application_id, application_id))
    other = ended(client, people.resident())
    client.settle()
    make_older(tables, application_id, PAST)
    make_older(tables, other, PAST)
    wait_until("the other is gone", 15, lambda: receipt(client, other).status == 404, 0.2)
    assert receipt(client, application_id).status == 200
    tables.execute("update holder set made_app = null where made_app = %s", (application_id,))
    wait_until("then it goes", 15, lambda: receipt(client, application_id).status == 404, 0.2)


def a_ready_list(client, people):
    """A list of three whose cards lie at the outlet."""
    unit, persons = unit_code(), [people.resident() for _ in range(3)]
    client.enrol(*persons, unit_code=unit)
    roster_id, _, _ = send(client, unit, as_text(table(unit, persons)).encode())
    in_state(client, roster_id, "ready_for_pickup", 1, 2, 3)
    return roster_id


def test_a_list_goes_with_file_rows_and_collections(client, people, bank, tables):
    bank.behave(hold_after="arrived")
    open_list, done = (a_ready_list(client, people) for _ in range(2))
    answer = collect(client, done)
    assert (answer.status, answer.json["to_collect"]) == (202, 3), answer
    unit = client.api("intake", "unit")
    wait_until("all are collected", 30, lambda: unit.get(
        f"/v1/rosters/{done}").json["by_application_state"]["ended"] == 3, 0.2)
    for roster_id in (done, open_list):
        assert count(tables, "roster_row", "roster_id", roster_id) == 3
        assert count(tables, "roster_file", "roster_id", roster_id) == 1
        assert tables.execute("update roster set opened_at = opened_at - %s where key = %s",
                              (PAST * DAY_MS, f"roster:{roster_id}".encode())).rowcount == 1
    wait_until("the list is gone", 15, lambda: unit.get(f"/v1/rosters/{done}").status == 404, 0.2)
    for table in ("roster_row", "roster_file", "collection"):
        assert count(tables, table, "roster_id", done) == 0, table
    assert unit.get(f"/v1/rosters/{open_list}").status == 200
    assert count(tables, "roster_row", "roster_id", open_list) == 3
