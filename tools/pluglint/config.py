"""Configuration: `pluglint.toml`, or `[tool.pluglint]` in `pyproject.toml`, nearest to the target.

Two layers only: the raw table, checked against the published schema (`schemas/config.schema.json`, the one
list of setting names) with the place of each fault, and `Config`. A package needs none of it, and without a
file nothing of this is loaded.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterator, NamedTuple

from pluglint.discover import SIZE_LIMIT
from pluglint.parse.node import MAP, Node
from pluglint.rule import CLAUDE_CODE
from pluglint.text import Source, Span
from pluglint.words import did_you_mean

if TYPE_CHECKING:
    from pluglint.house import House

NAMES = ("pluglint.toml", "pyproject.toml")


class ConfigError(Exception):
    """The configuration cannot be used; the message begins with file, line and column."""


class Suppression(NamedTuple):
    """One entry of `[[suppress]]`: silences rules in files, with a reason and perhaps an end."""

    rules: tuple[str, ...]
    path: str
    reason: str
    until: str
    line: int


class Config:
    """Settings after all defaults. Attribute names follow the keys of the file."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.folder = "."
        self.profile = CLAUDE_CODE
        self.select: tuple[str, ...] = ()  # empty: every rule of the profile that is not info
        self.ignore: tuple[str, ...] = ()
        self.severity: dict[str, str] = {}
        self.fail_on = "warning"
        self.exclude: tuple[str, ...] = ()
        self.suppress: tuple[Suppression, ...] = ()
        self.external_agents: dict[str, str] = {}  # name as written -> qualified name
        self.header_schemas: dict[str, str] = {}  # agent, skill or command -> path of a JSON Schema
        self.house_keys: dict[str, frozenset[str]] = {}  # agent, skill or command -> keys that its schema declares
        self.sections: dict[str, tuple[str, ...]] = {}  # agent, skill or command -> headings that must be there
        self.max_file_size = SIZE_LIMIT
        self.budget: dict[str, int] = {}  # name of a limit -> characters
        self.pack_exclude: tuple[str, ...] = ()
        self.pack_include: tuple[str, ...] = ()
        self.release_also: tuple[str, ...] = ()  # paths, absolute
        self.rules: dict[str, dict[str, Any]] = {}  # rule id -> options
        self.inline = True
        self._houses: dict[str, House] = {}

    def house_schema(self, kind: str) -> House:
        """The house schema of a kind that `header_schemas` names, read once. Raises `ConfigError`."""
        if kind not in self._houses:
            from pluglint import house

            try:
                self._houses[kind] = house.load(self.header_schemas[kind])
            except house.HouseError as error:
                raise ConfigError(str(error)) from None
        return self._houses[kind]


def find(start: str) -> str | None:
    """The configuration file nearest to a path, looking upwards as far as the repository's root."""
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while True:
        for name in NAMES:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name != "pyproject.toml" or _has_table(path)):
                return path
        parent = os.path.dirname(folder)
        if parent == folder or os.path.lexists(os.path.join(folder, ".git")):
            return None
        folder = parent


def _has_table(path: str) -> bool:
    try:
        with open(path, "rb") as handle:
            return b"[tool.pluglint" in handle.read()
    except OSError:
        return False


def load(path: str | None, rule_ids: list[str]) -> Config:
    """Reads a configuration file, or gives the defaults for None.

    Raises `ConfigError`.
    """
    config = Config()
    if path is None:
        return config
    from pluglint.parse.toml import parse_toml
    from pluglint.text import decode

    shown = os.path.relpath(path).replace(os.sep, "/")
    try:
        with open(path, "rb") as handle:
            source = decode(handle.read(), shown, os.path.basename(path))
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror or error}") from None
    if source.bad_utf8 is not None:
        line, column = source.position(source.bad_utf8)
        raise ConfigError(f"{shown}:{line}:{column}: not UTF-8")
    node, fault = parse_toml(source.text)
    if fault is not None or node is None:
        at, why = (fault.span.start, fault.message) if fault is not None else (0, "")
        line, column = source.position(at)
        raise ConfigError(f"{shown}:{line}:{column}: not valid TOML: {why}")
    config.path, config.folder = path, os.path.dirname(os.path.abspath(path))
    tool = node.get("tool")
    inner = tool.get("pluglint") if tool is not None and tool.kind == MAP else None
    if os.path.basename(path) == "pyproject.toml" or inner is not None and node.keys() == ["tool"]:
        if inner is None:
            return config
        node = inner
    _fill(config, node, _Places(source, node), rule_ids)
    return config


class _Places:
    """Where a setting stands in its file."""

    def __init__(self, source: Source, root: Node) -> None:
        self.source = source
        self.root = root

    def position(self, span: Span) -> tuple[int, int]:
        return self.source.position(span.start)

    def error(self, message: str, *path: str | int, key: bool = False) -> ConfigError:
        """An error at the value under a path, or at its last key."""
        node, span = self.root, self.root.span
        for part in path:
            if isinstance(part, int):
                node = node.items[part]
                span = node.span
            else:
                name, inner = node.key(part), node.get(part)
                if name is None or inner is None:
                    break
                node, span = inner, name.span if key else inner.span
        return self.at(message, span)

    def at(self, message: str, span: Span) -> ConfigError:
        line, column = self.position(span)
        return ConfigError(f"{self.source.path}:{line}:{column}: {message}")


