"""
What it checks: every component path in `plugin.json` (`agents`, `skills`, `commands`, `hooks`, `mcpServers`, ...)
leads to something, in this exact case.

Why it matters: one missing file under `agents` leaves the plugin with no agents at all. A missing path under `skills`,
`commands` or `hooks` is a load error; a missing `mcpServers` file is passed over without any message.

How to fix: correct the path, or remove it. Git keeps no empty folders: put a file into one that must exist.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import ABSENT, named_paths, other_case, state, tidy
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="a path of the manifest does not exist",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/a.md"]\n}\n', "extra/a.md": _AGENT}),
    Example({".claude-plugin/plugin.json": _HEAD + '  "hooks": "./dist/hooks.json"\n}\n'}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "commands": ["./commands/missing.md"]' + HERE + "\n}\n"}, message="`commands` names './commands/missing.md', which does not exist"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": "./extra/A.md"' + HERE + "\n}\n", "extra/a.md": _AGENT}, message="`agents` names './extra/A.md', which does not exist"),
)

_EFFECTS = {"agents": "The plugin loads with no agents at all.", "mcpServers": "No server starts, and no message says so."}


def check(document):
    if document.root is None:
        return
    for key, node, text in named_paths(document.root, FACTS["manifest"]["path_keys"]):
        if text.startswith("./") and ".." not in text.split("/") and state(document.package, text) == ABSENT:
            close = other_case(document.package, tidy(text))
            hint = f"Did you mean './{close}'?" if close else _EFFECTS.get(key, "The client reports a load error.")
            yield Problem(document.source, node.span, f"`{key}` names '{text}', which does not exist", hint)
