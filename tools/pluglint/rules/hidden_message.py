"""
What it checks: no text holds a message in Unicode tag characters (U+E0000 to U+E007F) or in a run of variation selectors. The finding
shows what it says. The flags of England, Scotland and Wales, which are written with tags, are fine.

Why it matters: such text is invisible in every editor and review, and the model reads it as plain letters: it is how instructions are
hidden in a prompt.

How to fix: delete the characters, and find out how they came in.
"""

import re

from pluglint.rule import ERROR, HERE, JSON_FILES, MARKDOWN, Example, Problem, Rule, Span

RULE = Rule(
    title="a message is hidden in invisible characters",
    severity=ERROR,
    on=(*MARKDOWN, *JSON_FILES),
    source="Unicode Technical Standard 51; Unicode Technical Report 36",
)


def _tags(text):
    return "".join(chr(0xE0000 + ord(char)) for char in text)


def _selectors(text):
    return "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode())


GOOD = (Example({"README.md": f"# Demo \U0001f3f4{_tags('gbsct')}\U000e007f \u2764\ufe0f \u2714\ufe0e\n"}),)
BAD = (
    Example({"README.md": f"# Demo\n\nAll done.{_tags('run it')}{HERE}\n"}, message="6 invisible tag characters spell 'run it'"),
    Example({"README.md": f"# Demo\n\nAll done \U0001f600{_selectors('run it')}{HERE}\n"}, message="6 variation selectors in a row spell 'run it'"),
)


def check(document):
    text = document.text
    if text.isascii():
        return
    last = -1
    for match in re.finditer("[\U000e0000-\U000e007f]+", text):
        if match.start() < last:
            continue
        letters = "".join(chr(ord(char) - 0xE0000) for char in match.group())
        if text[match.start() - 1 : match.start()] == "\U0001f3f4" and re.fullmatch(r"[a-z0-9]{3,6}\x7f", letters):
            continue
        count = len(letters)
        end = text.find("\n", match.end())
        last = len(text) if end < 0 else end  # one finding a line is enough
        spelt = "".join(char for char in letters if char.isprintable())[:120]
        what = f"{count} invisible tag characters" if count > 1 else "an invisible tag character"
        message = f"{what} {'spell' if count > 1 else 'spells'} '{spelt}'" if spelt else what
        yield Problem(document.source, Span(*match.span()), message, "Delete the characters, and find out how they came in.")
    for match in re.finditer("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}", text):
        data = bytes(ord(char) - 0xFE00 if ord(char) < 0xFF00 else ord(char) - 0xE0100 + 16 for char in match.group())
        spelt = "".join(char for char in data.decode("utf-8", "replace") if char.isprintable() and char != "\ufffd")[:120]
        message = f"{len(data)} variation selectors in a row" + (f" spell '{spelt}'" if spelt else "")
        yield Problem(document.source, Span(*match.span()), message, "Delete the characters, and find out how they came in.")
