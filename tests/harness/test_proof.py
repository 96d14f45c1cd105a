"""docs/proof.md is complete and up to date, and a proof that goes away is noticed."""

import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "ops" / "lib"))
import proof  # noqa: E402
import proof_tests  # noqa: E402


@pytest.fixture(scope="module")
def tables():
    return proof.gather()


def test_every_row_walk_edge_and_reason_code_has_a_test_that_exists(tables):
    assert proof.check(*tables) == []


def test_the_page_is_what_the_script_makes(tables):
    assert proof.PAGE.read_text("utf-8") == proof.page(*tables[:-1]), "run ops/lib/proof.py"


@pytest.mark.parametrize("table", [0, 1, 2, 3])
def test_a_test_that_is_removed_is_noticed(tables, table):
    name, tests = next((name, row["tests"] if table == 0 else row)
                       for name, row in tables[table].items())
    gone = tests[0].partition("[")[0]
    wrong = proof.check(*tables[:-1], tables[-1] - {gone})
    assert any(gone in line for line in wrong), (name, wrong)


def test_what_has_no_test_is_noticed(tables):
    rows, walks, edges, reasons, known = copy.deepcopy(tables)
    del rows["S7"], walks["death"]
    rows["S1"]["tests"] = []
    walks["loss replacement"] = ["e2e:test_reasons.py::"
                                 "test_every_code_of_the_rules_is_in_the_catalogue_with_its_outcome"]
    walks["damage replacement"] = []
    edge = next(iter(edges))
    edges[edge], reasons["bad_phone"] = [], []
    assert proof.check(rows, walks, edges, reasons, known) == [
        "row S7 stands nowhere", "walk death stands nowhere",
        f"walk loss replacement: {walks['loss replacement'][0]} does not look at its end with Walk.ends",
        "row S1 has no test", "walk damage replacement has no test", f"edge {edge} has no test",
        "reason code bad_phone has no test"]


C = '''/* "bad_phone" */
static void a_test(void **state)
{
    /* "bad_prefix" */
    feed(CF_STR("bad_sex")); // "missing_sex"
    assert_string_equal(told(), "bad_name|missing_name");
}

static void not_run(void **state)
{
    assert_string_equal(told(), "missing_phone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_test)};
}
'''
PYTHON = '''"""bad_phone"""


def helper(said):
    assert said == "missing_name"


def test_it(client):
    # bad_prefix
    client.send("bad_sex")
    helper(client.said())
    assert client.code == "bad_name", "missing_sex"
'''


@pytest.mark.parametrize("name, text, test", [("test_a.c", C, "a_test"),
                                              ("test_a.py", PYTHON, "test_it")])
def test_only_what_is_asserted_is_a_proof(tmp_path, name, text, test):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert proof_tests.tests_of(path) == [test]
    assert proof_tests.asserts(path, test) == {"bad_name", "missing_name"}
