"""
What it checks: `hooks` in an entry of a marketplace is an object with the hooks themselves, not a path or a list.

Why it matters: a path passes validation, and its hooks are never loaded.

How to fix: write the hooks inline, or name the file in the plugin's own `plugin.json`.
"""

from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="a marketplace entry names hooks by path",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n'

GOOD = (Example(_HEAD + '    {"name": "x", "source": "./", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}\n  ]\n}\n'),)
BAD = (Example(_HEAD + '    {"name": "x", "source": "./", "hooks": "./hooks/more.json"}' + HERE + "\n  ]\n}\n", message="`hooks` of an entry must be an object: a path is never loaded"),)


def check(document):
    plugins = document.get("plugins")
    for entry in plugins.items if plugins is not None else ():
        hooks = entry.get("hooks") if entry.kind == MAP else None
        if hooks is not None and hooks.kind in ("string", "list"):
            what = "a path" if hooks.kind == "string" else "a list"
            yield Problem(document.source, hooks.span, f"`hooks` of an entry must be an object: {what} is never loaded", "Write the hooks inline, or name the file in the plugin's own plugin.json.")
