"""The straight path: from the application to an active card in the holder's hand, step by step."""

import csv
import datetime
import hashlib
import uuid

import pytest
from harness import workdays
from harness.ends import ACTIVE, ISSUED, passes_11_10
from harness.kafka import ROOT
from harness.notices import wait_for_sms

DATA = ROOT / "tests" / "data"
STEPS = ["received", "accepted", "photo_ready", "batched", "account_opened", "produced", "shipped",
         "ready_for_pickup", "collected", "activated"]


def states(outcome):
    return [step["state"] for step in outcome["timeline"]]


def codes(outcome):
    return sorted(reason["code"] for reason in outcome["reasons"])


@pytest.fixture(scope="module")
def card(client, people):
    """(person, outcome of the application) of a card that has gone the whole way."""
    person = people.resident()
    accepted = client.accepted(person, submitted_at="2025-09-26T10:30:00+08:00")
    return person, client.wait_for(accepted["application_id"], "collected", "已激活")


def card_no_of(topics, application_id):
    event = topics.messages.card.CardEvent
    said = [event.FromString(r.value) for r in topics.read("card.events")]
    return {e.card_no for e in said
            if e.application_id == uuid.UUID(application_id).bytes and e.card_no}


# The whole way.
def test_an_accepted_application_has_a_receipt_and_an_explained_due_date(client, people):
    person = people.resident()
    outcome = client.accepted(person, submitted_at="2025-09-26T10:30:00+08:00")
    assert outcome["state"] == "accepted" and outcome["label"]["zh"] == "数据录入"
    assert outcome["reasons"] == [] and outcome["warnings"] == []
    receipt, deadline = outcome["receipt"], outcome["deadline"]
    assert len(receipt["receipt_no"]) == 12 and passes_11_10(receipt["receipt_no"])
    assert "12345" in receipt["phones"]
    # Seven working days over Mid-Autumn and National Day, with a make-up day; deadline_vectors.csv.
    assert (deadline["accepted_on"], deadline["due_on"]) == ("2025-09-26", "2025-10-13")
    due, counted, skipped = workdays.count(datetime.date(2025, 9, 26), 7)
    assert deadline["due_on"] == due.isoformat() and deadline["provisional"] is False
    assert deadline["counted"] == [day.isoformat() for day in counted]
    assert [day["date"] for day in deadline["skipped"]] == [day.isoformat() for day, _ in skipped]
    assert [day["name"] for day in deadline["skipped"] if day["name"] != "周末"] == \
        [name for _, name in skipped if name]


def test_a_card_goes_through_every_state_in_order_until_it_is_active(card):
    _, outcome = card
    assert states(outcome) == STEPS
    assert outcome["outcome"] == "accepted"
    times = [datetime.datetime.fromisoformat(step["at"]) for step in outcome["timeline"]]
    assert times[1:] == sorted(times[1:])


def test_at_the_end_there_is_all_that_belongs_to_the_card_once(walk_of, card):
    person, outcome = card
    first = outcome["application_id"]
    walk_of(person).ends(
        applications={first: ACTIVE}, receipts={first: "B01001"},
        cards=[("permanent", "normal", "B01")], vouchers=["activate"], notified=ISSUED, told=[])


def test_a_card_number_is_well_formed_and_given_out_once(topics, card):
    _, outcome = card
    numbers = card_no_of(topics, outcome["application_id"])
    assert len(numbers) == 1
    number = numbers.pop()
    values = [int(c, 36) for c in number[:8]]
    check = 11 - sum(w * v for w, v in zip((3, 7, 9, 10, 5, 8, 4, 2), values, strict=True)) % 11
    assert len(number) == 9 and number[0].isalpha() and number[1:8].isdigit()
    assert number[8] == {10: "X", 11: "0"}.get(check, str(check))
    event = topics.messages.card.CardEvent
    holders = {r.key for r in topics.read("card.events")
               if event.FromString(r.value).card_no == number}
    assert len(holders) == 1


@pytest.mark.parametrize("way", ["document", "receipt_no", "card_no"])
def test_status_is_found_by_document_receipt_and_card_number(client, topics, card, way):
    person, outcome = card
    who = {"document": client.document(person),
           "receipt_no": outcome["receipt"]["receipt_no"],
           "card_no": card_no_of(topics, outcome["application_id"]).pop()}[way]
    status = client.status(**{way: who})
    assert status["found"] is True and status["source"] in ("cache", "store")
    assert [app["application_id"] for app in status["applications"]] == [outcome["application_id"]]
    number, phone = person["document_number"], person["phone"]
    assert status["holder"]["name"] == person["name"][0] + "*" * (
        len(status["holder"]["name"]) - 1) and len(status["holder"]["name"]) > 1
    assert status["holder"]["document_number"] == f"{number[:4]}**********{number[-4:]}"
    assert status["holder"]["phone"] == f"{phone[:3]}****{phone[-4:]}"
    shown = status["cards"]
    assert [(c["state"], c["code"], c["kind"], c["identity"]) for c in shown] == \
        [("normal", "1", "permanent", {"valid": True, "reasons": []})]
    assert shown[0]["financial_state"] == "active" and "*" in shown[0]["card_no"]
    assert status["sentence"]["zh"] and status["sentence"]["en"] and status["next_step"]
    assert datetime.datetime.fromisoformat(status["as_of"])


