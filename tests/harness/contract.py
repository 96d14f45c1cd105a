"""Whether an exchange over HTTP is one that proto/openapi.yaml describes.

Stricter than a client has to be: what an answer has beside the fields that are described is an error, for a
field that nobody described is one that nobody may rely on.
"""

import json
import re
import urllib.parse

import jsonschema
import yaml

from .kafka import ROOT

SOURCE = ROOT / "proto" / "openapi.yaml"
METHODS = ("get", "put", "post", "delete", "patch")


def load():
    return yaml.safe_load(SOURCE.read_text("utf-8"))


def operations(description):
    """(method, path, operation) of all."""
    for path, item in description["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def _walk(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _close(description):
    """Every object of an answer takes the fields described and no other."""
    part_of_another = {id(part) for node in _walk(description) for part in node.get("allOf", ())}
    parts = {part["$ref"].rpartition("/")[2] for node in _walk(description)
             for part in node.get("allOf", ()) if "$ref" in part}
    schemas = description["components"]["schemas"]
    # A copy of what is a part of others stays open; where it stands alone it is closed.
    open_ones = {name: json.loads(json.dumps(schemas[name])) for name in parts}
    for node in _walk(description):
        for part in node.get("allOf", ()):
            if "$ref" in part:
                part["$ref"] = f"#/components/schemas/{part['$ref'].rpartition('/')[2]}.open"
    for node in list(_walk(description)):
        if "allOf" in node:
            node["unevaluatedProperties"] = False
        elif isinstance(node.get("properties"), dict) and id(node) not in part_of_another:
            node.setdefault("additionalProperties", False)
    for name, schema in open_ones.items():
        for node in _walk(schema.get("properties", {})):
            if isinstance(node.get("properties"), dict):
                node.setdefault("additionalProperties", False)
        schemas[f"{name}.open"] = schema


class Contract:
    def __init__(self):
        self.open, self.closed = load(), load()
        _close(self.closed)
        self.paths = [(re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(path)) + "$"), path)
                      for path in self.open["paths"]]
        # A path without a parameter goes before one that has some.
        self.paths.sort(key=lambda pair: pair[1].count("{"))
        self.used = set()
        self._validators = {}

    def _resolve(self, node, closed=True):
        while "$ref" in node:
            here = self.closed if closed else self.open
            for name in node["$ref"].removeprefix("#/").split("/"):
                here = here[name]
            node = here
        return node

    def _errors(self, schema, value, closed):
        if id(schema) not in self._validators:
            root = self.closed if closed else self.open
            self._validators[id(schema)] = jsonschema.Draft202012Validator(
                {"components": root["components"], "allOf": [schema]},
                format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        for error in self._validators[id(schema)].iter_errors(value):
            # Where, and which rule; never the value, which may be a person's.
            where = "/".join(map(str, error.absolute_path)) or "the body"
            yield f"{where} breaks {error.validator} ({'/'.join(map(str, error.schema_path))})"

    def find(self, path):
        path = urllib.parse.urlsplit(path).path
        return next((known for pattern, known in self.paths if pattern.match(path)), None)

    def check(self, method, path, sent, body, status, headers, answer):
        """Errors of one exchange, as texts. sent: request headers by lower-case name; answer: bytes."""
        known = self.find(path)
        if known is None or method.lower() not in self.closed["paths"][known]:
            want = 404 if known is None else 405
            return [] if status == want else [f"{status} for what is not described"]
        operation = self.closed["paths"][known][method.lower()]
        response = operation["responses"].get(str(status))
        if response is None:
            return [f"{status} is not described"]
        self.used.add((method, known, status))
        errors = list(self._answer(self._resolve(response), status, headers, answer))
        if status < 300:
            plain = self.open["paths"][known][method.lower()]
            errors += [f"request: {e}" for e in self._request(plain, known, sent, body)]
        return errors

    def _answer(self, response, status, headers, answer):
        content = headers.get("content-type", "").partition(";")[0]
        if content not in response.get("content", {}):
            yield f"its type {content} is not described"
        elif content.endswith("json"):
            yield from self._errors(response["content"][content]["schema"], json.loads(answer), True)
        if status == 503 and not headers.get("retry-after", "").isdigit():
            yield "a 503 without Retry-After"
        replayed = headers.get("idempotency-replayed")
        if replayed is not None and (replayed != "true" or
                                     "Idempotency-Replayed" not in response.get("headers", {})):
            yield "Idempotency-Replayed is not described"

    def _request(self, operation, path, sent, body):
        shared = self.open["paths"][path].get("parameters", [])
        for parameter in map(lambda p: self._resolve(p, False),
                             [*shared, *operation.get("parameters", [])]):
            if parameter["in"] != "header":
                continue
            value = sent.get(parameter["name"].lower())
            if value is None and parameter.get("required"):
                yield f"{parameter['name']} is missing"
            elif value is not None:
                yield from self._errors(parameter["schema"], value, False)
        taken = operation.get("requestBody", {}).get("content", {})
        if "application/json" in taken:
            yield from self._errors(taken["application/json"]["schema"], json.loads(body), False)
