"""Which walk goes along an edge. The edges are those of docs/states.md, which `ops/states` writes
from the code and the unit test docs_states compares; the walks are the tables of the e2e tests."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATES, E2E = ROOT / "docs" / "states.md", ROOT / "tests" / "e2e"
MACHINES = {"An application": "application", "A temporary card": "temporary", "A card": "card"}
BEFORE_LOSS = "the state before the loss"
STATE_BEFORE = ("sealed", "normal", "app_locked")
# (file, test, its tables, machine); no machine: the one that has the edge.
WALKS = [
    ("test_state_edges", "test_an_edge_of_an_application", ("APPLICATIONS", "HELD"), "application"),
    ("test_state_edges", "test_an_edge_of_a_temporary_card", ("TEMPORARY",), "temporary"),
    ("test_state_edges", "test_an_edge_of_a_card", ("CARDS",), "card"),
    ("test_state_timers", "test_time_walks_an_edge", ("TIMERS", "AT_ONCE"), None),
    ("test_numbers_run_out", "test_a_temporary_card_that_waits_for_a_number_ends", ("WAITING",),
     "temporary"),
]


def edges():
    """(machine, from, on, to), one for each event of a row."""
    out, machine = [], None
    for row in STATES.read_text("utf-8").splitlines():
        if row.startswith("## "):
            machine = MACHINES[row[3:]]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) == 5 and re.fullmatch(r"[a-z_]+", cells[0]) and cells[0] != "from":
            out += [(machine, cells[0], on, cells[1]) for on in cells[2].split(", ")]
    return out


def load(name):
    spec = importlib.util.spec_from_file_location(f"proof_{name}", E2E / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keys(edge):
    """What a walk along it is called; after a release the state is one of three, all walked."""
    _, begin, on, end = edge
    return [f"{begin} {on} {to}" for to in (STATE_BEFORE if end == BEFORE_LOSS else (end,))]


def walks():
    """[(machine or None, {walk}, test)]."""
    out = []
    for file, test, tables, machine in WALKS:
        module = load(file)
        names = {name for table in tables for name in getattr(module, table)}
        out.append((machine, names, f"e2e:{file}.py::{test}"))
    return out


def walked(others):
    """{edge: [test]}; others: tests of edges that no walk can reach, by name."""
    out, known = {}, walks()
    all_edges = edges()
    for edge in all_edges:
        wanted = keys(edge)
        alone = [e[0] for e in all_edges if e[1:] == edge[1:]] == [edge[0]]
        tests = [f"{test}[{key}]" for machine, names, test in known for key in wanted
                 if key in names and (machine == edge[0] or machine is None and alone)]
        whole = {key for key in wanted for test in tests if f"[{key}]" in test} == set(wanted)
        out[edge] = tests if whole else others.get(" ".join(edge), [])
    return out
