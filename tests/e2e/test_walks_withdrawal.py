"""A withdrawal in every state of the table: allowed it ends the application, refused it changes
nothing and says what to do. Each is looked at as a whole when it is over, see harness/ends.py; what
comes after time has ended an application is in test_a_year.py."""

import concurrent.futures

import psycopg
import pytest
from harness.client import Client
from harness.ends import ACTIVE, ISSUED, REJECTED, WITHDRAWN, Walk
from harness.program import wait_until
from harness.walks import bank_says, cards, states, supplement, withdraw
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
    """Withdrawn, to be seen everywhere, with a voucher; then it is refused with a notice."""
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


NEW = ("permanent", "normal", "B01")
TWICE = [("withdraw", "illegal_in_state")]  # by done()


def test_while_it_waits_for_the_enrolment(client, people, walk_of):
    walk = walk_of(people.resident())
    first = client.apply(walk.person, wait=None).json["application_id"]
    client.wait_for(first, "received", "等待参保信息")
    done(client, walk.person, first)
    client.enrol(walk.person)
    client.settle()
    second = walk.apply()
    walk.at(second, *ACTIVE)
    walk.ends(applications={first: WITHDRAWN, second: ACTIVE}, receipts={second: "B01001"},
              cards=[NEW], vouchers=["withdraw", "activate"], refusals=TWICE,
              notified=["withdrawn", *ISSUED], told=[])


def test_after_a_notice(client, people, walk_of):
    walk = walk_of(people.resident())
    person = walk.person
    client.enrol(person)
    first = client.apply(person, address="").json["application_id"]
    assert client.wait_for(first, "noticed")["notice_no"]
    number = done(client, person, first).json["voucher_no"]
    signed = client.api("production").post(f"/v1/vouchers/{number}/signature", {
        "who": client.holder(person), "when": "2026-03-02T10:00:00+08:00",
        "method": "handwritten"})
    assert signed.status == 202, signed
    wait_until("the signature is kept", 15,
               lambda: paper(client, "vouchers", number)["signature"], 0.1)
    late = supplement(client, first, address=person["address"])
    assert late.json["refused_because"] == "illegal_in_state", late
    refusal = paper(client, "notices", late.json["refusal_notice_no"])
    assert refusal["operation"] == "supplement", refusal
    assert refusal["notice_no"] != late.json["notice_no"]  # the application's is another
    second = walk.apply()
    walk.at(second, *ACTIVE)
    walk.ends(applications={first: WITHDRAWN, second: ACTIVE}, receipts={second: "B01001"},
              cards=[NEW], vouchers=["withdraw", "activate"],
              refusals=[*TWICE, ("supplement", "illegal_in_state")],
              notified=["noticed", "withdrawn", *ISSUED], told=[])


def test_after_a_rejection(client, people, walk_of):
    walk = walk_of(people.resident())
    client.enrol(walk.person)
    rejected = client.apply(walk.person, kind="loss_replacement").json
    assert rejected["outcome"] == "rejected", rejected
    first = rejected["application_id"]
    refused(client, walk.person, first, "illegal_in_state", "rejected")
    walk.ends(applications={first: REJECTED}, receipts={}, cards=[], vouchers=[], refusals=TWICE,
              notified=["rejected"], told=[])


def ended(walk, first, *heard, refusals=TWICE, told=()):
    """Withdrawn after it was accepted, without a card."""
    walk.ends(applications={first: WITHDRAWN}, receipts={first: "B01001"}, cards=[],
              vouchers=["withdraw"], refusals=refusals, told=list(told),
              notified=["accepted", *heard, "withdrawn"])


def test_before_there_is_a_photo(client, people, walk_of, police):
    police.behave(off=True)
    walk = walk_of(people.resident())
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, "accepted", "数据录入")
    done(client, walk.person, first)
    police.behave(off=False)
    ended(walk, first)


def test_without_a_photo(client, people, walk_of):
    walk = walk_of(people.foreigner())
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, "photo_missing", "待补照片")
    done(client, walk.person, first)
    late = client.put_photo(first, wait=5)
    assert late.json["result"] == "refused", late
    ended(walk, first, "photo_missing")


@pytest.mark.parametrize("held, state, label", [
    (None, "batched", "制卡中"), ("account_opened", "account_opened", "制卡中"),
    ("produced", "produced", "制卡完成"), ("shipped", "shipped", "市银行签收")],
    ids=["batched", "account_opened", "produced", "shipped"])
def test_while_the_bank_makes_the_card(client, people, bank, walk_of, held, state, label):
    """Refused with what to do at pickup, and the card still comes."""
    walk = walk_of(people.resident())
    bank.behave(hold_after=held, off=held is None)
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, state, label)
    refused(client, walk.person, first, "in_production", state)
    bank.behave(hold_after=None, off=False)
    walk.at(first, *ACTIVE)
    refused(client, walk.person, first, "illegal_in_state", "collected")
    walk.ends(applications={first: ACTIVE}, receipts={first: "B01001"}, cards=[NEW],
              vouchers=["activate"], refusals=[("withdraw", "in_production"), *TWICE],
              notified=ISSUED, told=[])


