"""Reads YAML and JSON with the line and column of every value, and a paper's specification with its schema."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dltools.report import Finding, UnusableInput

SCHEMA = Path(__file__).resolve().parents[1] / "assets/paper-spec.schema.json"
SECTIONS = (
    "task", "data", "architecture", "optimizer", "schedule", "regularization", "evaluation", "hardware", "reported",
)  # fmt: skip
LARGEST = 1_000_000  # bytes; a specification is written by hand
DEEPEST = 50

# YAML 1.1 needs a point and a signed exponent in a float; 1e-4 and 3.3e18 are text to PyYAML
_NUMBER_AS_TEXT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


@dataclasses.dataclass(frozen=True)
class Document:
    """A parsed file.

    Args:
        path: the file.
        content: its values.
        places: line and column, from 1, of the value at each path of keys.
        numbers_as_text: places of plain scalars that people read as numbers and YAML 1.1 reads as text.
        repeated: (path of keys) of keys that stand twice in one mapping; the first one counts here.
    """

    path: Path
    content: Any
    places: Mapping[tuple[Any, ...], tuple[int, int]]
    numbers_as_text: Mapping[tuple[Any, ...], str]
    repeated: Mapping[tuple[Any, ...], tuple[int, int]]

    def where(self, keys: tuple[Any, ...]) -> str:
        """`file:line:column a.b.c`, of the nearest enclosing value that the file has."""
        known = keys
        while known and known not in self.places:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return f"{self.path.name}:{line}:{column} {'.'.join(map(str, keys))}".rstrip()


@dataclasses.dataclass(frozen=True)
class Entry:
    """One value of a specification.

    Args:
        section: its section, such as `schedule`.
        name: its name there.
        value: number, text, truth value, list, or None where nobody knows it.
        unit: as written.
        status: stated, inferred, assumed, from-code, in-conflict or missing.
        source: its place in the paper or the code.
        competing: the other values of an entry in conflict, each with its place in the paper.
        place: `file:line:column section.name`.
    """

    section: str
    name: str
    value: Any
    unit: str
    status: str
    source: str
    competing: tuple[tuple[Any, str], ...]
    place: str

    @property
    def path(self) -> str:
        """`section.name`."""
        return f"{self.section}.{self.name}"

    @property
    def number(self) -> float | None:
        """The value where it is one number."""
        return as_number(self.value)


@dataclasses.dataclass(frozen=True)
class Derived:
    """One formula of a specification; see the schema for its parts."""

    name: str
    formula: str
    unit: str
    agrees_with: str | None
    tolerance: float
    part: str | None
    place: str

    @property
    def path(self) -> str:
        """`derived.name`."""
        return f"derived.{self.name}"


@dataclasses.dataclass(frozen=True)
class Specification:
    """A specification: its entries by `section.name`, its formulas by name, and what its shape gets wrong."""

    document: Document
    paper: Mapping[str, Any]
    entries: Mapping[str, Entry]
    derived: Mapping[str, Derived]
    findings: tuple[Finding, ...]

    def named(self, name: str) -> list[Entry]:
        """The entries with this name, in whatever section."""
        return [entry for entry in self.entries.values() if entry.name == name]


def as_number(value: Any) -> float | None:
    """A finite number as a float; None for truth values, text, lists and anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e300 else None


