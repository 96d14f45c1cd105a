"""A withdrawal in every state of the table: allowed it ends the application, refused it changes nothing and
says what to do; each with card, papers and messages as they must be then."""

import concurrent.futures

import psycopg
import pytest
from harness.bank import open_notices, told
from harness.client import Client
from harness.notices import notifications
from harness.program import wait_until
from harness.walks import (
    bank_says, cards, states, supplement, wait_for_cards, withdraw,
)
from test_papers_pdf import unsigned


def paper(client, kind, number):
    """production keeps those of intake, too, and hears of them a moment later."""
    shown = []

    def there():
        shown[:] = [client.api("production").get(f"/v1/{kind}/{number}")]
        return shown[0].status == 200

    wait_until(f"{kind} {number}", 15, there, 0.1)
    return shown[0].json


def done(client, person, application_id):
    """Withdrawn, to be seen everywhere, with a voucher; a second time it is refused with a notice."""
    answer = withdraw(client, person, application_id)
    assert (answer.status, answer.json["result"]) == (200, "done"), answer
    client.wait_for(application_id, "withdrawn", "已撤销")
    shown = paper(client, "vouchers", answer.json["voucher_no"])
    assert (shown["operation"], shown["result"], shown["signature"]) == ("withdraw", "done", None)
    again = withdraw(client, person, application_id)
    assert (again.json["result"], again.json["refused_because"]) == \
        ("refused", "illegal_in_state"), again
    assert_notice(client, again, "illegal_in_state")
    assert client.outcome(application_id)["state"] == "withdrawn"
    return answer


def listed(client, number):
    """The keys whose list of unsigned vouchers has this one."""
    return [key for key in ("bank_outlet", "online", "unit", "migration") if number in
            [voucher["voucher_no"] for voucher in unsigned(client, key, limit=500)]]


def assert_notice(client, answer, because):
    shown = paper(client, "notices", answer.json["refusal_notice_no"])
    assert (shown["operation"], shown["result"], [r["code"] for r in shown["reasons"]]) == \
        ("withdraw", "refused", [because]), shown
    assert shown["reasons"][0]["text"]["zh"] and "voucher_no" not in answer.json


def refused(client, person, application_id, because, state):
    answer = withdraw(client, person, application_id)
    assert (answer.status, answer.json["result"], answer.json["refused_because"]) == \
        (200, "refused", because), answer
    assert_notice(client, answer, because)
    assert client.outcome(application_id)["state"] == state
    return answer


def test_while_it_waits_for_the_enrolment(client, people, topics):
    person = people.resident()
    application_id = client.apply(person, wait=None).json["application_id"]
    client.wait_for(application_id, "received", "等待参保信息")
    done(client, person, application_id)
    client.enrol(person)
    client.settle()
    assert client.outcome(application_id)["state"] == "withdrawn"
    anew = client.apply(person)
    assert anew.json["outcome"] == "accepted", anew
    client.wait_for(anew.json["application_id"], "collected", "已激活")
    assert told(topics, person) == []


def test_after_a_notice(client, people):
    person = people.resident()
    client.enrol(person)
    application_id = client.apply(person, phone="").json["application_id"]
    assert client.wait_for(application_id, "noticed")["notice_no"]
    number = done(client, person, application_id).json["voucher_no"]
    signed = client.api("production").post(f"/v1/vouchers/{number}/signature", {
        "who": client.holder(person), "when": "2026-03-02T10:00:00+08:00",
        "method": "handwritten"})
    assert signed.status == 202, signed
    wait_until("the signature is kept", 15,
               lambda: paper(client, "vouchers", number)["signature"], 0.1)
    late = supplement(client, application_id, phone=person["phone"])
    assert late.json["refused_because"] == "illegal_in_state", late
    refusal = paper(client, "notices", late.json["refusal_notice_no"])
    assert refusal["operation"] == "supplement", refusal
    assert refusal["notice_no"] != late.json["notice_no"]  # the application's is another
    assert client.apply(person).json["outcome"] == "accepted"


def test_after_a_rejection(client, people):
    person = people.resident()
    client.enrol(person)
    rejected = client.apply(person, kind="loss_replacement").json
    assert rejected["outcome"] == "rejected", rejected
    refused(client, person, rejected["application_id"], "illegal_in_state", "rejected")


