"""`shapes` and jsonschema agree, on the published schemas and on made-up ones; spans point where they should."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pluglint import schemas, shapes
from pluglint.parse.json import parse_json
from pluglint.parse.node import Node
from pluglint.parse.yaml import parse_yaml

NAMES = schemas.names()


def tree(value: Any) -> tuple[str, Node]:
    text = json.dumps(value, ensure_ascii=False)
    node, error = parse_json(text)
    assert error is None and node is not None
    return text, node


def agree(value: Any, schema: dict[str, Any]) -> None:
    text, node = tree(value)
    ours = shapes.check(node, schema)
    theirs = list(Draft202012Validator(schema).iter_errors(value))
    assert {one.path for one in ours} == {tuple(error.absolute_path) for error in theirs}, (value, ours, theirs)
    for one in ours:
        assert 0 <= one.span.start <= one.span.end <= len(text)
        assert one.message and "None" not in one.message and "something else" not in one.message


AGENT = {"name": "reader", "description": "Reads. Use when there is text.", "tools": ["Read", "Grep"], "model": "inherit", "color": "cyan", "effort": "low", "maxTurns": 4, "background": False}
SKILL = {"name": "clean", "description": "Cleans. Use when a table is dirty.", "allowed-tools": "Read Edit", "context": "fork", "user-invocable": True, "metadata": {"version": "1.0"}, "paths": ["*.csv"]}
MANIFEST = {
    "name": "demo",
    "version": "1.0.0",
    "author": {"name": "Example Author", "email": "author@example.com"},
    "homepage": "https://example.com",
    "keywords": ["data"],
    "agents": ["./agents/a.md"],
    "skills": "./skills/",
    "commands": {"go": {"source": "./go.md"}},
    "userConfig": {"key": {"type": "string", "title": "Key", "description": "A key.", "default": 1.5, "options": ["a"]}},
    "channels": [{"server": "chat"}],
    "dependencies": ["other", {"name": "more"}],
}
MARKETPLACE = {
    "name": "shelf",
    "owner": {"name": "Example Author"},
    "plugins": [{"name": "demo", "source": "./demo"}, {"name": "far", "source": {"source": "github", "repo": "owner/name"}, "hooks": {}}],
    "metadata": {"description": "A shelf."},
    "renames": {"old": "new", "gone": None},
}
CONFIG = {
    "profile": "portable",
    "select": ["delegate-unknown"],
    "severity": {"delegate-unknown": "info"},
    "fail-on": "never",
    "suppress": [{"rule": "delegate-unknown", "reason": "because", "until": "2027-01-31"}],
    "external-agents": {"other": ["a"]},
    "header-schemas": {"agent": "a.json"},
    "sections": {"readme": ["Install"]},
    "max-file-size": 1000,
    "rules": {"delegate-unknown": {"x": 1}},
}
OUTPUT = {
    "version": 1,
    "profile": "claude-code",
    "summary": {"error": 1, "warning": 0, "info": 0, "suppressed": 0, "files": 1, "rules": {"delegate-unknown": 1}},
    "packages": [{"path": ".", "kind": "plugin", "name": "demo"}],
    "files": [{"path": "agents/a.md", "kind": "agent"}],
    "findings": [
        {"rule": "delegate-unknown", "severity": "error", "path": "agents/a.md", "line": 1, "column": 1, "end_line": 1, "end_column": 2, "message": "m", "hint": "", "related": []}
    ],
}
BASELINE = {"agents/a.md: delegate-unknown: 0123456789abcdef": "no agent or skill is called 'x'", "version": 1}
BUDGET = {
    "version": 1,
    "always": {"characters": 9, "tokens": 3, "agents": 9, "skills": 0},
    "listing": {"200K": {"free": 10, "dropped": ["demo:a"]}},
    "components": [{"kind": "agent", "name": "demo:a", "path": "agents/a.md", "listed": 9, "used": 3, "dropped": ["200K"], "before": {"listed": 8, "used": 3}}],
    "exceeded": ["every session: 9 characters, 8 are allowed (`budget.always`)"],
    "before": {"characters": 8, "removed": []},
}
RELEASE = {
    **OUTPUT,
    "plugins": [
        {
            "name": "demo", "path": ".", "since": "v1.0.0", "commit": "0" * 40, "released": "1.0.0", "version": "1.0.0", "new": False, "needs": "major", "least": "2.0.0",
            "reasons": [{"part": "major", "text": "agent reader was removed", "path": "agents/reader.md"}],
        }
    ],
}
VALID = {"agent": AGENT, "skill": SKILL, "command": {"description": "Goes."}, "manifest": MANIFEST, "marketplace": MARKETPLACE, "config": CONFIG, "output": OUTPUT, "baseline": BASELINE, "budget": BUDGET, "release": RELEASE}


@pytest.mark.parametrize("name", NAMES)
def test_schema_is_valid_and_within_what_shapes_checks(name):
    schema = schemas.load(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "://" not in schema["$id"]
    assert shapes.unknown_keywords(schema) == []


def test_every_schema_has_a_valid_document():
    assert set(VALID) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_valid_document_is_accepted(name):
    agree(VALID[name], schemas.load(name))
    assert shapes.check(tree(VALID[name])[1], schemas.load(name)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2000) | st.floats(-2, 2, allow_nan=False).map(lambda x: round(x, 1)) | st.sampled_from(["", "x", "./a.md", "error", "low", "2027-01-31", "delegate-unknown"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "source", "type", "reason", "zzz", "server"]), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))]


@st.composite
def mutated(draw: Any, name: str) -> Any:
    """A valid document after a few changes: a value replaced, a key taken out, misspelt or added."""
    document = copy.deepcopy(VALID[name])
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)))
        how = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
        if not path:
            if how == "replace":
                return draw(JSON)
            if isinstance(document, dict):
                document[draw(st.sampled_from(["name", "zzz", "tools", "hooks"]))] = draw(JSON)
            continue
        owner = document
        for part in path[:-1]:
            owner = owner[part]
        if how == "replace":
            owner[path[-1]] = draw(JSON)
        elif how == "remove":
            del owner[path[-1]]
        elif how == "rename" and isinstance(owner, dict):
            owner[path[-1] + "x"] = owner.pop(path[-1])
        elif isinstance(owner, dict):
            owner[draw(st.sampled_from(["zzz", "name"]))] = draw(JSON)
        else:
            owner.append(draw(JSON))
    return document


@pytest.mark.parametrize("name", NAMES)
def test_mutated_document_gets_the_same_verdict_and_paths(name):
    schema = schemas.load(name)

    @settings(max_examples=120, deadline=None, derandomize=True, database=None)
    @given(mutated(name))
    def run(document: Any) -> None:
        agree(document, schema)

    run()


SCALAR = st.sampled_from([{"type": "string"}, {"type": "integer", "minimum": 0, "exclusiveMaximum": 9}, {"type": ["number", "null"], "maximum": 1.5}, {"enum": ["a", 1, True, None]}, {"const": 1}, {"const": False}, {"type": "string", "pattern": "^[a-z]*$", "maxLength": 3}, {"type": "boolean"}, True])
SCHEMA = st.recursive(
    SCALAR,
    lambda inner: st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 2), "maxItems": st.integers(1, 3), "uniqueItems": st.booleans()})
    | st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("ab"), inner)}, optional={"required": st.sampled_from([["a"], ["a", "b"]]), "additionalProperties": inner})
    | st.fixed_dictionaries({"anyOf": st.lists(SCALAR.filter(lambda one: not isinstance(one, bool)), min_size=1, max_size=3)})
    | st.just({"$ref": "#/$defs/inner"}),
    max_leaves=6,
)
INSTANCE = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 1.5, 9, -1, "a", "abcd", "A", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(SCHEMA, INSTANCE)
def test_any_schema_of_the_subset_gets_the_same_verdict_and_paths(schema, value):
    schema = {**({} if schema is True else schema), "$defs": {"inner": {"type": "object", "required": ["a"], "additionalProperties": {"type": "string"}}}}
    Draft202012Validator.check_schema(schema)
    _, node = tree(value)
    ours = {one.path for one in shapes.check(node, schema)}
    assert ours == {tuple(error.absolute_path) for error in Draft202012Validator(schema).iter_errors(value)}


def one(text: str, schema: dict[str, Any]) -> tuple[str, str]:
    """(message, text under the span) of the only violation in a YAML header."""
    node, error = parse_yaml(text, 0, len(text))
    assert error is None and node is not None
    (found,) = shapes.check(node, schema)
    return found.sentence, text[found.span.start : found.span.end]


@pytest.mark.parametrize(
    "text, schema, message, at",
    [
        ("name: 3", {"properties": {"name": {"type": "string"}}}, "`name` must be a string, not a whole number", "3"),
        ("tools: {a: 1}", {"properties": {"tools": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}}, "`tools` must be a string or a list of strings, not a map", "{a: 1}"),
        ("tools: [Read, 3]", {"properties": {"tools": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}}, "item 2 of `tools` must be a string, not a whole number", "3"),
        ("colour: red", {"properties": {"color": {}}, "additionalProperties": False}, "unknown key `colour`; did you mean 'color'?", "colour"),
        ("color: redd", {"properties": {"color": {"enum": ["red", "blue"]}}}, "`color` is 'redd'; it can be red, blue; did you mean 'red'?", "redd"),
        ("kind: b", {"properties": {"kind": {"const": "a"}}}, "`kind` is 'b'; it must be 'a'", "b"),
        ("a: x\nname: y", {"required": ["version"]}, "`version` is missing", "name"),
        ("author: {email: x}", {"properties": {"author": {"required": ["name"]}}}, "`name` is missing", "author"),
        ('name: ""', {"properties": {"name": {"minLength": 1}}}, "`name` must not be empty", '""'),
        ("name: abc", {"properties": {"name": {"maxLength": 2}}}, "`name` has 3 characters, more than 2", "abc"),
        ("until: soon", {"properties": {"until": {"pattern": "^2", "examples": ["2027-01-31"]}}}, "`until` is 'soon'; write it like '2027-01-31'", "soon"),
        ("n: 0", {"properties": {"n": {"minimum": 1}}}, "`n` is 0, less than 1", "0"),
        ("n: [a, b, a]", {"properties": {"n": {"uniqueItems": True}}}, "`n` holds 'a' twice", "a"),
        ("n: []", {"properties": {"n": {"minItems": 1}}}, "`n` must not be empty", "[]"),
        ("n: 1\nn: x", {"properties": {"n": {"type": "string"}}, "required": ["m"]}, "`m` is missing", "n"),
    ],
)
def test_message_and_span(text, schema, message, at):
    assert one(text, schema) == (message, at)


def test_an_alias_to_a_list_is_not_judged():
    text = "a: &x [1]\nb: *x"
    node, _ = parse_yaml(text, 0, len(text))
    assert shapes.check(node, {"properties": {"b": {"type": "string"}}}) == []


@pytest.mark.parametrize(
    "schema, where",
    [
        ({"properties": {"a": {"oneOf": []}}}, "#/properties/a: oneOf"),
        ({"items": {"format": "date"}}, "#/items: format"),
        ({"$ref": "other.json"}, "#: $ref to other.json"),
        ({"$ref": "#/$defs/a", "type": "string"}, "#: $ref beside other keywords"),
        ({"anyOf": [{"not": {}}]}, "#/anyOf/0: not"),
        ({"$defs": {"a": 3}}, "#/$defs/a: not a schema"),
        ({"items": False}, "#/items: not a schema"),
    ],
)
def test_what_shapes_does_not_check_is_named(schema, where):
    assert shapes.unknown_keywords(schema) == [where]


# Headers and manifests with the verdict that the client's behaviour asks for: a wrong type there drops the key, the
# component or the plugin. (kind, changes, accepted)
TABLE = [
    ("agent", {}, True),
    ("agent", {"tools": "Read, Grep"}, True),
    ("agent", {"tools": None}, False),
    ("agent", {"tools": 3}, False),
    ("agent", {"tools": {"Read": True}}, False),
    ("agent", {"description": ["a"]}, False),
    ("agent", {"name": 3}, False),
    ("agent", {"name": "x" * 257}, False),
    ("agent", {"color": "chartreuse"}, False),
    ("agent", {"effort": "gigantic"}, False),
    ("agent", {"memory": "team"}, False),
    ("agent", {"isolation": "docker"}, False),
    ("agent", {"maturity": "75%"}, True),
    ("skill", {}, True),
    ("skill", {"description": ["a"]}, False),
    ("skill", {"context": "spoon"}, False),
    ("skill", {"user-invocable": "no"}, True),
    ("skill", {"allowed-tools": ["Read"]}, True),
    ("skill", {"shell": "fish"}, False),
    ("manifest", {}, True),
    ("manifest", {"version": 1}, False),
    ("manifest", {"name": ""}, False),
    ("manifest", {"name": "a b"}, False),
    ("manifest", {"name": "a:b"}, False),
    ("manifest", {"author": "Example Author"}, False),
    ("manifest", {"author": {"email": "author@example.com"}}, False),
    ("manifest", {"homepage": "nowhere"}, False),
    ("manifest", {"repository": {"url": "https://example.com"}}, False),
    ("manifest", {"keywords": "data"}, False),
    ("manifest", {"agents": "./agents"}, False),
    ("manifest", {"agents": "agents/a.md"}, False),
    ("manifest", {"agents": ["./agents/a.md"]}, True),
    ("manifest", {"agents": []}, True),
    ("manifest", {"skills": "."}, True),
    ("manifest", {"skills": "skills"}, False),
    ("manifest", {"experimental": []}, False),
    ("manifest", {"maturity": 3}, True),
]


@pytest.mark.parametrize("kind, changes, accepted", TABLE, ids=lambda value: json.dumps(value) if isinstance(value, dict) else None)
def test_published_schema_judges_as_the_client_does(kind, changes, accepted):
    document = {**VALID[kind], **changes}
    agree(document, schemas.load(kind))
    assert (not shapes.check(tree(document)[1], schemas.load(kind))) is accepted


def written(kind: str, document: dict[str, Any], root: Any) -> str:
    """A package on disk that holds the document; returns its path."""
    manifest = document if kind == "manifest" else {**VALID["manifest"], "agents": []}
    header = "---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in document.items()) + "---\n\nYou read.\n"
    path = {"agent": "agents/reader.md", "skill": "skills/clean/SKILL.md", "manifest": ".claude-plugin/plugin.json"}[kind]
    if kind == "agent":
        manifest = {key: value for key, value in manifest.items() if key != "agents"}
    files = {".claude-plugin/plugin.json": json.dumps(manifest), "agents/a.md": "---\nname: a\ndescription: Reads. Use when there is text.\n---\nYou read.\n", "go.md": "Go.\n"}
    files[path] = files[path] if kind == "manifest" else header
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return path


@pytest.mark.parametrize("kind, changes, accepted", TABLE, ids=lambda value: json.dumps(value) if isinstance(value, dict) else None)
def test_rules_judge_as_the_published_schema_does(kind, changes, accepted, tmp_path, monkeypatch):
    """What the schema refuses draws an error or a warning at that key; what it accepts draws none about its type."""
    from pluglint import engine
    from pluglint.config import Config

    document = {**VALID[kind], **changes}
    path = written(kind, document, tmp_path)
    monkeypatch.chdir(tmp_path)
    text = (tmp_path / path).read_text()
    about = []
    for one in engine.check(["."], Config()).findings:
        line = text.split("\n")[one.place.line - 1][one.place.column - 1 :]
        if one.place.path == path and any(key in one.message or line.startswith(json.dumps(value)[:8]) for key, value in changes.items()):
            about.append((one.rule, one.message))
    if accepted:
        assert not [one for one in about if "unknown" not in one[0] and "ignored" not in one[0] and "replaces" not in one[0]]
    else:
        assert about
