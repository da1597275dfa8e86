"""
What it checks: `version` in `plugin.json` is a semantic version: three numbers, such as 1.4.0, with an optional
pre-release (-beta.1) and build (+5).

Why it matters: the client takes any text, but it offers an update only when the text changes, ranges in the
`dependencies` of other plugins match semantic versions only, and release tooling cannot order `1.4` or `v2`.

How to fix: write all three numbers, without a leading v or zeros.
"""

import re

from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the version is not a semantic version",
    severity=WARNING,
    on=(MANIFEST,),
    source="manifest reference of 2026-10-03; semver.org 2.0.0",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'

GOOD = (Example(_HEAD + '  "version": "1.4.0"\n}\n'), Example(_HEAD + '  "version": "1.4.0-rc.1+build.5"\n}\n'))
BAD = (
    Example(_HEAD + '  "version": "1.4"' + HERE + "\n}\n", message="'1.4' is no semantic version"),
    Example(_HEAD + '  "version": "v1.4.0"' + HERE + "\n}\n", message="'v1.4.0' is no semantic version"),
    Example(_HEAD + '  "version": "1.04.0"' + HERE + "\n}\n", message="'1.04.0' is no semantic version"),
)


def check(document):
    version = document.get("version")
    if version is None or version.kind != STRING or not version.text:
        return
    part = r"(?:0|[1-9]\d*)"
    word = rf"(?:{part}|\d*[A-Za-z-][0-9A-Za-z-]*)"
    if not re.fullmatch(rf"{part}\.{part}\.{part}(?:-{word}(?:\.{word})*)?(?:\+[0-9A-Za-z.-]+)?", version.text):
        better = _better(version.text)
        yield Problem(document.source, version.span, f"'{version.text}' is no semantic version", f"Write '{better}'." if better else "Write three numbers, such as 1.4.0.")


def _better(text):
    match = re.fullmatch(r"[vV]?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", text)
    return ".".join(str(int(number or 0)) for number in match.groups()) if match else ""