def test_in_a_batch_that_the_bank_has_not_answered(client, people, bank, topics):
    person = people.resident()
    bank.behave(off=True)
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "batched", "制卡中")
    refused(client, person, application_id, "in_production", "batched")
    bank.behave(off=False)
    client.wait_for(application_id, "collected", "已激活")
    refused(client, person, application_id, "illegal_in_state", "collected")
    wait_for_cards(client, person, ("permanent", "normal"))
    assert told(topics, person) == []


def test_at_the_outlet_the_card_is_cancelled_and_its_bank_told(stack, client, people, bank, topics):
    person, info = people.resident(), stack.info()
    bank.behave(hold_after="arrived")
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "ready_for_pickup", "银行网点签收")
    wait_until("the holder has heard", 30,
               lambda: "ready_for_pickup" in notifications(topics, person), 0.3)
    number = done(client, person, application_id).json["voucher_no"]
    assert paper(client, "vouchers", number)["channel"] == "bank_outlet"
    assert listed(client, number) == ["bank_outlet", "migration"]
    assert client.api("production", "online").get(f"/v1/vouchers/{number}").status == 404
    wait_for_cards(client, person, ("permanent", "cancelled"))
    wait_until("the bank has heard", 20, lambda: told(topics, person) and
               not open_notices(info, topics, person), 0.3)
    assert [notice[0] for notice in told(topics, person)] == ["cancelled"]
    # That it is handed over all the same is not the bank's any more.
    bank.behave(hold_after=None)
    client.settle("production")
    assert client.outcome(application_id)["state"] == "withdrawn"
    assert cards(client, person) == [("permanent", "cancelled")]
    wait_until("and the withdrawal", 30, lambda: "withdrawn" in notifications(topics, person), 0.3)
    assert not {"collected", "activated"} & set(notifications(topics, person))


def test_when_the_bank_cannot_make_it(client, people, bank, topics):
    """Made again until the limit, then the holder may go elsewhere."""
    person = people.resident()
    bank.behave(off=True)
    application_id = client.accepted(person)["application_id"]
    for failures in range(1, 5):  # remake_max is 3
        wait_until(f"batched {failures} times", 20,
                   lambda n=failures: states(client, application_id).count("batched") == n, 0.1)
        bank_says(client, person, application_id, "failed", reason="bank_rejected")
        wait_until(f"failed {failures} times", 20,
                   lambda n=failures: states(client, application_id).count("production_failed") == n,
                   0.1)
    client.wait_for(application_id, "production_failed", "制卡失败")
    assert cards(client, person) == []
    done(client, person, application_id)
    bank.behave(off=False)  # it answers four lines whose numbers were given up
    client.settle("production")
    assert client.outcome(application_id)["state"] == "withdrawn"
    assert cards(client, person) == [] and told(topics, person) == []
    anew = client.apply(person, bank_code="B02", outlet_code="B02001")
    assert anew.json["outcome"] == "accepted", anew
    client.wait_for(anew.json["application_id"], "collected", "已激活")
    wait_for_cards(client, person, ("permanent", "normal"))


@pytest.fixture
def patient(make_stack):
    """Banks wait for more lines before a batch is closed."""
    return make_stack(services=["intake", "photo-fetch", "production", "inquiry"],
                      settings={"production": {"batch_wait_ms": "8s"}})


def test_in_the_banks_queue_its_shard_decides(patient, people):
    client, leaving, staying = Client(patient), people.resident(), people.resident()
    first = client.accepted(leaving)["application_id"]
    second = client.accepted(staying)["application_id"]
    client.wait_for(first, "photo_ready")
    # Two that do not wait for each other: each has its answer.
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        answers = list(two.map(lambda _: withdraw(client, leaving, first), range(2)))
    assert {answer.status for answer in answers} == {200}, answers
    results = sorted((answer.json["result"], "voucher_no" in answer.json) for answer in answers)
    assert results[-1] != results[0] and ("done", True) in results, results
    number = next(a.json["voucher_no"] for a in answers if "voucher_no" in a.json)
    assert listed(client, number) == ["bank_outlet", "migration"]
    client.wait_for(first, "withdrawn", "已撤销")
    client.wait_for(second, "collected", "已激活", timeout=60)
    assert client.outcome(first)["state"] == "withdrawn"
    assert cards(client, leaving) == [] and cards(client, staying) == [("permanent", "normal")]
    with psycopg.connect(patient.info()["postgres"]["production"]) as link:
        assert link.execute("select sent, made from bank where code = 'B01'").fetchone() == (1, 1)
    again = client.apply(leaving)
    assert again.json["outcome"] == "accepted", again
