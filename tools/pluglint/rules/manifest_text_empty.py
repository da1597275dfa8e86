"""
What it checks: texts of `plugin.json` that people read (description, display name, licence, version) are not empty.

Why it matters: validation counts an empty text as present, so nothing says that the listing shows a blank line.

How to fix: fill the text in, or remove the key.
"""

from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a text of the manifest is empty",
    severity=WARNING,
    on=(MANIFEST,),
    source="mutations of plugin.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'),)
BAD = (Example('{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": " ",' + HERE + '\n  "author": {"name": "A"}\n}\n', message="`description` is empty"),)


def check(document):
    for key in ("description", "version", "displayName", "license", "repository"):
        node = document.get(key)
        if node is not None and node.kind == STRING and not node.text.strip():
            yield Problem(document.source, node.span, f"`{key}` is empty", "Fill it in, or remove the key.")