_WORDS = {"object": "a table"}


def _check_shape(node: Node, places: _Places) -> None:
    """Holds the file against the published schema: unknown settings, wrong types and values."""
    from pluglint import shapes
    from pluglint.schemas import load as load_schema

    schema = load_schema("config")
    found = shapes.check(node, schema, _WORDS)
    if not found:
        return
    one = found[0]
    message = one.sentence
    if one.keyword == "additionalProperties" and not one.path:
        known = ", ".join(schema["properties"])
        message = message.replace("unknown key", "unknown setting", 1) + ("" if one.close else f"; known are {known}")
    raise places.at(message, one.span)


def _fill(config: Config, node: Node, places: _Places, rule_ids: list[str]) -> None:
    _check_shape(node, places)
    raw = node.plain()
    known = set(rule_ids)

    def rule(name: str, *path: str | int, key: bool = False) -> str:
        if name not in known and (name != "all" or path[0] not in ("select", "ignore")):
            close = did_you_mean(name, rule_ids)
            raise places.error(f"no rule is called '{name}'" + (f"; did you mean '{close}'?" if close else "; `pluglint rules` lists them"), *path, key=key)
        return name

    def rules(setting: str) -> tuple[str, ...]:
        return tuple(rule(name, setting, number) for number, name in enumerate(raw.get(setting, ())))

    config.profile = raw.get("profile", config.profile)
    config.select, config.ignore = rules("select"), rules("ignore")
    config.severity = {rule(name, "severity", name, key=True): value for name, value in raw.get("severity", {}).items()}
    config.fail_on = raw.get("fail-on", config.fail_on)
    config.exclude = tuple(raw.get("exclude", ()))
    for plugin, names in raw.get("external-agents", {}).items():
        for name in names:
            config.external_agents[name] = config.external_agents[f"{plugin}:{name}"] = f"{plugin}:{name}"
    for kind, value in raw.get("header-schemas", {}).items():
        path = os.path.join(config.folder, value)
        if not os.path.isfile(path):
            raise places.error(f"no such file: '{value}' (paths are relative to this file)", "header-schemas", kind)
        config.header_schemas[kind] = path
        config.house_keys[kind] = config.house_schema(kind).keys
    config.sections = {kind: tuple(value) for kind, value in raw.get("sections", {}).items()}
    config.budget = raw.get("budget", {})
    pack = raw.get("pack", {})
    config.pack_exclude, config.pack_include = tuple(pack.get("exclude", ())), tuple(pack.get("include", ()))
    for number, value in enumerate(raw.get("release", {}).get("also", ())):
        path = os.path.join(config.folder, value)
        if not os.path.isfile(path):
            raise places.error(f"no such file: '{value}' (paths are relative to this file)", "release", "also", number)
        config.release_also = (*config.release_also, path)
    config.max_file_size = raw.get("max-file-size", config.max_file_size)
    for name, options in raw.get("rules", {}).items():
        rule(name, "rules", name, key=True)
        config.rules[name] = _options(name, options, places)
    config.suppress = tuple(_suppressions(raw.get("suppress", ()), places, rule))


def _options(name: str, options: dict[str, Any], places: _Places) -> dict[str, Any]:
    from pluglint.rule import load as load_rule

    defaults = load_rule(name).rule.options
    for key, value in options.items():
        if key not in defaults:
            close = did_you_mean(key, defaults)
            known = ", ".join(defaults) or "none"
            raise places.error(f"the rule has no option `{key}`" + (f"; did you mean `{close}`?" if close else f"; its options: {known}"), "rules", name, key, key=True)
        want = type(defaults[key])
        if want is float and type(value) is int or want is tuple and type(value) is list:
            value = options[key] = want(value)
        if type(value) is not want:
            raise places.error(f"`{key}` must be of type {_TYPE_NAMES.get(want, want.__name__)}", "rules", name, key)
    return options


_TYPE_NAMES = {int: "integer", str: "string", bool: "boolean", list: "list", tuple: "list", dict: "table", float: "number"}


def _suppressions(raw: Any, places: _Places, rule: Any) -> Iterator[Suppression]:
    for index, entry in enumerate(raw):
        names = entry.get("rules", [])
        for number, name in enumerate(names):
            rule(name, "suppress", index, "rules", number)
        if "rule" in entry:
            names = [rule(entry["rule"], "suppress", index, "rule"), *names]
        if not names:
            raise places.error("a [[suppress]] needs `rule` or `rules`: nothing is silenced as a whole", "suppress", index)
        if not entry["reason"].strip():
            raise places.error("a [[suppress]] needs a `reason`", "suppress", index, "reason")
        until = entry.get("until", "")
        if until and not is_date(until):
            raise places.error(f"`until` is '{until}', which is no date", "suppress", index, "until")
        table = places.root.get("suppress")
        assert table is not None
        line, _ = places.position(table.items[index].span)
        yield Suppression(tuple(names), entry.get("path", "**"), entry["reason"], until, line)


def is_date(text: str) -> bool:
    """Whether a text is a day of the calendar, as YYYY-MM-DD."""
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
