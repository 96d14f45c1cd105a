"""The published matrix: what is served is what is printed, and what operations are judged by."""

import pytest
from harness.kafka import ROOT

CHANNELS = ["bank_outlet", "bank_phone", "unit", "school", "online", "terminal", "hotline_12345",
            "upstream"]


@pytest.fixture(scope="module")
def matrix(client):
    answer = client.api("intake", None).get("/v1/channels")
    assert answer.status == 200, answer
    return answer.json["operations"]


def printed():
    """(about, operation, channels) of each row of docs/channels.md."""
    about, columns, rows = None, [], []
    for line in (ROOT / "docs" / "channels.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "---":
            continue
        if cells[0] in ("application", "card"):
            about, columns = cells[0], cells[1:]
        else:
            rows.append((about, cells[0], [name for name, cell in zip(columns, cells[1:])
                                           if cell == "yes"]))
    return rows


def test_the_page_of_channels_is_what_is_served(matrix):
    assert printed() == [(row["about"], row["operation"], row["channels"]) for row in matrix]
    assert sum(row["about"] == "application" for row in matrix) == 6


def test_operations_on_cards_are_judged_by_the_published_matrix(client, people, matrix):
    person = people.resident()
    document = client.document(person)
    client.import_card(person)
    for row in matrix:
        if row["about"] != "card" or row["operation"] == "import_card":
            continue
        for channel in CHANNELS:
            answer = client.api("production").post("/v1/card-operations", {
                "operation": row["operation"], "channel": channel, "holder": document,
                "card_no": "A12345674", "actor": {"role": "holder", **document},
                "operator": client.operator()}, wait=10)
            codes = [reason["code"] for reason in answer.json["reasons"]]
            # The card is nobody's: what is allowed is refused for that alone.
            assert answer.json["result"] == "refused", answer
            assert ("channel_not_allowed" in codes) == (channel not in row["channels"]), (
                row["operation"], channel, codes)
