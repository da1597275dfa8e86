"""The keys that a house schema declares are known to the rules about headers."""

from __future__ import annotations

import pytest

from pluglint.config import ConfigError, load


def configure(tmp_path, schema: str):
    (tmp_path / "agent.json").write_text(schema)
    path = tmp_path / "pluglint.toml"
    path.write_text('[header-schemas]\nagent = "agent.json"\n')
    return load(str(path), [])


def test_properties_are_read(tmp_path):
    config = configure(tmp_path, '{"properties": {"maturity": {"type": "string"}, "owner": {}}}')
    assert config.house_keys == {"agent": frozenset({"maturity", "owner"})}


@pytest.mark.parametrize("schema", ["{}", '{"patternProperties": {"^x-": {}}}'])
def test_a_schema_without_properties_declares_nothing(tmp_path, schema):
    assert configure(tmp_path, schema).house_keys == {"agent": frozenset()}


@pytest.mark.parametrize("schema", ["", "[]", "{", '{"properties": []}', "[" * 100_000])
def test_what_is_no_schema_is_refused_with_its_place(tmp_path, schema):
    with pytest.raises(ConfigError, match=r"agent\.json:1:\d+: (not valid JSON|a JSON Schema is an object|not a valid JSON Schema)"):
        configure(tmp_path, schema)
