"""Receipts, notices and vouchers as PDF: the text is read back in both languages, and the QR code."""

import datetime
import os
import re
import signal
import uuid
from pathlib import Path

import psycopg
import pytest
from harness import workdays
from harness.paper import qr_of, squeezed, text_of
from harness.program import wait_until

LANGUAGES = ["zh", "en"]
PHONES = "12333,12345"  # the setting service_phones


def pdf(client, service, path, language, key="bank_outlet"):
    answer = client.api(service, key).get(path, **{
        "Accept": "application/pdf", "Accept-Language": language})
    assert answer.status == 200, answer
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-language"] == language
    assert answer.body.startswith(b"%PDF-")
    return answer.body


def holds(text, *parts):
    for part in parts:
        assert squeezed(part) in text, f"{part} is not in {text}"


def names_nobody(text, person):
    for word in ("name", "document_number", "phone", "address"):
        assert squeezed(person[word]) not in text, word


@pytest.fixture(scope="module")
def card(client, people):
    person = people.resident()
    first = client.accepted(person)
    client.wait_for(first["application_id"], "collected", "已激活")
    return person


@pytest.fixture(scope="module")
def reasons(client):
    listed = client.api("intake", None).get("/v1/reasons").json["reasons"]
    return {reason["code"]: reason for reason in listed}


def operate(client, person, operation, **fields):
    answer = client.api("production", "bank_outlet").post("/v1/card-operations", {
        "operation": operation, "holder": client.document(person), "channel": "bank_outlet",
        "actor": client.holder(person), "operator": client.operator(), **fields}, wait=10)
    assert answer.status == 200, answer
    return answer.json


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_tells_where_and_when_and_why_then(client, people, language):
    person = people.resident()
    client.enrol(person)
    outcome = client.apply(person, submitted_at="2026-02-13T09:00:00+08:00").json
    assert outcome["outcome"] == "accepted", outcome
    number = outcome["receipt"]["receipt_no"]
    path = f"/v1/applications/{outcome['application_id']}/receipt"
    paper = pdf(client, "intake", path, language)
    text = text_of(paper)
    due, counted, skipped = workdays.count(datetime.date(2026, 2, 13), 7)
    holds(text, number, "示例银行甲市南区第1网点", "B01001", PHONES, "first_issue_2018",
          outcome["application_id"])
    holds(text, *(f"{n}: {day}" for n, day in enumerate(counted, 1)))
    if language == "zh":
        holds(text, "社会保障卡领卡回执", "最迟可领日期", f"{due.year}年{due.month}月{due.day}日",
              *(f"{day}（{name or '周末'}）" for day, name in skipped))
    else:
        holds(text, "Receipt for a social-security card", "Ready for pickup by", str(due),
              *(f"{day} ({'holiday' if name else 'weekend'})" for day, name in skipped))
    names_nobody(text, person)
    assert qr_of(paper) == f"receipt:{number}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_tells_every_reason_with_materials_procedure_and_limit(client, people, reasons,
                                                                        language):
    person = people.resident()
    client.enrol(person)
    outcome = client.apply({**person, "address": "", "phone": "123"}).json
    assert outcome["outcome"] == "notice", outcome
    paper = pdf(client, "intake", f"/v1/notices/{outcome['notice_no']}", language)
    text = text_of(paper)
    limit = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date() \
        + datetime.timedelta(days=30)
    for code in ("missing_address", "bad_phone"):
        holds(text, code, *(reasons[code][part][language]
                            for part in ("text", "cure", "materials", "procedure")))
    holds(text, outcome["notice_no"], PHONES)
    if language == "zh":
        holds(text, "一次性告知单", "未填写通讯地址", "所需材料", "办理程序", "补正期限",
              f"{limit.year}年{limit.month}月{limit.day}日")
    else:
        holds(text, "One-time notice", "The address is missing", "Materials", "Procedure",
              "Time limit", str(limit))
    names_nobody(text, person)
    assert qr_of(paper) == f"notice:{outcome['notice_no']}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_voucher_has_room_for_the_signature_and_then_shows_it(client, card, language):
    done = operate(client, card, "set_password", password={"kind": "social_security"})
    assert done["result"] == "done", done
    number = done["voucher_no"]
    path = f"/v1/vouchers/{number}"
    paper = pdf(client, "production", path, language)
    text = text_of(paper)
    words = {"zh": ("社会保障卡业务凭证", "设置密码", "银行网点", "代办人）签字：____"),
             "en": ("Voucher of a card operation", "Setting of the password", "Bank outlet",
                    "Holder, guardian or agent: ____")}
    holds(text, number, PHONES, *words[language])
    names_nobody(text, card)
    assert qr_of(paper) == f"voucher:{number}"
    outlet = client.api("production", "bank_outlet")
    assert outlet.post(path + "/signature", {
        "who": {"role": "holder", "name": card["name"]}, "method": "fingerprint",
        "when": "2026-03-02T10:00:00+08:00"}).status == 202
    wait_until("the signature is shown", 15, lambda: outlet.get(path).json["signature"], 0.1)
    text = text_of(pdf(client, "production", path, language))
    holds(text, "2026-03-02 10:00", {"zh": "指纹", "en": "Fingerprint"}[language])
    assert "____" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_operation_is_a_notice_on_paper(client, card, reasons, language):
    refused = operate(client, card, "open_add_on", add_on="transport")
    assert refused["result"] == "refused" and not refused["voucher_no"], refused
    number = refused["notice_no"]
    paper = pdf(client, "production", f"/v1/notices/{number}", language)
    text = text_of(paper)
    holds(text, number, "add_on_without_consent", PHONES,
          *(reasons["add_on_without_consent"][part][language]
            for part in ("text", "cure", "materials", "procedure")))
    assert qr_of(paper) == f"notice:{number}"