def read(path: Path) -> Document:
    """A YAML or JSON file with its places.

    Raises:
        UnusableInput: the file is missing, too large, not YAML, or uses aliases.
    """
    import yaml

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnusableInput(f"cannot read {path}: {error.strerror}") from None
    if len(raw) > LARGEST:
        raise UnusableInput(f"{path} has {len(raw):,} bytes; the largest file that is read has {LARGEST:,}")
    try:
        text = raw.decode("utf-8-sig")
        # an alias can make a small file expand without end; nobody writes one here by hand
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise UnusableInput(
                    f"{path}:{event.start_mark.line + 1}: nested too deeply, more than {DEEPEST} levels"
                )
            if isinstance(event, yaml.AliasEvent):
                mark = event.start_mark
                raise UnusableInput(
                    f"{path}:{mark.line + 1}:{mark.column + 1}: aliases (*{event.anchor}) are not read; write it out"
                )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise UnusableInput(f"{path} is empty")
        walk = _Walk(yaml, path)
        content = walk.value(node, ())
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{path} is not UTF-8 text (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise UnusableInput(f"{path}{place} is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise UnusableInput(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    return Document(path, content, walk.places, walk.numbers_as_text, walk.repeated)


def read_specification(path: Path) -> Specification:
    """A specification, with a `schema` finding for everything that is not of its form.

    What has the right form is kept, so that one slip does not hide the rest.

    Raises:
        UnusableInput: the file cannot be read, or is no mapping of sections at all.
    """
    import jsonschema

    document = read(path)
    content = document.content
    if not isinstance(content, dict):
        raise UnusableInput(
            f"{path} holds {_kind(content)}, not a mapping with the sections paper, {', '.join(SECTIONS)}"
        )
    if not any(section in content for section in ("paper", *SECTIONS)):
        raise UnusableInput(
            f"{path} has none of the sections paper, {', '.join(SECTIONS)}; it is no paper specification"
        )
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    findings, broken = [], set()
    for error in jsonschema.Draft202012Validator(schema).iter_errors(content):
        keys = tuple(error.absolute_path)
        broken.add(keys[:2])
        findings += _schema_findings(document, keys, error)
    for keys, (line, column) in document.repeated.items():
        where = f"{document.path.name}:{line}:{column} {'.'.join(map(str, keys))}"
        findings.append(
            Finding("schema", where, "this key stands twice; YAML readers silently keep one of them", {}, "keep one")
        )
    for keys, text in document.numbers_as_text.items():
        if keys[-1] in ("value", "tolerance") and isinstance(_at(content, keys), str):
            fixed = f"{float(text):.10e}"
            mantissa, exponent = fixed.split("e")
            fixed = f"{mantissa.rstrip('0')}{'0' if mantissa.rstrip('0').endswith('.') else ''}e{exponent}"
            findings.append(
                Finding(
                    "schema",
                    document.where(keys),
                    f"{text} is text to YAML 1.1 readers such as PyYAML, not a number",
                    {},
                    f"write {fixed}: a point, and a sign in the exponent",
                )
            )
    # JSON has no other keys than text, so the schema says nothing of them
    for keys in document.places:
        if keys and not isinstance(keys[-1], str) and isinstance(_at(content, keys[:-1]), dict):
            findings.append(
                Finding("schema", document.where(keys), f"the key {keys[-1]!r} is no text", {}, "put it in quotes")
            )
            broken.add(keys[:2])
    entries = {}
    for section in SECTIONS:
        for name, entry in _mapping(content.get(section)).items():
            if (section, name) not in broken:
                entries[f"{section}.{name}"] = Entry(
                    section,
                    name,
                    entry["value"],
                    entry["unit"],
                    entry["status"],
                    entry["where"],
                    tuple((one["value"], one["where"]) for one in entry.get("competing", ())),
                    document.where((section, name)),
                )
    derived = {
        name: Derived(
            name,
            str(one["formula"]),
            one["unit"],
            one.get("agrees_with"),
            float(one.get("tolerance", 0.01)),
            one.get("part"),
            document.where(("derived", name)),
        )
        for name, one in _mapping(content.get("derived")).items()
        if ("derived", name) not in broken
    }
    findings.sort(key=lambda one: [int(n) for n in one.where.split(" ")[0].rsplit(":", 2)[1:]])
    return Specification(document, _mapping(content.get("paper")), entries, derived, tuple(findings))


class _Walk:
    """Plain values out of a YAML node, with the place of each."""

    def __init__(self, yaml: Any, path: Path) -> None:
        self.yaml, self.path = yaml, path
        self.loader = yaml.SafeLoader("")
        self.places: dict[tuple[Any, ...], tuple[int, int]] = {}
        self.numbers_as_text: dict[tuple[Any, ...], str] = {}
        self.repeated: dict[tuple[Any, ...], tuple[int, int]] = {}

    def value(self, node: Any, keys: tuple[Any, ...]) -> Any:
        self.places[keys] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, self.yaml.SequenceNode):
            return [self.value(child, (*keys, i)) for i, child in enumerate(node.value)]
        if isinstance(node, self.yaml.ScalarNode):
            if node.style is None and node.tag.endswith(":str") and _NUMBER_AS_TEXT.fullmatch(node.value):
                self.numbers_as_text[keys] = node.value
            return self._scalar(node)
        result: dict[Any, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, self.yaml.ScalarNode):
                raise UnusableInput(f"{self.path}:{key_node.start_mark.line + 1}: a key must be a single word")
            key = self._scalar(key_node)
            mark = key_node.start_mark
            if key in result:
                self.repeated[(*keys, key)] = (mark.line + 1, mark.column + 1)
                continue
            result[key] = self.value(child, (*keys, key))
            # the key, not the value, is where a reader looks for an entry
            self.places[(*keys, key)] = (mark.line + 1, mark.column + 1)
        return result

    def _scalar(self, node: Any) -> Any:
        try:
            return self.loader.construct_object(node)
        except (self.yaml.YAMLError, ValueError, OverflowError) as error:
            mark = node.start_mark
            reason = getattr(error, "problem", None) or str(error)
            raise UnusableInput(
                f"{self.path}:{mark.line + 1}:{mark.column + 1}: cannot read {node.value[:40]!r}: {reason}"
            ) from None


def _schema_findings(document: Document, keys: tuple[Any, ...], error: Any) -> list[Finding]:
    """What one error of the schema means, in words; one finding for each key that it is about."""
    value, rule, wanted = error.instance, error.validator, error.validator_value
    look_up = "see assets/paper-spec.schema.json"
    if rule == "required":
        # there is one error for each key
        missing = next(name for name in wanted if error.message.startswith(repr(name)))
        if keys:
            return [Finding("schema", document.where(keys), f"the key `{missing}` is missing", {}, look_up)]
        step = f"add `{missing}:`; a section that the paper says nothing about is `{missing}: {{}}`"
        return [Finding("schema", document.where(keys), f"the section `{missing}` is missing", {}, step)]
    if rule == "additionalProperties":
        allowed = list(error.schema["properties"])
        findings = []
        for name in [name for name in value if name not in allowed]:
            close = difflib.get_close_matches(str(name), allowed, 1)
            message = f"unknown key `{name}`" + (f"; did you mean `{close[0]}`?" if close else "")
            findings.append(
                Finding("schema", document.where((*keys, name)), message, {}, f"allowed are {', '.join(allowed)}")
            )
        return findings
    if rule == "enum":
        message = f"{_short(value)} is none of {', '.join(map(str, wanted))}"
    elif rule == "type":
        words = [_TYPES.get(one, one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        message = f"{_kind(value)} ({_short(value)}) stands where there must be {_article(' or '.join(words))}"
    elif rule in ("const", "not"):
        message = f"{_short(value)} cannot stand here: {error.schema['description']}"
    else:
        message = error.message if len(error.message) < 160 else f"{_short(value)} breaks the rule {rule!r}"
    return [Finding("schema", document.where(keys), message, {}, look_up)]


_TYPES = {"object": "mapping", "array": "list", "string": "text"}


def _kind(value: Any) -> str:
    for types, word in (
        (dict, "a mapping"),
        (list, "a list"),
        (str, "text"),
        (bool, "a truth value"),
        (type(None), "nothing"),
    ):
        if isinstance(value, types):
            return word
    return "a number" if isinstance(value, (int, float)) else f"a {type(value).__name__}"


def _article(word: str) -> str:
    return word if word == "text" else f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(content: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        content = content[key]
    return content


def flattened(document: Document) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every leaf of a file with its path of keys; a list of plain values is one leaf."""

    def walk(value: Any, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
        if isinstance(value, dict):
            for key, child in value.items():
                yield from walk(child, (*keys, key))
        elif isinstance(value, list) and any(isinstance(child, (dict, list)) for child in value):
            for i, child in enumerate(value):
                yield from walk(child, (*keys, i))
        else:
            text = document.numbers_as_text.get(keys)
            yield keys, float(text) if text else value

    yield from walk(document.content, ())
