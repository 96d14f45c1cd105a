"""Steps of a card's life that several walks take, over HTTP only; and what is to be seen at the end."""

from .program import wait_until


def supplement(client, application_id, wait=10, key="bank_outlet", **changes):
    return client.api("intake", key).post(
        f"/v1/applications/{application_id}/supplements", changes, wait=wait)


def withdraw(client, person, application_id, wait=10):
    return client.api("intake", "bank_outlet").post(
        f"/v1/applications/{application_id}/withdrawal",
        {"actor": client.holder(person), "reason": "changed_mind"}, wait=wait)


def operate(client, person, operation, channel="bank_outlet", key="migration", **fields):
    return client.api("production", key).post("/v1/card-operations", {
        "operation": operation, "channel": channel, "holder": client.document(person),
        "actor": client.holder(person), "operator": client.operator(), **fields}, wait=10)


def bank_says(client, person, application_id, step, bank="B01", **fields):
    """What a bank without Kafka reports of an application."""
    answer = client.api("production").post("/v1/bank-results", {
        "application_id": application_id, **client.document(person), "bank_code": bank,
        "type": step, **fields})
    assert answer.status == 202, answer


def cards(client, person):
    """{(kind, state)} of what the hotline sees; cancelled ones too."""
    shown = client.status(document=client.document(person))["cards"]
    return sorted((card["kind"], card["state"]) for card in shown)


def wait_for_cards(client, person, *want):
    wait_until(f"cards {want}", 30, lambda: cards(client, person) == sorted(want), 0.1)


def states(client, application_id):
    return [step["state"] for step in client.outcome(application_id)["timeline"]]


def codes(answer):
    return sorted(reason["code"] for reason in answer.json["reasons"])


def import_card(client, person, **fields):
    """The person is enrolled and has a card of before."""
    client.enrol(person)
    client.import_card(person, **fields)
    wait_until("the imported card is known", 15,
               lambda: client.status(document=client.document(person))["cards"], 0.1)
    return person
