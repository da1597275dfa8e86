"""
What it checks: texts hold no characters that nobody sees: zero-width spaces and joiners, soft hyphens, word joiners, byte order marks
inside the text, invisible fillers, direction marks in a line without right-to-left letters; nor the same as escapes in JSON or YAML.
Joiners inside emoji and in scripts that need them are fine.

Why it matters: the model reads them. A name with one is another name, a search for the word fails, an edit by exact text does not
match, and they are used to smuggle text past a reviewer.

How to fix: delete them; to speak of one, write `U+200B`.
"""

import re
import unicodedata

from pluglint.rule import HERE, JSON_FILES, MARKDOWN, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a text holds invisible characters",
    severity=WARNING,
    on=(*MARKDOWN, *JSON_FILES),
    source="Unicode Technical Standard 39; checks of the community marketplace, 2026-10",
    options={"limit": 10},
)

_FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
_PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

GOOD = (
    Example({"README.md": f"# Demo {_FAMILY} \u2764\ufe0f 1\ufe0f\u20e3\n\n{_PERSIAN} caf\u00e9 \u2026\n"}),
    Example({"README.md": "\ufeff# Demo\n\nWrite `U+200B`.\n"}),
    Example({"README.md": "# Demo\n\n\u05e9\u05dc\u05d5\u05dd\u200f!\n"}),
)
GOOD += (
    Example({"README.md": "# Demo\n\n```markdown\n\u200b```python\nx\n\u200b```\n```\n\nIt splits a word (ig\u200bnore) with a zero-width space.\n"}),
)
BAD = (
    Example({"README.md": f"# Demo\n\nCheck the in\u200bstal\u200dlation.{HERE}\n"}, message="2 invisible characters in this line, the first is U+200B ZERO WIDTH SPACE"),
    Example({"README.md": f"# De\u00admo{HERE}\n"}, message="the invisible character U+00AD SOFT HYPHEN"),
    Example({".mcp.json": f'{{"mcpServers": {{"a\\u200b": {{"command": "run"}}}}}}{HERE}\n'}, message="the invisible character U+200B ZERO WIDTH SPACE, written as an escape"),
)

_HIDDEN = "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]"


def check(document, options):
    text = document.text
    header = getattr(document, "frontmatter", None)
    if text.find("\\u", 0, len(text) if header is None else header.body) >= 0:
        yield from _escaped(document)
    if text.isascii() or "\0" in text[:12]:  # UTF-16 is another rule's
        return
    lines = {}
    for match in re.finditer(_HIDDEN, text):
        at = match.start()
        if not _belongs(text, at) and not _meant(text, at):
            lines.setdefault(text.rfind("\n", max(0, at - 20000), at) + 1, []).append(at)
    for number, places in enumerate(lines.values(), 1):
        first, last = places[0], places[-1]
        name = _name(text[first])
        message = f"the invisible character {name}" if len(places) == 1 else f"{len(places)} invisible characters in this line, the first is {name}"
        if number == options["limit"] < len(lines):
            yield Problem(document.source, Span(first, last + 1), f"{message}; {len(lines) - number} more lines are like this", "Delete them.")
            return
        yield Problem(document.source, Span(first, last + 1), message, "Delete it." if len(places) == 1 else "Delete them.")


def _escaped(document):
    """Invisible characters that an escape of JSON or YAML stands for."""
    root = getattr(document, "node", None) or getattr(document, "header", None)
    if root is None:
        return
    for node in root.walk():
        if node.kind == "string" and not node.text.isascii() and "\\u" in document.text[node.span.start : node.span.end]:
            raw = document.text[node.span.start : node.span.end]
            match = next((found for found in re.finditer(_HIDDEN, node.text) if found.group() not in raw and not _belongs(node.text, found.start())), None)
            if match is not None:
                yield Problem(document.source, node.span, f"the invisible character {_name(match.group())}, written as an escape", "Delete it.")


def _name(char):
    return f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()


def _belongs(text, at):
    """Whether a character has its place here: in an emoji, or in a script that needs it."""
    char = text[at]
    before = text[at - 1] if at else ""
    after = text[at + 1 : at + 2]
    if char in "\u200c\u200d\u034f\u180e\u00ad" and before and _complex(before):
        return True
    if char == "\u200d" and before and after:
        return (unicodedata.category(before) in ("So", "Sk", "Mn") or before == "\ufe0f") and unicodedata.category(after) == "So"
    if char in "\u200e\u200f\u061c":
        start = max(text.rfind("\n", 0, at) + 1, at - 500)
        end = text.find("\n", at)
        line = text[start : min(len(text) if end < 0 else end, at + 500)]
        return any(unicodedata.bidirectional(one) in ("R", "AL") for one in line if one > "\u0590" and one != char)
    if char == "\u200b":  # separates words in scripts that write no blanks
        return any("\u0e00" <= one <= "\u0eff" or "\u1000" <= one <= "\u109f" or "\u1780" <= one <= "\u17ff" for one in (before, after) if one)
    if char in "\u115f\u1160":
        return "\u1100" <= after <= "\u11ff" or "\u1100" <= before <= "\u11ff"
    return False


def _meant(text, at):
    """Whether a zero-width space keeps a fence inside a block from closing it, or the line says what it shows."""
    if text[at] == "\u200b" and text.startswith(("```", "~~~"), at + 1):
        return True
    end = text.find("\n", at)
    line = text[max(text.rfind("\n", 0, at) + 1, at - 300) : min(len(text) if end < 0 else end, at + 300)].lower()
    return "zero-width" in line or "zero width" in line


def _complex(char):
    """A letter of a script that joins or stacks: Arabic, Syriac, the Indic ones, Khmer, Mongolian."""
    return "\u0600" <= char <= "\u1cff" or "\ua8e0" <= char <= "\ua9ff" or "\ufb50" <= char <= "\ufdff" or "\ufe70" <= char <= "\ufefc"
