#!/usr/bin/env python3
"""Writes docs/proof.md: rows, walks, state edges and reason codes, each with the tests that prove it.

Ends with 1 when something has no proof, or names a test that is not there."""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "ops" / "lib"), str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

import proof_edges  # noqa: E402
import proof_reasons  # noqa: E402
import proof_tests  # noqa: E402

SOURCE, PAGE = ROOT / "tests" / "proof" / "rows.yaml", ROOT / "docs" / "proof.md"
WANTED = [f"S{n}" for n in (*range(1, 8), 9, *range(11, 15))]
WALKS = ["first issue of an adult", "child without photo, then photo swap", "loss replacement",
         "damage replacement", "temporary card", "temporary during a replacement",
         "reissue by mass exchange", "reissue for expiry", "reissue for changed data",
         "reissue by change of bank", "failed make and remake",
         "line unanswered, remade, then answered late", "card lost before activation",
         "lost card found while its replacement runs", "withdrawal in every state",
         "uncollected for a year", "death", "leaving and returning", "renewed passport",
         "school pupil at the wrong bank"]
AT_MOST = 3  # tests shown for a reason code

HEAD = """# What proves what

Written by `ops/lib/proof.py` from `tests/proof/rows.yaml`, docs/states.md,
`common/pure/reasons.def` and the tests themselves; `ops/test harness` fails when it is not what the script makes, when a
test that is named does not exist, and when a row, an edge or a code has none. What counts as a
proof of a code stands in [decision 0016](decisions/0016-proof.md).

A test is named `suite:file::test`; those of suite `unit` are programs under ctest. Edges are walked
over the public interface, unless they name a unit test.
"""


def check(rows, walks, edges, reasons, known):
    """Everything that is wrong, a line each."""
    wrong = [f"row {row} stands nowhere" for row in WANTED if row not in rows]
    wrong += [f"walk {walk} stands nowhere" for walk in WALKS if walk not in walks]
    wrong += [f"walk {walk}: {test} does not look at its end with Walk.ends"
              for walk, tests in walks.items() for test in tests
              if test.partition("[")[0] in known and not proof_tests.looks_at_the_end(test)]
    for kind, table in (("row", {name: row["tests"] for name, row in rows.items()}),
                        ("walk", walks), ("edge", edges), ("reason code", reasons)):
        for name, tests in table.items():
            if not tests:
                wrong.append(f"{kind} {name} has no test")
            wrong += [f"{kind} {name}: there is no test {test}" for test in tests
                      if test.partition("[")[0] not in known]
    return wrong


def line(*cells):
    return "| " + " | ".join(cells) + " |"


def tests_cell(tests):
    return "<br>".join(f"`{test}`" for test in tests)


def page(rows, walks, edges, reasons):
    out = [HEAD, "## Rows of the Measures\n", line("row", "what", "tests"), line(*["---"] * 3)]
    out += [line(name, row["title"], tests_cell(row["tests"])) for name, row in rows.items()]
    out += ["\n## Walks\n", "At the end of each stand exactly the applications, cards, receipts (with the promised "
            "date), vouchers, messages to\nthe holder and notices to banks that must, and no others: "
            "`Walk.ends` of `tests/harness/ends.py`.\n",
            line("walk", "tests"), line(*["---"] * 2)]
    out += [line(name, tests_cell(tests)) for name, tests in walks.items()]
    out += ["\n## Edges of the state machines\n",
            line("machine", "from", "on", "to", "test"), line(*["---"] * 5)]
    out += [line(*edge, tests_cell(tests)) for edge, tests in edges.items()]
    out += ["\n## Reason codes\n", "At most three tests a code.\n", line("code", "tests"),
            line(*["---"] * 2)]
    out += [line(f"`{code}`", tests_cell(tests[:AT_MOST])) for code, tests in reasons.items()]
    return "\n".join(out) + "\n"


def gather():
    """The tables, and all tests there are."""
    source = yaml.safe_load(SOURCE.read_text("utf-8"))
    known = proof_tests.all_tests()
    edges = proof_edges.walked(source["edges"])
    return (source["rows"], source["walks"], edges, proof_reasons.proven(source["vectors"]), known)


def main():
    *tables, known = gather()
    wrong = check(*tables, known)
    PAGE.write_text(page(*tables), "utf-8")
    print(*wrong, sep="\n", file=sys.stderr, end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
