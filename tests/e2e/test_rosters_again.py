"""Lists of a unit in every form, sent twice, corrected, and interrupted: what becomes of the rows."""

import csv
import io
import socket
import time
import urllib.parse
import uuid

import feed
import pytest
from harness import xlsx
from harness.program import wait_until

COLUMNS = ["name", "document_type", "document_number", "sex", "birth_date", "phone", "address",
           "unit_code"]
CHINESE = ["姓名", "证件类型", "证件号码", "性别", "出生日期", "手机号", "通讯地址", "单位编号"]
BANK, OUTLET = "B02", "B02001"


def unit_code():
    return f"U3702{uuid.uuid4().int % 10**5:05}"


def meta(unit, **changes):
    papers = {"unit_code": unit, "introduction_letter_no": "JS-2026-00008",
              "agent": {"name": "张伟", "document_type": "resident_id",
                        "document_number": "370202199003070011"},
              "id_copies_held": True}
    return {"unit_code": unit, "bank_code": BANK, "outlet_code": OUTLET, "kind": "first_issue",
            "unit_papers": papers, **changes}


def table(unit, people, header=COLUMNS):
    return [header] + [[person.get(column, unit) for column in COLUMNS] for person in people]


def as_text(rows, delimiter=","):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def as_xlsx(rows):
    out = io.BytesIO()
    xlsx.write(out, rows)
    return out.getvalue()


def send(client, unit, content, wait=60, key=None, **changes):
    """(roster_id, its state when done, its rows)."""
    api = client.api("intake", "unit")
    answer = feed.post_roster(api, meta(unit, **changes), "list", content, key)
    assert answer.status == 202, answer
    roster_id = answer.json["roster_id"]
    state = feed.wait_roster(api, roster_id, wait)
    return roster_id, state, list(feed.roster_rows(api, roster_id))


def counts(state):
    return state["accepted"], state["refused"], state["unchanged"]


@pytest.mark.parametrize("encoding, make", [
    ("utf-16le", lambda rows: b"\xff\xfe" + as_text(rows, "\t").encode("utf-16-le")),
    ("utf-16be", lambda rows: b"\xfe\xff" + as_text(rows, ";").encode("utf-16-be")),
    ("utf-16le", lambda rows: as_text(rows).encode("utf-16-le")),
    ("gbk", lambda rows: as_text(rows, ";").encode("gb18030")),
    ("utf-8", lambda rows: as_text(rows, "\t").encode()),
    ("utf-8 with BOM", lambda rows: b"\xef\xbb\xbfsep=;\r\n" + as_text(rows, ";").encode()),
    ("xlsx", as_xlsx),
])
def test_a_list_in_any_form_gives_the_same_rows(client, people, encoding, make):
    unit, persons = unit_code(), [people.resident() for _ in range(3)]
    client.enrol(*persons, unit_code=unit)
    persons[1]["address"] += ';A座,"东"'
    roster_id, state, rows = send(client, unit, make(table(unit, persons, CHINESE)))
    assert state["encoding"] == encoding
    assert counts(state) == (3, 0, 0), rows
    answer = client.api("intake", "unit").get(f"/v1/rosters/{roster_id}/rows.csv")
    got = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert [row["通讯地址"] for row in got] == [person["address"] for person in persons]
    assert [row["outcome"] for row in got] == ["accepted"] * 3
    assert [row["application_id"] for row in got] == [row["application_id"] for row in rows]


