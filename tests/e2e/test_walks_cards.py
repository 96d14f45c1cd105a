"""Replacements from the application to the new card in the holder's hand, and what becomes of the old
one."""

from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from harness.client import Client
from harness.program import wait_until
from harness.walks import codes, import_card, operate, withdraw


@pytest.fixture
def holder(client, people):
    """A person with a card in use."""
    person = people.resident()
    first = client.accepted(person)["application_id"]
    client.wait_for(first, "collected", "已激活")
    wait_until("the card is in use", 20, lambda: states(client, person) == ["normal"], 0.1)
    return person


def states(client, person):
    return sorted(card["state"] for card in client.status(document=client.document(person))["cards"])


def numbers(client, person):
    """Masked card numbers by state."""
    return {card["state"]: card["card_no"]
            for card in client.status(document=client.document(person))["cards"]}


def test_a_lost_card_is_replaced_and_the_old_one_cancelled(client, holder):
    old = numbers(client, holder)["normal"]
    lost = client.apply(holder, kind="loss_replacement")
    assert (lost.status, lost.json["outcome"]) == (200, "accepted"), lost
    client.wait_for(lost.json["application_id"], "collected", "已激活")
    wait_until("the old card cancelled, the new one in use", 20,
               lambda: "cancelled" in states(client, holder), 0.1)
    now = numbers(client, holder)
    assert now["cancelled"] == old and now["normal"] != old
    assert states(client, holder) == ["cancelled", "normal"]


@pytest.mark.parametrize("kind, fields", [
    ("damage_replacement", {}),
    ("reissue", {"reissue_reason": "data_changed"}),
])
def test_the_new_card_takes_the_place_of_the_old_one(client, holder, kind, fields):
    answer = client.apply(holder, kind=kind, **fields)
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    client.wait_for(answer.json["application_id"], "collected", "已激活")
    wait_until("one usable card", 20, lambda: states(client, holder) == ["cancelled", "normal"],
               0.1)


def test_a_damaged_card_is_given_back_when_there_will_be_no_new_one(client, people):
    person = import_card(client, people.foreigner())

    def identity():
        shown = client.status(document=client.document(person))["cards"][0]["identity"]
        return shown["valid"], shown["reasons"]

    def hand_in():
        answer = client.apply(person, kind="damage_replacement")
        assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
        client.wait_for(answer.json["application_id"], "photo_missing")
        wait_until("it is no identity", 15, lambda: identity() == (False, ["handed_in"]), 0.1)
        return answer.json["application_id"]

    first = hand_in()
    given_up = withdraw(client, person, first)
    assert (given_up.status, given_up.json["result"]) == (200, "done"), given_up
    client.wait_for(first, "withdrawn", "已撤销")
    wait_until("the holder has it back", 15, lambda: identity() == (True, []), 0.1)
    again = hand_in()
    assert client.put_photo(again, wait=10).status == 200
    client.wait_for(again, "collected", "已激活")
    wait_until("one usable card", 20, lambda: states(client, person) == ["cancelled", "normal"],
               0.1)


def test_a_damaged_card_reported_lost_is_not_released_while_its_replacement_is_made(client, people,
                                                                                    bank):
    person = import_card(client, people.resident())
    bank.behave(hold_after="account_opened")
    answer = client.apply(person, kind="damage_replacement")
    application_id = answer.json["application_id"]
    client.wait_for(application_id, "account_opened")
    for report, lost in (("report_temporary_loss", "temporary_loss"),
                         ("report_formal_loss", "formal_loss")):
        assert operate(client, person, report).json["card_state"] == lost
        found = operate(client, person, "release")
        assert (found.json["result"], codes(found), found.json["card_state"]) == \
            ("refused", ["replacement_open"], lost), found
        assert client.api("production").get(f"/v1/notices/{found.json['notice_no']}").status == 200
    bank.behave(hold_after=None)
    client.wait_for(application_id, "collected", "已激活")
    wait_until("one usable card", 20, lambda: states(client, person) == ["cancelled", "normal"],
               0.1)


def test_a_release_gives_a_damaged_card_back_while_its_replacement_waits(client, people):
    person = import_card(client, people.foreigner())
    answer = client.apply(person, kind="damage_replacement")
    application_id = answer.json["application_id"]
    client.wait_for(application_id, "photo_missing")
    assert operate(client, person, "report_temporary_loss").json["result"] == "done"
    found = operate(client, person, "release")
    assert (found.json["result"], found.json["card_state"]) == ("done", "normal"), found
    client.wait_for(application_id, "withdrawn", "已撤销")
    wait_until("the card is an identity", 15, lambda: client.status(
        document=client.document(person))["cards"][0]["identity"]["valid"], 0.1)
    assert client.apply(person, kind="damage_replacement").json["outcome"] == "accepted"


def test_an_old_card_that_nobody_here_knows_is_exchanged_at_any_bank(client, people):
    person = people.resident()
    client.enrol(person)
    answer = client.apply(person, kind="reissue", reissue_reason="mass_exchange", bank_code="B02",
                          outlet_code="B02001")
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    client.wait_for(answer.json["application_id"], "collected", "已激活")
    wait_until("the card in use", 20, lambda: states(client, person) == ["normal"], 0.1)


