"""
What it checks: no two entries of a marketplace have one name.

Why it matters: the client refuses the marketplace.

How to fix: rename or remove one of them.
"""

from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="two entries of a marketplace have one name",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n    {"name": "x", "source": "./"},\n'

GOOD = (Example(_HEAD + '    {"name": "y", "source": "./"}\n  ]\n}\n'),)
BAD = (Example(_HEAD + '    {"name": "x", "source": {"source": "npm", "package": "x"}}' + HERE + "\n  ]\n}\n", message="the name 'x' is taken by another entry"),)


def check(document):
    plugins = document.get("plugins")
    seen = {}
    for entry in plugins.items if plugins is not None else ():
        name = entry.get("name") if entry.kind == MAP else None
        if name is None or not name.text:
            continue
        first = seen.setdefault(name.text, name)
        if first is not name:
            yield Problem(document.source, name.span, f"the name '{name.text}' is taken by another entry", "Rename or remove one of them.", (document.at(first.span, "the other entry"),))
