"""
What it checks: no file is written in UTF-16 or UTF-32.

Why it matters: the client reads UTF-8 only, so it finds no header: an agent loads under its file name, without its
description and with every tool. A JSON file in UTF-16 cannot be read at all.

How to fix: save the file as UTF-8. PowerShell's `>` wrote UTF-16 up to version 5: use `Out-File -Encoding utf8`.
"""

from pluglint.headers import in_utf16
from pluglint.rule import ERROR, HERE, JSON_FILES, MARKDOWN, Example, Problem, Rule, Span

RULE = Rule(
    title="a file is written in UTF-16",
    severity=ERROR,
    on=(*MARKDOWN, *JSON_FILES),
    source="client 2.1.330, observed 2026-11-22",
)

_AGENT = "---\nname: example\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example(_AGENT),)
BAD = (Example({"README.md": "\udcff\udcfe" + "".join(char + "\0" for char in "# Demo") + HERE + "\n\0"}, message="the file is written in UTF-16; only UTF-8 is read"),)


def check(document):
    if in_utf16(document.text):
        name = "UTF-32" if "\0\0" in document.text[:200] else "UTF-16"
        yield Problem(document.source, Span(0, min(2, len(document.text))), f"the file is written in {name}; only UTF-8 is read", "Save it as UTF-8.")