def test_a_card_without_photo_is_swapped_for_one_with(client, people):
    child = people.child(people.resident())
    first = client.accepted(child)["application_id"]
    client.wait_for(first, "collected", "已激活")
    answer = client.apply(child, kind="photo_swap", photo_choice="upload")
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    swap = answer.json["application_id"]
    client.wait_for(swap, "photo_missing")
    assert client.put_photo(swap, wait=10).status == 200
    client.wait_for(swap, "collected", "已激活")
    wait_until("one usable card", 20, lambda: states(client, child) == ["cancelled", "normal"], 0.1)


def test_another_bank_makes_the_next_card_and_the_first_cancels_its_own(client, holder):
    answer = client.apply(holder, kind="reissue", reissue_reason="bank_change", bank_code="B02",
                          outlet_code="B02001")
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    client.wait_for(answer.json["application_id"], "collected", "已激活")
    wait_until("one usable card", 20, lambda: states(client, holder) == ["cancelled", "normal"],
               0.1)


def test_a_temporary_card_bridges_the_time_until_the_replacement(stack, client, holder):
    document, actor = client.document(holder), {"role": "holder", "name": holder["name"],
                                                **client.document(holder)}

    def operate(operation, **fields):
        return client.api("production", "bank_outlet").post("/v1/card-operations", {
            "operation": operation, "channel": "bank_outlet", "actor": actor,
            "operator": client.operator(), **fields}, wait=10)

    def shown():
        cards = client.status(document=document)["cards"]
        return {card["kind"]: (card["state"], card["valid_until"]) for card in cards
                if card["state"] != "cancelled"}

    assert operate("report_formal_loss", holder=document).json["result"] == "done"
    answer = client.apply(holder, kind="temporary")
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    application_id = answer.json["application_id"]
    client.wait_for(application_id, "produced", "制卡完成")
    told = client.api("production").post("/v1/bank-results", {
        "application_id": application_id, **document, "bank_code": "B01", "type": "collected"})
    assert told.status == 202, told
    client.wait_for(application_id, "collected", "领卡未激活")
    with psycopg.connect(stack.info()["postgres"]["production"]) as link:
        card_no = link.execute("select card_no from issued where app_id = %s",
                               (application_id,)).fetchone()[0]
    used = operate("activate", card_no=card_no, holder=document)
    assert (used.json["result"], used.json["card_state"]) == ("done", "normal"), used
    today = datetime.now(timezone(timedelta(hours=8))).date()
    want = {"permanent": "formal_loss", "temporary": "normal"}
    wait_until("both cards are shown", 20, lambda: {
        kind: state for kind, (state, _) in shown().items()} == want, 0.1)
    assert shown()["temporary"][1] == str(today + timedelta(days=60))
    longer = operate("extend_temporary", card_no=card_no, holder=document)
    assert longer.json["result"] == "done", longer
    # The replacement ends both the old card and the temporary one.
    lost = client.apply(holder, kind="loss_replacement")
    assert (lost.status, lost.json["outcome"]) == (200, "accepted"), lost
    client.wait_for(lost.json["application_id"], "collected", "已激活")
    wait_until("one usable card", 20,
               lambda: {kind: state for kind, (state, _) in shown().items()} ==
               {"permanent": "normal"}, 0.1)


@pytest.fixture
def patient(make_stack):
    """A stack whose banks wait for more lines before a batch is closed."""
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                      settings={"production": {"batch_wait_ms": "20s"}})


def test_a_lost_card_is_found_while_its_replacement_waits_in_the_queue(patient, people):
    client, person = Client(patient), people.resident()
    document = client.document(person)
    client.enrol(person)
    client.import_card(person)
    wait_until("the imported card is known", 15,
               lambda: client.status(document=document)["cards"], 0.1)
    lost = client.apply(person, kind="loss_replacement")
    assert (lost.status, lost.json["outcome"]) == (200, "accepted"), lost
    client.wait_for(lost.json["application_id"], "photo_ready")
    found = client.api("production", "bank_outlet").post("/v1/card-operations", {
        "operation": "release", "channel": "bank_outlet", "holder": document,
        "actor": client.holder(person), "operator": client.operator()}, wait=10)
    assert (found.json["result"], found.json["card_state"]) == ("done", "normal"), found
    client.wait_for(lost.json["application_id"], "withdrawn", "已撤销")
    wait_until("the card is shown in use", 20, lambda: states(client, person) == ["normal"], 0.1)


def test_the_database_refuses_a_second_card_in_use(stack, holder, topics):
    key = topics.holder_ref(holder["document_type"], holder["document_number"])
    with psycopg.connect(stack.info()["postgres"]["production"]) as link, \
            pytest.raises(psycopg.errors.CheckViolation, match="one_usable_card"):
        link.execute("update holder set made_state = 'normal' where key = %s", (key,))
