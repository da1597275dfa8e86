r"""Finds the numbers in prose that somebody could doubt.

The rule: a number is a claim when it **has a unit** (a percent sign, time, bytes, characters, tokens, parameters,
FLOPs, rates, dB, W, the suffixes of 86M or 7B, million, ...), **multiplies** (3x, tenfold, ten times as many, twice
the, half of, a factor of 4, doubles, orders of magnitude), or **stands in a comparison**: behind at most, at least, up
to, more than, above, below, about, near, within, a threshold of, from ... to, between ... and, or a sign such as < >=
~ ±; before "or more"; or as the result of a verb such as reaches, falls to, drops by. A decimal number that fills a
table cell counts, and so does every number in a column whose head names a unit. Where the sentence is an instruction,
the threshold in it is a claim all the same. Everything else is none: counts of things ("6 skills", "train for 300
steps"), dates, versions, names (ResNet-50, FP16), numbers of sections, lists and exit statuses. So is a zero in a
comparison, and a zero or one behind an order sign in a formula (`$n \ge 1$`), where it says what is allowed; and "one"
and "two" in words ("more than one", "at least two causes"), where they are grammar. Not looked at: code blocks, inline
code, comments, parts that a command writes, link targets, HTML tags, and the front matter except the description.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from documents import line_of, read, written
from pluglint.parse.markdown import Markdown

HIDDEN = "\ufffc"  # in the place of code and targets: neither a word nor a blank, so that no pattern runs across it


class Quantity(NamedTuple):
    """A number that needs a row. `start` and `end` are offsets of the number (of the words, where there is none)."""

    start: int
    end: int
    line: int
    text: str
    kind: str  # unit, percent, multiplier, comparison, result or table


# -- what a number looks like

_PLAIN = r"(?:\d{1,3}(?:[,\u2009\u202f]\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_POWER = r"(?:\^\{?[-−]?\d+\}?|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
_VALUE = (
    rf"(?:(?:{_PLAIN})(?:[eE][-−+]?\d+|{_POWER}|[ ]?(?:×|·|\\times|\\cdot)[ ]?10{_POWER})?(?:/\d+)?"
    r"|\\[td]?frac[ ]?(?:\{\d+\}|\d)[ ]?(?:\{\d+\}|\d))(?!\.?\d)"
)
_SIGN = r"(?:(?<![\w)])[-−+])?"
# not the 50 of ResNet-50, the 16 of FP16, the 13 of 2.13.0 or the 10 of ln(10)
DIGITS = rf"(?<![\w.{HIDDEN}])(?<![A-Za-z{HIDDEN}][-/])(?<![\w{HIDDEN}]\(){_SIGN}{_VALUE}(?:[ ]?[-–—][ ]?{_VALUE})?"
_SMALL = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen"
_LARGE = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|(?:a[ ])?hundred|(?:a[ ])?thousand"
_ANY_WORD = rf"(?:{_SMALL}|{_LARGE})"
WORDS = rf"\b{_ANY_WORD}\b"
_GAP = r"[^\S\n]*(?:\n(?!\s*\n))?[^\S\n]*"  # blanks, and the end of a line but not of a paragraph
_B = rf"(?:{_GAP}(?<=\s))"  # the same, at least one

# -- units

_PERCENT = rf"(?:\\?%|‰|per{_GAP}cent\b|percentage{_B}points?\b)"
_TIME = r"(?:(?:nano|micro|milli)?seconds?(?!-)|minutes?|hours?|days?|weeks?|months?|years?)\b"
_SYMBOL = (
    r"(?:ns|[µμ]s|us|ms|sec|min|[KMGTP]i?B|kB|[kKMGTPE]?FLOPs?|FLOPS|[kKMGT]?MACs?|dB|[kmM]W|k?Wh|[kMG]?Hz)"
    r"\b(?!-)(?:/s)?"
)
_COUNTED = r"(?:(?:kilo|mega|giga)?bytes?|bits|characters?|tokens?|parameters?|params?)\b"
_RATE = rf"(?:\w+/s\b|\w+{_B}(?:per|a|each|every){_B}(?:second|minute|hour|day)\b)"
_LARGER = r"(?:thousand|million|billion|trillion|orders?\s+of\s+magnitude)\b"
_LETTER = r"(?:[shWJ]\b(?![-/'’]))"
_SUFFIX = r"[kKMBT](?![\w-]*\w|/)|[kKMBT](?=-(?:parameter|token))"
_MAGNITUDE = rf"[kKMBT]{_B}(?:parameters|params|weights|tokens|FLOPs|MACs|images|samples)\b"
_LONG = rf"(?:{_TIME}|{_SYMBOL}|{_COUNTED}|{_LARGER})"
_UNIT = rf"(?:(?:{_GAP}|-){_LONG}|{_B}(?:{_RATE}|{_LETTER}|{_MAGNITUDE})|(?:{_SUFFIX}))"
_COLUMN_UNIT = re.compile(rf"%|\bper ?cent\b|(?:[(\[,]|\bin)\s*(?:{_LONG}|[shWJ]\b|\w+/s\b)")

# -- multipliers

_GRADED = (
    "faster|slower|larger|smaller|bigger|higher|lower|longer|shorter|cheaper|greater|deeper|wider|heavier|better|worse"
    "|stronger|weaker"
)
_MORE = rf"(?:as|the|that|this|its|their|those|more|less|fewer|{_GRADED})\b"
_PART = r"(?:(?:a|one|two)[ -](?:third|fifth|sixth|eighth|tenth|hundredth|thousandth)s?|(?:a|one|three)[ -]quarters?)"

# -- comparisons

_FIXED = (
    rf"at{_B}(?:most|least)|no{_B}(?:more|less|fewer){_B}than|(?:more|less|fewer|(?!rather|other)\w+er){_B}than"
    rf"|up{_B}to|above|below|beyond|exceed(?:s|ed|ing)?"
    rf"|around|about|roughly|approximately|nearly|almost|close{_B}to|near|within"
    rf"|(?:maximum|minimum|limit|limited|threshold|tolerance|budget|cap|capped){_B}(?:of|to|at|is)"
)
_ORDER = (
    r"(?:<=|>=|(?<![-=<])[<>](?![-<>])|[≤≥≪≫≲≳]"
    r"|\\(?:leq?|geq?|lt|gt|ll|gg|leqslant|geqslant|lesssim|gtrsim)(?![A-Za-z]))"
)
_NEARLY = r"(?:[≈≃∼±]|(?<!~)~(?!~)|\+/-|\\(?:approx|sim|simeq|pm)(?![A-Za-z]))"
_FILL = (
    rf"(?:{_GAP}(?:about|around|roughly|approximately|only|a|an|some|the|[$({{\[]|\\sqrt|\\left"
    rf"|factor{_B}of|factor)(?![a-z]))*{_GAP}"
)
_RESULT = (
    "reach(?:es|ed|ing)?|achieves?d?|attain(?:s|ed)?|scores?d?|falls?|fell|fallen|drop(?:s|ped)?|rises?|rose|risen"
    "|grows?|grew|grown|shrinks?|shrank|climb(?:s|ed)?|increase[sd]|decrease[sd]|improve[sd]|end(?:s|ed)|converge[sd]"
    "|stay(?:s|ed)"
)
_EVENTS = "steps|epochs|iterations|updates|batches|samples|images|examples|layers|runs|seeds|classes"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.I)


# a bound is no name (1-WL) and no coefficient (2/λ, 2(1 + β))
_BOUND = rf"(?P<n>{DIGITS})(?!-[A-Za-z]|[ ]?/[ ]?[^\d\s]|\()"
_N, _W = rf"(?P<n>{DIGITS})", rf"(?P<n>{WORDS})"
_THREE_UP = rf"(?P<n>(?!two\b){WORDS})"

# symbols of units are case-sensitive (MB is not mb, 3 D no 3 d), words are not
_UNITS = [
    ("percent", _pattern(rf"{_N}(?:{_GAP}|-){_PERCENT}")),
    ("percent", _pattern(rf"(?P<n>{WORDS}|\bone){_B}{_PERCENT}")),
    ("unit", re.compile(rf"{_N}{_UNIT}")),
    ("unit", _pattern(rf"{_N}{_GAP}(?:{_TIME}|{_COUNTED}|{_LARGER})")),
    ("unit", _pattern(rf"{_W}(?:{_B}|-)(?:{_TIME}|{_LARGER})")),
]
_ANYWHERE = [
    ("multiplier", _pattern(rf"{_N}[x×](?!\w)(?!{_GAP}\d)")),
    ("multiplier", _pattern(rf"(?P<n>{DIGITS}|\b(?:{_SMALL}|hundred|thousand))[ -]?fold\b(?!{_B}cross)")),
    ("multiplier", _pattern(rf"(?:{_N}|\b{_ANY_WORD}){_B}times{_B}{_MORE}")),
    ("multiplier", _pattern(rf"\b(?:twice|thrice){_B}{_MORE}")),
    ("multiplier", _pattern(rf"(?<!first )(?<!second )(?<!other )(?<!latter )\bhalf{_B}(?:of|as|the|its|that|an?)\b")),
    ("multiplier", _pattern(rf"\b{_PART}{_B}(?:of|as|the|its|that)\b")),
    ("multiplier", _pattern(rf"\b(?:(?:doubl|tripl|halv)es|(?:is|are|was|were|been){_B}(?:doubl|tripl|halv)ed)\b")),
    ("multiplier", _pattern(rf"\bdouble{_B}(?:the|its|that)\b")),
    ("multiplier", _pattern(rf"\bfactors?{_B}(?:of{_B})?(?:(?:about|around|roughly){_B})?\$?(?:{_N}|{_ANY_WORD}\b)")),
    ("comparison", _pattern(rf"\b(?:{_FIXED})(?<=\w)\b{_FILL}{_BOUND}")),
    ("comparison", _pattern(rf"\b(?:{_FIXED}){_FILL}{_THREE_UP}")),
    ("comparison", _pattern(rf"\bfrom{_FILL}{_BOUND}\$?{_B}(?:up{_B}|down{_B})?to{_FILL}(?P<m>{DIGITS})")),
    ("comparison", _pattern(rf"\bbetween{_FILL}{_BOUND}\$?{_B}and{_FILL}(?P<m>{DIGITS})")),
    ("comparison", _pattern(rf"{_BOUND}\$?{_B}or{_B}(?:more|less|fewer|above|below|{_GRADED})\b")),
    ("comparison", _pattern(rf"{_BOUND}\+(?![\w+])")),
    ("order", _pattern(rf"{_ORDER}{_FILL}{_BOUND}")),
    ("order", _pattern(rf"{_BOUND}\$?{_GAP}{_ORDER}")),
    ("comparison", _pattern(rf"{_NEARLY}{_FILL}{_BOUND}")),
    ("result", _pattern(rf"\b(?:{_RESULT})(?:{_B}(?:to|by|at|from|of|near))?{_FILL}(?<=[\s$]){_BOUND}")),
    ("result", _pattern(rf"\b(?:after|takes?|took|needs?|needed){_B}{_BOUND}{_B}(?:{_EVENTS})\b")),
    ("result", _pattern(rf"\bby{_B}(?P<n>{DIGITS}|{WORDS}){_B}points\b")),
]
_PERCENT_SIGN = re.compile("%")
_MATH = re.compile(
    r"\$\$.+?\$\$|(?<![\\\w$])\$(?=[^\s$])[^$\n]*(?:\n(?!\s*\n)[^$\n]*){0,2}(?<=[^\s$\\])\$(?!\w)", re.S
)
_CELL = re.compile(rf"(?:{_N})(?:\s*(?:±|\+/-)\s*{_VALUE})?")
_VERSION_OF = re.compile(
    r"\b(?:Python|Node(?:\.js)?|PyTorch|torch|JAX|CUDA|ONNX|opset|NumPy|Keras|Flax|versions?)[^\S\n]*$", re.I
)


def _value(number: str) -> float | None:
    try:
        return float(number.replace(",", "").replace("−", "-"))
    except ValueError:
        return None


# -- finding


def find(prose: str, math: list[tuple[int, int]] | None = None) -> list[Quantity]:
    """The numbers of a text that need a row, in order; `kind` tells why.

    Args:
        prose: the text; what must not be looked at is blanked out, see `prose`.
        math: where its formulas are, as offsets; None to look for them. No units are looked for in formulas.
    """
    if math is None:
        math = [match.span() for match in _MATH.finditer(prose)]

    def in_math(at: int) -> bool:
        return any(start <= at < end for start, end in math)

    found: list[Quantity] = []

    def add(start: int, end: int, text: str, kind: str) -> None:
        if not any(one.start < end and start < one.end for one in found):
            found.append(Quantity(start, end, line_of(prose, start), " ".join(text.split()), kind))

    for kind, pattern in [*_UNITS, *_ANYWHERE]:
        at = 0
        while match := pattern.search(prose, at):
            groups = [name for name in ("n", "m") if name in pattern.groupindex and match.group(name)]
            # the number that ends one match may begin the next: 0.1 < x < 0.9
            at = match.start("n") + 1 if groups else match.end()
            at = max(at, match.start() + 1)
            product = kind == "multiplier" and match.group()[-1] in "x×"
            if (kind == "unit" or product) and in_math(match.start()):  # there, letters are variables
                continue
            if not groups:
                add(match.start(), match.end(), match.group(), kind)
            values = [_value(match.group(name)) for name in groups]
            if values == [0, 1]:  # "between 0 and 1" says what a probability is
                continue
            for name, value in zip(groups, values):
                if kind in ("comparison", "order", "result"):
                    if value == 0 or (kind == "order" and value == 1 and in_math(match.start(name))):
                        continue
                    if _VERSION_OF.search(prose, 0, match.start()) and kind == "order":
                        continue
                add(match.start(name), match.end(name), match.group(), "comparison" if kind == "order" else kind)
    for match in _PERCENT_SIGN.finditer(prose):
        gaps = (prose[one.end : match.start()] for one in found if one.end <= match.start())
        if all(gap.strip(" \n\\-") for gap in gaps):
            add(match.start(), match.end(), match.group(), "percent")
    return sorted(found)


def find_in(path: Path) -> list[Quantity]:
    """The numbers of a document that need a row: Markdown, or JSON whose descriptions are looked at."""
    if path.suffix == ".json":
        return find(_descriptions(path.read_text(encoding="utf-8")))
    markdown = read(path)
    text, math = prose(markdown)
    # a percent sign without a number in the head of a column is the unit of the numbers below
    heads = [table.header for table in markdown.tables]
    found = [
        one
        for one in find(text, math)
        if one.text != "%" or not any(head.start <= one.start < head.end for head in heads)
    ]
    for start, end, number in _cells(markdown, text):
        if not any(one.start < end and start < one.end for one in found):
            found.append(Quantity(start, end, line_of(text, start), number, "table"))
    return sorted(found)


def prose(markdown: Markdown) -> tuple[str, list[tuple[int, int]]]:
    """(text, formulas): the document with all blanked out that is not looked at; offsets stay as they are."""
    text = markdown.text
    chars = list(markdown.prose)
    for match in re.finditer(r"^description:.*(?:\n[ \t]+.*)*", text[: markdown.start], re.M):
        chars[match.start() : match.end()] = text[match.start() : match.end()]
    hidden = [*markdown.code_spans, *(link.target_span for link in markdown.links)]
    patterns = r"https?://[^\s)>\]]+|</?[A-Za-z][\w-]*(?:\s+[\w-]+=[^>\n]*)?/?>"
    hidden += [match.span() for match in re.finditer(patterns, "".join(chars))]
    hidden += [(part.start, part.end) for part in written(markdown)[0]]
    for start, end in hidden:
        chars[start:end] = (char if char == "\n" else HIDDEN for char in chars[start:end])
    seen = "".join(chars)
    math = [match.span() for match in _MATH.finditer(seen)]
    for match in re.finditer(r"^[ \t]*(?:>[ \t]*)+|\*+|(?<!\w)_+|_+(?!\w)", seen, re.M):
        if not any(start <= match.start() < end for start, end in math):
            chars[match.start() : match.end()] = " " * (match.end() - match.start())
    return "".join(chars), math


def _cells(markdown: Markdown, text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, text) of the numbers in tables whose unit is in the head of the column, or that fill a cell."""
    for table in markdown.tables:
        units = [_COLUMN_UNIT.search(text[cell.start : cell.end]) is not None for cell in markdown.cells(table.header)]
        for row in markdown.rows(table):
            for index, cell in enumerate(row):
                content = text[cell.start : cell.end]
                if index < len(units) and units[index]:
                    for one in re.finditer(DIGITS, content):
                        yield cell.start + one.start(), cell.start + one.end(), one.group()
                    continue
                alone = _CELL.fullmatch(content.strip())
                if alone and re.search(r"[.,]\d|[eE^]", alone.group("n")):
                    begin = cell.start + len(content) - len(content.lstrip())
                    yield begin, begin + len(alone.group("n")), alone.group()


def _descriptions(text: str) -> str:
    """A JSON text with all but its descriptions blanked out."""
    chars = [char if char == "\n" else HIDDEN for char in text]
    for match in re.finditer(r'"description"\s*:\s*"((?:[^"\\]|\\.)*)"', text):
        chars[match.start(1) - 1 : match.end(1)] = " " + match.group(1)
    return "".join(chars)
