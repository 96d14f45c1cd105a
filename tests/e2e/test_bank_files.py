"""A bank that only uses files, from the order to the card in the holder's hand."""

import random
import subprocess
import time

import psycopg
import pytest
from harness.file_bank import FileBank
from harness.program import wait_until

STEPS = ("account_opened", "produced", "shipped", "arrived", "collected")


@pytest.fixture
def files(stack, bank, tmp_path):
    """Bank B03 with its folder; the simulated banks do not answer meanwhile."""
    bank.behave(off=True)
    return FileBank(stack, "B03", tmp_path / "exchange")


@pytest.fixture
def ordered(client, people, files):
    """An application whose order the bank has."""
    def make(**fields):
        person = people.resident()
        application_id = client.accepted(person, bank_code="B03", outlet_code="B03001",
                                         **fields)["application_id"]
        client.wait_for(application_id, "batched")
        wait_until("the order is exported", 20, lambda: (
            files.export(), files.order_of(application_id))[1], 0.3)
        return person, application_id, files.order_of(application_id)
    return make


def results_parked(stack):
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        return link.execute("select count(*) from parked").fetchone()[0]


def test_a_card_is_made_by_files_alone(client, files, ordered):
    person, application_id, order = ordered()
    assert (order["bank_code"], order["outlet_code"]) == ("B03", "B03001")
    assert order["kind"] == "first_issue" and order["line_no"]
    for name in ("document_type", "document_number", "name", "sex", "birth_date", "address"):
        assert order[name] == person[name], name
    opened = files.send(files.answer(order, "account_opened"))
    assert [(row["line"], row["outcome"]) for row in opened] == [("2", "sent")]
    client.wait_for(application_id, "account_opened")
    files.send(*(files.answer(order, step) for step in STEPS[1:4]))
    client.wait_for(application_id, "ready_for_pickup", "银行网点签收")
    files.send(files.answer(order, "collected"))
    client.wait_for(application_id, "collected", "领卡未激活")
    assert "0 orders and 0 notices in 0 files" in files.export()


def acknowledged(stack, notice):
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        return link.execute("select acknowledged_at > 0 from card_notice where id = %s",
                            (notice["notice_id"],)).fetchone()[0]


def test_the_bank_hears_of_a_void_card_and_of_a_loss_by_files(stack, client, files, ordered):
    person, application_id, order = ordered()
    files.send(*(files.answer(order, step) for step in STEPS))
    client.wait_for(application_id, "collected")
    actor = {"role": "holder", "name": person["name"], **client.document(person)}
    answer = client.api("production", "bank_outlet").post("/v1/card-operations", {
        "operation": "activate", "channel": "bank_outlet", "actor": actor,
        "operator": client.operator("B03"), "holder": client.document(person)}, wait=10)
    assert answer.json["result"] == "done", answer
    answer = client.api("production", "hotline_12345").post("/v1/card-operations", {
        "operation": "report_temporary_loss", "channel": "hotline_12345", "actor": actor,
        "operator": {"staff_id": "agent-7"}, "holder": client.document(person)}, wait=10)
    assert answer.json["result"] == "done", answer

    def told(what, card_no):
        files.export()
        return [row for row in files.notices if (row["what"], row["card_no"]) == (what, card_no)]

    wait_until("the loss is in a file", 20, lambda: told("loss", order["card_no"]), 0.3)
    notice = told("loss", order["card_no"])[0]
    files.send(files.answer(notice, "notice_acknowledged", notice_id=notice["notice_id"]))
    wait_until("the bank has heard it", 20, lambda: acknowledged(stack, notice), 0.2)
    assert {row["notice_id"] for row in told("loss", order["card_no"])} == {notice["notice_id"]}
    assert notice["routing_key"] == order["routing_key"] and notice["bank_code"] == "B03"
    # One whose holder dies: the order is void.
    dead, other_id, other = ordered()
    client.end_enrolment(dead, "death")
    client.wait_for(other_id, "closed")
    wait_until("the void card is in a file", 20, lambda: told("void_card", other["card_no"]), 0.3)