def test_the_same_list_twice_has_no_second_effect(client, people, topics):
    unit, persons = unit_code(), [people.resident() for _ in range(4)]
    client.enrol(*persons, unit_code=unit)
    persons[2]["phone"] = "1990000123"
    persons[3]["document_number"] = persons[3]["document_number"][:17]
    content = as_text(table(unit, persons)).encode()
    _, first, rows = send(client, unit, content)
    assert counts(first) == (2, 2, 0)
    assert [row["reasons"] for row in rows] == [[], [], ["bad_phone"], ["wrong_length"]]
    client.settle()
    keys = {topics.holder_ref(p["document_type"], p["document_number"]) for p in persons[:3]}
    mark = topics.ends("application.events")
    _, second, again = send(client, unit, content)
    assert counts(second) == (0, 2, 2)
    assert [row["outcome"] for row in again] == ["unchanged", "unchanged", "refused", "refused"]
    assert [row["reasons"] for row in again] == [row["reasons"] for row in rows]
    assert [row["application_id"] for row in again[:3]] == \
        [row["application_id"] for row in rows[:3]]
    client.settle()
    assert [e.type for e in topics.read("application.events", mark) if e.key in keys] == []


def test_a_list_that_is_sent_again_after_the_cards_are_there_is_unchanged(client, people):
    unit, person = unit_code(), people.resident()
    client.enrol(person, unit_code=unit)
    content = as_text(table(unit, [person])).encode()
    _, _, rows = send(client, unit, content)
    client.wait_for(rows[0]["application_id"], "collected", timeout=60)
    client.settle()
    _, state, again = send(client, unit, content)
    assert counts(state) == (0, 0, 1), again
    assert again[0]["application_id"] == rows[0]["application_id"]


def test_a_list_of_reissues_has_one_reason_for_all_rows(client, people, topics):
    unit, persons = unit_code(), [people.resident() for _ in range(2)]
    client.enrol(*persons, unit_code=unit)
    content = as_text(table(unit, persons)).encode()
    for wrong in ({}, {"reissue_reason": "boredom"}):
        refused = feed.post_roster(client.api("intake", "unit"),
                                   meta(unit, kind="reissue", **wrong), "list", content)
        assert refused.status == 400, refused
        assert [error["field"] for error in refused.json["errors"]] == ["reissue_reason"]
    mark = topics.ends("application.events")
    _, state, rows = send(client, unit, content, kind="reissue", reissue_reason="mass_exchange")
    assert counts(state) == (2, 0, 0), rows
    reissue = topics.messages.common.APP_KIND_REISSUE
    event, ids = topics.messages.application.ApplicationEvent, [
        uuid.UUID(row["application_id"]).bytes for row in rows]
    told = [event.FromString(r.value) for r in topics.read("application.events", mark)
            if r.type == "application.accepted"]
    assert [(e.kind, e.accepted.reissue_reason) for e in told
            if e.application_id in ids] == [(reissue, "mass_exchange")] * 2
    client.wait_for(rows[0]["application_id"], "collected", timeout=60)


def test_a_corrected_list_with_only_the_bad_rows_puts_them_right(client, people):
    unit, persons = unit_code(), [people.resident() for _ in range(4)]
    client.enrol(*persons, unit_code=unit)
    bad = [dict(person) for person in persons]
    bad[1]["phone"] = "1990000123"
    bad[2]["document_number"] = bad[2]["document_number"][:17]
    bad[3]["address"] = ""
    roster_id, state, rows = send(client, unit, as_text(table(unit, bad)).encode())
    assert counts(state) == (1, 3, 0)
    assert state["by_application_state"]["noticed"] == 2
    second, state, fixed = send(client, unit, as_text(table(unit, persons[1:])).encode())
    assert counts(state) == (3, 0, 0), fixed
    # What was noticed is put right; what was nobody's before becomes an application now.
    assert [row["application_id"] for row in fixed[::2]] == \
        [rows[1]["application_id"], rows[3]["application_id"]]
    assert client.outcome(rows[1]["application_id"])["outcome"] == "accepted"
    api = client.api("intake", "unit")
    before = wait_state(api, roster_id, lambda said: said["by_application_state"]["noticed"] == 0)
    assert counts(before) == (1, 3, 0)
    # From now on it is counted by the list that has put it right.
    assert sum(before["by_application_state"].values()) == 1
    assert sum(api.get(f"/v1/rosters/{second}").json["by_application_state"].values()) == 3
    client.wait_for(rows[1]["application_id"], "collected", timeout=60)


