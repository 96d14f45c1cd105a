"""What a notice asks for can be given: an application with one fault has that one reason, and a
supplement with the right value has it accepted."""

import csv

import pytest
from harness.kafka import ROOT
from harness.people import REGION, gb11643
from harness.walks import codes, supplement

pytestmark = pytest.mark.usefixtures("stack")


def resident(number):
    return {"document_type": "resident_id", "document_number": number}


# Code of a number -> the number as it was written, from the right one (GB 11643).
NUMBERS = {
    "bad_character": lambda right: resident(right[:2] + "O" + right[3:]),
    "bad_check_digit": lambda right: resident(right[:17] + ("1" if right[17] != "1" else "2")),
    "birth_date_too_early": lambda right: resident(gb11643(f"{REGION}17991231{right[14:17]}")),
    "future_birth_date": lambda right: resident(gb11643(f"{REGION}20900101{right[14:17]}")),
    "impossible_date": lambda right: resident(gb11643(f"{REGION}19900230{right[14:17]}")),
    "missing_document_number": lambda right: resident(""),
    "old_15_digit": lambda right: resident(right[:6] + right[8:17]),
    "unknown_region": lambda right: resident(gb11643(f"999999{right[6:17]}")),
    "wrong_document_type": lambda right: resident(gb11643(f"810000{right[6:17]}")),
    "wrong_length": lambda right: resident(right[:17]),
}
# Of documents of another type than the holder has; tests/data/id_vectors.csv.
OTHER_NUMBERS = ("bad_prefix", "unknown_country", "unknown_issuing_area")

# Code -> the fields with the fault; the cure is what the person has.
FIELDS = {
    "bad_birth_date": {"birth_date": "1987-06-5x"},
    "bad_phone": {"phone": "12345"},
    "birth_date_mismatch": {"birth_date": "1977-01-01"},
    "enrolment_name_mismatch": {"name": "欧阳修远"},
    "missing_address": {"address": ""},
    "missing_name": {"name": ""},
    "missing_phone": {"phone": ""},
    "name_script_not_allowed": {"name": "JOHN SMITH"},
    "sex_mismatch": {"sex": "male"},
}
# Code -> the fields with the fault, and those that cure it.
CHOICES = {
    "bad_photo_choice": ({"photo_choice": "selfie"}, {"photo_choice": "public_security"}),
    "photo_none_not_allowed": ({"photo_choice": "none"}, {"photo_choice": "public_security"}),
    "bad_reissue_reason": ({"kind": "reissue", "reissue_reason": "worn"},
                           {"reissue_reason": "mass_exchange"}),
}
OF_A_FOREIGNER = {"missing_sex": {"sex": ""}, "missing_birth_date": {"birth_date": ""}}


def is_cured(client, code, answer, also=(), key="bank_outlet", **cure):
    assert (answer.status, answer.json["outcome"], codes(answer)) == \
        (200, "notice", sorted([code, *also])), answer
    said = supplement(client, answer.json["application_id"], key=key, **cure)
    assert said.status == 200, said
    assert (said.status, said.json["result"], said.json["outcome"]) == \
        (200, "done", "accepted"), said


@pytest.mark.parametrize("code", NUMBERS)
def test_a_number_is_put_right(client, people, code):
    person = people.resident()
    client.enrol(person)
    wrong = NUMBERS[code](person["document_number"])
    is_cured(client, code, client.apply({**person, **wrong}), **client.document(person))


@pytest.mark.parametrize("code", OTHER_NUMBERS)
def test_the_type_and_number_of_the_document_are_put_right(client, people, code):
    with open(ROOT / "tests/data/id_vectors.csv", encoding="utf-8", newline="") as file:
        vector = next(row for row in csv.DictReader(file) if row["reason"] == code)
    person = people.resident()
    client.enrol(person)
    wrong = {"document_type": vector["document_type"], "document_number": vector["number"]}
    is_cured(client, code, client.apply({**person, **wrong}), **client.document(person))


@pytest.mark.parametrize("code", FIELDS)
def test_a_field_is_put_right(client, people, code):
    person = people.resident()
    client.enrol(person)
    wrong = FIELDS[code]
    is_cured(client, code, client.apply({**person, **wrong}),
             **{field: person[field] for field in wrong})


@pytest.mark.parametrize("code", CHOICES)
def test_a_choice_is_put_right(client, people, code):
    wrong, cure = CHOICES[code]
    person = people.resident()
    client.enrol(person)
    is_cured(client, code, client.apply(person, **wrong), **cure)


@pytest.mark.parametrize("code", OF_A_FOREIGNER)
def test_what_no_number_tells_is_given(client, people, code):
    person = people.foreigner()
    client.enrol(person)
    wrong = OF_A_FOREIGNER[code]
    is_cured(client, code, client.apply({**person, **wrong}, photo_choice="upload"),
             **{field: person[field] for field in wrong})


def unreadable_names():
    """A name a code of tests/data/names.csv that a person must look at."""
    special = {"digit": "has_digit", "pua_character": "has_pua",
               "placeholder_character": "has_placeholder"}
    with open(ROOT / "tests/data/names.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file)
                if row["valid"] == "0" and row["name"] and not row["normalized_name"]]
    return {f"name_{special.get(row['reason'], row['reason'])}": row["name"] for row in rows}


@pytest.mark.parametrize("code", sorted(unreadable_names()))
def test_a_name_is_put_right(client, people, code):
    person = people.resident()
    client.enrol(person)
    is_cured(client, code, client.apply({**person, "name": unreadable_names()[code]}),
             name=person["name"])


def guardian(person, **fields):
    return {**{key: person[key] for key in ("name", "document_type", "document_number", "phone")},
            "relation": "mother", **fields}


@pytest.mark.parametrize("code", ("guardian_missing", "guardian_not_adult",
                                  "guardian_same_as_applicant", "guardian_document_invalid"))
def test_a_guardian_is_named(client, people, code):
    mother = people.resident()
    child = people.child(mother)
    number = mother["document_number"]
    wrong = {
        "guardian_missing": None,
        "guardian_not_adult": guardian(people.resident("2012-02-03")),
        "guardian_same_as_applicant": guardian({**child, "phone": mother["phone"]}),
        "guardian_document_invalid": guardian(mother, document_number=number[:17]),
    }[code]
    client.enrol(child)
    # Whoever applies for themselves below 16 is no adult either.
    also = ["guardian_not_adult"] if code == "guardian_same_as_applicant" else []
    is_cured(client, code, client.apply({**child, "guardian": wrong}), also,
             guardian=guardian(mother))


@pytest.mark.parametrize("code", ("missing_unit_papers", "agent_document_invalid",
                                  "id_copies_not_confirmed"))
def test_the_papers_of_a_unit_are_given(client, people, code):
    agent = client.document(people.resident())
    papers = {"unit_code": "U100001", "introduction_letter_no": "JS-2026-7",
              "agent": {"name": "厍骞", **agent}, "id_copies_held": True}
    wrong = {
        "missing_unit_papers": {"unit_papers": {**papers, "introduction_letter_no": ""}},
        "agent_document_invalid": {"unit_papers": {**papers, "agent": {
            **papers["agent"], "document_number": "1234"}}},
        "id_copies_not_confirmed": {"unit_papers": {**papers, "id_copies_held": False}},
    }[code]
    person = people.resident()
    client.enrol(person)
    is_cured(client, code, client.apply(person, channel="unit", **wrong),
             key="unit", unit_papers=papers)
