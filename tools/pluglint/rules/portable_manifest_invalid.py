"""
What it checks: a `plugin.json` at the root follows Agent Plugins 1.0.0: it names its `$schema`, has a name of 1 to 64
lower-case letters, digits, `.` and `-`, and no key outside the closed list.

Why it matters: clients that read this format must refuse a manifest with a key that they do not know.

How to fix: as the message says. Data of your own goes under `extensions`, below a reverse domain name; what only
Claude Code knows goes into `.claude-plugin/plugin.json`.
"""

import re

from pluglint.manifest_fields import faults, shapes
from pluglint.parse.node import MAP, STRING
from pluglint.rule import ERROR, HERE, PORTABLE, PORTABLE_MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the portable manifest breaks its format",
    severity=ERROR,
    on=(PORTABLE_MANIFEST,),
    source="agentplugins/agent-plugins-spec 1.0.0, 2026-08-06",
    profiles=(PORTABLE,),
)

_HEAD = '{\n  "$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",\n'
_SKILL = "---\nname: t\ndescription: Reads. Use when there is something to read.\n---\nRead.\n"

GOOD = (Example(_HEAD + '  "name": "demo.tools",\n  "version": "1.0.0",\n  "extensions": {"com.example": {"x": 1}}\n}\n'),)
BAD = (
    Example({"plugin.json": '{' + HERE + '\n  "name": "demo"\n}\n', "skills/t/SKILL.md": _SKILL}, message="the manifest has no `$schema`"),
    Example(_HEAD + '  "name": "demo",\n  "agents": ["./agents/a.md"]' + HERE + "\n}\n", message="the manifest has an unknown key 'agents'"),
    Example(_HEAD + '  "name": "My--demo"' + HERE + "\n}\n", message="the name 'My--demo' has a form that the format does not allow"),
    Example({"plugin.json": '{\n  "$schema": "https://example.com/plugin.json",' + HERE + '\n  "name": "demo"\n}\n', "skills/t/SKILL.md": _SKILL}, message="`$schema` is 'https://example.com/plugin.json'"),
    Example(_HEAD + '  "name": "demo",\n  "extensions": {"mine": {"x": 1}}' + HERE + "\n}\n", message="the extension 'mine' is no reverse domain name"),
)

SCHEMA = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"


def check(document):
    root = document.root
    if root is None:
        return
    objects = shapes()["objects"]
    for fault in faults(root, objects["portable"], "the manifest"):
        yield Problem(document.source, fault.span, fault.message, f'Add `"$schema": "{SCHEMA}"`.' if fault.key == "$schema" else fault.hint)
    author = root.get("author")
    if author is not None and author.kind == MAP:
        for fault in faults(author, objects["author"], "`author`"):
            yield Problem(document.source, fault.span, fault.message, fault.hint)
    yield from _values(document, root)


def _values(document, root):
    schema, name, extensions = root.get("$schema"), root.get("name"), root.get("extensions")
    if schema is not None and schema.kind == STRING and schema.text.strip() and schema.text != SCHEMA:
        yield Problem(document.source, schema.span, f"`$schema` is '{schema.text}'", f"Write '{SCHEMA}'.")
    if name is not None and name.kind == STRING and name.text.strip():
        if not re.fullmatch(r"[a-z0-9.-]{1,64}", name.text) or "--" in name.text or ".." in name.text:
            yield Problem(document.source, name.span, f"the name '{name.text}' has a form that the format does not allow", "Use 1 to 64 lower-case letters, digits, '.' and '-', none of the last two doubled.")
    for key, value in extensions.pairs if extensions is not None else ():
        if not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", key.text.lower()):
            yield Problem(document.source, key.span, f"the extension '{key.text}' is no reverse domain name", "Write it as com.example.")
        elif value.kind != MAP:
            yield Problem(document.source, value.span, f"the extension '{key.text}' must hold an object", "")
