"""Replacements from the application to the new card in the holder's hand, and what becomes of the old
one."""

import pytest
from harness.program import wait_until


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
