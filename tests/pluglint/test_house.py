"""House schemas: exact places for what jsonschema says, and plain words for a schema that cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pluglint import config as configuration
from pluglint import engine, house
from pluglint.config import ConfigError
from pluglint.parse.yaml import parse_yaml
from pluglint.rule import rule_ids

RULE = "header-violates-house-schema"


def faults(tmp_path, schema: Any, header: str) -> list[tuple[str, str, str]]:
    """(text under the span, message, hint) of each fault."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema))
    node, error = parse_yaml(header, 0, len(header))
    assert error is None and node is not None
    return [(header[one.span.start : one.span.end], one.message, one.hint) for one in house.load(str(path)).faults(node)]


VERSION = {"required": ["version"], "properties": {"version": {"type": "string", "format": "semver"}}}


@pytest.mark.parametrize(
    "schema, header, expected",
    [
        (VERSION, "name: a\nversion: 1.2.3", []),
        (VERSION, "name: a\nversion: 1.2.3-rc.1+5", []),
        (VERSION, "model: opus\nname: a", [("name", "`version` is missing", "Add `version:`.")]),
        (VERSION, "model: opus", [("model", "`version` is missing", "Add `version:`.")]),
        (VERSION, "name: a\nverison: 1.2.3", [("name", "`version` is missing", "Did you mean `version` where `verison` stands?")]),
        (VERSION, "version: 1.10", [("1.10", "`version` is 1.10; the house schema wants string", 'Put it in quotes: "1.10".')]),
        (VERSION, "version: 01.2.3", [("01.2.3", "`version` is '01.2.3', which does not have the format semver", "")]),
        (
            {"properties": {"version": {"pattern": r"^\d+\.\d+\.\d+$", "description": "Three numbers."}}},
            "version: one",
            [("one", r"`version` is 'one', which does not have the pattern ^\d+\.\d+\.\d+$", "Three numbers.")],
        ),
        ({"properties": {"name": {}, "owner": {}}, "additionalProperties": False}, "name: a\nownr: b", [("ownr", "the house schema allows no key `ownr`", "Did you mean `owner`?")]),
        ({"patternProperties": {"^x-": {}}, "properties": {"name": {}}, "additionalProperties": False}, "name: a\nx-b: 1\nz: 2", [("z", "the house schema allows no key `z`", "The house schema knows name.")]),
        ({"properties": {"status": {"enum": ["draft", "stable"]}}}, "status: drafd", [("drafd", "`status` is 'drafd'; the house schema allows draft, stable", "Did you mean 'draft'?")]),
        ({"properties": {"kind": {"const": "agent"}}}, "kind: x", [("x", "`kind` is 'x'; the house schema wants 'agent'", "")]),
        ({"properties": {"tags": {"items": {"type": "string"}}}}, "tags: [a, 3]", [("3", "item 2 of `tags` is 3; the house schema wants string", 'Put it in quotes: "3".')]),
        ({"properties": {"meta": {"required": ["owner"]}}}, "name: a\nmeta:\n  x: 1", [("meta", "`owner` is missing", "Add `owner:`.")]),
        ({"propertyNames": {"pattern": "^[a-z]+$"}}, "name: a\nBad: 1", [("Bad", "the key `Bad` is not allowed: 'Bad' does not match '^[a-z]+$'", "")]),
        ({"properties": {"n": {"maxItems": 1}}}, "n: [1, 2]", [("[1, 2]", "`n`: [1, 2] is too long", "")]),
        ({"properties": {"n": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}}}, "n: [a, 1]", [("1", "item 2 of `n` is 1; the house schema wants string", 'Put it in quotes: "1".')]),
        ({"dependentRequired": {"a": ["b"]}}, "name: x\na: 1", [("name", "the top level: 'b' is a dependency of 'a'", "")]),
        ({"$defs": {"v": {"type": "integer"}}, "properties": {"v": {"$ref": "#/$defs/v"}}}, "v: x", [("x", "`v` is 'x'; the house schema wants integer", "")]),
        ({"properties": {"n": {"type": "string"}}}, "a: &x [1]\nn: *x", []),
        ({"properties": {"d": {"format": "date"}}}, "d: 2027-02-30", [("2027-02-30", "`d` is '2027-02-30', which does not have the format date", "")]),
    ],
)
def test_fault_has_its_place(tmp_path, schema, header, expected):
    assert faults(tmp_path, schema, header) == expected


