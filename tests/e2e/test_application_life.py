"""Applications off the straight path: documents that change, schools, supplements, expiry, death,
leaving and returning, and who may apply by which channel."""

import base64
import uuid

from harness.ends import ACTIVE, ISSUED, REJECTED, WITHDRAWN
from harness.kafka import ROOT
from harness.program import wait_until


def codes(outcome):
    return sorted(reason["code"] for reason in outcome["reasons"])


def states(outcome):
    return [step["state"] for step in outcome["timeline"]]


def supplement(client, application_id, **fields):
    return client.api("intake", "bank_outlet").post(
        f"/v1/applications/{application_id}/supplements", fields, wait=10)


def withdraw(client, person, application_id):
    return client.api("intake", "bank_outlet").post(
        f"/v1/applications/{application_id}/withdrawal",
        {"actor": {"role": "holder", **{k: person[k] for k in (
            "name", "document_type", "document_number")}}, "reason": "changed_mind"}, wait=10)


def refused_because(answer):
    return answer.status, answer.json.get("result"), answer.json.get("refused_because")


def change_document(client, old, new, revision=2):
    answer = client.api("intake", "upstream").post("/v1/enrolment-events", {
        "type": "document_changed", "revision": revision, "old": client.document(old),
        "new": client.document(new)})
    assert answer.status in (200, 202), answer


def renewed(people, person):
    """The same person with another passport."""
    return {**person, "document_number": people.foreigner()["document_number"]}


# Changed documents.
def test_a_renewed_passport_is_the_same_holder(client, people, walk_of):
    old = people.foreigner()
    walk = walk_of(old)
    new = renewed(people, old)
    first = client.accepted(old, photo_choice="upload")["application_id"]
    client.wait_for(first, "photo_missing")
    change_document(client, old, new)
    wait_until("status by the new passport", 15, lambda: client.status(
        document=client.document(new))["found"], 0.1)
    shown = client.status(document=client.document(new))
    assert [a["application_id"] for a in shown["applications"]] == [first]
    assert client.status(document=client.document(old))["applications"] == shown["applications"]
    second = client.apply(new, photo_choice="upload")
    assert (second.status, second.json["outcome"], codes(second.json)) == \
        (200, "rejected", ["duplicate_application"]), second
    assert withdraw(client, old, first).json["result"] == "done"
    client.wait_for(first, "withdrawn")
    again = client.apply(new, photo_choice="upload")
    assert (again.status, again.json["outcome"]) == (200, "accepted"), again
    client.wait_for(again.json["application_id"], "photo_missing")
    assert client.put_photo(again.json["application_id"], wait=5).json["result"] == "done"
    client.wait_for(again.json["application_id"], "collected", "已激活")
    walk.renew(new)
    third = again.json["application_id"]
    walk.ends(applications={first: WITHDRAWN, second.json["application_id"]: REJECTED,
                            third: ACTIVE},
              receipts={first: "B01001", third: "B01001"}, cards=[("permanent", "normal", "B01")],
              vouchers=["withdraw", "activate"],
              notified=["accepted", "photo_missing", "rejected", "withdrawn", "photo_missing",
                        *ISSUED], told=[])
    assert client.status(document=client.document(new))["cards"] == \
        client.status(document=client.document(old))["cards"]


def test_who_applies_with_the_new_passport_before_upstream_tells_waits_and_is_accepted(client,
                                                                                       people):
    old = people.foreigner()
    new = renewed(people, old)
    client.enrol(old)
    waiting = client.apply(new, photo_choice="upload", wait=None).json["application_id"]
    client.wait_for(waiting, "received", "等待参保信息")
    change_document(client, old, new)
    client.wait_for(waiting, "photo_missing")


# Schools.
def test_a_pupil_at_the_wrong_bank_is_told_and_goes_to_a_bank_of_the_school(client, people,
                                                                            walk_of):
    school = f"S{uuid.uuid4().hex[:8]}"
    event = {"type": "unit_registered", "unit_code": school, "kind": "school",
             "banks": ["B02"], "date": "2026-01-05", "revision": 1}
    answer = client.api("intake", "upstream").post("/v1/unit-events", event)
    assert answer.status in (200, 202), answer
    pupil = people.child(people.resident())
    client.enrol(pupil, unit_code=school)
    client.settle()
    wrong = client.apply(pupil)
    assert (wrong.json["outcome"], codes(wrong.json)) == ("notice", ["not_schools_bank"]), wrong
    right = supplement(client, wrong.json["application_id"], bank_code="B02",
                       outlet_code="B02001")
    assert (right.json["result"], right.json["outcome"]) == ("done", "accepted"), right
    application_id = wrong.json["application_id"]
    client.wait_for(application_id, "collected", "已激活")
    walk_of(pupil).ends(
        applications={application_id: ACTIVE}, receipts={application_id: "B02001"},
        cards=[("permanent", "normal", "B02")], vouchers=["activate"],
        notified=["noticed", *ISSUED], told=[])


