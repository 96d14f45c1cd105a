#!/usr/bin/env python3
"""Writes docs/topics.md from proto/asyncapi.yaml."""

from pathlib import Path

import yaml
from api_docs import cell, resolve

ROOT = Path(__file__).resolve().parents[2]
SOURCE, PAGE = ROOT / "proto" / "asyncapi.yaml", ROOT / "docs" / "topics.md"
READS = {"receive": "others, or a front", "send": "cardflow"}


def key_of(description, message):
    for trait in message.get("traits", ()):
        key = resolve(description, trait).get("bindings", {}).get("kafka", {}).get("key")
        if key:
            return key["description"]
    return "as it came"


def rows(description, messages):
    yield "| type | body | what |"
    yield "| --- | --- | --- |"
    for message in messages:
        body = f"`{message['x-body']}`" if "x-body" in message else ""
        yield f"| `{message['name']}` | {body} | {cell(message['summary'])} |"


def schemas(description, messages):
    """The protobuf messages of a topic and where they stand."""
    found = {}
    for message in messages:
        if "payload" in message:
            schema = resolve(description, message["payload"]["schema"])
            found[schema["x-message"].rpartition(".")[2]] = schema["x-proto"]
    return ", ".join(f"[`{name}`](../proto/{path})" for name, path in found.items()) or "any"


def page(description):
    yield "# Topics"
    yield ""
    yield "From [proto/asyncapi.yaml](../proto/asyncapi.yaml) by `ops/lib/topic_docs.py`; examples stand there."
    yield ""
    yield cell(description["info"]["description"])
    actions = {op["channel"]["$ref"]: op["action"] for op in description["operations"].values()}
    for name, channel in description["channels"].items():
        messages = [resolve(description, m) for m in channel["messages"].values()]
        yield ""
        yield f"## {channel['address']}"
        yield ""
        yield f"{channel['description']}"
        yield ""
        yield f"Written by {READS[actions[f'#/channels/{name}']]}. Key: {key_of(description, messages[0])}. " \
              f"Value: {schemas(description, messages)}."
        yield ""
        yield from rows(description, messages)


def text():
    return "\n".join(page(yaml.safe_load(SOURCE.read_text("utf-8")))) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
