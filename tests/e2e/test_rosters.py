"""Rosters over HTTP: every row is accepted or refused with the reasons of tests/data/rosters."""

import csv
import io
import uuid

import feed
import pytest
from harness.kafka import ROOT

ROSTERS = ROOT / "tests" / "data" / "rosters"
LARGE = "02_large_5000.csv"
FILES = ["01_normal_30.csv", LARGE, "03_gbk.csv", "04_utf8_bom.csv", "05_crlf.csv",
         "06_quoted_commas.csv", "07_duplicates.csv", "08_header_order.csv",
         "09_chinese_header.csv", "10_empty_lines.csv", "11_bad_rows_20pct.csv",
         "12_excel_damage.csv", "13_plain.xlsx", "14_typed_cells.xlsx"]
BANK, OUTLET = "B02", "B02001"


def summary(name):
    with open(ROSTERS / "expected_summary.csv", encoding="utf-8", newline="") as file:
        return next(row for row in csv.DictReader(file) if row["roster_file"] == name)


def meta(name):
    return {"unit_code": summary(name)["unit_code"], "bank_code": BANK, "outlet_code": OUTLET,
            "kind": "first_issue",
            "unit_papers": {"unit_code": summary(name)["unit_code"],
                            "introduction_letter_no": "JS-2026-00007",
                            "agent": {"name": "张伟", "document_type": "resident_id",
                                      "document_number": "370202199003070011"},
                            "id_copies_held": True}}


def upload(client, name, key=None, **changes):
    api = client.api("intake", "unit")
    return feed.post_roster(api, {**meta(name), **changes}, name, (ROSTERS / name).read_bytes(),
                            key)


def wait_done(client, roster_id, seconds=60):
    return feed.wait_roster(client.api("intake", "unit"), roster_id, seconds)


def rows_of(client, roster_id):
    return list(feed.roster_rows(client.api("intake", "unit"), roster_id))


def as_person(want):
    return {key: want[key] for key in ("document_type", "document_number", "name", "sex",
                                       "birth_date")}


@pytest.fixture(scope="module")
def uploaded(client):
    """upload(name) once a module: (key, roster_id, state, rows)."""
    done = {}

    def once(name):
        if name not in done:
            client.enrol(*(as_person(want) for want in feed.expected_rows(name)
                           if want["accepted"] == "1"), unit_code=summary(name)["unit_code"])
            key = str(uuid.uuid4())
            answer = upload(client, name, key)
            assert answer.status == 202, answer
            roster_id = answer.json["roster_id"]
            state = wait_done(client, roster_id, 150 if name == LARGE else 60)
            done[name] = key, roster_id, state, rows_of(client, roster_id)
        return done[name]
    return once


@pytest.mark.parametrize("name", FILES)
def test_a_roster_gives_exactly_its_expected_rows(uploaded, name):
    _, _, state, rows = uploaded(name)
    said = summary(name)
    assert (state["records"], state["accepted"], state["refused"], state["unchanged"]) == \
        (int(said["records"]), int(said["accepted"]), int(said["refused"]), 0)
    assert state["encoding"] == said["encoding"]
    assert [row["row_no"] for row in rows] == list(range(1, int(said["records"]) + 1))
    wrong = [f"row {want['row_no']}: {problem}"
             for row, want in zip(rows, feed.expected_rows(name), strict=True)
             if (problem := feed.compare_row(row, want))]
    assert wrong == []


def test_a_second_upload_with_the_same_key_makes_nothing_new(client, uploaded):
    key, roster_id, state, rows = uploaded("11_bad_rows_20pct.csv")
    answer = upload(client, "11_bad_rows_20pct.csv", key)
    assert answer.status in (200, 202), answer
    assert answer.headers.get("idempotency-replayed") == "true"
    assert answer.json["roster_id"] == roster_id
    assert wait_done(client, roster_id)["accepted"] == state["accepted"]
    assert [(r["row_no"], r["outcome"], r["application_id"]) for r in rows_of(client, roster_id)] \
        == [(r["row_no"], r["outcome"], r["application_id"]) for r in rows]


