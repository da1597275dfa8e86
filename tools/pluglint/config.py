"""Configuration: `pluglint.toml`, or `[tool.pluglint]` in `pyproject.toml`, nearest to the target.

Two layers only: the raw table, checked against the published schema with the place of each fault, and
`Config`. A package needs none of it.
"""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from pluglint.discover import SIZE_LIMIT
from pluglint.finding import SEVERITIES
from pluglint.rule import ALL_PROFILES, CLAUDE_CODE
from pluglint.words import did_you_mean

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
        self.rules: dict[str, dict[str, Any]] = {}  # rule id -> options
        self.inline = True


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
    shown = os.path.relpath(path).replace(os.sep, "/")
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{shown}: cannot be read: {error}") from None
    import tomllib

    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{shown}: nested too deep") from None
    prefix = ""
    if os.path.basename(path) == "pyproject.toml":
        raw, prefix = raw.get("tool", {}).get("pluglint", {}), "tool.pluglint"
    elif set(raw) == {"tool"} and isinstance(raw["tool"], dict) and "pluglint" in raw["tool"]:
        raw, prefix = raw["tool"]["pluglint"], "tool.pluglint"
    config.path, config.folder = path, os.path.dirname(os.path.abspath(path))
    _fill(config, raw, _Places(text, shown, prefix), rule_ids)
    return config


class _Places:
    """Where a key stands in a TOML text. `tomllib` keeps no positions; a key is found by its table and its name."""

    def __init__(self, text: str, shown: str, prefix: str) -> None:
        self.lines = text.split("\n")
        self.shown = shown
        self.prefix = prefix

    def find(self, *keys: str) -> tuple[int, int]:
        table: tuple[str, ...] = ()
        base = tuple(self.prefix.split(".")) if self.prefix else ()
        wanted = (*base, *keys)
        last_table = (1, 1)
        for number, line in enumerate(self.lines, 1):
            header = re.match(r"\s*\[\[?([^\]]+)\]\]?", line)
            if header is not None:
                table = tuple(part.strip().strip("\"'") for part in header.group(1).split("."))
                if table == wanted[: len(table)]:
                    last_table = (number, header.start(1) + 1)
                if table == wanted:
                    return last_table
                continue
            entry = re.match(r"\s*([\w\"'.-]+)\s*=", line)
            if entry is not None:
                path = (*table, *(part.strip("\"'") for part in entry.group(1).split(".")))
                if path == wanted:
                    return number, entry.start(1) + 1
        return last_table

    def error(self, message: str, *keys: str) -> ConfigError:
        line, column = self.find(*keys)
        return ConfigError(f"{self.shown}:{line}:{column}: {message}")


_KEYS = (
    "profile", "select", "ignore", "severity", "fail-on", "exclude", "suppress", "external-agents",
    "header-schemas", "sections", "max-file-size", "rules",
)