def test_an_unverified_caller_hears_the_state_and_the_next_step_only(client, card):
    person, outcome = card
    status = client.status(verified=False, document=client.document(person))
    assert status["found"] is True and status["next_step"] and status["sentence"]["zh"]
    assert not status["holder"]
    text = repr(status)
    for hidden in (outcome["receipt"]["receipt_no"], outcome["application_id"],
                   person["document_number"][-4:], person["name"], person["phone"][-4:]):
        assert hidden not in text


def test_nobody_found_is_an_answer_with_a_sentence(client, people):
    status = client.status(document=client.document(people.resident()))
    assert status["found"] is False and status["sentence"]["zh"] and status["sentence"]["en"]
    assert status["applications"] == [] and status["cards"] == []


def vectors():
    with open(DATA / "deadline_vectors.csv", encoding="utf-8", newline="") as file:
        return [(row["start_date"], row["due_date"]) for row in csv.DictReader(file)
                if row["working_days"] == "7" and row["start_date"] < "2026-03-31"]


def test_due_dates_of_acceptance_are_those_of_the_vectors(client, people):
    rows = vectors()
    assert len(rows) > 10
    persons = [people.resident() for _ in rows]
    client.enrol(*persons)
    got = []
    for person, (start, _) in zip(persons, rows, strict=True):
        answer = client.apply(person, submitted_at=f"{start}T00:00:00+08:00")
        got.append((answer.json["deadline"]["accepted_on"], answer.json["deadline"]["due_on"]))
    assert got == rows


def test_the_acceptance_day_is_that_of_shanghai(client, people):
    person = people.resident()
    # 16:30 in UTC is half past midnight of the next day there.
    outcome = client.accepted(person, submitted_at="2025-12-31T16:30:00Z")
    assert outcome["deadline"]["accepted_on"] == "2026-01-01"
    assert outcome["deadline"]["due_on"] == "2026-01-12"


# Photos.
def test_a_foreigner_without_a_police_photo_uploads_one_and_gets_the_card(stack, client, people,
                                                                          topics):
    person = people.foreigner()
    outcome = client.accepted(person)
    application_id = outcome["application_id"]
    missing = client.wait_for(application_id, "photo_missing", "待补照片")
    assert missing["deadline"]["waiting_on"] == "holder"
    key = str(uuid.uuid4())
    answer = client.put_photo(application_id, wait=10, key=key)
    assert answer.status == 200, answer
    again = client.put_photo(application_id, wait=10, key=key)
    assert again.headers.get("idempotency-replayed") == "true", again
    done = client.wait_for(application_id, "collected", "已激活")
    assert states(done) == STEPS[:2] + ["photo_missing"] + STEPS[2:]
    wait_for_sms(stack, topics, person, {"accepted", "photo_missing", "ready_for_pickup",
                                         "collected", "activated"})


