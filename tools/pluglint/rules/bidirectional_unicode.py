"""
What it checks: no text holds characters that turn the direction of what follows: overrides anywhere, embeddings and isolates in
a line without right-to-left letters or without their end in the same line.

Why it matters: what a person is shown differs from what the model and the shell read: `RLO nimda PDF` is displayed as `admin`.

How to fix: delete them; to speak of one, write `U+202E`.
"""

import re
import unicodedata

from pluglint.rule import ERROR, HERE, JSON_FILES, MARKDOWN, Example, Problem, Rule, Span

RULE = Rule(
    title="characters that turn the direction of text",
    severity=ERROR,
    on=(*MARKDOWN, *JSON_FILES),
    source="Unicode Standard Annex 9; CVE-2021-42574",
)

GOOD = (Example({"README.md": "# Demo\n\n\u05e9\u05dc\u05d5\u05dd \u2068demo\u2069 \u05e9\u05dc\u05d5\u05dd\n"}),)
BAD = (
    Example({"README.md": f"# Demo\n\nThe level is \u202enimda\u202c here.{HERE}\n"}, message="U+202E RIGHT-TO-LEFT OVERRIDE makes the text look other than it is"),
    Example({"README.md": f"# Demo\n\n\u05e9\u05dc\u05d5\u05dd \u2067demo{HERE}\n"}, message="U+2067 RIGHT-TO-LEFT ISOLATE makes the text look other than it is"),
)

_OPEN, _CLOSE = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068", "\u202c\u2069"
_OVERRIDES = "\u202d\u202e"


def check(document):
    text = document.text
    if text.isascii():
        return
    done = -1
    for match in re.finditer("[\u202a-\u202e\u2066-\u2069]", text):
        if match.start() < done:
            continue
        end = text.find("\n", match.start())
        done = len(text) if end < 0 else end
        start = text.rfind("\n", 0, match.start()) + 1
        line = text[start:done]
        marks = re.findall("[\u202a-\u202e\u2066-\u2069]", line)
        opened = sum(mark in _OPEN for mark in marks)
        if opened == len(marks) - opened and not any(mark in _OVERRIDES for mark in marks) and any(unicodedata.bidirectional(char) in ("R", "AL") for char in line):
            continue
        at = next((start + place for place, char in enumerate(line) if char in _OVERRIDES), match.start())
        close = re.search(f"[{_CLOSE}]", line[at - start + 1 :])
        stop = at + 1 + close.end() if close else done
        yield Problem(document.source, Span(at, max(stop, at + 1)), f"U+{ord(text[at]):04X} {unicodedata.name(text[at])} makes the text look other than it is", "Delete the character.")
