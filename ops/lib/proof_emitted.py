"""Where the product gives a reason code: the places in C functions that yield it.

A place is a use of `CF_REASON_X`, of an enumerator that stands for a code (lists of the validators,
tables `[ENUMERATOR] = "code"`), or of the text itself, inside a function's body. To compare with a
code, to look for it, to take it away or to count it is not to give it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "common" / "pure" / "reasons.def"
SOURCES = ("common/pure", "common/io", "services/intake", "services/photo-fetch",
           "services/production")
# Lists of enumerators whose names are codes of the catalogue.
LISTS = ("CF_ID_REASONS", "CF_NAME_REASONS", "CF_PHOTO_REASONS", "CF_CLOSE_REASONS")
# Calls that only look at a code or count it.
LOOKS = {"cf_str_is", "strcmp", "strncmp", "cf_reason_set_has", "cf_reason_set_remove", "cf_count",
         "cf_reasons_add"}
# Given by a front on real stores, where no unit test comes: a test of e2e compares them.
BY_FRONTS = {"duplicate_in_roster", "request_id_conflict"}
# Given by banks, in their answers: production looks whether they fit the state.
BY_BANKS = {"account_refused", "bank_rejected", "damaged_at_outlet", "lost_in_transit"}

TEXT_OR_SKIPPED = re.compile(
    r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*|'
    r"'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:\\.|[^\n\\])*", re.S | re.M)
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\w+|==|!=|&&|\|\||[^\w\s]')
ROW = re.compile(r"X\((\w+)((?:\s*,\s*\"[^\"]*\")+)")
DEFINED = re.compile(r"^#define (\w+)\(X\)((?:[^\n\\]|\\.|\\\n)*)", re.M)
NAMED = re.compile(r"#define X\(value[^)]*\) (\w+)##value\b.*?^\s*(\w+)\(X\)", re.S | re.M)
TABLE = re.compile(r'\[(\w+)\]\s*=\s*"(\w+)"')


def catalogue():
    """{value: code} of reasons.def."""
    return dict(re.findall(r'^X\((\w+), "(\w+)"', CATALOGUE.read_text("utf-8"), re.M))


def listed(header, codes):
    """{enumerator: code} of the lists that a header defines."""
    out, prefixes = {}, {}
    for prefix, name in NAMED.findall(header):
        prefixes.setdefault(name, []).append(prefix)
    for name, body in DEFINED.findall(header):
        for value, texts in ROW.findall(body) if name in LISTS else ():
            code = re.findall(r'"([^"]*)"', texts)[-1]
            if code in codes:
                out |= {prefix + value: code for prefix in prefixes.get(name, ())}
    return out


def tokens(text):
    """(line, token) without comments, characters and preprocessor lines."""
    def blank(match):
        return match[0] if match[0][0] == '"' else "\n" * match[0].count("\n") or " "

    text = TEXT_OR_SKIPPED.sub(blank, text)
    line, at = 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        yield line, match[0]


def in_functions(text):
    """(line, two tokens before, token, token after, names of the calls around) of functions' bodies."""
    found = list(tokens(text))
    depth, body, calls = 0, None, []
    for i, (line, token) in enumerate(found):
        before = found[i - 1][1] if i else ""
        if token in "({[" and len(token) == 1:
            if token == "{" and depth == 0 and before == ")":
                body = depth
            depth += 1
            calls.append(before if token == "(" and re.match(r"\w", before) else "")
        elif token in ")}]" and len(token) == 1:
            depth -= 1
            calls.pop()
            if body == depth and token == "}":
                body = None
        elif body is not None:
            after = found[i + 1][1] if i + 1 < len(found) else ""
            yield line, (found[i - 2][1], before), token, after, calls


def gives(before, after, calls):
    """Is a code that stands here the outcome, and not only looked at, or a row of a table?"""
    row = before == ("]", "=") or (before[1], after) == ("[", "]")
    return not (row or {"==", "!="} & {before[1], after} or before[1] in ("case", "&", "~") or
                LOOKS & set(calls))


def tabled(text, codes):
    """{enumerator: code} of the tables of one source."""
    return {enumerator: code for enumerator, code in TABLE.findall(text) if code in codes}


def places(text, meaning):
    """[(code, line)] of one source; meaning: {enumerator: code}."""
    texts = {f'"{code}"': code for code in meaning.values()}
    return [(code, line) for line, before, token, after, calls in in_functions(text)
            for code in [meaning.get(token) or texts.get(token)]
            if code and gives(before, after, calls)]


def emitted():
    """{code: [(file, line)]} of the whole product."""
    names = catalogue()
    codes = set(names.values())
    meaning = {f"CF_REASON_{value}": code for value, code in names.items()}
    files = [path for folder in SOURCES for path in sorted((ROOT / folder).glob("**/*.[ch]"))]
    for path in files:
        meaning |= listed(path.read_text("utf-8"), codes) | tabled(path.read_text("utf-8"), codes)
    out = {code: [] for code in sorted(codes)}
    for path in files:
        for code, line in places(path.read_text("utf-8"), meaning):
            out[code].append((path.relative_to(ROOT).as_posix(), line))
    return out


def without_place(found):
    return [f"reason code {code} is given nowhere" for code, where in found.items()
            if not where and code not in BY_BANKS]


def never_run(found, measured):
    """Codes of which no place has run; measured: {file: {line: [times run, ...]}}, as coverage.py has it."""
    return [f"reason code {code} was given by no unit test" for code, where in found.items()
            if where and code not in BY_FRONTS and
            not any(measured.get(file, {}).get(line, [0])[0] for file, line in where)]
