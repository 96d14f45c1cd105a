"""The catalogue of reasons: every code of the field's rules is in it, and each is told whole.

The lists are written down here from the rules, not read from the catalogue."""

import pytest

# Of names; those of three codes have a name of their own.
NAMES = """control_character outer_space name_too_long variation_selector compatibility_ideograph
    radical_character full_width mixed_script inner_space wrong_interpunct bad_character
    interpunct_position wrong_apostrophe wrong_hyphen""".split()

NOTICE = """
    not_enrolled enrolment_name_mismatch name_script_not_allowed missing_sex missing_birth_date
    missing_unit_papers agent_document_invalid id_copies_not_confirmed not_schools_bank

    full_width contains_space old_15_digit lowercase_x lowercase_letter bad_character bad_prefix
    wrong_length wrong_document_type unknown_region unknown_issuing_area unknown_country
    impossible_date birth_date_too_early future_birth_date bad_check_digit

    missing_name name_has_digit name_has_pua name_has_placeholder missing_document_number
    birth_date_mismatch sex_mismatch missing_phone bad_phone missing_address guardian_missing
    guardian_document_invalid guardian_not_adult guardian_same_as_applicant photo_none_not_allowed
    bad_birth_date

    wrong_pixel_size wrong_dpi not_24_bit_rgb progressive_jpeg damaged_jpeg not_a_jpeg
    file_too_large file_too_small background_not_white exif_orientation
    """.split() + [f"name_{code}" for code in NAMES]

REJECTED = """
    card_exists no_card_to_replace card_cancelled not_issuing_bank not_original_bank fee_not_allowed
    submitted_in_future submitted_too_old duplicate_application channel_not_allowed card_changed
    document_type_not_accepted unknown_outlet outlet_inactive request_id_conflict
    """.split()

REFUSED = """
    photo_not_wanted photo_not_usable
    in_production replacement_open holder_only add_on_without_consent number_range_exhausted
    excel_number_damage unit_code_mismatch column_count duplicate_in_roster
    """.split()


@pytest.fixture(scope="module")
def catalogue(client):
    answer = client.api("intake", None).get("/v1/reasons")
    assert answer.status == 200, answer
    return answer.json["reasons"]


def test_every_code_of_the_rules_is_in_the_catalogue_with_its_outcome(catalogue):
    told = {reason["code"]: reason["outcome"] for reason in catalogue}
    assert len(told) == len(catalogue), "a code stands twice"
    for outcome, codes in (("notice", NOTICE), ("rejected", REJECTED), ("refused", REFUSED)):
        assert {code: told.get(code) for code in codes} == dict.fromkeys(codes, outcome)
    aliases = {alias: reason["code"] for reason in catalogue for alias in reason["aliases"]}
    assert aliases["unknown_document_type"] == "document_type_not_accepted"


def test_every_code_is_told_in_both_languages_with_all_that_a_notice_needs(catalogue):
    for reason in catalogue:
        code = reason["code"]
        assert reason["field"], code
        for part in ("text", "cure", "materials", "procedure"):
            told = reason[part]
            assert any("\u4e00" <= letter <= "\u9fff" for letter in told["zh"]), (code, part)
            assert told["en"] and told["en"].isascii(), (code, part)
        assert (reason["respond_days"] > 0) == (reason["outcome"] == "notice"), code
