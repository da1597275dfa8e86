"""
What it checks: a marketplace has a name, an owner with a name, and a list of plugins; each entry has a name and a source.

Why it matters: the client refuses a marketplace without them.

How to fix: add the key.
"""

from pluglint.manifest_fields import EMPTY, MISSING, faults, shapes
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="a marketplace lacks a required key",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"name": "m", "owner": {"name": "A"}, "description": "Ours.", "plugins": []}\n'),)
BAD = (
    Example('{' + HERE + '\n  "name": "m",\n  "description": "Ours.",\n  "plugins": []\n}\n', message="the marketplace has no `owner`"),
    Example('{\n  "name": "m",\n  "owner": {"email": "a@example.com"},' + HERE + '\n  "description": "Ours.",\n  "plugins": []\n}\n', message="`owner` has no `name`"),
    Example('{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n    {"name": "x"}' + HERE + "\n  ]\n}\n", message="the entry 'x' has no `source`"),
)


def check(document):
    root = document.root
    if root is None:
        return
    objects = shapes()["objects"]
    found = list(faults(root, objects["marketplace"], "the marketplace"))
    owner, plugins = root.get("owner"), root.get("plugins")
    if owner is not None and owner.kind == MAP:
        found += faults(owner, objects["author"], "`owner`")
    for entry in plugins.items if plugins is not None else ():
        if entry.kind == MAP:
            name = entry.string("name")
            found += faults(entry, objects["entry"], f"the entry '{name}'" if name else "an entry")
    for fault in found:
        if fault.what in (MISSING, EMPTY):
            yield Problem(document.source, fault.span, fault.message, fault.hint)
