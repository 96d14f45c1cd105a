"""All 500 rows of tests/data/applications.jsonl, one after the other as they arrived."""

import feed
import pytest

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture(scope="module")
def fed(stack):
    """A Feed of the demo that has sent every row; its enrolments are those of the rows alone."""
    said = []
    feeding = feed.Feed(stack, said.append)
    people = {feed.ref(person): person for person in feeding.enrolments()}
    rows = [feed.ref({"document_type": row["document_type"],
                      "document_number": feed.normalise(row["document_number"] or "")})
            for row in feeding.applications]
    feeding.enrolments = lambda: [people[key] for key in dict.fromkeys(rows) if key in people]
    feeding.enrol()
    feeding.import_cards()
    for row in feeding.applications:
        feeding.check_application(row, feeding.apply(row))
    return feeding


def test_every_row_is_judged_as_expected(fed):
    assert fed.failures == []
    assert fed.counts["vectors_matched"] == len(fed.applications) == 500


def test_the_rows_add_up_to_the_outcomes_of_the_data(fed):
    wanted = {"accepted": 0, "noticed": 0, "rejected": 0, "replayed": 0, "conflicts": 0}
    for row in fed.applications:
        reasons = row["expected"]["reasons"]
        if "idempotent_replay" in reasons:
            wanted["replayed"] += 1
        elif "request_id_conflict" in reasons:
            wanted["conflicts"] += 1
        else:
            wanted[{"accepted": "accepted", "notice": "noticed", "rejected": "rejected"}[
                row["expected"]["outcome"]]] += 1
    assert {key: fed.counts[key] for key in wanted} == wanted


def test_the_same_rows_again_make_nothing_new(fed):
    """A sample of each outcome: the first answer comes back, and says that it is a replay."""
    kinds = {}
    for row in fed.applications:
        if not {"idempotent_replay", "request_id_conflict"} & set(row["expected"]["reasons"]):
            kinds.setdefault((row["kind"], row["expected"]["outcome"]), row)
    assert len(kinds) > 8
    repeated = {row["request_id"] for row in fed.applications
                if {"idempotent_replay", "request_id_conflict"} & set(row["expected"]["reasons"])}
    for row in kinds.values():
        if row["request_id"] in repeated:
            continue
        answer = fed.apply(row)
        assert answer.status == 200, answer
        assert answer.headers.get("idempotency-replayed") == "true"
        assert answer.json["outcome"] == row["expected"]["outcome"]
        assert sorted(r["code"] for r in answer.json["reasons"]) == row["expected"]["reasons"]