# Papers of units.
def test_papers_given_before_count_for_the_same_unit_only(client, people):
    agent = {key: people.resident()[key] for key in ("name", "document_type", "document_number")}
    unit = f"U{uuid.uuid4().hex[:8]}"
    papers = {"unit_code": unit, "introduction_letter_no": "L-1", "agent": agent,
              "id_copies_held": True}
    workers = [people.resident() for _ in range(4)]
    client.enrol(*workers, unit_code=unit)
    client.settle()

    def apply(person, **fields):
        answer = client.apply(person, key="unit", channel="unit", unit_papers=fields)
        return answer.json["outcome"], codes(answer.json), answer.json["application_id"]

    outcome, reasons, given = apply(workers[0], **papers)
    assert (outcome, reasons) == ("accepted", [])
    again = apply(workers[1], unit_code=unit, papers_ref=given)
    assert again[:2] == ("accepted", [])
    missing = ["id_copies_not_confirmed", "missing_unit_papers"]
    assert apply(workers[2], unit_code="U0", papers_ref=given)[:2] == ("notice", missing)
    # One that was itself accepted by reference shows no papers.
    assert apply(workers[3], unit_code=unit, papers_ref=again[2])[:2] == ("notice", missing)


# Children.
def test_a_childs_card_without_photo_is_swapped_for_one_with_a_photo(client, people, police):
    child = people.child(people.resident())
    first = client.accepted(child)["application_id"]
    shown = client.wait_for(first, "collected", "已激活")
    assert "photo_missing" not in states(shown)
    elsewhere = client.apply(child, kind="photo_swap", photo_choice="upload", bank_code="B02",
                             outlet_code="B02001")
    assert codes(elsewhere.json) == ["not_original_bank"], elsewhere
    without = client.apply(child, kind="photo_swap")
    assert (without.json["outcome"], codes(without.json)) == \
        ("notice", ["photo_none_not_allowed"]), without
    swap = supplement(client, without.json["application_id"], photo_choice="upload")
    assert (swap.json["result"], swap.json["outcome"]) == ("done", "accepted"), swap
    client.wait_for(without.json["application_id"], "photo_missing")
    assert client.put_photo(without.json["application_id"], wait=5).json["result"] == "done"


# Photos.
def base64_of(content):
    return base64.b64encode(content).decode()


def test_a_photo_that_comes_with_the_application_is_used(client, people):
    person = people.foreigner()
    client.enrol(person)
    good = (ROOT / "tests/data/photos/01_ok.jpg").read_bytes()
    answer = client.apply(person, photo_choice="upload", photo_base64=base64_of(good))
    assert (answer.status, answer.json["outcome"]) == (200, "accepted"), answer
    shown = client.wait_for(answer.json["application_id"], "collected", "已激活")
    assert "photo_missing" not in states(shown)


def test_a_photo_that_cannot_be_used_is_a_notice_with_every_fault_and_another_cures_it(client,
                                                                                       people):
    person = people.foreigner()
    client.enrol(person)
    bad = (ROOT / "tests/data/photos/03_wrong_size.jpg").read_bytes()
    answer = client.apply(person, photo_choice="upload", photo_base64=base64_of(bad))
    assert (answer.json["outcome"], codes(answer.json)) == \
        ("notice", ["wrong_pixel_size"]), answer
    nonsense = supplement(client, answer.json["application_id"], photo_base64="no photo at all")
    assert codes(nonsense.json) == ["not_a_jpeg"], nonsense
    good = (ROOT / "tests/data/photos/02_ok_second.jpg").read_bytes()
    cured = supplement(client, answer.json["application_id"], photo_base64=base64_of(good))
    assert cured.json["outcome"] == "accepted", cured
    client.wait_for(answer.json["application_id"], "collected", "已激活")


def test_a_guardian_waives_the_photo_that_the_police_do_not_have(client, people, police):
    police.behave(none_rate=1.0)
    grown, child = people.resident(), people.child(people.resident())
    child["photo_choice"] = "public_security"

    def waive(application_id, **actor):
        who = {"role": "guardian", **{key: child["guardian"][key] for key in (
            "name", "document_type", "document_number")}, **actor}
        return client.api("photo-fetch", "bank_outlet").post(
            f"/v1/applications/{application_id}/photo-waiver", {"actor": who}, wait=5)

    of_child = client.accepted(child)["application_id"]
    of_grown = client.accepted(grown)["application_id"]
    told = client.wait_for(of_child, "photo_missing", "待补照片")
    assert codes(told) == ["photo_not_on_file"] and told["deadline"]["waiting_on"] == "holder"
    client.wait_for(of_grown, "photo_missing")
    assert waive(of_child, role="holder").status == 400
    refused = waive(of_grown)
    assert (refused.json["result"], refused.json["reasons"]) == \
        ("refused", ["photo_none_not_allowed"]), refused
    done = waive(of_child)
    assert (done.status, done.json["result"]) == (200, "done"), done
    client.wait_for(of_child, "collected", "已激活")


def test_whom_the_police_do_not_know_is_asked_for_a_photo(client, people, police):
    police.behave(unknown_rate=1.0)
    of = client.accepted(people.resident())["application_id"]
    told = client.wait_for(of, "photo_missing", "待补照片")
    assert codes(told) == ["photo_person_unknown"]


