"""
What it checks: `plugin.json` has a name, and the name holds no blank, `:`, `/`, `\\`, `@` or control character.

Why it matters: without a usable name the plugin is not loaded. The client's validation passes a name with `:` or `/`,
so this shows only when somebody wonders where the agents are.

How to fix: use lower-case letters, digits and hyphens. The name is also the prefix of every agent and skill
(`name:agent`), so it has to be quoted nowhere.
"""

from pluglint.manifest_fields import opening
from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the plugin's name is missing or unusable",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22; manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"}\n}\n'

GOOD = (Example('{\n  "name": "demo",\n' + _TAIL), Example('{\n  "name": "Demo_1.x",\n' + _TAIL))
BAD = (
    Example("{" + HERE + "\n" + _TAIL, message="the manifest has no `name`: the plugin is not loaded"),
    Example('{\n  "name": "",' + HERE + "\n" + _TAIL, message="`name` is empty: the plugin is not loaded"),
    Example('{\n  "name": "my demo",' + HERE + "\n" + _TAIL, message="`name` 'my demo' holds a blank: the plugin is not loaded"),
    Example('{\n  "name": "team:demo",' + HERE + "\n" + _TAIL, message="`name` 'team:demo' holds ':': the plugin is not loaded"),
)


def check(document):
    root = document.root
    if root is None:
        return
    name = root.get("name")
    if name is None:
        close = did_you_mean("name", root.keys())
        yield Problem(document.source, opening(root), "the manifest has no `name`: the plugin is not loaded", f"Rename `{close}` to `name`." if close else "Add `name`.")
    elif name.kind != STRING:
        return  # said by manifest-value-wrong-type
    elif not name.text.strip():
        yield Problem(document.source, name.span, "`name` is empty: the plugin is not loaded", "Fill it in.")
    else:
        bad = next((char for char in name.text if char in ":/\\@" or char.isspace() or not char.isprintable()), None)
        if bad is not None:
            what = "a blank" if bad == " " else f"'{bad}'" if bad.isprintable() else f"the character U+{ord(bad):04X}"
            yield Problem(document.source, name.span, f"`name` {name.text!r} holds {what}: the plugin is not loaded", "Use lower-case letters, digits and hyphens.")
