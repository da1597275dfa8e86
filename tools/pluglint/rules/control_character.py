"""
What it checks: Markdown files hold no NUL, BEL, backspace, escape or delete character.

Why it matters: git, grep and most reviews take a file with a NUL for a binary one and show nothing of it. An escape character lets a
text repaint the terminal of whoever prints it, so that a person reads something else than the model.

How to fix: delete the character; to show an escape sequence, write it out as `\\x1b[31m`.
"""

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a text holds a control character",
    severity=WARNING,
    on=MARKDOWN,
    source="client 2.1.330 loads such files unchanged, observed 2026-11-22",
)

GOOD = (Example({"README.md": "# Demo\n\n\tA tab is fine, and so is `\\x1b[31m`.\n"}),)
BAD = (
    Example({"README.md": f"# Demo\n\nA\0B{HERE}\n"}, message="a NUL character (U+0000)"),
    Example({"README.md": f"# Demo\n\nRed: \x1b[31mstop\x1b[0m{HERE}\n"}, message="an escape character (U+001B), and 1 more control character in this file"),
)

_NAMES = {"\0": "a NUL", "\x07": "a bell", "\x08": "a backspace", "\x1b": "an escape", "\x7f": "a delete"}


def check(document):
    text = document.text
    places = [text.find(char) for char in _NAMES]
    if max(places) < 0:
        return
    start = text[:200]
    if "\0" in start and (document.source.bad_utf8 == 0 or start.count("\0") > len(start) * 0.3):
        return  # UTF-16: another rule says so
    at = min(place for place in places if place >= 0)
    frontmatter = document.frontmatter
    if frontmatter.error is not None and at < frontmatter.span.end:
        return  # the header does not parse because of it, which is said elsewhere
    more = sum(text.count(char) for char in _NAMES) - 1
    tail = f", and {more} more control character{'s' if more > 1 else ''} in this file" if more else ""
    yield Problem(document.source, Span(at, at + 1), f"{_NAMES[text[at]]} character (U+{ord(text[at]):04X})" + tail, "Delete it, or write it out as an escape.")
