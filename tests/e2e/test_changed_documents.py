"""Card operations by the number of a document that has changed."""

from harness.program import wait_until
from harness.walks import bank_says, codes


def change_document(client, old, new, revision=2):
    answer = client.api("intake", "upstream").post("/v1/enrolment-events", {
        "type": "document_changed", "revision": revision, "old": client.document(old),
        "new": client.document(new)})
    assert answer.status in (200, 202), answer


def renewed(people, person):
    return {**person, "document_number": people.foreigner()["document_number"]}


def operate(client, person, operation, channel="bank_outlet", **fields):
    return client.api("production", channel).post("/v1/card-operations", {
        "operation": operation, "channel": channel, "holder": client.document(person),
        "actor": client.holder(person), "operator": client.operator(),
        **fields}, wait=10)


def test_operations_by_the_new_passport_are_of_the_holders_card(client, people):
    # Several holders: the two references of one are in one partition or in two.
    for _ in range(4):
        old = people.foreigner()
        new = renewed(people, old)
        client.enrol(old)
        client.import_card(old)
        change_document(client, old, new)
        wait_until("status by the new passport", 15, lambda: client.status(
            document=client.document(new))["found"], 0.1)

        def state():
            return client.status(document=client.document(old))["cards"][0]["state"]

        lost = operate(client, new, "report_temporary_loss", "hotline_12345")
        assert (lost.status, lost.json["result"]) == (200, "done"), lost
        assert lost.json["card_state"] == "temporary_loss" and lost.json["voucher_no"]
        wait_until("the loss is shown", 10, lambda: state() == "temporary_loss", 0.1)
        again = operate(client, new, "report_temporary_loss", "hotline_12345")
        assert (again.status, again.json["result"]) == (200, "already"), again
        by_old = operate(client, old, "report_temporary_loss", "hotline_12345")
        assert by_old.json["result"] == "already", by_old
        refused = operate(client, new, "unlock")
        assert (refused.json["result"], bool(refused.json["notice_no"])) == ("refused", True)
        found = operate(client, new, "release")
        assert (found.status, found.json["result"]) == (200, "done"), found
        wait_until("the release is shown", 10, lambda: state() == "normal", 0.1)
        voucher = client.api("production", "migration").get(
            f"/v1/vouchers/{found.json['voucher_no']}")
        assert voucher.status == 200 and voucher.json["operation"] == "release", voucher


def test_who_shows_the_new_passport_is_the_holder_of_the_first(client, people, walk_of):
    """By card number alone, or by the number of before: the document that is shown is the holder's."""
    for _ in range(3):
        old = people.foreigner()
        new, stranger = renewed(people, old), people.foreigner()
        client.enrol(old)
        client.import_card(old)
        change_document(client, old, new)
        wait_until("status by the new passport", 15, lambda: client.status(
            document=client.document(new))["found"], 0.1)
        shows_new, shows_none = client.holder(new), client.holder(stranger)
        refused = operate(client, old, "report_formal_loss", actor=shows_none)
        assert codes(refused) == ["document_required"], refused
        lost = operate(client, old, "report_formal_loss", actor=shows_new)
        assert (lost.json["result"], lost.json["card_state"]) == ("done", "formal_loss"), lost
        by_card = client.api("production", "bank_outlet").post("/v1/card-operations", {
            "operation": "release", "channel": "bank_outlet", "actor": shows_new,
            "operator": client.operator(),
            "card_no": walk_of(old).numbers()[0]}, wait=10)
        assert (by_card.json["result"], by_card.json["card_state"]) == ("done", "normal"), by_card


def test_a_banks_report_by_the_new_passport_is_of_the_holders_application(client, people, bank):
    bank.behave(hold_after="arrived")
    for _ in range(3):
        old = people.foreigner()
        new = renewed(people, old)
        application_id = client.accepted(old)["application_id"]
        client.wait_for(application_id, "photo_missing")
        assert client.put_photo(application_id, wait=10).status == 200
        client.wait_for(application_id, "ready_for_pickup")
        change_document(client, old, new)
        client.settle()
        bank_says(client, new, application_id, "collected")
        client.wait_for(application_id, "collected", "领卡未激活")
        bank_says(client, new, application_id, "collected")
        assert operate(client, new, "activate").json["result"] == "done"
        client.wait_for(application_id, "collected", "已激活")


def test_a_number_that_is_nobodys_newer_one_is_not_led_anywhere(client, people):
    stranger = people.foreigner()
    client.enrol(stranger)
    answer = operate(client, stranger, "report_temporary_loss", "hotline_12345")
    assert (answer.status, answer.json["result"]) == (200, "refused"), answer
