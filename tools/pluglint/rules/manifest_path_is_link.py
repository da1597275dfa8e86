"""
What it checks: no component path of `plugin.json` leads to a symbolic link.

Why it matters: the client loads no agent from a symbolic link and says nothing; links that lead out of the plugin are
gone once it is installed.

How to fix: put the file itself there.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import named_paths, tidy
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a path of the manifest leads to a symbolic link",
    severity=WARNING,
    on=(MANIFEST,),
    source="agent files as links loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/a.md"]\n}\n', "extra/a.md": _AGENT}),)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/b.md"]' + HERE + "\n}\n", "extra/a.md": _AGENT, "extra/b.md": "-> a.md"}, message="`agents` names './extra/b.md', a symbolic link"),
)


def check(document):
    for key, node, text in named_paths(document.root, FACTS["manifest"]["path_keys"]) if document.root is not None else ():
        entry = document.package.entries.get(tidy(text))
        if entry is not None and entry.link is not None:
            yield Problem(document.source, node.span, f"`{key}` names '{text}', a symbolic link", "Put the file itself there: the client loads no agent from a link.")
