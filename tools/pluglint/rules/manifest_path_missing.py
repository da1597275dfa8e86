"""
What it checks: every component path in `plugin.json` (`agents`, `skills`, `commands`, `hooks`, `mcpServers`, ...)
leads to something, in this exact case. A path into a folder that builds write and repositories leave out (`dist`, `build`,
`node_modules`, ...) is not judged: make sure that a release holds it.

Why it matters: the client reports `path-not-found` and loads the rest: of several files under `agents` those that
exist, and where none does, no agent at all, since the key replaces the folder. A missing `mcpServers` file is passed over
without any message, a missing `lspServers` file with a line in the debug log only.

How to fix: correct the path, or remove it. Git keeps no empty folders: put a file into one that must exist.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import ABSENT, named_paths, other_case, state, tidy
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="a path of the manifest does not exist",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/a.md"]\n}\n', "extra/a.md": _AGENT}),
    Example({".claude-plugin/plugin.json": _HEAD + '  "hooks": "./dist/hooks.json"\n}\n', "dist/hooks.json": '{"hooks": {}}\n'}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "commands": ["./commands/missing.md"]' + HERE + "\n}\n"}, message="`commands` names './commands/missing.md', which does not exist"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": "./extra/A.md"' + HERE + "\n}\n", "extra/a.md": _AGENT}, message="`agents` names './extra/A.md', which does not exist"),
)

_EFFECTS = {"mcpServers": "No server of it starts, and no message says so.", "lspServers": "No server of it starts, and only the debug log says so."}


def check(document):
    if document.root is None:
        return
    paths = list(named_paths(document.root, FACTS["manifest"]["path_keys"]))
    any_agent = any(key == "agents" and state(document.package, text) != ABSENT for key, _, text in paths)
    for key, node, text in paths:
        if text.startswith("./") and ".." not in text.split("/") and state(document.package, text) == ABSENT:
            close = other_case(document.package, tidy(text))
            hint = f"Did you mean './{close}'?" if close else _effect(key, any_agent)
            yield Problem(document.source, node.span, f"`{key}` names '{text}', which does not exist", hint)


def _effect(key, any_agent):
    if key == "agents":
        return "The client loads the other agents and reports this one as not found." if any_agent else "The plugin loads with no agents at all."
    return _EFFECTS.get(key, "The client reports it as not found and loads the rest.")