def test_two_missing_keys_are_two_faults(tmp_path):
    found = faults(tmp_path, {"required": ["version", "owner"]}, "name: a")
    assert [message for _, message, _ in found] == ["`owner` is missing", "`version` is missing"]


def test_keys_are_the_names_under_properties(tmp_path):
    (tmp_path / "a.json").write_text('{"properties": {"version": {}, "owner": true}, "patternProperties": {"^x": {}}}')
    assert house.load(str(tmp_path / "a.json")).keys == {"version", "owner"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in {
        ".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}',
        "agents/a.md": "---\nname: a\ndescription: Reads. Use when there is text.\ntools: Read\n---\nYou read.\n",
        "agents/b.md": "---\nname: b\ndescription: Reads. Use when there is text.\ntools: Read\nversion: 1.2.0\n---\nYou read.\n",
        "skills/s/SKILL.md": "---\nname: s\ndescription: Reads. Use when there is text.\n---\nRead.\n",
        "commands/c.md": "---\ndescription: Reads.\n---\nRead.\n",
        "config/pluglint.toml": '[header-schemas]\nagent = "agent.json"\n',
        "config/agent.json": json.dumps(VERSION),
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*kinds: str) -> list[tuple[str, int, int, str]]:
    with open("config/pluglint.toml", "w") as out:
        out.write("[header-schemas]\n" + "".join(f'{kind} = "agent.json"\n' for kind in kinds))
    config = configuration.load("config/pluglint.toml", [*rule_ids()])
    config.select = (RULE,)
    return [(one.place.path, one.place.line, one.place.column, one.message) for one in engine.check(["."], config).findings]


def test_kind_by_kind(package):
    assert check("agent") == [("agents/a.md", 2, 1, "`version` is missing")]
    assert check("skill") == [("skills/s/SKILL.md", 2, 1, "`version` is missing")]
    assert check("command") == [("commands/c.md", 2, 1, "`version` is missing")]
    assert len(check("agent", "skill", "command")) == 3
    assert check() == []


def test_file_without_a_header_is_left_to_other_rules(package):
    (package / "agents/c.md").write_text("You read.\n")
    (package / "agents/d.md").write_text("---\nname: \"a\n---\nYou read.\n")
    (package / "agents/e.md").write_text("")
    assert [path for path, *_ in check("agent")] == ["agents/a.md"]


@pytest.mark.parametrize(
    "text, message",
    [
        (b"{", "config/agent.json:1:1: not valid JSON: the file ends too early; the object opened here is not closed"),
        (b"", "config/agent.json:1:1: not valid JSON: the file is empty"),
        (b"[]", "config/agent.json:1:1: a JSON Schema is an object"),
        (b'{\n  "properties": {"a": {"type": "strin"}}\n}', "config/agent.json:2:32: not a valid JSON Schema: "),
        (b'{"properties": {"a": {"pattern": "["}}}', "config/agent.json:1:34: not a valid JSON Schema: '[' is not a 'regex'"),
        (b'{"required": "version"}', "config/agent.json:1:14: not a valid JSON Schema: 'version' is not of type 'array'"),
        (b'{"$ref": "#/$defs/a"}', "config/agent.json:1:10: the reference '#/$defs/a' leads nowhere in this file; other files are not opened"),
        (b'{"$ref": "https://example.com/x.json"}', "config/agent.json:1:10: the reference 'https://example.com/x.json' leads nowhere in this file"),
        (b'{"$ref": "other.json"}', "config/agent.json:1:10: the reference 'other.json' leads nowhere in this file"),
        (b'{"a": "\xff"}', "config/agent.json:1:8: not UTF-8"),
    ],
)
def test_schema_that_cannot_be_used(package, text, message):
    (package / "config/agent.json").write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        check("agent")
    assert str(caught.value).startswith(message)


def test_schema_is_read_once(package, monkeypatch):
    reads = []
    original = house.load
    monkeypatch.setattr(house, "load", lambda path: reads.append(path) or original(path))
    check("agent")
    assert len(reads) == 1
