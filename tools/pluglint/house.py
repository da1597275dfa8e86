"""A package's own JSON Schema for its headers: `[header-schemas]` in the configuration.

jsonschema judges, whatever keywords the schema uses; this module brings it and turns its paths into spans.
It is imported only where a configuration names such a schema.
"""

from __future__ import annotations

import os
from typing import Any, Iterator, NamedTuple

from pluglint.parse.json import parse_json
from pluglint.parse.node import ALIAS, LIST, MAP, NUMBER, STRING, Node
from pluglint.shapes import first_key, name_of, shown
from pluglint.text import Span, decode
from pluglint.words import did_you_mean, listed

_SEMVER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"


class HouseError(Exception):
    """The schema cannot be used; the message begins with file, line and column."""


class Fault(NamedTuple):
    span: Span
    message: str
    hint: str


class House:
    """One loaded schema. `keys` are the names under its top-level `properties`."""

    def __init__(self, path: str, validator: Any, keys: frozenset[str]) -> None:
        self.path = path
        self.validator = validator
        self.keys = keys

    def faults(self, header: Node) -> list[Fault]:
        """What the schema has against a header, in the order of the text."""
        found = dict.fromkeys(fault for error in self.validator.iter_errors(header.plain()) for fault in _faults(header, error))
        return sorted(found)


def load(path: str) -> House:
    """Reads and checks a schema file. Raises `HouseError`."""
    from jsonschema import Draft202012Validator, FormatChecker, SchemaError
    from jsonschema.validators import validator_for

    shown_path = os.path.relpath(path).replace(os.sep, "/")
    try:
        with open(path, "rb") as handle:
            source = decode(handle.read(), shown_path, os.path.basename(path))
    except OSError as error:
        raise HouseError(f"{shown_path}: cannot be read: {error.strerror or error}") from None

    def fault(message: str, span: Span) -> HouseError:
        line, column = source.position(span.start)
        return HouseError(f"{shown_path}:{line}:{column}: {message}")

    if source.bad_utf8 is not None:
        raise fault("not UTF-8", Span(source.bad_utf8, source.bad_utf8))
    node, error = parse_json(source.text)
    if error is not None or node is None:
        raise fault(f"not valid JSON: {error.message if error else 'empty'}", error.span if error else Span(0, 0))
    if node.kind != MAP:
        raise fault("a JSON Schema is an object", node.span)
    schema = node.plain()
    chosen = validator_for(schema, default=Draft202012Validator)
    try:
        chosen.check_schema(schema)
    except SchemaError as wrong:
        at, _ = _find(node, list(wrong.absolute_path))
        raise fault(f"not a valid JSON Schema: {_short(wrong.message)}", at.span) from None
    _check_references(node, schema, fault)
    formats = FormatChecker()
    formats.checks("semver")(_is_semver)
    from referencing import Registry

    # A registry of our own: without one jsonschema would fetch references from the network.
    validator = chosen(schema, format_checker=formats, registry=Registry())
    properties = node.get("properties")
    keys = frozenset(properties.keys()) if properties is not None and properties.kind == MAP else frozenset()
    return House(path, validator, keys)


