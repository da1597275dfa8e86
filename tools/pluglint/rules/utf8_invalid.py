"""
What it checks: files are valid UTF-8. The finding points at the first byte that is not.

Why it matters: the client replaces what it cannot decode, so the model is shown a replacement mark where the author wrote
a letter; a stricter reader refuses the whole file.

How to fix: open the file in the encoding that it was written in (often Windows-1252) and save it as UTF-8.
"""

from pluglint.rule import HERE, JSON_FILES, MARKDOWN, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a file is not valid UTF-8",
    severity=WARNING,
    on=(*MARKDOWN, *JSON_FILES),
    source="client 2.1.330, observed 2026-11-22",
)

_AGENT = "---\nname: example\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read caf\N{LATIN SMALL LETTER E WITH ACUTE} logs.\n"

GOOD = (Example(_AGENT),)
BAD = (
    Example(_AGENT.replace("\N{LATIN SMALL LETTER E WITH ACUTE} logs.", f"\udce9 logs.{HERE}"), message="this byte is not valid UTF-8"),
    Example({"README.md": f"# Demo\n\nA caf\udcc3 and a caf\udcc3.{HERE}\n"}, message="this byte is not valid UTF-8, and 1 more in this file"),
)


def check(document):
    at = document.source.bad_utf8
    if at is None or document.text[:2] == "\ufffd\ufffd" and "\0" in document.text[:12]:  # UTF-16 is another rule's
        return
    more = document.text.count("\ufffd", at + 1)
    tail = f", and {more} more in this file" if more else ""
    yield Problem(document.source, Span(at, at + 1), "this byte is not valid UTF-8" + tail, "Save the file as UTF-8.")
