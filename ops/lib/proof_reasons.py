"""Which tests assert a reason code: those that say it, and those that read a file of vectors."""

import csv
import json
import re
from pathlib import Path

import proof_tests

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "common" / "pure" / "reasons.def"
# Where codes are decided; elsewhere they are only shown. That a code is in the catalogue proves
# nothing about the rule that gives it.
UNITS = ("intake", "photo-fetch", "production", "pure")
NOT = {"test_reasons.c", "test_reasons.py"}


def codes():
    return re.findall(r'^X\(\w+, "(\w+)"', CATALOGUE.read_text("utf-8"), re.M)


def column_words(path, column):
    if path.suffix == ".jsonl":
        with open(path, encoding="utf-8") as file:
            return {word for row in file for word in json.loads(row)["expected"][column]}
    with open(path, encoding="utf-8", newline="") as file:
        return {word for row in csv.DictReader(file) for word in re.split(r"[|;]", row[column])}


def vectors(source):
    """{code: tests} of the files of vectors; names has those that the catalogue calls otherwise."""
    out = {}
    for one in source:
        for word in column_words(ROOT / "tests" / "data" / one["file"], one["column"]):
            code = one.get("names", {}).get(word, one.get("prefix", "") + word)
            out.setdefault(code, []).extend(one["tests"])
    return out


def files():
    units = [path for path in proof_tests.unit_files() if path.parent.name in UNITS]
    return [path for path in [*units, *proof_tests.pytest_files(("e2e",))] if path.name not in NOT]


def proven(source):
    """{code: [test]}, units first."""
    found, wanted = {code: [] for code in codes()}, vectors(source)
    for path in files():
        for test in proof_tests.tests_of(path):
            for word in proof_tests.asserts(path, test) & found.keys():
                found[word].append(proof_tests.name_of(path, test))
    return {code: list(dict.fromkeys(tests + wanted.get(code, [])))
            for code, tests in found.items()}
