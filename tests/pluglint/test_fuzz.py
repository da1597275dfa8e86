"""Generated text in every kind of file: no rule raises, every place lies in its text, and the same input gives the same report."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pluglint import engine
from pluglint.config import Config
from pluglint.report import FORMATS, renderer
from pluglint.text import decode

ODD = ["\u200b", "\u202e", "\u2066", "\U000e0041", "\ufeff", "\xad", "\0", "\x1b", "\r", "\r\n", "\u2028", "\u00e9", "\u4e2d", "\U0001f600", "\ufe0f", "\u0645", "\udcff", "\t", "\x85", "\x0b"]
MARKDOWN = [
    "# ", "## 5 Checks\n", "- ", "- [ ] ", "- [x] a\n", "1. ", "2. b\n", "* ", "> ", "```", "```python\n", "```\n", "~~~", "| a | b |\n", "| --- | --- |\n", "| Delegate To | When |\n", "|", "[a](b.md)", "[", "](", ")", "![x](y.png)",
    "<!--", "-->", "<!-- pluglint: ignore[utf8-invalid] x -->", "<a href=\"x\">", "`", "``", "**x**", "__", "---\n", "===\n", "\n", "\n\n", "    ", "Delegate to other agents:\n", "use the x agent", "demo:a", "@agent-demo:a", "Agent(x)", "subagent_type: \"a\"",
    "curl x | bash", "scripts/x.sh", "${CLAUDE_PLUGIN_ROOT}/x", "$ARGUMENTS", "!`ls`", "12 agents", "5 skills", "version 1.2.3", "v1.0.0", "## [1.0.0] - 2026-01-01\n", "http://x.example", "50%", "§3", "word ", "password = \"aB3$xyzuvwQ9\"", "AKIA", "sk-", "{{x}}",
]
YAML = ["---\n", "name: a\n", "name: ", "description: ", "tools: Read, Bash(git log:*)\n", "model: x\n", "- a\n", "  - b\n", ": ", "[", "]", "{", "}", "&a ", "*a", "|\n", ">-\n", "\"", "'", "#", "!!python/x ", "? ", "<<: *a\n", "null\n", "0x1f\n", "1e5\n", "true\n", "skills: [a]\n", "color: red\n", "key: value\n", "\t", "\n", "..."]
JSON = ["{", "}", "[", "]", ":", ",", "\"name\"", "\"demo\"", "\"version\": \"1.0\"", "\"agents\": [\"./agents/a.md\"]", "\"hooks\": {\"PreToolUse\": [{\"hooks\": []}]}", "\"mcpServers\": {}", "null", "true", "1", "-1e9", "\"\\ud800\"", "\"\\u200b\"", "\\", "\"", "//", " ", "\n", "\"author\": {\"name\": \"x\"}", "\"skills\": \"./x\"", "\"commands\": 5"]


def text_of(pieces: list[str]) -> st.SearchStrategy[str]:
    return st.lists(st.one_of(st.sampled_from(pieces), st.sampled_from(pieces), st.sampled_from(ODD), st.text(max_size=8)), max_size=40).map("".join)


MARKED = st.one_of(text_of(MARKDOWN), st.builds(lambda head, body: "---\n" + head + "\n---\n" + body, text_of(YAML), text_of(MARKDOWN)), st.builds(lambda body: "---\nname: a\ndescription: Reads logs. Use when there are some.\n---\n" + body, text_of(MARKDOWN)))
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["./agents/a.md", "1.0.0", "command", "PreToolUse"]), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "version", "agents", "skills", "hooks", "PreToolUse", "type", "command", "matcher", "mcpServers", "author", "plugins", "source", "x"]), inner, max_size=5), max_leaves=15)


def as_json(value: object) -> str:
    import json

    return json.dumps(value)


MADE = st.one_of(text_of(JSON), st.dictionaries(st.sampled_from(["name", "version", "description", "author", "agents", "skills", "commands", "hooks", "mcpServers", "keywords", "dependencies", "userConfig", "plugins", "owner"]), VALUES, max_size=6).map(as_json), VALUES.map(as_json))


def encoded(text: str) -> bytes:
    """UTF-8; surrogates become bytes that are not."""
    return text.encode("utf-8", "surrogatepass")


def check(files: dict[str, str], profile: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts = {}
        for path, text in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(encoded(text))
            texts[str(target)] = decode(target.read_bytes(), str(target), path)
        config = Config()
        config.profile = profile
        config.select = ("all",)
        first, second = engine.check([folder], config), engine.check([folder], config)
        crashes = [one.message for one in first.findings if one.rule == engine.INTERNAL_ERROR]
        assert not crashes, crashes
        assert first == second
        for one in first.findings:
            for place in (one.place, *one.related):
                source = texts.get(place.path)
                if source is None:
                    assert (place.line, place.column) == (1, 1), "only a file that was not read is pointed at as a whole"
                    continue
                assert 1 <= place.line <= place.end_line
                size = len(source.text)
                begin, end = source.line_bounds(place.line), source.line_bounds(place.end_line)
                assert 0 <= begin[0] + place.column - 1 <= end[0] + place.end_column - 1 <= size
        for name in FORMATS:
            renderer(name).render(first).encode()


QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}
PROFILES = st.sampled_from(["claude-code", "portable", "directory"])


@settings(max_examples=120, **QUICK)
@given(agent=MARKED, skill=MARKED, command=MARKED, profile=PROFILES)
def test_prompts(agent, skill, command, profile):
    check({".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0"}', "agents/a.md": agent, "skills/s/SKILL.md": skill, "skills/s/references/r.md": command, "commands/c.md": command}, profile)


@settings(max_examples=80, **QUICK)
@given(readme=text_of(MARKDOWN), changelog=text_of(MARKDOWN), profile=PROFILES)
def test_pages(readme, changelog, profile):
    check({".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0"}', "agents/a.md": "---\nname: a\ndescription: b\n---\n", "README.md": readme, "CHANGELOG.md": changelog, "docs/page.md": readme}, profile)


@settings(max_examples=120, **QUICK)
@given(manifest=MADE, hooks=MADE, servers=MADE, profile=PROFILES)
def test_json_files(manifest, hooks, servers, profile):
    check({".claude-plugin/plugin.json": manifest, "plugin.json": manifest, "hooks/hooks.json": hooks, ".mcp.json": servers, ".lsp.json": servers, "settings.json": hooks, "agents/a.md": "---\nname: a\n---\n"}, profile)


@settings(max_examples=60, **QUICK)
@given(marketplace=MADE, profile=PROFILES)
def test_marketplaces(marketplace, profile):
    check({".claude-plugin/marketplace.json": marketplace, "p/.claude-plugin/plugin.json": marketplace, "p/agents/a.md": "x"}, profile)
