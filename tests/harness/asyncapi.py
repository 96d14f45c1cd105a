"""Whether a record is one that proto/asyncapi.yaml describes."""

import yaml
from api_docs import resolve  # of ops/lib
from cloudevents.core.bindings import kafka as events
from google.protobuf.unknown_fields import UnknownFieldSet

from . import protos
from .kafka import ROOT

SOURCE = ROOT / "proto" / "asyncapi.yaml"


def load():
    return yaml.safe_load(SOURCE.read_text("utf-8"))


def channels(description):
    """{topic: channel} without the one of all dead letters."""
    found = {c["address"]: c for c in description["channels"].values() if "parameters" not in c}
    return {address.removeprefix("cardflow.").removesuffix(".v1"): c
            for address, c in found.items()}


def messages(description):
    """(topic, type, message) of every record that is described."""
    for topic, channel in channels(description).items():
        for reference in channel["messages"].values():
            message = resolve(description, reference)
            yield topic, message["name"], message


def class_of(description, message):
    schema = resolve(description, message["payload"]["schema"])
    module = getattr(protos.load(), schema["x-proto"].rpartition("/")[2].removesuffix(".proto"))
    return getattr(module, schema["x-message"].rpartition(".")[2])


class AsItIs:
    """Data is protobuf, which the kit of CloudEvents has no format for."""

    def read_data(self, data, _):
        return data


class Records:
    def __init__(self):
        self.open = load()
        self.described = {(topic, name): (message, class_of(self.open, message))
                          for topic, name, message in messages(self.open)}
        self.seen = set()

    def check(self, record):
        """What is wrong with a record of a topic, in words; None: nothing."""
        headers = {name: text.encode() for name, text in record.headers.items()}
        try:
            # Its keys are text; ours are bytes.
            event = events.from_binary(
                events.KafkaMessage(headers, record.key.hex(), record.value), AsItIs())
        except Exception as error:  # pylint: disable=broad-except
            return f"no CloudEvent: {error}"
        found = self.described.get((record.topic, event.get_type()))
        if not found:
            return f"{event.get_type()} is not described"
        message, kind = found
        self.seen.add((record.topic, event.get_type()))
        read = kind.FromString(event.get_data())
        if "x-body" in message and read.WhichOneof("body") != message["x-body"]:
            return f"{event.get_type()} holds {read.WhichOneof('body')}"
        return f"{event.get_type()} has unknown fields" if unknown(read) else None


def unknown(message):
    """Has it a field of a number that the description of its message does not know?"""
    return len(UnknownFieldSet(message)) > 0
