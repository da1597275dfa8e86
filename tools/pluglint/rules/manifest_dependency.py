"""
What it checks: whether the manifest names other plugins under `dependencies`.

Why it matters: as long as one of them is not installed, the client loads nothing of this plugin, not one agent or skill
("dependency-unsatisfied"); validation passes, and a session prints nothing. Users can install what is missing, so this is
a note and no fault.

How to fix: nothing, when it is meant so. Say in the README what to install first, or make the dependency optional.
"""

from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the plugin needs another plugin",
    severity=INFO,
    on=(MANIFEST,),
    source="an unsatisfied dependency loaded by client 2.1.330, 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'

GOOD = (Example(_HEAD + '  "dependencies": []\n}\n'),)
BAD = (Example(_HEAD + '  "dependencies": ["other"]' + HERE + "\n}\n", message="where the plugin 'other' is not installed, this one is not loaded"),)


def check(document):
    dependencies = document.get("dependencies")
    for item in dependencies.items if dependencies is not None else ():
        name = item if item.kind == STRING else item.get("name") if item.kind == MAP else None
        if name is not None and name.text:
            yield Problem(document.source, name.span, f"where the plugin '{name.text}' is not installed, this one is not loaded", "Say so in the README.")