def test_an_unusable_photo_is_refused_with_its_reason_and_a_good_one_taken_afterwards(client,
                                                                                     people):
    outcome = client.accepted(people.foreigner())
    application_id = outcome["application_id"]
    client.wait_for(application_id, "photo_missing")
    with open(DATA / "photos" / "expected.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["valid"] == "0"]
    for row in rows:
        answer = client.put_photo(application_id, (DATA / "photos" / row["file"]).read_bytes())
        if int(row["bytes"]) > 65536:
            assert answer.status == 413, (row["file"], answer)
            continue
        assert answer.status == 422, (row["file"], answer)
        assert answer.json["code"] == "photo_not_usable"
        assert [error["rule"] for error in answer.json["errors"]] == [row["reason"]]
        assert answer.json["errors"][0]["field"] and answer.json["errors"][0]["cure"]
    assert client.outcome(application_id)["state"] == "photo_missing"
    assert client.put_photo(application_id).status == 202
    client.wait_for(application_id, "collected")


def asked_of_the_police(stack):
    """Hashes of the persons whose photo was asked for."""
    found, since = set(), 0
    while True:
        page = stack.simulators["police"].received(since)
        if not page["items"]:
            return found
        found |= {item["person"] for item in page["items"]}
        since = page["next"]


def police_hash(person):
    """As the simulated gateway takes it, which keeps no numbers."""
    text = f"{person['document_type']}\0{person['document_number']}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def test_a_child_without_photo_gets_a_card_and_the_police_are_not_asked(stack, client, people):
    guardian = people.resident()
    child = people.child(guardian)
    other = client.accepted(guardian)["application_id"]
    outcome = client.accepted(child)
    client.wait_for(outcome["application_id"], "collected", "已激活")
    client.wait_for(other, "collected", "已激活")
    status = client.status(document=client.document(child))
    assert [(card["state"], card["has_photo"]) for card in status["cards"]] == [("normal", False)]
    asked = asked_of_the_police(stack)
    assert police_hash(guardian) in asked and police_hash(child) not in asked


# Notices and rejections.
def test_a_notice_is_put_right_by_a_supplement_and_then_accepted(stack, client, people, topics):
    person = people.resident()
    client.enrol(person)
    answer = client.apply({**person, "address": ""}, submitted_at="2026-02-12T09:00:00+08:00")
    assert answer.status == 200, answer
    noticed = answer.json
    assert (noticed["outcome"], noticed["state"]) == ("notice", "noticed")
    assert noticed["label"]["zh"] == "待补正" and codes(noticed) == ["missing_address"]
    reason = noticed["reasons"][0]
    assert reason["field"] == "address" and reason["cure"]
    assert reason["text"]["zh"] and reason["text"]["en"] and reason["respond_by"]
    assert not noticed["receipt"] and not noticed["deadline"]
    application_id = noticed["application_id"]
    client.wait_for(application_id, "noticed")
    key = str(uuid.uuid4())
    body = {"address": person["address"], "submitted_at": "2026-02-13T09:00:00+08:00"}
    path = f"/v1/applications/{application_id}/supplements"
    answer = client.api("intake").post(path, body, key=key, wait=10)
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    # The day of the supplement counts, over Spring Festival; deadline_vectors.csv.
    assert answer.json["deadline"]["accepted_on"] == "2026-02-13"
    assert answer.json["deadline"]["due_on"] == "2026-03-02"
    again = client.api("intake").post(path, body, key=key, wait=10)
    assert again.headers.get("idempotency-replayed") == "true"
    done = client.wait_for(application_id, "collected", "已激活")
    assert states(done) == ["received", "noticed", *STEPS[1:]]
    wait_for_sms(stack, topics, person, {"noticed", "accepted", "ready_for_pickup", "collected",
                                         "activated"})


def test_a_corrected_number_leads_the_application_to_the_right_holder(client, people):
    person = people.resident()
    client.enrol(person)
    number = person["document_number"]
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    noticed = client.apply({**person, "document_number": wrong}).json
    assert (noticed["outcome"], codes(noticed)) == ("notice", ["bad_check_digit"])
    answer = client.api("intake").post(
        f"/v1/applications/{noticed['application_id']}/supplements", {"document_number": number},
        wait=10)
    assert answer.status in (200, 202), answer
    client.wait_for(noticed["application_id"], "collected", "已激活")
    status = client.status(document=client.document(person))
    assert [app["application_id"] for app in status["applications"]] == [noticed["application_id"]]


def test_a_rejection_names_its_reason_and_ends_the_application(stack, client, people, topics):
    person = people.resident()
    client.enrol(person)
    answer = client.apply(person, outlet_code="B01999")
    assert (answer.status, answer.json["outcome"]) == (200, "rejected"), answer
    assert answer.json["label"]["zh"] == "不予受理" and codes(answer.json) == ["unknown_outlet"]
    application_id = answer.json["application_id"]
    client.wait_for(application_id, "rejected")
    late = client.api("intake").post(f"/v1/applications/{application_id}/supplements",
                                     {"outlet_code": "B01001"}, wait=10)
    assert late.json.get("result") != "done", late
    assert client.outcome(application_id)["state"] == "rejected"
    wait_for_sms(stack, topics, person, {"rejected"})


def test_a_second_application_is_a_duplicate_also_by_household_book(client, people):
    person = people.resident()
    client.accepted(person)
    answer = client.apply({**person, "document_type": "household_book"})
    assert (answer.json["outcome"], codes(answer.json)) == ("rejected", ["duplicate_application"])


def test_an_application_ahead_of_its_enrolment_waits_for_it(client, people):
    person = people.resident()
    answer = client.apply(person, wait=None)
    assert answer.status == 202, answer
    application_id = answer.json["application_id"]
    client.wait_for(application_id, "received", "等待参保信息")
    client.enrol(person)
    client.wait_for(application_id, "collected", "已激活")


def test_who_has_left_the_insurance_gets_a_notice(client, people):
    person = people.resident()
    client.enrol(person)
    client.end_enrolment(person, "left")
    client.settle()
    answer = client.apply(person)
    assert (answer.json["outcome"], codes(answer.json)) == ("notice", ["not_enrolled"]), answer