def is_free(url):
    place = urllib.parse.urlsplit(url)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.hostname, place.port))
        except OSError:
            return False
        return True


def wait_state(api, roster_id, fits, seconds=20):
    until = time.monotonic() + seconds
    while True:
        state = api.get(f"/v1/rosters/{roster_id}").json
        if fits(state) or time.monotonic() > until:
            return state
        time.sleep(0.2)


def test_another_units_list_neither_puts_right_nor_shows_the_application(client, people):
    unit, other, person = unit_code(), unit_code(), people.resident()
    client.enrol(person, unit_code=unit)
    noticed = {**person, "phone": "1990000123"}
    _, _, rows = send(client, unit, as_text(table(unit, [noticed])).encode())
    _, state, foreign = send(client, other, as_text(table(other, [person])).encode())
    assert counts(state) == (0, 1, 0)
    assert foreign[0]["reasons"] == ["duplicate_application"]
    assert foreign[0]["application_id"] != rows[0]["application_id"]
    assert client.outcome(rows[0]["application_id"])["outcome"] == "notice"


def test_a_row_that_was_not_enrolled_is_accepted_when_it_is_sent_again_after(client, people):
    unit, person = unit_code(), people.resident()
    client.enrol({**person, "name": "厍错名"}, unit_code=unit)
    content = as_text(table(unit, [person])).encode()
    _, state, rows = send(client, unit, content)
    assert (counts(state), rows[0]["reasons"]) == ((0, 1, 0), ["enrolment_name_mismatch"])
    client.enrol(person, unit_code=unit, revision=2)
    client.settle()
    _, state, again = send(client, unit, content)
    assert counts(state) == (1, 0, 0), again
    assert again[0]["application_id"] == rows[0]["application_id"]


@pytest.mark.parametrize("make", [lambda rows: as_text(rows).encode(), as_xlsx],
                         ids=["csv", "xlsx"])
def test_a_killed_intake_goes_on_in_the_middle_of_a_list(stack, client, people, make):
    unit, persons = unit_code(), [people.resident() for _ in range(1500)]
    client.enrol(*persons, unit_code=unit)
    content = make(table(unit, persons))
    answer = feed.post_roster(client.api("intake", "unit"), meta(unit), "list", content)
    roster_id = answer.json["roster_id"]
    state = wait_state(client.api("intake", "unit"), roster_id,
                       lambda said: said.get("accepted", 0) > 0)
    intake = stack.service("intake")
    addresses = [intake.http, intake.operator]
    intake.kill()
    # Its other threads may hold the sockets for a moment after the first is gone.
    wait_until("the ports are free", 10, lambda: all(map(is_free, addresses)))
    intake.start()
    assert 0 < state["accepted"] < 1500 and state["records"] is None, "killed too late to tell"
    state = feed.wait_roster(client.api("intake", "unit"), roster_id, 90)
    assert (state["records"], *counts(state)) == (1500, 1500, 0, 0)
    rows = list(feed.roster_rows(client.api("intake", "unit"), roster_id))
    assert [row["row_no"] for row in rows] == list(range(1, 1501))
    assert len({row["application_id"] for row in rows}) == 1500


def test_workbooks_that_cannot_be_read_are_told_at_once(client, people):
    api, unit = client.api("intake", "unit"), unit_code()
    good = as_xlsx(table(unit, [people.resident()]))
    half, old = good[:len(good) // 2], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    for content in (half, old, as_xlsx([["name", "phone"], ["x", "y"]]), as_xlsx([])):
        answer = feed.post_roster(api, meta(unit), "list.xlsx", content)
        assert (answer.status, answer.json["code"]) == (400, "unreadable_roster"), answer
        error = answer.json["errors"][0]
        assert error["field"] == "file" and error["rule"] and error["cure"]
