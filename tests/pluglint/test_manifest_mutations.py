"""What the client was seen to do with variants of a small plugin, row by row: each variant yields exactly the rules named.

A row is (what was changed, the files that differ, the rules of this group that must speak). The base plugin is valid:
it must yield nothing. `None` as text removes a file, `-> x` makes a link. Rules about other kinds of files may speak
too and are not looked at.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pluglint import engine
from pluglint.config import Config
from pluglint.finding import ERROR, INFO, WARNING
from pluglint.rule import load_all

MANIFEST: dict[str, Any] = {"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "Example Author"}, "license": "MIT"}
AGENT = "---\nname: {0}\ndescription: Reads {0}. Use this agent when testing {0}.\ntools: Read, Grep\n---\n\n# Reader\n\nYou read what you are given.\n"
SKILL = "---\nname: {0}\ndescription: Writes {0}. Use this skill when testing {0}.\n---\n\n# Writer\n\nWrite what you are asked for.\n"
HANDLER = {"type": "command", "command": 'sh "${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"'}
OWNER = {"name": "Example Author"}
MARKET: dict[str, Any] = {"name": "market", "owner": OWNER, "description": "Ours.", "plugins": [{"name": "demo", "source": "./plugins/demo"}]}
M, K = ".claude-plugin/plugin.json", ".claude-plugin/marketplace.json"
PREFIXES = ("json-", "manifest-", "marketplace-", "portable-", "component-", "hook-", "command-file", "command-path", "plugin-root", "mcp-", "lsp-", "user-config", "channel-", "settings-", "claude-md", "version-mismatch", "manifests-disagree")

BASE: dict[str, str] = {
    M: json.dumps(MANIFEST),
    "agents/a.md": AGENT.format("a"),
    "skills/s/SKILL.md": SKILL.format("s"),
    "hooks/hooks.json": json.dumps({"hooks": {"Stop": [{"hooks": [HANDLER]}]}}),
    "hooks/a.sh": "#!/bin/sh\n",
    ".mcp.json": json.dumps({"mcpServers": {"m": {"command": "m"}}}),
}


def manifest(**changes: Any) -> dict[str, str | None]:
    """plugin.json with keys changed; `...` removes one."""
    return {M: json.dumps({key: value for key, value in {**MANIFEST, **changes}.items() if value is not ...})}


def hooks(event: str = "Stop", handler: Any = HANDLER, **group: Any) -> dict[str, str | None]:
    return {"hooks/hooks.json": json.dumps({"hooks": {event: [{**group, "hooks": [handler]}]}})}


def market(**changes: Any) -> dict[str, str | None]:
    inner = {f"plugins/demo/{path}": text for path, text in BASE.items()}
    outer: dict[str, str | None] = dict.fromkeys(BASE)
    return {**outer, **inner, K: json.dumps({key: value for key, value in {**MARKET, **changes}.items() if value is not ...})}


def entry(**changes: Any) -> dict[str, str | None]:
    return market(plugins=[{key: value for key, value in {"name": "demo", "source": "./plugins/demo", **changes}.items() if value is not ...}])


EXTRA = {"extra/b.md": AGENT.format("b")}
SHAPE, MISSING, TYPE = "manifest-path-shape", "manifest-path-missing", "manifest-value-wrong-type"

ROWS: list[tuple[str, dict[str, str | None], dict[str, str]]] = [
    ("nothing", {}, {}),
    # -- plugin.json
    ("unknown field", manifest(maturity="75%"), {"manifest-key-unknown": WARNING}),
    ("no version", manifest(version=...), {"manifest-key-missing": WARNING}),
    ("no description", manifest(description=...), {"manifest-key-missing": WARNING}),
    ("no author", manifest(author=...), {"manifest-key-missing": WARNING}),
    ("name with a capital", manifest(name="Demo"), {"manifest-name-not-kebab-case": WARNING}),
    ("name with an underscore", manifest(name="my_demo"), {"manifest-name-not-kebab-case": WARNING}),
    ("name with a dot", manifest(name="my.demo"), {"manifest-name-not-kebab-case": WARNING}),
    ("name not ASCII", manifest(name="démo"), {"manifest-name-not-kebab-case": WARNING}),
    ("version 1.0", manifest(version="1.0"), {"manifest-version-not-semver": WARNING}),
    ("version abc", manifest(version="abc"), {"manifest-version-not-semver": WARNING}),
    ("version a number", manifest(version=1.0), {TYPE: ERROR}),
    ("no name", manifest(name=...), {"manifest-name-invalid": ERROR}),
    ("name empty", manifest(name=""), {"manifest-name-invalid": ERROR}),
    ("name a number", manifest(name=3), {TYPE: ERROR}),
    ("name with a space", manifest(name="my demo"), {"manifest-name-invalid": ERROR}),
    ("name with a colon", manifest(name="my:demo"), {"manifest-name-invalid": ERROR}),
    ("name with a slash", manifest(name="my/demo"), {"manifest-name-invalid": ERROR}),
    ("name of 100 characters", manifest(name="d" * 100), {}),
    ("description of 5,000", manifest(description="d" * 5000), {}),
    ("license not SPDX", manifest(license="Apache 2.0"), {"manifest-license-not-spdx": INFO}),
    ("bad email", manifest(author={"name": "A", "email": "nobody"}), {"manifest-email-malformed": INFO}),
    ("$schema and metadata", manifest(**{"$schema": "https://example.com/x.json", "metadata": {"a": 1}}), {}),
    ("name claude-", manifest(name="claude-demo"), {"manifest-name-reserved": ERROR}),
    ("name anthropic-", manifest(name="anthropic-demo"), {"manifest-name-reserved": ERROR}),
    ("name cc-plugin-", manifest(name="cc-plugin-demo"), {"manifest-name-reserved": ERROR}),
    ("author a string", manifest(author="A"), {TYPE: ERROR}),
    ("author without name", manifest(author={"email": "a@example.com"}), {TYPE: ERROR}),
    ("homepage no URL", manifest(homepage="example"), {"manifest-homepage-not-url": ERROR}),
    ("repository an object", manifest(repository={"type": "git"}), {TYPE: ERROR}),
    ("keywords a string", manifest(keywords="a, b"), {TYPE: ERROR}),
    ("agents absolute", manifest(agents="/etc/a.md"), {SHAPE: ERROR}),
    ("agents with ..", manifest(agents=["./agents/a.md", "./../b.md"]), {SHAPE: ERROR}),
    ("agents without ./", manifest(agents="agents/a.md"), {SHAPE: ERROR}),
    ("agents a folder", manifest(agents="./agents/"), {SHAPE: ERROR}),
    ("agents a list of a folder", manifest(agents=["./agents/"]), {SHAPE: ERROR}),
    ("agents a folder without its slash", manifest(agents="./agents"), {SHAPE: ERROR}),
    ("agents an object", manifest(agents={"a": "./agents/a.md"}), {TYPE: ERROR}),
    ("agents missing", manifest(agents=["./agents/a.md", "./agents/nope.md"]), {MISSING: ERROR}),
    ("agents elsewhere", {**manifest(agents=["./extra/b.md"]), **EXTRA}, {"manifest-path-replaces-folder": WARNING}),
    ("agents empty", manifest(agents=[]), {"manifest-path-replaces-folder": WARNING}),
    ("agents all named", manifest(agents=["./agents/a.md"]), {}),
    ("skills added", {**manifest(skills=["./extra/t"]), "extra/t/SKILL.md": SKILL.format("t")}, {}),
    ("skills a folder of skills", {**manifest(skills="./extra/"), "extra/t/SKILL.md": SKILL.format("t")}, {}),
    ("skills empty", manifest(skills=[]), {}),
    ("skills the default folder", manifest(skills="./skills/"), {}),
    ("skills without ./", manifest(skills="skills"), {SHAPE: ERROR}),
    ("skills with ..", manifest(skills="./../skills"), {SHAPE: ERROR}),
    ("skills missing", manifest(skills=["./nope"]), {MISSING: ERROR}),
    ("commands missing", manifest(commands=["./commands/nope.md"]), {MISSING: ERROR}),
    ("hooks missing", manifest(hooks="./nope.json"), {MISSING: ERROR}),
    ("hooks the default file", manifest(hooks="./hooks/hooks.json"), {"manifest-path-repeats-default": INFO}),
    ("hooks in a build folder", manifest(hooks="./dist/hooks.json"), {}),
    ("mcpServers missing", manifest(mcpServers="./nope.json"), {MISSING: ERROR}),
    ("path in another case", manifest(agents=["./Agents/a.md"]), {MISSING: ERROR, "manifest-path-replaces-folder": WARNING}),
    ("a dependency", manifest(dependencies=["other"]), {"manifest-dependency": INFO}),
    ("trailing comma", {M: '{"name": "demo",}'}, {"json-unparsable": ERROR}),
    ("comment", {M: '{"name": "demo"} // x'}, {"json-unparsable": ERROR}),
    ("list", {M: '[{"name": "demo"}]'}, {"json-not-an-object": ERROR}),
    ("empty file", {M: ""}, {"json-unparsable": ERROR}),
    ("byte order mark", {M: "\ufeff" + json.dumps(MANIFEST)}, {}),
    ("duplicate key", {M: '{"name": "x", ' + json.dumps(MANIFEST)[1:]}, {"json-key-duplicate": WARNING}),
    ("root plugin.json only", {M: None, "plugin.json": json.dumps(MANIFEST)}, {"manifest-in-wrong-place": WARNING}),
    ("root plugin.json beside", {"plugin.json": json.dumps(MANIFEST)}, {}),
    ("no manifest", {M: None}, {}),
    ("agents inside .claude-plugin", {"agents/a.md": None, ".claude-plugin/agents/a.md": AGENT.format("a")}, {"component-inside-claude-plugin-folder": ERROR}),
    ("unknown key of an option", manifest(userConfig={"T": {"type": "string", "title": "T", "description": "T.", "secret": True}}), {"user-config-invalid": ERROR}),
    ("channel of no server", manifest(channels=[{"server": "nope"}]), {"channel-server-unknown": WARNING}),
    ("unknown key of a channel", manifest(channels=[{"server": "m", "more": 1}]), {"channel-invalid": ERROR}),
    ("monitor without a description", manifest(experimental={"monitors": [{"name": "m", "command": "true"}]}), {"channel-invalid": ERROR}),
    ("channel of a server of .mcp.json", manifest(channels=[{"server": "m"}]), {}),
    # -- hooks, servers, settings
    ("hooks.json syntax error", {"hooks/hooks.json": "{"}, {"json-unparsable": ERROR}),
    ("hooks.json without hooks", {"hooks/hooks.json": '{"Stop": []}'}, {"hook-table-invalid": ERROR}),
    ("inline hooks in a wrapper", manifest(hooks={"hooks": {"Stop": [{"hooks": [HANDLER]}]}}), {"hook-table-invalid": ERROR}),
    ("inline hooks", manifest(hooks={"Stop": [{"hooks": [HANDLER]}]}), {}),
    ("unknown event", hooks("OnStop"), {"hook-event-unknown": ERROR}),
    ("unknown event inline", manifest(hooks={"stop": [{"hooks": [HANDLER]}]}), {"hook-event-unknown": ERROR}),
    ("unknown hook type", hooks(handler={"type": "shell", "command": "true"}), {"hook-handler-invalid": ERROR}),
    ("hook without a command", hooks(handler={"type": "command"}), {"hook-handler-invalid": ERROR}),
    ("timeout a text", hooks(handler={**HANDLER, "timeout": "5"}), {"hook-handler-invalid": ERROR}),
    ("unknown key of a hook", hooks(handler={**HANDLER, "timout": 5}), {"hook-key-unknown": WARNING}),
    ("unquoted root", hooks(handler={"type": "command", "command": "sh ${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"}), {"plugin-root-unquoted": WARNING}),
    ("script missing", hooks(handler={"type": "command", "command": 'sh "${CLAUDE_PLUGIN_ROOT}/hooks/b.sh"'}), {"command-file-missing": ERROR}),
    ("script not executable", hooks(handler={"type": "command", "command": '"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"'}), {"command-file-not-executable": ERROR}),
    ("absolute path in a command", hooks(handler={"type": "command", "command": "/home/ada/a.sh"}), {"command-path-of-one-machine": ERROR}),
    ("hooks null", {"hooks/hooks.json": '{"hooks": null}'}, {"hook-table-invalid": ERROR}),
    ("matcher a list", hooks("PreToolUse", matcher=["Bash"]), {"hook-matcher-not-text": ERROR}),
    ("matcher null", hooks("PostToolUse", matcher=None), {"hook-matcher-not-text": ERROR}),
    ("matcher on Stop", hooks(matcher="Bash"), {"hook-matcher-invalid": WARNING}),
    ("matcher of an unknown tool", hooks("PreToolUse", matcher="Bash|edit"), {"hook-matcher-invalid": WARNING}),
    ("if on Stop", hooks(handler={**HANDLER, "if": "Bash(git *)"}), {"hook-if-never-runs": ERROR}),
    ("once", hooks(handler={**HANDLER, "once": True}), {"hook-once-ignored": WARNING}),
    (".mcp.json syntax error", {".mcp.json": '{"mcpServers": {},}'}, {"json-unparsable": ERROR}),
    ("server without command", {".mcp.json": '{"mcpServers": {"m": {"args": []}}}'}, {"mcp-server-invalid": ERROR}),
    ("servers instead of mcpServers", {".mcp.json": '{"servers": {"m": {"command": "m"}}}'}, {"mcp-server-invalid": ERROR}),
    ("plain http", {".mcp.json": '{"mcpServers": {"m": {"type": "http", "url": "http://example.com"}}}'}, {"mcp-url-without-tls": WARNING}),
    ("key-like value in env", {".mcp.json": '{"mcpServers": {"m": {"command": "m", "env": {"API_KEY": "3f9ac1d07b52"}}}}'}, {"mcp-credential-literal": WARNING}),
    ("undeclared option", {".mcp.json": '{"mcpServers": {"m": {"command": "m", "env": {"API_KEY": "${user_config.KEY}"}}}}'}, {"user-config-unresolved": ERROR}),
    (".lsp.json with a wrapper", {".lsp.json": '{"lspServers": {"p": {"command": "p", "extensionToLanguage": {".p": "p"}}}}'}, {"lsp-server-invalid": ERROR}),
    ("settings with agent", {"settings.json": '{"agent": "a"}'}, {"settings-agent-replaces-prompt": WARNING}),
    ("settings with permissions", {"settings.json": '{"permissions": {}}'}, {"settings-key-dropped": WARNING}),
    ("CLAUDE.md at the root", {"CLAUDE.md": "# Notes\n"}, {"claude-md-in-plugin": INFO}),
    # -- marketplace.json
    ("marketplace", market(), {}),
    ("marketplace without name", market(name=...), {"marketplace-key-missing": ERROR}),
    ("marketplace name with a space", market(name="our market"), {"marketplace-name-invalid": ERROR}),
    ("marketplace name with capitals", market(name="Market"), {}),
    ("marketplace name reserved", market(name="agent-skills"), {"marketplace-name-reserved": WARNING}),
    ("owner missing", market(owner=...), {"marketplace-key-missing": ERROR}),
    ("owner a string", market(owner="A"), {"marketplace-value-wrong-type": ERROR}),
    ("plugins missing", market(plugins=...), {"marketplace-key-missing": ERROR}),
    ("source missing", entry(source=...), {"marketplace-key-missing": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("source absolute", entry(source="/plugins/demo"), {"marketplace-source-invalid": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("source with ..", entry(source="./../demo"), {"marketplace-source-invalid": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("source without ./", entry(source="plugins/demo"), {"marketplace-source-invalid": ERROR}),
    ("source of an unknown type", entry(source={"source": "pip", "package": "x"}), {"marketplace-source-invalid": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("duplicate names", market(plugins=[*MARKET["plugins"], {"name": "demo", "source": {"source": "npm", "package": "demo"}}]), {"marketplace-entry-duplicate": ERROR}),
    ("marketplace JSON error", {**market(), K: "{"}, {"json-unparsable": ERROR}),
    ("broken plugin.json inside", {**market(), f"plugins/demo/{M}": "{"}, {"json-unparsable": ERROR}),
    ("description missing", market(description=...), {"marketplace-description-missing": WARNING}),
    ("description in metadata", market(description=..., metadata={"description": "Ours."}), {}),
    ("no plugins", {**dict.fromkeys(BASE), K: json.dumps({**MARKET, "plugins": []})}, {"marketplace-description-missing": WARNING}),
    ("unknown field at the top", market(maturity=1), {"marketplace-key-unknown": WARNING}),
    ("unknown field in an entry", entry(maturity=1), {"marketplace-key-unknown": WARNING}),
    ("entry version differs", entry(version="2.0.0"), {"version-mismatch": ERROR}),
    ("entry version agrees", entry(version="1.0.0"), {}),
    ("source folder does not exist", entry(source="./plugins/nope"), {"marketplace-source-missing": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("github source with a malformed repo", entry(source={"source": "github", "repo": "x"}), {"marketplace-source-invalid": ERROR, "marketplace-plugin-unlisted": INFO}),
    ("entry name differs", entry(name="other"), {"manifests-disagree": ERROR}),
    ("entry hooks by path", entry(hooks="./hooks/hooks.json"), {"marketplace-entry-hooks-not-inline": ERROR}),
    ("strict false with components", entry(strict=False, skills=["./skills/s"]), {"marketplace-strict-conflict": ERROR}),
    ("rename to nothing", market(renames={"old": "gone"}), {"marketplace-rename-broken": ERROR}),
]


@pytest.mark.parametrize("files, expected", [pytest.param(files, expected, id=name) for name, files, expected in ROWS])
def test_mutation(files, expected, tmp_path, monkeypatch):
    root = tmp_path / "demo"
    write(root, {**BASE, **files})
    monkeypatch.chdir(root)
    config = Config()
    config.select = ("all",)
    found = {one.rule: one.severity for one in engine.check(["."], config).findings if one.rule.startswith((*PREFIXES, "internal-error"))}
    assert found == expected


def write(root: Path, files: dict[str, str | None]) -> None:
    for path, text in files.items():
        if text is None:
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def test_table_covers_the_group():
    """Every rule of the group that speaks for the client is met in the table, or proves itself by its examples alone."""
    shown = {rule for _, _, expected in ROWS for rule in expected}
    group = {loaded.id for loaded in load_all() if loaded.id.startswith(PREFIXES) and "claude-code" in loaded.rule.profiles}
    assert shown <= group
    assert len(shown) > 45


@pytest.mark.parametrize("kind", [M, K, "hooks/hooks.json", ".mcp.json", ".lsp.json", "settings.json", "plugin.json"])
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], [None], {"": None}])
def test_no_rule_crashes_on_odd_values(kind, value, tmp_path, monkeypatch):
    """Every known key of every file, with a value of every wrong type, and the file holding only that value."""
    from pluglint.manifest_fields import shapes

    keys: set[str] = {"hooks", "mcpServers", "servers", "lspServers", "agent", "Stop", "a"}
    for part in shapes().values():
        for table in part.values() if isinstance(part, dict) else ():
            if isinstance(table, dict):
                keys |= {*table.get("required", {}), *table.get("optional", {}), *table}
    deep = {key: value for key in keys}
    for number, text in enumerate((value, deep, {**deep, "plugins": [deep, value], "hooks": {"Stop": [deep, value, {"hooks": [deep, value]}]}, "mcpServers": {"a": deep, "b": value}, "lspServers": {"a": deep}, "userConfig": {"a": deep, "b": value}, "channels": [deep, value], "monitors": [deep, value], "dependencies": [deep, value], "commands": {"a": deep, "b": value}, "author": deep})):
        root = tmp_path / str(number)
        write(root, {**BASE, **({K: json.dumps(MARKET)} if kind == K else {}), kind: json.dumps(text)})
        monkeypatch.chdir(root)
        for profile in ("claude-code", "portable", "directory"):
            config = Config()
            config.select, config.profile = ("all",), profile
            assert [one.message for one in engine.check(["."], config).findings if one.rule == "internal-error"] == []
