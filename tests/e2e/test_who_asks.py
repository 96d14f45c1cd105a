"""Who may ask for an operation on a card: actor, operator and bank, over HTTP and over Kafka."""

import pytest
from harness.commands import CardCommands
from harness.walks import cards, codes, import_card, operate, wait_for_cards

BANK_OPERATOR = {"staff_id": "s1", "bank_code": "B01"}


@pytest.fixture
def holder(client, people):
    """A person with a card of before in use, of bank B01."""
    return import_card(client, people.resident())


@pytest.fixture(scope="module")
def commands(topics):
    return CardCommands(topics)


@pytest.mark.parametrize("why,fields,want", [
    ("nobody asks", {"actor": {}}, ["missing_actor"]),
    ("a role that is none", {"actor": {"role": "neighbour", "name": "厍某"}}, ["missing_actor"]),
    ("an agent without a name", {"actor": {"role": "agent"}}, ["missing_actor"]),
    ("nobody serves", {"operator": {}}, ["missing_operator"]),
    ("a bank does not serve, its staff does", {"operator": {"bank_code": "B01"}},
     ["missing_operator"]),
    ("neither", {"actor": {}, "operator": {}}, ["missing_actor", "missing_operator"]),
    ("a counter of no bank", {"operator": {"staff_id": "s1"}}, ["not_issuing_bank"]),
    ("another bank's counter", {"operator": {"staff_id": "s1", "bank_code": "B02"}},
     ["not_issuing_bank"]),
    ("another bank's phone", {"channel": "bank_phone",
                              "operator": {"staff_id": "s1", "bank_code": "B02"}},
     ["not_issuing_bank"])])
def test_what_is_not_asked_for_properly_is_refused_with_a_notice(client, holder, why, fields, want):
    refused = operate(client, holder, "report_temporary_loss", **fields)
    assert (refused.status, refused.json["result"], codes(refused)) == (200, "refused", want), why
    paper = client.api("production").get(f"/v1/notices/{refused.json['notice_no']}")
    assert sorted(reason["code"] for reason in paper.json["reasons"]) == want, paper
    assert cards(client, holder) == [("permanent", "normal")]


@pytest.mark.parametrize("why,fields", [
    ("the phone of no bank", {"channel": "bank_phone", "operator": {"staff_id": "s1"}}),
    ("the card's bank by phone", {"channel": "bank_phone", "operator": BANK_OPERATOR}),
    ("a terminal of any bank", {"channel": "terminal",
                                "operator": {"staff_id": "t7", "bank_code": "B02"}}),
    ("an outlet without a staff id", {"operator": {"outlet_code": "B01001", "bank_code": "B01"}}),
    ("an agent by name", {"actor": {"role": "agent", "name": "厍某某"}})])
def test_a_temporary_loss_is_taken_from(client, holder, why, fields):
    lost = operate(client, holder, "report_temporary_loss", **fields)
    assert (lost.status, lost.json["result"]) == (200, "done"), (why, lost)


def test_an_actor_of_the_wrong_type_is_malformed(client, holder):
    for fields in ({"actor": "holder"}, {"operator": ["s1"]}, {"actor": {"role": 1}}):
        assert operate(client, holder, "cancel", **fields).status == 400, fields


def test_a_formal_loss_and_its_release_need_the_document_of_who_asks(client, people):
    holder, other = import_card(client, people.resident()), people.resident()
    agent = {"role": "agent", "name": other["name"]}
    nobody = {"role": "holder", "name": holder["name"]}
    for operation, state in (("report_formal_loss", "normal"), ("release", "formal_loss")):
        for actor in (nobody,
                      {**nobody, **client.document(other)},
                      agent, {**agent, **client.document(holder)},
                      {**agent, "document_type": "resident_id",
                       "document_number": "370202199003070012"}):
            refused = operate(client, holder, operation, actor=actor)
            assert (refused.status, refused.json["result"], codes(refused)) == (
                200, "refused", ["document_required"]), (actor["role"], refused)
            assert refused.json["card_state"] == state and refused.json["notice_no"]
        done = operate(client, holder, operation, actor={**agent, **client.document(other)})
        assert done.json["result"] == "done", done
    wait_for_cards(client, holder, ("permanent", "normal"))