def test_json_stays_the_answer_of_who_does_not_ask_for_pdf(client, card):
    path = f"/v1/notices/{operate(client, card, 'nonsense')['notice_no']}"
    outlet = client.api("production", "bank_outlet")
    for accept in ("*/*", "application/json", "application/pdf;q=0, application/json"):
        assert outlet.get(path, Accept=accept).json["result"] == "refused", accept
    unknown = outlet.get("/v1/notices/N000000000000", Accept="application/pdf")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")


# The program that draws.
def children(pid):
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children")
            for child in path.read_text().split()]


def test_a_service_carries_no_fonts_and_survives_its_printer(stack, client, card):
    path = f"/v1/notices/{operate(client, card, 'nonsense')['notice_no']}"
    pdf(client, "production", path, "zh")
    pid = stack.service("production").pid
    printers = children(pid)
    assert [Path(f"/proc/{child}/exe").resolve().name for child in printers] == ["cardflow-paper"]
    assert not re.search("pango|cairo|fontconfig", Path(f"/proc/{pid}/maps").read_text())
    environment = Path(f"/proc/{printers[0]}/environ").read_text()
    assert "CARDFLOW" not in environment, "secrets of the service are handed on"
    os.kill(printers[0], signal.SIGKILL)
    wait_until("the dead printer is noticed", 5, lambda: not children(pid), 0.02)
    pdf(client, "production", path, "zh")
    assert len(children(pid)) == 1 and children(pid) != printers


def test_a_printer_that_hangs_costs_its_paper_only(stack, client, card):
    path = f"/v1/notices/{operate(client, card, 'nonsense')['notice_no']}"
    pdf(client, "production", path, "zh")
    os.kill(children(stack.service("production").pid)[0], signal.SIGSTOP)
    outlet = client.api("production", "bank_outlet")
    slow = outlet.get(path, Accept="application/pdf")
    assert (slow.status, slow.json["code"]) == (503, "unavailable"), slow
    assert slow.headers["retry-after"]
    pdf(client, "production", path, "zh")


# Unsigned vouchers.
def unsigned(client, key="bank_outlet", **query):
    """All pages, two vouchers each."""
    found, after = [], None
    while True:
        asked = {"signed": "false", "limit": 2, **query, **({"after": after} if after else {})}
        answer = client.api("production", key).get(
            "/v1/vouchers?" + "&".join(f"{k}={v}" for k, v in asked.items()))
        assert answer.status == 200, answer
        found += answer.json["vouchers"]
        after = answer.json["next_after"]
        if not after:
            return found


def test_unsigned_vouchers_are_listed_by_outlet_until_they_are_signed(client, card):
    outlet_code = f"B01T{uuid.uuid4().hex[:8]}"
    operator = {"staff_id": "s-1", "bank_code": "B01", "outlet_code": outlet_code}
    made = [operate(client, card, "set_password", operator=operator,
                    password={"kind": kind})["voucher_no"]
            for kind in ("social_security", "financial", "social_security", "financial")]
    listed = unsigned(client, outlet_code=outlet_code)
    assert [voucher["voucher_no"] for voucher in listed] == made
    assert {voucher["outlet_code"] for voucher in listed} == {outlet_code}
    assert all("****" in voucher["card_no"] and voucher["issued_at"] for voucher in listed)
    assert unsigned(client, "online", outlet_code=outlet_code) == []
    signed = client.api("production", "bank_outlet").post(f"/v1/vouchers/{made[1]}/signature", {
        "who": {"role": "holder", "name": card["name"]}, "method": "handwritten"})
    assert signed.status == 202
    wait_until("the signed one is gone", 15, lambda: [
        voucher["voucher_no"] for voucher in unsigned(client, outlet_code=outlet_code)
    ] == [made[0], *made[2:]], 0.2)


@pytest.mark.parametrize("query, field", [
    ("", "signed"), ("signed=true", "signed"), ("signed=false&limit=0", "limit"),
    ("signed=false&limit=501", "limit"), ("signed=false&after=x", "after")])
def test_a_wrong_question_about_vouchers_names_the_field(client, query, field):
    answer = client.api("production", "bank_outlet").get("/v1/vouchers?" + query)
    assert answer.status == 400 and answer.json["errors"][0]["field"] == field, answer
    assert client.api("production", "hotline_12345").get("/v1/vouchers?signed=false").status == 403


def test_a_voucher_is_deleted_after_its_time_and_not_before(stack, client, card):
    """voucher_days is 5475: two operations are made older, one past it and one a day short."""
    outlet = client.api("production", "bank_outlet")
    paths = [f"/v1/vouchers/{operate(client, card, 'set_password', password={'kind': kind})['voucher_no']}"
             for kind in ("social_security", "financial")]
    assert outlet.post(paths[0] + "/signature", {
        "who": {"role": "holder", "name": card["name"]}, "method": "handwritten"}).status == 202
    wait_until("it is signed", 15, lambda: outlet.get(paths[0]).json["signature"], 0.1)
    with psycopg.connect(stack.info()["postgres"]["production"], autocommit=True) as link:
        for path, days in zip(paths, (5476, 5474)):
            row = link.execute(
                "update operation set at = at - %s * 86400000::bigint where voucher_no = %s "
                "returning part, id", (days, path.rsplit("/", 1)[1])).fetchone()
            assert row
            if days > 5475:
                gone = row
        wait_until("the old one is gone", 15, lambda: outlet.get(paths[0]).status == 404, 0.2)
        assert link.execute("select count(*) from signature where part = %s and id = %s",
                            gone).fetchone() == (0,)
    assert outlet.get(paths[1]).status == 200
