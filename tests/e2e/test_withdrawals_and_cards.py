"""Off the straight path: withdrawal, death, loss and release, replacements of cards of before."""

from harness.notices import notifications, wait_for_sms
from harness.program import wait_until


def states(outcome):
    return [step["state"] for step in outcome["timeline"]]


def codes(outcome):
    return sorted(reason["code"] for reason in outcome["reasons"])


def withdraw(client, person, application_id):
    return client.api("intake", "bank_outlet").post(
        f"/v1/applications/{application_id}/withdrawal",
        {"actor": {"role": "holder", **{k: person[k] for k in (
            "name", "document_type", "document_number")}}, "reason": "changed_mind"}, wait=10)


def test_withdrawn_before_batching_it_ends_and_the_holder_may_apply_again(client, people,
                                                                          topics):
    person = people.foreigner()
    first = client.accepted(person)["application_id"]
    client.wait_for(first, "photo_missing")
    assert withdraw(client, person, first).status in (200, 202)
    ended = client.wait_for(first, "withdrawn", "已撤销")
    assert "batched" not in states(ended)
    answer = client.put_photo(first, wait=5)
    assert answer.status != 200 or answer.json.get("result") != "done", answer
    second = client.apply(person)
    assert second.json["outcome"] == "accepted", second
    assert client.outcome(first)["state"] == "withdrawn"
    told = notifications(topics, person)
    assert "ready_for_pickup" not in told


def test_the_death_of_the_holder_closes_the_application_and_nothing_is_sent(stack, client, people,
                                                                            topics):
    person = people.foreigner()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "photo_missing")
    wait_for_sms(stack, topics, person, {"accepted", "photo_missing"})
    client.end_enrolment(person, "death")
    client.wait_for(application_id, "closed", "已终止")
    assert set(notifications(topics, person)) == {"accepted", "photo_missing"}


# Cards.
def test_a_card_reported_lost_is_no_identity_until_it_is_released(client, people):
    person = people.resident()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    holder = client.document(person)
    actor = {"role": "holder", "name": person["name"], **holder}

    def operate(operation, channel, key, **fields):
        return client.api("production", key).post(
            "/v1/card-operations",
            {"operation": operation, "holder": holder, "channel": channel, "actor": actor,
             "operator": client.operator(), **fields}, wait=10)

    def shown():
        card = client.status(document=holder)["cards"][0]
        return card["state"], card["code"], card["identity"]["valid"]

    lost = operate("report_temporary_loss", "bank_phone", "bank_outlet")
    assert (lost.status, lost.json["result"], lost.json["card_state"]) == \
        (200, "done", "temporary_loss"), lost
    again = operate("report_temporary_loss", "bank_phone", "bank_outlet")
    assert again.json["result"] == "already", again
    wait_until("the loss is shown", 15, lambda: shown() == ("temporary_loss", "4", False), 0.1)
    paid = operate("release", "bank_outlet", "bank_outlet",
                   fees=[{"type": "release", "amount": 5}])
    assert paid.json["result"] == "refused" and \
        [reason["code"] for reason in paid.json["reasons"]] == ["fee_not_allowed"], paid
    free = operate("release", "bank_outlet", "bank_outlet")
    assert (free.json["result"], free.json["card_state"]) == ("done", "normal"), free
    wait_until("the release is shown", 15, lambda: shown() == ("normal", "1", True), 0.1)


def test_the_social_security_password_is_for_clinics_and_pharmacies_not_for_hospitals(client,
                                                                                      people):
    person = people.resident()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    holder = client.document(person)

    def needed_at():
        return client.status(document=holder)["cards"][0]["password_needed_at"]

    wait_until("the card is in use", 15, lambda: needed_at() == [
        "outpatient", "community_institution", "pharmacy"], 0.1)
    lost = client.api("production", "bank_outlet").post("/v1/card-operations", {
        "operation": "report_temporary_loss", "holder": holder, "channel": "bank_phone",
        "actor": client.holder(person), "operator": client.operator()}, wait=10)
    assert lost.json["result"] == "done", lost
    wait_until("a lost card is used nowhere", 15, lambda: needed_at() == [], 0.1)


def test_a_replacement_of_a_card_of_before_is_accepted_and_the_old_card_formally_lost(
        client, people, bank):
    bank.behave(hold_after="account_opened")  # the replacement stays open
    person = people.resident()
    client.enrol(person)
    client.import_card(person)
    wait_until("the imported card is known", 15, lambda: client.status(
        document=client.document(person))["cards"], 0.1)
    answer = client.apply(person, kind="loss_replacement",
                          submitted_at="2025-01-27T11:00:00+08:00")
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    assert answer.json["deadline"]["due_on"] == "2025-02-12"  # deadline_vectors.csv
    wait_until("the old card is in formal loss", 15, lambda: client.status(
        document=client.document(person))["cards"][0]["code"] == "2", 0.1)
    first = client.apply(person, kind="first_issue")
    assert first.json["outcome"] == "rejected" and \
        codes(first.json) == ["duplicate_application"], first


def test_the_holder_of_a_card_cannot_apply_for_a_first_one(client, people):
    person = people.resident()
    client.enrol(person)
    client.import_card(person)
    wait_until("the imported card is known", 15, lambda: client.status(
        document=client.document(person))["cards"], 0.1)
    answer = client.apply(person)
    assert (answer.json["outcome"], codes(answer.json)) == ("rejected", ["card_exists"]), answer


