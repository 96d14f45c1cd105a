"""A card that is handed in for its replacement, and reported lost or given back before there is one."""

from harness.program import wait_until
from harness.walks import codes, import_card, operate, withdraw


def card_states(client, person):
    return sorted(card["state"] for card in client.status(document=client.document(person))["cards"])


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
    wait_until("one usable card", 20,
               lambda: card_states(client, person) == ["cancelled", "normal"],
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
    wait_until("one usable card", 20,
               lambda: card_states(client, person) == ["cancelled", "normal"],
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
