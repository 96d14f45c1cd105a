"""A unit's list of 200,000 rows, as `ops/bench roster` measures it: how long until each row has its
outcome, and how much memory intake takes meanwhile."""

import argparse
import dataclasses
import os
import sys

import bench_roster
import pytest
from harness.fixtures import running

ROWS, MOST_S, MOST_MB = 200_000, 60, 64


@pytest.fixture(scope="module")
def figures(build_dir):
    config = dataclasses.replace(bench_roster.config(), build=str(build_dir), services=["intake"],
                                 simulators=[])
    with running("roster", config) as stack:
        found = bench_roster.run(stack, argparse.Namespace(rows=ROWS, format="csv", all=False),
                                 lambda text: print(text, file=sys.stderr))
    print(found)
    return found


def busy():
    return f"load of the machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def test_each_of_200000_rows_has_its_outcome(figures):
    assert (figures["accepted"], figures["refused"]) == (ROWS, 0), figures
    assert figures["rows_csv_lines"] == ROWS + 1, figures


def test_a_list_of_200000_rows_is_taken_in_under_a_minute(figures):
    assert figures["done_s"] < MOST_S, \
        f"{ROWS} rows took {figures['done_s']} s, the limit is {MOST_S} s; {busy()}"


def test_a_list_of_200000_rows_needs_less_than_64_mb_of_intake(figures):
    """By the kernel, from the upload on."""
    assert figures["intake_high_water_mb"] < MOST_MB, \
        f"intake took {figures['intake_high_water_mb']} MB at most, the limit is {MOST_MB} MB"
