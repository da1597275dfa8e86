"""
What it checks: the names of a marketplace and of its entries: letters, digits, `.`, `_` and `-`, starting with a letter
or digit.

Why it matters: the client refuses a marketplace whose name holds a blank or a slash, and cannot install an entry whose
name starts with something else. Both are parts of the id `plugin@marketplace`.

How to fix: use lower-case letters, digits and hyphens.
"""

import re

from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="a name in a marketplace is unusable",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22; marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "owner": {"name": "A"},\n  "description": "Ours.",\n'

GOOD = (Example('{\n  "name": "our.tools_2",\n' + _TAIL + '  "plugins": []\n}\n'),)
BAD = (
    Example('{\n  "name": "our tools",' + HERE + "\n" + _TAIL + '  "plugins": []\n}\n', message="the marketplace's name 'our tools' holds ' '"),
    Example('{\n  "name": "m",\n' + _TAIL + '  "plugins": [\n    {"name": "-x", "source": "./"}' + HERE + "\n  ]\n}\n", message="the entry's name '-x' starts with '-'"),
)


def check(document):
    root = document.root
    if root is None:
        return
    plugins = root.get("plugins")
    names = [("the marketplace", root.get("name"))]
    names += [("the entry", entry.get("name")) for entry in (plugins.items if plugins is not None else ()) if entry.kind == MAP]
    for owner, name in names:
        if name is None or name.kind != STRING or not name.text.strip():
            continue
        bad = re.search(r"[^A-Za-z0-9._-]|\.\.", name.text)
        if bad is not None:
            yield Problem(document.source, name.span, f"{owner}'s name {name.text!r} holds {bad.group()!r}", "Use lower-case letters, digits and hyphens.")
        elif not name.text[0].isalnum():
            yield Problem(document.source, name.span, f"{owner}'s name '{name.text}' starts with '{name.text[0]}'", "Start it with a letter or digit.")
