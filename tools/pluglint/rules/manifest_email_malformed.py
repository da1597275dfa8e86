"""
What it checks: an `email` of an author or owner looks like an address.

Why it matters: nothing reads it but people; the client takes any text. It is how a user reports a fault.

How to fix: write `name@example.com`.
"""

import re

from pluglint.parse.node import STRING
from pluglint.rule import HERE, INFO, MANIFEST, MARKETPLACE, PORTABLE_MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="an email address is malformed",
    severity=INFO,
    on=(MANIFEST, PORTABLE_MANIFEST, MARKETPLACE),
    source="mutations of plugin.json validated by client 2.1.330, 2026-11-22",
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n'

GOOD = (Example(_HEAD + '  "author": {"name": "A", "email": "a@example.com"}\n}\n'),)
BAD = (Example(_HEAD + '  "author": {"name": "A", "email": "a at example.com"}' + HERE + "\n}\n", message="'a at example.com' is no email address"),)


def check(document):
    for owner in ("author", "owner"):
        node = document.get(owner, "email")
        if node is not None and node.kind == STRING and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+", node.text):
            yield Problem(document.source, node.span, f"'{node.text}' is no email address", "Write it as name@example.com.")
