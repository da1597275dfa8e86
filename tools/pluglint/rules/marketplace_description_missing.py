"""
What it checks: a marketplace has a description (at its top, or in `metadata`) and lists at least one plugin.

Why it matters: strict validation fails, and people who are asked to add it see only a name.

How to fix: add a `description` of one sentence.
"""

from pluglint.manifest_fields import opening
from pluglint.parse.node import LIST
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MARKETPLACE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a marketplace without description or plugins",
    severity=WARNING,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_ENTRY = '"plugins": [{"name": "x", "source": "./"}]'

GOOD = (Example('{"name": "m", "owner": {"name": "A"}, "metadata": {"description": "Ours."}, ' + _ENTRY + "}\n"),)
BAD = (
    Example("{" + HERE + '\n  "name": "m",\n  "owner": {"name": "A"},\n  ' + _ENTRY + "\n}\n", message="the marketplace has no `description`"),
    Example('{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": []' + HERE + "\n}\n", message="the marketplace lists no plugin"),
)


def check(document):
    root = document.root
    if root is None:
        return
    inner = document.get("metadata", "description")
    if not root.string("description").strip() and (inner is None or not inner.text.strip()):
        yield Problem(document.source, opening(root), "the marketplace has no `description`", "Add one sentence that says what it offers.")
    plugins = root.get("plugins")
    if plugins is not None and plugins.kind == LIST and not plugins.items:
        yield Problem(document.source, plugins.span, "the marketplace lists no plugin", "")