# Notices.
def test_a_notice_is_put_right_field_by_field(client, people, topics):
    person = people.resident()
    client.enrol(person)
    first = client.apply(person, phone="123", address="", name="")
    assert (first.json["outcome"], codes(first.json)) == \
        ("notice", ["bad_phone", "missing_address", "missing_name"]), first
    application_id = first.json["application_id"]
    assert first.json["reasons"][0]["respond_by"]
    half = supplement(client, application_id, phone=person["phone"], name=person["name"])
    assert (half.json["outcome"], codes(half.json)) == ("notice", ["missing_address"]), half
    assert half.json["state"] == "noticed"
    done = supplement(client, application_id, address=person["address"])
    assert (done.json["outcome"], done.json["reasons"]) == ("accepted", []), done
    assert client.api("intake", "bank_outlet").get(
        f"/v1/applications/{application_id}/receipt").status == 200
    late = supplement(client, application_id, address="elsewhere")
    assert refused_because(late) == (200, "refused", "illegal_in_state"), late
    client.wait_for(application_id, "collected", "已激活")


# A withdrawal twice; test_walks_withdrawal.py has the other states.
def test_a_withdrawal_before_acceptance_ends_the_application(client, people):
    waiting = people.resident()
    first = client.apply(waiting, wait=None).json
    client.wait_for(first["application_id"], "received", "等待参保信息")
    noticed = people.resident()
    client.enrol(noticed)
    second = client.apply(noticed, phone="").json
    assert second["state"] == "noticed"
    for person, application in ((waiting, first), (noticed, second)):
        answer = withdraw(client, person, application["application_id"])
        assert (answer.json["result"], answer.json["state"]) == ("done", "withdrawn"), answer
        client.wait_for(application["application_id"], "withdrawn", "已撤销")
        again = withdraw(client, person, application["application_id"])
        assert refused_because(again) == (200, "refused", "illegal_in_state"), again


# Enrolment.
def test_who_leaves_and_returns_keeps_the_card_which_is_no_identity_meanwhile(client, people):
    person = people.resident()
    application_id = client.accepted(person)["application_id"]
    client.wait_for(application_id, "collected", "已激活")

    def identity():
        return client.status(document=client.document(person))["cards"][0]["identity"]

    assert identity()["valid"]
    client.end_enrolment(person, "left", revision=2)
    wait_until("the card is no identity", 15, lambda: not identity()["valid"], 0.1)
    assert identity()["reasons"] == ["enrolment_inactive"]
    refused = client.apply(person, kind="temporary")
    assert refused.json["label"]["zh"] == "待补正" and \
        codes(refused.json) == ["not_enrolled"], refused
    client.enrol(person, revision=3)
    wait_until("the card is identity again", 15, lambda: identity()["valid"], 0.1)


def test_a_card_is_no_identity_before_its_holder_is_enrolled(client, people):
    person = people.resident()

    def reasons():
        shown = client.status(document=client.document(person))["cards"]
        return shown and shown[0]["identity"]["reasons"]

    client.import_card(person)
    wait_until("the card is no identity", 15, lambda: reasons() == ["enrolment_inactive"], 0.1)
    client.enrol(person)
    wait_until("the card is identity", 15, lambda: reasons() == [], 0.1)
    client.end_enrolment(person, "left")
    wait_until("the card is none", 15, lambda: reasons() == ["enrolment_inactive"], 0.1)
    client.enrol(person, revision=3)
    wait_until("the card is identity again", 15, lambda: reasons() == [], 0.1)


def test_what_waits_or_is_noticed_ends_with_the_enrolment(client, people, topics):
    person = people.resident()
    client.enrol(person)
    noticed = client.apply(person, phone="").json
    client.end_enrolment(person, "moved")
    client.wait_for(noticed["application_id"], "closed", "已终止")
    client.enrol(person, revision=3)
    again = client.apply(person)
    assert again.json["outcome"] in ("accepted", "notice"), again


# Channels.
def test_the_published_matrix_is_what_is_judged(client, people):
    published = client.api("intake").get("/v1/reasons").json["channels"]
    matrix = {row["channel"]: set(row["applications"]) for row in published}
    assert set(matrix) == {"bank_outlet", "bank_phone", "unit", "school", "online", "terminal",
                           "hotline_12345", "upstream"}
    kinds = {"first_issue", "loss_replacement", "damage_replacement", "photo_swap", "temporary",
             "reissue"}
    assert matrix["bank_outlet"] == kinds and matrix["bank_phone"] == set()
    assert "temporary" not in matrix["online"] and matrix["hotline_12345"] == set()
    person = people.resident()
    client.enrol(person)
    client.settle()
    for channel, allowed in matrix.items():
        for kind in sorted(kinds):
            answer = client.apply(person, channel=channel, kind=kind)
            said = "channel_not_allowed" in codes(answer.json)
            assert said == (kind not in allowed), (channel, kind, answer)
            if not said and answer.json["outcome"] != "rejected":
                withdraw(client, person, answer.json["application_id"])
