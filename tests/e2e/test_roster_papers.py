"""Papers of units: checked with each row, given once and referred to later; and what a row tells
of its application after its outcome."""

import uuid

import feed
from harness.program import wait_until
from test_rosters_again import as_text, counts, meta, send, table, unit_code

AGENT = {"name": "张伟", "document_type": "resident_id", "document_number": "370202199003070011"}


def rows_with(client, people, unit, papers, **changes):
    person = people.resident()
    client.enrol(person, unit_code=unit)
    _, state, rows = send(client, unit, as_text(table(unit, [person])).encode(),
                          unit_papers=papers, **changes)
    return state, rows


def test_the_papers_of_a_list_are_checked_with_each_row(client, people):
    unit = unit_code()
    state, rows = rows_with(client, people, unit, {"unit_code": unit})
    assert counts(state) == (0, 1, 0)
    assert rows[0]["reasons"] == ["id_copies_not_confirmed", "missing_unit_papers"]
    wrong = {**AGENT, "document_number": "370202199003070012"}
    state, rows = rows_with(client, people, unit, {
        "unit_code": unit, "introduction_letter_no": "JS-1", "id_copies_held": True,
        "agent": wrong})
    assert (counts(state), rows[0]["reasons"]) == ((0, 1, 0), ["agent_document_invalid"])


def test_papers_given_with_a_list_are_good_for_the_next(client, people):
    unit, first = unit_code(), people.resident()
    client.enrol(first, unit_code=unit)
    roster_id, state, _ = send(client, unit, as_text(table(unit, [first])).encode())
    assert counts(state) == (1, 0, 0)
    state, _ = rows_with(client, people, unit, {"unit_code": unit, "given_with": roster_id})
    assert counts(state) == (1, 0, 0)
    # And for one person alone.
    person = people.resident()
    client.enrol(person, unit_code=unit)
    outcome = client.apply(person, key="unit", channel="unit", unit_papers={
        "unit_code": unit, "given_with": roster_id}).json
    assert outcome["outcome"] == "accepted", outcome


def test_papers_given_before_cure_a_notice(client, people):
    """With a list of the unit, or with an application of it that was accepted with them."""
    unit, first = unit_code(), people.resident()
    client.enrol(first, unit_code=unit)
    roster_id, _, _ = send(client, unit, as_text(table(unit, [first])).encode())
    given = {"unit_code": unit, "introduction_letter_no": "JS-1", "id_copies_held": True,
             "agent": AGENT}
    with_papers = people.resident()
    client.enrol(with_papers, unit_code=unit)
    one = client.apply(with_papers, key="unit", channel="unit", unit_papers=given).json
    assert one["outcome"] == "accepted", one
    missing = ["id_copies_not_confirmed", "missing_unit_papers"]
    for before in ({"given_with": roster_id}, {"papers_ref": one["application_id"]}):
        person = people.resident()
        client.enrol(person, unit_code=unit)
        noticed = client.apply(person, key="unit", channel="unit",
                               unit_papers={"unit_code": unit}).json
        assert [reason["code"] for reason in noticed["reasons"]] == missing, noticed
        for papers, outcome in (({name: str(uuid.uuid4()) for name in before}, "notice"),
                                (before, "accepted")):
            answer = client.api("intake", "unit").post(
                f"/v1/applications/{noticed['application_id']}/supplements",
                {"unit_papers": papers}, wait=10)
            assert (answer.json["result"], answer.json["outcome"]) == ("done", outcome), answer
            assert [reason["code"] for reason in answer.json["reasons"]] == \
                (missing if outcome == "notice" else []), answer


def test_papers_of_nobody_or_of_another_unit_are_missing(client, people):
    unit, other, person = unit_code(), unit_code(), people.resident()
    client.enrol(person, unit_code=unit)
    roster_id, _, _ = send(client, unit, as_text(table(unit, [person])).encode())
    for reference, of in ((str(uuid.uuid4()), unit), ("no id", unit), (roster_id, other)):
        state, rows = rows_with(client, people, of, {"unit_code": of, "given_with": reference})
        assert counts(state) == (0, 1, 0)
        assert rows[0]["reasons"] == ["id_copies_not_confirmed", "missing_unit_papers"]


def test_a_row_shows_later_notices_of_its_application(client, people):
    # Of its own making: names of people.foreigner() grow with the number of persons.
    unit, person = unit_code(), {**people.resident(), "document_type": "passport",
                                 "document_number": f"QZ{uuid.uuid4().int % 10**7:07}",
                                 "name": "Quirin Zelvedere"}
    client.enrol(person, unit_code=unit)
    roster_id, state, rows = send(client, unit, as_text(table(unit, [person])).encode())
    assert counts(state) == (1, 0, 0)
    api = client.api("intake", "unit")

    def row():
        return next(feed.roster_rows(api, roster_id))

    # The police have no photo of such a person.
    wait_until("a notice about the photo", 30, lambda: row()["notices"])
    assert (row()["outcome"], row()["reasons"]) == ("accepted", [])
    listing = api.get(f"/v1/rosters/{roster_id}/rows.csv").body.decode()
    assert "|".join(row()["notices"]) in listing
    client.put_photo(rows[0]["application_id"])
    client.wait_for(rows[0]["application_id"], "collected", timeout=60)
    state = wait_until("the count of what has ended", 20, lambda: (
        said := api.get(f"/v1/rosters/{roster_id}").json)["by_application_state"]["ended"] and said)
    assert state["by_application_state"]["accepted"] == 0


def test_progress_is_told_while_a_list_is_read(client, people):
    unit = unit_code()
    persons = [people.resident() for _ in range(900)]
    client.enrol(*persons, unit_code=unit)
    api = client.api("intake", "unit")
    roster_id = feed.post_roster(api, meta(unit), "list",
                                 as_text(table(unit, persons)).encode()).json["roster_id"]
    seen = set()
    done = False
    while not done:
        state = api.get(f"/v1/rosters/{roster_id}").json
        if "rows_read" in state:  # not before the stage has heard of it
            seen.add((state["rows_read"], state["state"]))
        done = state.get("state") == "done"
    assert {read for read, _ in seen} >= {900}
    assert any(0 < read < 900 and word == "processing" for read, word in seen), seen
