"""
What it checks: a multiple ("3x more use cases", "three times as many") that introduces a list of "before → after"
lines. Where it is stated of all of them, every line must reach it, rounded; elsewhere the sum or the mean must.

Why it matters: the list below disproves the headline, and a reader who checks one line stops to believe the rest.

How to fix: state the multiple that all lines reach, or say "on average".
"""

import re

from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Location, Problem, Rule, Span
from pluglint.words import NUMBER_WORDS

RULE = Rule(
    title="a multiple is higher than the numbers below it give",
    severity=WARNING,
    on=MARKDOWN,
    source="arithmetic",
    needles=("→",),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n\n"

GOOD = (
    Example(_HEADER + "Each skill has **3x more** cases:\n\n- a: 5 → 18 cases\n- b: 6 → 15 cases\n"),
    Example(_HEADER + "On average 3x more cases:\n\n- a: 10 → 20\n- b: 5 → 21\n\n2x more is enough.\n"),
)
BAD = (
    Example(_HEADER + f"All 2 skills have **3x more** cases:{HERE}\n- a: 10 → 20 cases\n- b: 5 → 18 cases\n", message="says 3x more of all, but 10 → 20 is 2x"),
    Example(_HEADER + f"There are four times as many cases:{HERE}\n\n- a: 10 → 20\n- b: 5 → 12\n", message="says four times as many, but 15 → 32 is 2.13x"),
)


def check(document):
    text = document.text
    for mark in ("x more", "× more", " times more", " times as many"):
        at = text.find(mark, document.frontmatter.body)
        while at >= 0:
            line = max(text.rfind("\n", max(0, at - 300), at) + 1, at - 300, 0)
            match = re.search(r"(?:^|[\s*_(])(\d+(?:\.\d+)?|[a-z]+)\Z", text[line:at])
            value = (NUMBER_WORDS.get(match.group(1)) or (float(match.group(1)) if match.group(1)[0].isdigit() else None)) if match is not None else None
            if value:
                yield from _judge(document, Span(line + match.start(1), at + len(mark)), value, line)
            at = text.find(mark, at + 1)


def _judge(document, span, value, line):
    text = document.text
    end = text.find("\n", span.end, span.end + 300)
    intro = text[line:end] if end >= 0 else ""
    pairs = _pairs(text, end) if intro.rstrip(" *_").endswith(":") else []
    pairs = [pair for pair in pairs if pair[0] > 0]
    if len(pairs) < 2:
        return
    limit = value - 0.5
    said = document.source.slice(span)
    if re.search(r"(?i)\b(?:all|each|every)\b", intro) and not re.search(r"(?i)\b(?:average|mean|overall|total)\b", intro):
        low = [pair for pair in pairs if pair[1] / pair[0] < limit]
        if low:
            a, b, _ = low[0]
            related = tuple(Location(document.source, pair[2], f"{pair[1] / pair[0]:.3g}x") for pair in low)
            yield Problem(document.source, span, f"says {said} of all, but {a:g} → {b:g} is {b / a:.3g}x", "State the multiple that all lines reach, or say \"on average\".", related)
        return
    first, second = sum(a for a, _, _ in pairs), sum(b for _, b, _ in pairs)
    if max(second / first, sum(b / a for a, b, _ in pairs) / len(pairs)) < limit:
        yield Problem(document.source, span, f"says {said}, but {first:g} → {second:g} is {second / first:.3g}x", "State the multiple that the lines give.")


def _pairs(text, at):
    """(before, after, place) of the list items that follow, as far as each has an arrow between two numbers."""
    found = []
    blank = 0
    while 0 <= at < len(text) and len(found) < 200:
        stop = text.find("\n", at + 1)
        stop = len(text) if stop < 0 else stop
        line = text[at + 1 : stop]
        match = re.match(r"\s*[-*+] .*?(?<![\w.])(\d+(?:\.\d+)?) ?→ ?(\d+(?:\.\d+)?)(?![\w.]*[%\d])", line[:200])
        if match is not None:
            found.append((float(match.group(1)), float(match.group(2)), Span(at + 1 + match.start(1), at + 1 + match.end(2))))
        elif line.strip() or found or blank:
            break
        else:
            blank += 1
        at = stop if stop < len(text) else -1
    return found
