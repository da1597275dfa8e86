"""
What it checks: the name of a plugin is in kebab case: lower-case letters, digits and single hyphens, starting with a
letter or digit.

Why it matters: the plugin loads, but strict validation fails, the plugin directory refuses the name, and a mention
such as `@agent-Demo:a` works only in the exact case.

How to fix: rename the plugin. The name is the prefix of its agents and skills, so texts that name them change too.
"""

import re

from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the plugin's name is not in kebab case",
    severity=WARNING,
    on=(MANIFEST,),
    source="mutations of plugin.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"}\n}\n'

GOOD = (Example('{\n  "name": "demo-2",\n' + _TAIL),)
BAD = (
    Example('{\n  "name": "DemoPlugin",' + HERE + "\n" + _TAIL, message="'DemoPlugin' is not in kebab case"),
    Example('{\n  "name": "demo_plugin",' + HERE + "\n" + _TAIL, message="'demo_plugin' is not in kebab case"),
)


def check(document):
    name = document.get("name")
    if name is None or name.kind != STRING or not name.text or re.search(r"[:/\\@\s]", name.text):
        return
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name.text):
        better = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name.text).lower()).strip("-")
        yield Problem(document.source, name.span, f"'{name.text}' is not in kebab case", f"Write '{better}'." if better else "Use lower-case letters, digits and hyphens.")