def test_a_file_imported_twice_has_no_second_effect(stack, client, files, ordered):
    _, application_id, order = ordered()
    parked = results_parked(stack)
    files.send(*(files.answer(order, step) for step in STEPS[:3]))
    client.wait_for(application_id, "shipped")
    before = client.outcome(application_id)["timeline"]
    again = files.import_file("results-1.csv")
    assert again.returncode == 1 and "nothing was sent" in again.stderr
    assert "taken already" in again.stderr
    copy = files.put("copy.csv", (files.folder / "results-1.csv").read_bytes(), 3)
    assert "taken already" in files.import_file(copy).stderr
    assert [row["outcome"] for row in files.report("results-1.csv")] == ["sent"] * 3
    # Even when the list of what was taken is lost.
    (files.folder / ".taken-B03.csv").unlink()
    assert files.import_file("results-1.csv").returncode == 0
    files.send(files.answer(order, "arrived"))
    client.wait_for(application_id, "ready_for_pickup")
    after = client.outcome(application_id)["timeline"]
    assert after[:len(before)] == before and len(after) == len(before) + 1
    assert results_parked(stack) == parked


def test_a_file_that_is_wrong_changes_nothing_and_says_why(client, files, ordered):
    _, application_id, order = ordered()
    lines = [files.answer(order, step) for step in STEPS[:2]]
    good = files.text(lines)
    swapped = good.split(b"\r\n")
    swapped[1], swapped[2] = swapped[2], swapped[1]
    cases = {
        "damaged": (good.replace(b"produced", b"producee"), 2, {"sha256": "0" * 64}, "sha256"),
        "truncated": (good[:-40], 2, {}, "line 3, line: 15 columns"),
        "reordered": (b"\r\n".join(swapped), 2, {}, "line 2, no: 1, 2, 3 without a gap"),
        "foreign": (good, 2, {"bank_code": "B01"}, "bank_code: the bank of this exchange"),
        "foreign-line": (good.replace(b"B03", b"B01", 1), 2, {}, "line 2, bank_code"),
        "short": (files.text(lines[:1]), 2, {}, "lines: as many lines as the file has"),
        "not-utf8": (good + b"\xff\r\n", 3, {}, "line 4, file: UTF-8"),
        "spreadsheet": (good.replace(order["routing_key"].encode(), b"1.2E+31", 1), 2, {},
                        "line 2, routing_key: 32 hexadecimal digits"),
    }
    for name, (content, count, manifest, why) in cases.items():
        refused = files.import_file(files.put(f"{name}.csv", content, count, **manifest))
        assert refused.returncode == 1, name
        assert why in refused.stderr and "nothing was sent" in refused.stderr, refused.stderr
        report = files.report(f"{name}.csv")
        assert {"refused"} <= {row["outcome"] for row in report} <= {"refused", "not_sent"}
        assert all(row["rule"] and row["cure"] for row in report if row["outcome"] == "refused")
    # Nothing of it has arrived: the first good file moves the application by its first step.
    time.sleep(1)
    assert client.outcome(application_id)["state"] == "batched"
    files.send(lines[0])
    client.wait_for(application_id, "account_opened")


def test_an_export_that_is_killed_goes_on_without_losing_or_doubling_an_order(
        client, people, files):
    files.export()
    wanted = []
    for _ in range(6):
        group = [people.resident() for _ in range(10)]
        client.enrol(*group)
        wanted += [client.apply(person, bank_code="B03", outlet_code="B03001",
                                wait=10).json["application_id"] for person in group]
    for application_id in wanted:
        client.wait_for(application_id, "batched")
    choice = random.Random(5)
    killed = 0
    for _ in range(40):
        process = files.start_export()
        time.sleep(choice.uniform(0.0, 0.25))
        killed += process.poll() is None
        process.kill()
        process.wait()
        if choice.random() < 0.5:
            files.collect()  # the bank takes what is there, also between two tries
    files.export()
    got = [row["application_id"] for row in files.orders]
    assert killed >= 5, "the runs were over before they could be killed"
    assert sorted(row for row in got if row in set(wanted)) == sorted(wanted)
    assert len(got) == len(set(got)) and len(set(files.taken_files)) == len(files.taken_files)


def test_an_export_needs_to_know_who_and_why(files):
    words = files.command("export")
    at = words.index("--operator")
    words = words[:at] + words[at + 4:]
    refused = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 2 and "--operator is missing" in refused.stderr
