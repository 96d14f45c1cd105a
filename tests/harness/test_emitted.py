"""Every code of the catalogue is given somewhere in the product; that the place runs, ops/test coverage asks."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "lib"))
import proof  # noqa: E402
import proof_emitted  # noqa: E402


@pytest.fixture(scope="module")
def found():
    return proof_emitted.emitted()


def test_every_code_is_given_by_some_function(found):
    assert len(found) > 100
    assert proof_emitted.without_place(found) == []


def test_what_only_fronts_give_is_compared_over_http():
    _, _, _, proven, _ = proof.gather()
    for code in proof_emitted.BY_FRONTS:
        assert any(test.startswith("e2e:") for test in proven[code]), code


def test_a_code_that_nothing_gives_is_noticed(found):
    assert proof_emitted.without_place({**found, "bad_phone": []}) == \
        ["reason code bad_phone is given nowhere"]


def test_a_place_that_never_ran_is_noticed():
    places = {"bad_phone": [("a.c", 3), ("b.c", 9)]}
    assert proof_emitted.never_run(places, {"a.c": {3: [0, []]}, "b.c": {9: [2, []]}}) == []
    for measured in ({}, {"a.c": {3: [0, []]}, "b.c": {8: [2, []]}}):
        assert proof_emitted.never_run(places, measured) == \
            ["reason code bad_phone was given by no unit test"]


MEANING = {"CF_REASON_BAD_PHONE": "bad_phone", "CF_ID_OLD": "old_15_digit"}


@pytest.mark.parametrize("body", [
    "return CF_REASON_BAD_PHONE;",
    "cf_reason_set_add(&f->reasons, CF_REASON_BAD_PHONE);",
    'if (v->n) refuse(v, op->late ? "bad_phone" : "other");',
    'production_end(slot, to, CF_STR("bad_phone"), false, fx);',
    "return a == b ? CF_REASON_BAD_PHONE : CF_REASON_NONE;",
    "bad |= CF_REASON_BAD_PHONE;",
    '/* of a call \'(\' */ add(x, \')\', "bad_phone");',
    'if (strcmp(code, "no_phone") == 0) reason = CF_REASON_BAD_PHONE;',
])
def test_what_gives_a_code_counts(body):
    source = f"static int f(int v)\n{{\n    {body}\n}}\n"
    assert proof_emitted.places(source, MEANING) == [("bad_phone", 3)]


@pytest.mark.parametrize("source", [
    "/* return CF_REASON_BAD_PHONE; */",
    'int f(void) { return strcmp(x, "bad_phone") == 0; }',
    "int f(void) { return CF_REASON_BAD_PHONE == x || x != CF_REASON_BAD_PHONE; }",
    "int f(void) { switch (x) { case CF_REASON_BAD_PHONE: break; } }",
    "int f(void) { return bits & CF_REASON_BAD_PHONE; }",
    "int f(void) { cf_reason_set_remove(&set, CF_REASON_BAD_PHONE); }",
    'int f(void) { cf_count(s, "bad_phone"); }',
    'int f(void) { return cf_str_is(x, pick("bad_phone")); }',
    'int f(void) { say("bad_phones, or no bad_phone"); }',
    "enum cf_reason { CF_REASON_BAD_PHONE };",
    'static const char *const names[] = {"bad_phone"};',
    'const char *f(int i) { static const char *const t[] = {[MINE] = "bad_phone"}; return t[i]; }',
    '#define GIVE(x) refuse(x, "bad_phone")\nint f(void);',
])
def test_what_only_looks_at_a_code_does_not(source):
    assert proof_emitted.places(source, MEANING) == []


def test_an_enumerator_stands_for_the_code_of_its_row():
    header = """#define CF_ID_REASONS(X)  \\
    X(OK,  "ok")          \\
    X(OLD, "old_15_digit")
enum cf_id_reason {
#define X(value, name) CF_ID_##value,
    CF_ID_REASONS(X)
#undef X
};
"""
    codes = {"old_15_digit", "bad_phone"}
    assert proof_emitted.listed(header, codes) == {"CF_ID_OLD": "old_15_digit"}
    assert proof_emitted.tabled('{[MINE] = "bad_phone", [OTHER] = "done"}', codes) == \
        {"MINE": "bad_phone"}