def _check_references(node: Node, schema: dict[str, Any], fault: Any) -> None:
    """Every `$ref` must lead somewhere in the file itself: nothing else is ever opened."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, specification_with

    try:
        dialect = specification_with(schema.get("$schema", ""), default=DRAFT202012)
    except Exception:  # noqa: BLE001 - a dialect nobody knows is read as 2020-12, as jsonschema does
        dialect = DRAFT202012
    resource = dialect.create_resource(schema)
    resolver = Registry().with_resource(resource.id() or "", resource).resolver(resource.id() or "")
    for inner in node.walk():
        target = inner.get("$ref") if inner.kind == MAP else None
        if target is None or target.kind != STRING:
            continue
        try:
            resolver.lookup(target.text)
        except Unresolvable:
            raise fault(f"the reference '{target.text}' leads nowhere in this file; other files are not opened", target.span) from None


def _is_semver(value: Any) -> bool:
    import re

    return not isinstance(value, str) or re.fullmatch(_SEMVER, value) is not None


def _find(root: Node, path: list[str | int]) -> tuple[Node, Node | None]:
    """(value at a path, its key); as deep as the path can be followed."""
    node, key = root, None
    for part in path:
        inner: Node | None = None
        if node.kind == MAP and isinstance(part, str):
            key, inner = node.key(part), node.get(part)
        elif node.kind == LIST and isinstance(part, int) and part < len(node.items):
            inner = node.items[part]
        if inner is None:
            break
        node = inner
    return node, key


def _faults(header: Node, error: Any) -> Iterator[Fault]:
    """One error of jsonschema as faults with spans."""
    from jsonschema.exceptions import best_match

    error = best_match([error]) or error  # of alternatives, the one that came nearest
    path = list(error.absolute_path)
    node, key = _find(header, path)
    if node.kind == ALIAS:  # an alias is not expanded: what it holds is unknown
        return
    name = name_of(tuple(path))
    keyword, wanted = error.validator, error.validator_value
    owner = key.span if key is not None else first_key(header)
    if keyword == "required":
        for missing in wanted:
            if missing not in error.instance:
                meant = did_you_mean(missing, [one for one in error.instance if one not in error.schema.get("properties", {})])
                hint = f"Did you mean `{missing}` where `{meant}` stands?" if meant else f"Add `{missing}:`{_about(error.schema, missing)}."
                yield Fault(owner, f"`{missing}` is missing", hint)
        return
    if keyword in ("additionalProperties", "unevaluatedProperties") and node.kind == MAP:
        import re

        known = error.schema.get("properties", {})
        patterns = error.schema.get("patternProperties", {})
        extra = [one for one, _ in node.pairs if one.text not in known and not any(re.search(pattern, one.text) for pattern in patterns)]
        for one in extra:
            close = did_you_mean(one.text, known)
            hint = f"Did you mean `{close}`?" if close else f"The house schema knows {listed(known)}." if known else ""
            yield Fault(one.span, f"the house schema allows no key `{one.text}`", hint)
        if extra:
            return
    if node.kind == MAP and isinstance(error.instance, str):  # propertyNames: the instance is a key
        at = node.key(error.instance)
        yield Fault(at.span if at is not None else owner, f"the key `{error.instance}` is not allowed: {_short(error.message)}", "")
        return
    span = node.span if path else owner
    hint = ""
    if keyword == "enum":
        values = [str(value) for value in wanted]
        close = did_you_mean(node.text, values)
        message = f"{name} is {shown(node)}; the house schema allows {', '.join(values)}"
        hint = f"Did you mean '{close}'?" if close else ""
    elif keyword == "const":
        message = f"{name} is {shown(node)}; the house schema wants {wanted!r}"
    elif keyword == "type":
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        message = f"{name} is {shown(node)}; the house schema wants {' or '.join(names)}"
        if "string" in names and node.kind not in (LIST, MAP):
            hint = f"Put it in quotes: \"{node.text}\"."
    elif keyword in ("pattern", "format"):
        what = f"the pattern {wanted}" if keyword == "pattern" else f"the format {wanted}"
        message = f"{name} is {shown(node)}, which does not have {what}"
        hint = str(error.schema.get("description", ""))
    else:
        message = f"{name}: {_short(error.message)}"
    if node.kind == NUMBER and keyword in ("pattern", "format", "type") and not hint:
        hint = f"Put it in quotes: \"{node.text}\"."
    yield Fault(span, message, hint)


def _about(schema: Any, key: str) -> str:
    part = schema.get("properties", {}).get(key, {}) if isinstance(schema, dict) else {}
    text = part.get("description", "") if isinstance(part, dict) else ""
    return f" ({text.rstrip('.')})" if text else ""


def _short(message: str) -> str:
    message = message.replace("\n", " ")
    return message if len(message) <= 160 else message[:159] + "…"