def test_who_comes_to_cancel_a_card_for_its_holder_shows_a_document(client, people):
    holder, other = import_card(client, people.resident()), people.resident()
    for role in ("agent", "guardian"):
        for shown in ({}, client.document(holder)):
            refused = operate(client, holder, "cancel",
                              actor={"role": role, "name": other["name"], **shown})
            assert (refused.json["result"], codes(refused)) == (
                "refused", ["document_required"]), (role, refused)
    wait_for_cards(client, holder, ("permanent", "normal"))
    done = operate(client, holder, "cancel", actor={"role": "agent", "name": other["name"]},
                   evidence=client.document(other))
    assert (done.json["result"], done.json["card_state"]) == ("done", "cancelled"), done


def test_the_document_may_come_as_evidence(client, people):
    holder = import_card(client, people.resident())
    actor = {"role": "holder", "name": holder["name"]}
    refused = operate(client, holder, "report_formal_loss", actor=actor, evidence="shown")
    assert codes(refused) == ["document_required"], refused
    lost = operate(client, holder, "report_formal_loss", actor=actor,
                   evidence=client.document(holder))
    assert lost.json["result"] == "done", lost


def test_a_temporary_loss_is_taken_and_released_without_a_document(client, holder):
    actor = {"role": "holder", "name": holder["name"]}
    for operation in ("report_temporary_loss", "release"):
        assert operate(client, holder, operation, actor=actor).json["result"] == "done"


def test_over_kafka_the_document_is_sealed_for_the_holder(client, commands, people, topics):
    holder, other = import_card(client, people.resident()), people.resident()

    def ask(operation, role="holder", who=None):
        actor = {"name": holder["name"], **(client.document(who) if who else {})}
        return commands.ask(holder, operation, role=role, actor=actor, operator=BANK_OPERATOR)

    assert ask("report_formal_loss") == ("refused", ["document_required"])
    assert ask("report_formal_loss", who=other) == ("refused", ["document_required"])
    assert ask("report_formal_loss", who=holder) == ("done", [])
    assert ask("release", "agent", holder) == ("refused", ["document_required"])
    assert ask("release", "agent", other) == ("done", [])
    # Sealed for another holder it is a dead letter, which does not tell what is inside.
    mark = topics.ends("card.commands.dlq")
    key, command = commands.command(holder, "report_formal_loss", operator=BANK_OPERATOR)
    command.actor = commands.seal(topics.messages.common.Actor(
        role="holder", **client.document(holder)), b"another's key!!!", 2)
    topics.send("card.commands", key, command.SerializeToString(), "card.operation")
    dead = topics.wait("a dead letter", "card.commands.dlq", mark, lambda record: record.key == key)
    assert "actor: does not open for this key" in dead[0].headers["cf_reason"]


def test_a_card_is_locked_and_unlocked_for_a_reason(client, holder, commands):
    bank = {"role": "bank", "name": "示例银行甲"}
    for operation, state in (("lock", "app_locked"), ("unlock", "normal")):
        for role in ("holder", "agent"):
            actor = {**client.holder(holder), "role": role}
            refused = operate(client, holder, operation, actor=actor, reason="by mistake")
            assert (refused.json["result"], codes(refused)) == (
                "refused", ["authority_or_bank_only"]), refused
        for fields in ({}, {"reason": ""}):
            refused = operate(client, holder, operation, actor=bank, **fields)
            assert (refused.json["result"], codes(refused)) == ("refused", ["missing_reason"])
        done = operate(client, holder, operation, actor=bank, reason="court order 7")
        assert (done.json["result"], done.json["card_state"]) == ("done", state), done
    by = {"role": "authority", "channel": "upstream", "operator": {"staff_id": "s1"}}
    assert commands.ask(holder, "lock", **by) == ("refused", ["missing_reason"])
    assert commands.ask(holder, "lock", reason="court order 8", **by) == ("done", [])


def test_over_kafka_actor_operator_and_bank_are_asked_for_as_well(commands, holder):
    def ask(**fields):
        return commands.ask(holder, "report_temporary_loss", **fields)

    assert ask(role="") == ("refused", ["missing_actor", "missing_operator"])
    assert ask(role="agent", operator=BANK_OPERATOR) == ("refused", ["missing_actor"])
    assert ask(operator={"staff_id": "s1"}) == ("refused", ["not_issuing_bank"])
    assert ask(operator={"staff_id": "s1", "bank_code": "B02"}, channel="bank_phone") == (
        "refused", ["not_issuing_bank"])
    assert ask(role="agent", actor={"name": "厍某某"}, operator=BANK_OPERATOR) == ("done", [])