def test_at_the_outlet_the_card_is_cancelled_and_its_bank_told(client, people, bank, walk_of):
    """That it is handed over all the same is not the bank's any more."""
    walk = walk_of(people.resident())
    bank.behave(hold_after="arrived")
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, "ready_for_pickup", "银行网点签收")
    walk.has_heard(["accepted", "ready_for_pickup"])
    number = done(client, walk.person, first).json["voucher_no"]
    assert paper(client, "vouchers", number)["channel"] == "bank_outlet"
    assert listed(client, number) == ["bank_outlet", "migration"]
    assert client.api("production", "online").get(f"/v1/vouchers/{number}").status == 404
    bank.behave(hold_after=None)
    client.settle("production")
    walk.ends(applications={first: WITHDRAWN}, receipts={first: "B01001"},
              cards=[("permanent", "cancelled", "B01")], vouchers=["withdraw"],
              refusals=[*TWICE, ("activate", "card_cancelled")],
              notified=["accepted", "ready_for_pickup", "withdrawn", "cancelled"],
              told=[("cancelled", "B01", walk.numbers()[0])])


def test_when_the_account_cannot_be_opened(client, people, bank, walk_of):
    walk = walk_of(people.resident())
    bank.behave(off=True)
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, "batched")
    bank_says(client, walk.person, first, "account_failed", reason="account_refused")
    walk.at(first, "account_failed", "开户失败")
    walk.has_heard(["accepted", "account_failed"])
    done(client, walk.person, first)
    ended(walk, first, "account_failed")


def test_when_the_bank_cannot_make_it(client, people, bank, walk_of):
    """Made again until the limit, then the holder may go elsewhere."""
    walk = walk_of(people.resident())
    person = walk.person
    bank.behave(off=True)
    first = client.accepted(person)["application_id"]
    walk.at(first, "batched")
    for failures in range(1, 5):  # remake_max is 3
        wait_until(f"batched {failures} times", 20,
                   lambda n=failures: states(client, first).count("batched") == n, 0.1)
        bank_says(client, person, first, "failed", reason="bank_rejected")
        wait_until(f"failed {failures} times", 20,
                   lambda n=failures: states(client, first).count("production_failed") == n, 0.1)
    walk.at(first, "production_failed", "制卡失败")
    assert cards(client, person) == []
    done(client, person, first)
    bank.behave(off=False)  # it answers four lines whose numbers were given up
    client.settle("production")
    elsewhere = walk.apply(bank_code="B02", outlet_code="B02001")
    walk.at(elsewhere, *ACTIVE)
    assert len(set(walk.ordered(first))) == 4
    walk.ends(applications={first: WITHDRAWN, elsewhere: ACTIVE},
              receipts={first: "B01001", elsewhere: "B02001"},
              cards=[("permanent", "normal", "B02")], vouchers=["withdraw", "activate"],
              refusals=[*TWICE, *[("activate", "card_cancelled")] * 4],
              notified=["accepted", "production_failed", "withdrawn", *ISSUED], told=[])


def test_after_it_was_closed(client, people, walk_of):
    walk = walk_of(people.foreigner())
    first = client.accepted(walk.person)["application_id"]
    walk.at(first, "photo_missing")
    client.end_enrolment(walk.person, "left")
    walk.at(first, "closed", "已终止")
    refused(client, walk.person, first, "illegal_in_state", "closed")
    walk.ends(applications={first: ("closed", "已终止")}, receipts={first: "B01001"}, cards=[],
              vouchers=[], refusals=TWICE, notified=["accepted", "photo_missing", "closed"],
              told=[])


@pytest.fixture
def patient(make_stack):
    """Banks wait for more lines before a batch is closed."""
    return make_stack(services=["intake", "photo-fetch", "production", "notification", "inquiry"],
                      settings={"production": {"batch_wait_ms": "8s"},
                                "notification": {"quiet_hours": "false"}})


def test_in_the_banks_queue_its_shard_decides(patient, opened, people):
    client, leaving, staying = Client(patient), people.resident(), people.resident()
    walk = Walk(patient, opened(patient), leaving)
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
    assert cards(client, staying) == [("permanent", "normal")]
    # The other asked while the first was waited for: the same answer, without a paper of its own;
    # or after it, and was refused.
    late = [("withdraw", "illegal_in_state") for a in answers if a.json["result"] == "refused"]
    ended(walk, first, refusals=late)
    with psycopg.connect(patient.info()["postgres"]["production"]) as link:
        assert link.execute("select sent, made from bank where code = 'B01'").fetchone() == (1, 1)
    again = client.apply(leaving)
    assert again.json["outcome"] == "accepted", again
