"""Checks a tree of nodes against a JSON Schema, of which it knows a closed part.

Third-party validators give a path and their own sentence; this one gives spans, our wording and a name
to suggest, and costs no import. What it knows is in `CHECKED`; what it passes over because it asserts
nothing is in `NOTES`. A test holds it equal to jsonschema on that part.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple

from pluglint.parse.node import ALIAS, BOOLEAN, INTEGER, LIST, MAP, NULL, NUMBER, STRING, Node
from pluglint.text import Span
from pluglint.words import did_you_mean, listed

CHECKED = frozenset(
    "type required properties additionalProperties items enum const pattern minLength maxLength minItems maxItems "
    "minimum maximum exclusiveMinimum exclusiveMaximum uniqueItems anyOf $ref".split()
)
NOTES = frozenset("$schema $id $defs $comment title description default examples deprecated".split())

_TYPES = {STRING: "string", INTEGER: "integer", NUMBER: "number", BOOLEAN: "boolean", NULL: "null", LIST: "array", MAP: "object"}
_WORDS = {"string": "a string", "integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "empty", "array": "a list", "object": "a map"}
_SEEN = {"null": "nothing", "boolean": "a truth value"}
_PLURAL = {"string": "strings", "integer": "whole numbers", "number": "numbers", "boolean": "truth values", "array": "lists", "object": "maps"}


class Violation(NamedTuple):
    """One way in which a value breaks its schema.

    path     keys and indexes down to the value that the keyword is about (as jsonschema gives it)
    span     what to point at: the value, the unknown key, or the key that holds a map which lacks one
    message  without suggestion; it names the key
    close    a name or value that was probably meant, else ""
    keyword  the keyword of the schema that is broken
    """

    path: tuple[str | int, ...]
    span: Span
    message: str
    close: str
    keyword: str

    @property
    def sentence(self) -> str:
        return f"{self.message}; did you mean '{self.close}'?" if self.close else self.message


def check(node: Node, schema: dict[str, Any], words: dict[str, str] | None = None) -> list[Violation]:
    """Every violation below a node, in the order of the text. `words` renames types ("a table" for "a map")."""
    walker = _Walker(schema, {**_WORDS, **(words or {})})
    found = walker.walk(node, schema, (), node.span)
    return sorted(found, key=lambda one: (one.span, one.message))


def unknown_keywords(schema: Any, at: str = "#") -> list[str]:
    """Where a schema goes beyond what `check` understands; empty when it does not."""
    if schema is True or schema is False and at.endswith("/additionalProperties"):
        return []
    if not isinstance(schema, dict):
        return [f"{at}: not a schema"]
    found = [f"{at}: {key}" for key in schema if key not in CHECKED and key not in NOTES]
    for key in ("items", "additionalProperties"):
        if key in schema:
            found += unknown_keywords(schema[key], f"{at}/{key}")
    for key in ("properties", "$defs"):
        for name, part in schema.get(key, {}).items():
            found += unknown_keywords(part, f"{at}/{key}/{name}")
    for number, part in enumerate(schema.get("anyOf", ())):
        found += unknown_keywords(part, f"{at}/anyOf/{number}")
    if not schema.get("$ref", "#/$defs/").startswith("#/$defs/"):
        found.append(f"{at}: $ref to {schema['$ref']}")
    elif "$ref" in schema and CHECKED & schema.keys() != {"$ref"}:
        found.append(f"{at}: $ref beside other keywords")
    return found


def type_of(node: Node) -> str:
    """The JSON type of a node; a number without a fraction is an integer, as JSON Schema has it."""
    if node.kind == NUMBER and float(node.value).is_integer():
        return "integer"
    return _TYPES.get(node.kind, "null")


def name_of(path: tuple[str | int, ...]) -> str:
    """How messages speak of a place: `key`, or item 2 of `key`."""
    keys = [part for part in path if isinstance(part, str)]
    name = f"`{keys[-1]}`" if keys else "the top level"
    return f"item {path[-1] + 1} of {name}" if path and isinstance(path[-1], int) else name


def shown(node: Node) -> str:
    """A value as messages quote it."""
    if node.kind in (LIST, MAP):
        return "a list" if node.kind == LIST else "a map"
    text = node.text if len(node.text) <= 60 else node.text[:59] + "…"
    return f"'{text}'" if node.kind == STRING else text or "empty"


class _Walker:
    def __init__(self, root: dict[str, Any], words: dict[str, str]) -> None:
        self.root = root
        self.words = words

    def resolve(self, schema: Any) -> Any:
        while isinstance(schema, dict) and "$ref" in schema:
            target: Any = self.root
            for part in schema["$ref"][2:].split("/"):
                target = target[part]
            schema = target
        return schema

    def walk(self, node: Node, schema: Any, path: tuple[str | int, ...], owner: Span) -> Iterator[Violation]:
        """Violations of one value. `owner` is the span of the key that holds it."""
        schema = self.resolve(schema)
        if schema is True or node.kind == ALIAS:  # what an alias stands for is not expanded: nothing can be said
            return
        kind = type_of(node)
        wanted = schema.get("type")
        if wanted is not None:
            names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
            if kind not in names and not (kind == "integer" and "number" in names):
                yield self._fault(path, node, "type", f"must be {self.expected(schema)}, not {self.seen(kind)}")
                return
        if "anyOf" in schema:
            yield from self._any_of(node, schema["anyOf"], path, owner, kind)
        yield from self._value(node, schema, path, kind)
        if node.kind == MAP:
            yield from self._map(node, schema, path, owner)
        elif node.kind == LIST:
            yield from self._list(node, schema, path)

    def _fault(self, path: tuple[str | int, ...], node: Node, keyword: str, message: str, close: str | None = None) -> Violation:
        return Violation(path, node.span, f"{name_of(path)} {message}", close or "", keyword)

    def seen(self, kind: str) -> str:
        return _SEEN.get(kind) or self.words[kind]

    def expected(self, schema: Any) -> str:
        """What a schema wants, in words: "a list of strings", "a string or true or false"."""
        schema = self.resolve(schema)
        if not isinstance(schema, dict):
            return "something else"
        if "anyOf" in schema:
            return " or ".join(dict.fromkeys(self.expected(part) for part in schema["anyOf"]))
        if "const" in schema:
            return repr(schema["const"])
        if "enum" in schema:
            return "one of " + listed([str(value) for value in schema["enum"]], 12)
        wanted = schema.get("type", ())
        names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        parts = []
        for name in names:
            words = self.words[name]
            items = self.resolve(schema.get("items"))
            inner = items.get("type") if isinstance(items, dict) else None
            if name == "array" and isinstance(inner, str) and inner in _PLURAL:
                words += " of " + (self.words[inner].removeprefix("a ") + "s" if inner == "object" else _PLURAL[inner])
            parts.append(words)
        return " or ".join(parts) or "something else"

    def _any_of(self, node: Node, branches: list[Any], path: tuple[str | int, ...], owner: Span, kind: str) -> Iterator[Violation]:
        """One violation at most, as jsonschema counts; its words and span come from the branch that has the value's type."""
        nearest: Violation | None = None
        for branch in branches:
            found = next(self.walk(node, branch, path, owner), None)
            if found is None:
                return
            resolved = self.resolve(branch)
            if isinstance(resolved, dict) and found.keyword != "type" or len(found.path) > len(path):
                nearest = nearest or found
        if nearest is None:
            yield self._fault(path, node, "anyOf", f"must be {self.expected({'anyOf': branches})}, not {self.seen(kind)}")
        else:
            yield nearest._replace(path=path, keyword="anyOf")

    def _value(self, node: Node, schema: dict[str, Any], path: tuple[str | int, ...], kind: str) -> Iterator[Violation]:
        if "const" in schema and not _equal(node.plain(), schema["const"]):
            yield self._fault(path, node, "const", f"is {shown(node)}; it must be {schema['const']!r}")
        if "enum" in schema and not any(_equal(node.plain(), value) for value in schema["enum"]):
            names = [str(value) for value in schema["enum"]]
            close = did_you_mean(node.text, names) if node.text else None
            yield self._fault(path, node, "enum", f"is {shown(node)}; it can be {', '.join(names)}", close)
        if kind == "string":
            text = node.value
            if len(text) < schema.get("minLength", 0):
                short = "must not be empty" if not text else f"has {len(text)} characters, fewer than {schema['minLength']}"
                yield self._fault(path, node, "minLength", short)
            if len(text) > schema.get("maxLength", len(text)):
                yield self._fault(path, node, "maxLength", f"has {len(text)} characters, more than {schema['maxLength']}")
            if "pattern" in schema and re.search(schema["pattern"], text) is None:
                examples = schema.get("examples")
                wanted = f"; write it like '{examples[0]}'" if examples else f", which does not match {schema['pattern']}"
                yield self._fault(path, node, "pattern", f"is {shown(node)}{wanted}")
        if kind in ("integer", "number"):
            for keyword, broken, words in (
                ("minimum", lambda limit: node.value < limit, "less than"),
                ("maximum", lambda limit: node.value > limit, "more than"),
                ("exclusiveMinimum", lambda limit: node.value <= limit, "not more than"),
                ("exclusiveMaximum", lambda limit: node.value >= limit, "not less than"),
            ):
                if keyword in schema and broken(schema[keyword]):
                    yield self._fault(path, node, keyword, f"is {node.text}, {words} {schema[keyword]}")

    def _map(self, node: Node, schema: dict[str, Any], path: tuple[str | int, ...], owner: Span) -> Iterator[Violation]:
        properties = schema.get("properties", {})
        last = {name.text: (name, value) for name, value in node.pairs}  # of a repeated key the last one counts
        for wanted in schema.get("required", ()):
            if wanted not in last:
                yield Violation(path, owner if path else first_key(node), f"`{wanted}` is missing", "", "required")
        more = schema.get("additionalProperties", True)
        for text, (name, value) in last.items():
            if text in properties:
                yield from self.walk(value, properties[text], (*path, text), name.span)
            elif more is False:
                yield Violation(path, name.span, f"unknown key `{text}`", did_you_mean(text, properties) or "", "additionalProperties")
            elif more is not True:
                yield from self.walk(value, more, (*path, text), name.span)

    def _list(self, node: Node, schema: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Violation]:
        count = len(node.items)
        if count < schema.get("minItems", 0):
            yield self._fault(path, node, "minItems", "must not be empty" if not count else f"has {count} items, fewer than {schema['minItems']}")
        if count > schema.get("maxItems", count):
            yield self._fault(path, node, "maxItems", f"has {count} items, more than {schema['maxItems']}")
        if schema.get("uniqueItems"):
            seen: list[Any] = []
            for item in node.items:
                value = item.plain()
                if any(_equal(value, other) for other in seen):
                    yield Violation(path, item.span, f"{name_of(path)} holds {shown(item)} twice", "", "uniqueItems")
                    break
                seen.append(value)
        if "items" in schema:
            for number, item in enumerate(node.items):
                yield from self.walk(item, schema["items"], (*path, number), item.span)


def first_key(node: Node) -> Span:
    """Where to point when a key of the top level is missing: `name`, else the first key, else the map."""
    key = node.key("name")
    if key is None:
        key = node.pairs[0][0] if node.pairs else node
    return key.span


def _equal(left: Any, right: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(left[key], right[key]) for key in left)
    return type(left) is type(right) and left == right or isinstance(left, (int, float)) and isinstance(right, (int, float)) and left == right
