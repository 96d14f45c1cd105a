"""proto/asyncapi.yaml by itself, beside the topics and types of the programs, and beside proto/."""

import json
import re

import pytest
from api_docs import resolve  # of ops/lib
from asyncapi3.models.asyncapi import AsyncAPI3
from google.protobuf import json_format
from harness.asyncapi import SOURCE, channels, class_of, load, messages
from harness.kafka import ROOT

WORD = r'"([a-z][a-z._-]+)"'


@pytest.fixture(scope="module")
def description():
    return load()


@pytest.fixture(scope="module")
def topics():
    """Those that are declared, without what a service sends to itself."""
    declared = {t["name"]: t for t in json.loads((ROOT / "proto/topics.json").read_text("utf-8"))}
    return {name: topic for name, topic in declared.items()
            if not name.endswith((".internal", ".dlq"))}


def types_read():
    """{topic: types} that the services ask for, out of their tables."""
    found = {}
    for folder in (ROOT / "services").iterdir():
        text = "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.c")))
        lists = {name: set(re.findall(WORD, body)) for name, body in
                 re.findall(r"(\w+_types)\[\] = \{(.*?)\};", text, re.S)}
        for topic, name in re.findall(r"\{" + WORD + r",\s*(?:true|false),\s*(\w+_types)\s*\}",
                                      text):
            found.setdefault(topic, set()).update(lists[name])
    return found


def test_it_is_valid_asyncapi(description):
    AsyncAPI3.model_validate(description)


def test_every_reference_leads_somewhere(description):
    def walk(node):
        for value in node.values() if isinstance(node, dict) else node:
            if isinstance(value, (dict, list)):
                if isinstance(value, dict) and "$ref" in value:
                    assert resolve(description, value) is not None
                walk(value)
    walk(description)


def test_the_topics_are_those_declared(description, topics):
    assert set(channels(description)) == set(topics)
    actions = {resolve(description, op["channel"])["address"]: op["action"]
               for op in description["operations"].values()}
    for name, topic in topics.items():
        action = "receive" if topic["writer"] == "open" else "send"
        assert actions[f"cardflow.{name}.v1"] == action, name


def test_every_type_that_a_service_reads_is_described(description, topics):
    described = {}
    for topic, name, _ in messages(description):
        described.setdefault(topic, set()).add(name)
    read = {topic: types for topic, types in types_read().items() if topic in topics}
    assert len(read) > 10
    for topic, types in read.items():
        assert types <= described[topic], topic
        if topics[topic]["writer"] == "open":
            assert types == described[topic], topic


def test_every_type_that_is_described_is_written_in_the_sources(description):
    text = "\n".join(path.read_text("utf-8") for folder in ("services", "common", "ops/cardctl")
                     for path in sorted((ROOT / folder).rglob("*.c")))
    for _, name, _ in messages(description):
        assert f'"{name}"' in text, name


def test_every_body_of_a_message_has_a_type(description):
    """A new case of a `oneof body` that nobody has described fails."""
    found = {}
    for _, _, message in messages(description):
        kind = class_of(description, message)
        found.setdefault(kind.DESCRIPTOR.name, (kind, set()))[1].add(message.get("x-body"))
    for name, (kind, bodies) in found.items():
        oneof = kind.DESCRIPTOR.oneofs_by_name.get("body")
        assert bodies == ({f.name for f in oneof.fields} if oneof else {None}), name


def test_every_example_is_its_message(description):
    for _, name, message in messages(description):
        for example in message["examples"]:
            made = json_format.ParseDict(example["payload"], class_of(description, message)())
            if "x-body" in message:
                assert made.WhichOneof("body") == message["x-body"], name
            assert json_format.MessageToDict(made) == example["payload"], name


def test_the_page_is_made_of_the_description():
    import topic_docs

    assert (ROOT / "docs" / "topics.md").read_text("utf-8") == topic_docs.text(), \
        f"{SOURCE.name} has changed: run ops/lib/topic_docs.py"