def test_the_same_key_with_another_file_is_a_conflict(client, uploaded):
    key, roster_id, _, rows = uploaded("11_bad_rows_20pct.csv")
    answer = feed.post_roster(client.api("intake", "unit"), meta("11_bad_rows_20pct.csv"),
                              "other.csv", (ROSTERS / "01_normal_30.csv").read_bytes(), key)
    assert (answer.status, answer.json["code"]) == (422, "request_id_conflict"), answer
    assert len(rows_of(client, roster_id)) == len(rows)


def test_the_same_list_under_another_key_makes_no_second_application(client, uploaded, topics):
    _, first, _, _ = uploaded("01_normal_30.csv")
    mark = topics.ends("application.events")
    answer = upload(client, "01_normal_30.csv")
    second = answer.json["roster_id"]
    assert second != first
    state = wait_done(client, second)
    assert state["accepted"] == 0 and state["refused"] + state["unchanged"] == 30
    for row in rows_of(client, second):
        assert row["outcome"] == "unchanged" or row["reasons"] == ["duplicate_application"], row
    assert [r for r in topics.read("application.events", mark)
            if r.type == "application.accepted" and r.key in keys_of(topics, "01_normal_30.csv")
            ] == []


def keys_of(topics, name):
    people = [want for want in feed.expected_rows(name) if want["accepted"] == "1"][:5]
    return {topics.holder_ref(p["document_type"], p["document_number"]) for p in people}


def test_rows_csv_repeats_the_columns_of_the_input_and_adds_the_reasons(client, uploaded):
    name = "11_bad_rows_20pct.csv"
    _, roster_id, _, _ = uploaded(name)
    answer = client.api("intake", "unit").get(f"/v1/rosters/{roster_id}/rows.csv")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
    got = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))
    with open(ROSTERS / name, encoding="utf-8", newline="") as file:
        sent = list(csv.DictReader(file))
    wanted = feed.expected_rows(name)
    assert len(got) == len(wanted) == 100
    for row, source, want in zip(got, sent, wanted, strict=True):
        assert {key: row[key] for key in source if key} == \
            {key: source[key] or "" for key in source if key}
        assert row["reasons"] == want["reasons"]
        assert row["outcome"] == ("accepted" if want["accepted"] == "1" else "refused")


def test_rows_come_in_pages(client, uploaded):
    _, roster_id, _, rows = uploaded("11_bad_rows_20pct.csv")
    api = client.api("intake", "unit")
    page = api.get(f"/v1/rosters/{roster_id}/rows?after=10&limit=7").json["rows"]
    assert [row["row_no"] for row in page] == list(range(11, 18))
    for got, row in zip(page, rows[10:17], strict=True):
        # The application itself moves on.
        assert {**got, "application_state": None} == {**row, "application_state": None}


def test_an_accepted_row_becomes_a_card(client, uploaded):
    _, _, _, rows = uploaded("01_normal_30.csv")
    outcome = client.wait_for(rows[0]["application_id"], "collected", "已激活", timeout=90)
    assert outcome["channel"] == "unit"


def test_another_client_does_not_see_the_roster(client, uploaded):
    _, roster_id, _, _ = uploaded("01_normal_30.csv")
    for path in ("", "/rows", "/rows.csv"):
        answer = client.api("intake", "school").get(f"/v1/rosters/{roster_id}{path}")
        unknown = client.api("intake", "school").get(f"/v1/rosters/{uuid.uuid4()}{path}")
        assert answer.status == unknown.status == 404, answer
        assert answer.json["code"] == unknown.json["code"]


def test_a_file_that_is_no_roster_is_refused_with_field_rule_and_cure(client):
    api = client.api("intake", "unit")
    name = "01_normal_30.csv"
    for content in (b"", b"\xff\xfe\x00\x01" * 100, b"only,a,header,of,others\n1,2,3,4,5\n"):
        answer = feed.post_roster(api, meta(name), name, content)
        assert answer.status in (400, 422), (content[:20], answer)
        error = answer.json["errors"][0]
        assert error["field"] and error["rule"] and error["cure"]
    assert upload(client, "05_crlf.csv").status == 202
