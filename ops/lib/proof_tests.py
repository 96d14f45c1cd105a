"""All tests of the tree by name, and the codes that each asserts."""

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ("e2e", "size", "faults", "harness", "contract", "watched")
PROGRAMS = {"sim:property", "sim:year", "sim:sim", "unit:docs_states"}

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"', re.S)
TEXT = re.compile(r'"((?:\\.|[^"\\])*)"')
# What a test feeds in, or measures.
GIVEN = re.compile(r'\b(?:CF_STR|Z|cf_str_of|strlen)\("[^"]*"\)')
TOP = re.compile(r"^[a-z][^\n;{}#]*?\b(\w+)(?:\([^;{}]*\)\s*\{|(?:\[[^\]]*\])*\s*=\s*\{).*?^\}",
                 re.S | re.M)


@functools.cache
def c_file(path):
    """(tests registered, {top-level name: its text without comments})."""
    text = COMMENT_OR_TEXT.sub(lambda m: m[0] if m[0][0] == '"' else " ", path.read_text("utf-8"))
    parts = {m[1]: m[0] for m in TOP.finditer(text)}
    return ({name for name, part in parts.items() if "(void **state)" in part.split("{")[0] and
             name in re.findall(r"\w+", text.replace(part, ""))}, parts)


@functools.cache
def python_file(path):
    """{top-level name: node}."""
    out = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            out[node.name] = node
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                out |= {name.id: node for name in ast.walk(target) if isinstance(name, ast.Name)}
    return out


def unit_files():
    return sorted((ROOT / "tests/unit").glob("**/test_*.c"))


def pytest_files(suites=PYTEST):
    return [path for suite in suites for path in sorted((ROOT / "tests" / suite).glob("test_*.py"))]


def name_of(path, test):
    suite, _, rest = path.relative_to(ROOT / "tests").as_posix().partition("/")
    return f"{suite}:{rest}::{test}"


def tests_of(path):
    if path.suffix == ".c":
        return sorted(c_file(path)[0])
    return [name for name in python_file(path) if name.startswith("test_")]


def all_tests():
    return PROGRAMS | {name_of(path, test) for path in [*unit_files(), *pytest_files()]
                       for test in tests_of(path)}


def reached(first, uses):
    """`first` and all that it uses, directly or not."""
    seen, left = set(), [first]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += uses(name)
    return seen


def c_wants(text):
    """Texts of one definition that are compared: in an assertion, in a table, or given to a helper
    that asserts; not what is fed in."""
    text = GIVEN.sub("", text)
    return {word for m in TEXT.finditer(text) for word in m[1].split("|")
            if not re.search(r"\.\w+ = $", text[:m.start()])}


def c_asserts(path, test):
    parts = c_file(path)[1]

    def uses(name):
        return [word for word in set(re.findall(r"\w+", parts[name])) if word in parts]

    names = reached(test, uses)
    if not any(re.search(r"\b(assert_|fail_msg)", parts[name]) for name in names):
        return set()
    return set().union(*(c_wants(parts[name]) for name in names))


def python_reached(path, test):
    """Definitions of the file that a test comes to, fixtures included."""
    parts = python_file(path)

    def uses(name):
        return [word for node in ast.walk(parts[name])
                for word in [getattr(node, "id", None) or getattr(node, "arg", None)]
                if word in parts]

    return [node for name in reached(test, uses) for node in ast.walk(parts[name])]


def python_asserts(path, test):
    """Texts inside the assert statements that a test comes to."""
    said = [node for node in python_reached(path, test) if isinstance(node, ast.Assert)]
    return {node.value for check in said for node in ast.walk(check.test)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def looks_at_the_end(test):
    """Does a walk end with Walk.ends of tests/harness/ends.py, which looks at everything?"""
    place, _, name = test.partition("[")[0].rpartition("::")
    path = ROOT / "tests" / place.replace(":", "/", 1)
    return any(isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "ends"
               for node in python_reached(path, name))


def asserts(path, test):
    return (c_asserts if path.suffix == ".c" else python_asserts)(path, test)
