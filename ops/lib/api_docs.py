#!/usr/bin/env python3
"""Writes docs/api.md from proto/openapi.yaml."""

import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE, PAGE = ROOT / "proto" / "openapi.yaml", ROOT / "docs" / "api.md"
METHODS = ("get", "put", "post")


def resolve(description, node):
    while "$ref" in node:
        target = description
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def kind(description, schema):
    """One word or a few for what a field holds."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = resolve(description, schema)
        return f"[{name}](#{name.lower()})" if fields(description, target) else \
            kind(description, target)
    if "enum" in schema:
        return ", ".join("null" if value is None else f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(kind(description, s) for s in schema[word]))
    types = schema.get("type", "anything")
    types = types if isinstance(types, list) else [types]
    words = ["list of " + kind(description, schema["items"]) if t == "array" and "items" in schema
             else schema.get("format", t) if t == "string" else t for t in types]
    return " or ".join(words)


def fields(description, schema):
    """{name: (schema, required)} of an object, its parts put together."""
    schema = resolve(description, schema)
    out = {}
    for part in schema.get("allOf", ()):
        out.update(fields(description, part))
    needed = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        out[name] = (field, name in needed)
    return out


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def sentence(text):
    return text if text[-1] in ".?!" else text + "."


def limits(schema):
    words = []
    for word, text in (("minLength", "at least {} characters"), ("maxLength", "at most {} characters"),
                       ("minimum", "from {}"), ("maximum", "to {}"), ("maxItems", "at most {}"),
                       ("pattern", "`{}`"), ("default", "default {}")):
        if word in schema and not (word == "minLength" and schema[word] == 0):
            words.append(text.format(schema[word]))
    return ", ".join(words)


def table(description, schema, depth=0):
    for name, (field, needed) in fields(description, schema).items():
        target = resolve(description, field)
        shown = field if "$ref" in field and fields(description, target) else target
        notes = ". ".join(filter(None, (target.get("description", ""), limits(target))))
        mark = "**" if needed else ""
        yield f"| {'&nbsp;&nbsp;' * depth}{mark}{name}{mark} | {cell(kind(description, shown))} | {cell(notes)} |"
        if "$ref" not in field:
            inner = target.get("items", target)
            if "$ref" not in inner and fields(description, inner):
                yield from table(description, inner, depth + 1)


def body_of(description, schema):
    names = list(dict.fromkeys(part["$ref"].rpartition("/")[2] for part in walk(schema)
                               if "$ref" in part and fields(description, part)))
    if names and not schema.get("properties"):
        return " or ".join(f"[{name}](#{name.lower()})" for name in names)
    return ", ".join(f"`{name}`{'' if needed else '?'}"
                     for name, (_, needed) in fields(description, schema).items()) or "-"


def walk(node):
    if isinstance(node, dict):
        yield node
        if "$ref" in node:
            return
        for word in ("oneOf", "allOf", "anyOf"):
            for part in node.get(word, ()):
                yield from walk(part)
        if "items" in node:
            yield from walk(node["items"])


def operation(description, method, path, op):
    yield f"### {method.upper()} {path}"
    yield ""
    yield sentence(op["summary"])
    if "description" in op:
        yield " ".join(op["description"].split())
    yield ""
    yield f"Scope `{op['x-scope']}`." if "x-scope" in op else "No key needed."
    shared = description["paths"][path].get("parameters", [])
    parameters = [resolve(description, p) for p in [*shared, *op.get("parameters", [])]]
    for place, word in (("query", "Query"), ("header", "Headers")):
        names = [f"`{p['name']}`{'' if p.get('required') else '?'}" for p in parameters
                 if p["in"] == place]
        if names:
            yield f"{word}: {', '.join(names)}."
    yield ""
    for content, what in op.get("requestBody", {}).get("content", {}).items():
        yield f"Body, {content}: {body_of(description, what['schema'])}"
        yield ""
        if "example" in what:
            yield "```json"
            yield json.dumps(what["example"], ensure_ascii=False, indent=1)
            yield "```"
            yield ""
    yield "| answer | | body |"
    yield "| --- | --- | --- |"
    for status, response in op["responses"].items():
        response = resolve(description, response)
        bodies = ", ".join(dict.fromkeys(
            body_of(description, what["schema"]) if content.endswith("json") else content
            for content, what in response.get("content", {}).items()))
        yield f"| {status} | {cell(response['description'])} | {bodies} |"
    yield ""


def page(description):
    lines = ["# The interface over HTTP", "",
             "Made from `proto/openapi.yaml` by `ops/lib/api_docs.py`. **Bold** fields are always there; `?` marks what "
             "may be left out.", "", description["info"]["description"].strip(), ""]
    for tag in description["tags"]:
        lines += [f"## {tag['name'].capitalize()}", "", sentence(tag["description"]), ""]
        for path, item in description["paths"].items():
            for method in METHODS:
                if method in item and tag["name"] in item[method]["tags"]:
                    lines += operation(description, method, path, item[method])
    lines += ["## Shapes", ""]
    for name, schema in description["components"]["schemas"].items():
        rows = list(table(description, schema))
        if not rows:
            continue
        lines += [f"### {name}", ""]
        if "description" in schema:
            lines += [" ".join(schema["description"].split()), ""]
        lines += ["| field | | |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def main():
    PAGE.write_text(page(yaml.safe_load(SOURCE.read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