def _fill(config: Config, raw: Any, places: _Places, rule_ids: list[str]) -> None:
    if not isinstance(raw, dict):
        raise places.error("expected a table of settings")
    known = set(rule_ids)

    def rule(name: Any, *keys: str) -> str:
        if not isinstance(name, str) or name not in known and name != "all":
            close = did_you_mean(str(name), rule_ids)
            raise places.error(f"no rule is called {name!r}" + (f"; did you mean {close!r}?" if close else "; `pluglint rules` lists them"), *keys)
        return name

    def strings(value: Any, *keys: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise places.error(f"`{keys[-1]}` must be a list of strings", *keys)
        return tuple(value)

    def one_of(value: Any, allowed: tuple[str, ...], *keys: str) -> str:
        if value not in allowed:
            close = did_you_mean(str(value), allowed)
            raise places.error(f"`{keys[-1]}` is {value!r}; it can be {', '.join(allowed)}" + (f". Did you mean {close!r}?" if close else ""), *keys)
        return str(value)

    def table(value: Any, *keys: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise places.error(f"`{keys[-1]}` must be a table", *keys)
        return value

    for key in raw:
        if key not in _KEYS:
            close = did_you_mean(key, _KEYS)
            raise places.error(f"unknown setting `{key}`" + (f"; did you mean `{close}`?" if close else f"; known are {', '.join(_KEYS)}"), key)
    if "profile" in raw:
        config.profile = one_of(raw["profile"], ALL_PROFILES, "profile")
    config.select = tuple(rule(name, "select") for name in strings(raw.get("select", []), "select"))
    config.ignore = tuple(rule(name, "ignore") for name in strings(raw.get("ignore", []), "ignore"))
    for name, value in table(raw.get("severity", {}), "severity").items():
        config.severity[rule(name, "severity", name)] = one_of(value, SEVERITIES, "severity", name)
    if "fail-on" in raw:
        config.fail_on = one_of(raw["fail-on"], (*SEVERITIES, "never"), "fail-on")
    config.exclude = strings(raw.get("exclude", []), "exclude")
    for plugin, names in table(raw.get("external-agents", {}), "external-agents").items():
        for name in strings(names, "external-agents", plugin):
            config.external_agents[name] = config.external_agents[f"{plugin}:{name}"] = f"{plugin}:{name}"
    for kind, value in table(raw.get("header-schemas", {}), "header-schemas").items():
        one_of(kind, ("agent", "skill", "command"), "header-schemas", kind)
        if not isinstance(value, str) or not os.path.isfile(os.path.join(config.folder, value)):
            raise places.error(f"no such file: {value!r} (paths are relative to this file)", "header-schemas", kind)
        config.header_schemas[kind] = os.path.join(config.folder, value)
        try:
            config.house_keys[kind] = _declared_keys(config.header_schemas[kind])
        except (OSError, ValueError, RecursionError) as error:
            raise places.error(f"{value!r} is no JSON Schema: {error}", "header-schemas", kind) from None
    for kind, value in table(raw.get("sections", {}), "sections").items():
        one_of(kind, ("agent", "skill", "command", "readme"), "sections", kind)
        config.sections[kind] = strings(value, "sections", kind)
    if "max-file-size" in raw:
        size = raw["max-file-size"]
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 1 << 30:
            raise places.error("`max-file-size` must be a number of bytes from 1 to 1073741824", "max-file-size")
        config.max_file_size = size
    for name, options in table(raw.get("rules", {}), "rules").items():
        rule(name, "rules", name)
        config.rules[name] = _options(name, table(options, "rules", name), places)
    config.suppress = tuple(_suppressions(raw.get("suppress", []), places, rule))


def _declared_keys(path: str) -> frozenset[str]:
    """The keys under `properties` of a JSON Schema: what a package says may stand in its headers."""
    import json

    with open(path, encoding="utf-8") as handle:
        schema = json.load(handle)
    if not isinstance(schema, dict):
        raise ValueError("not an object")
    properties = schema.get("properties", {})
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _options(name: str, options: dict[str, Any], places: _Places) -> dict[str, Any]:
    from pluglint.rule import load as load_rule

    defaults = load_rule(name).rule.options
    for key, value in options.items():
        if key not in defaults:
            close = did_you_mean(key, defaults)
            known = ", ".join(defaults) or "none"
            raise places.error(f"the rule has no option `{key}`" + (f"; did you mean `{close}`?" if close else f"; its options: {known}"), "rules", name, key)
        want = type(defaults[key])
        if type(value) is not want:
            raise places.error(f"`{key}` must be of type {_TYPE_NAMES.get(want, want.__name__)}", "rules", name, key)
    return options


_TYPE_NAMES = {int: "integer", str: "string", bool: "boolean", list: "list", dict: "table", float: "number"}


def _suppressions(raw: Any, places: _Places, rule: Any) -> Any:
    if not isinstance(raw, list) or not all(isinstance(entry, dict) for entry in raw):
        raise places.error("`suppress` must be written as [[suppress]] tables", "suppress")
    starts = [number for number, line in enumerate(places.lines, 1) if re.match(r"\s*\[\[(?:tool\.pluglint\.)?suppress\]\]", line)]
    for index, entry in enumerate(raw):
        line = starts[index] if index < len(starts) else places.find("suppress")[0]

        def fault(message: str, line: int = line) -> ConfigError:
            return ConfigError(f"{places.shown}:{line}:1: {message}")

        for key in entry:
            if key not in ("rule", "rules", "path", "reason", "until"):
                raise fault(f"unknown key `{key}` in [[suppress]]; known are rule, rules, path, reason, until")
        names = entry.get("rules", [entry["rule"]] if "rule" in entry else [])
        if not isinstance(names, list) or not names:
            raise fault("a [[suppress]] needs `rule` or `rules`: nothing is silenced as a whole")
        for name in names:
            try:
                rule(name, "suppress")
            except ConfigError as error:
                raise fault(str(error).split(": ", 1)[1]) from None
            if name == "all":
                raise fault("a [[suppress]] names its rules: `all` is not offered")
        reason, until, path = entry.get("reason", ""), entry.get("until", ""), entry.get("path", "**")
        if not isinstance(reason, str) or not reason.strip():
            raise fault("a [[suppress]] needs a `reason`")
        until = str(until)
        if until and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", until):
            raise fault(f"`until` is {until!r}; write a date as YYYY-MM-DD")
        if not isinstance(path, str):
            raise fault("`path` must be a string")
        yield Suppression(tuple(names), path, reason, until, line)


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches a glob: `*` within a folder, `**` across folders; a pattern without a slash matches a name anywhere, a folder everything in it."""
    regex = _glob(pattern.strip("/"))
    return re.match(regex, path) is not None


def _glob(pattern: str) -> str:
    out = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif pattern[at] == "*":
            out.append("[^/]*")
            at += 1
        elif pattern[at] == "?":
            out.append("[^/]")
            at += 1
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    lead = "(?:.*/)?" if "/" not in pattern else ""
    return f"{lead}{''.join(out)}(?:/.*)?\\Z"
