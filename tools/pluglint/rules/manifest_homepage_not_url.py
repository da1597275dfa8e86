"""
What it checks: `homepage` in `plugin.json` is an absolute URL.

Why it matters: the client's validation refuses the manifest, and the client drops the field (older releases did not
load the plugin at all).

How to fix: write it with its scheme: `https://example.com/page`.
"""

import re

from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the homepage is not a URL",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json validated and loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'

GOOD = (Example(_HEAD + '  "homepage": "https://example.com/demo"\n}\n'),)
BAD = (
    Example(_HEAD + '  "homepage": "example.com/demo"' + HERE + "\n}\n", message="'example.com/demo' is no URL: the client ignores it"),
    Example(_HEAD + '  "homepage": ""' + HERE + "\n}\n", message="'' is no URL: the client ignores it"),
)


def check(document):
    homepage = document.get("homepage")
    if homepage is None or homepage.kind != STRING or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?[^\s/]", homepage.text) and " " not in homepage.text.strip():
        return
    yield Problem(document.source, homepage.span, f"'{homepage.text}' is no URL: the client ignores it", "Write it with https:// in front, or remove the key.")
