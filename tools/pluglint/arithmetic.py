"""Stated changes that can be recomputed: "78% → 87% (+12%)", "7/8 (88%)", tables of before, after and improvement."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from pluglint.text import Span

RIGHT, RELATIVE_ONLY, WRONG = "right", "relative-only", "wrong"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_UNIT = r"%|/\d+|[A-Za-zµ×]{1,12}"
_CHANGE_WORDS = r"(?:improve\w*|increas\w*|reduc\w*|decreas\w*|drops?|gains?|fewer|less|more|growth|lift|saving\w*|higher|lower|better)"


class Change(NamedTuple):
    """One stated change: its place, what the numbers give, and whether both fit.

    text      the stated change as written
    pair      the two numbers as written
    computed  what the numbers give, for a message
    """

    verdict: str
    span: Span
    text: str
    pair: str
    computed: str


def changes(text: str, start: int = 0) -> Iterator[Change]:
    """Every stated change in a text, code included: arithmetic holds there too."""
    percent = "%" in text
    for arrow in ("→", "->") if percent else ("→",):  # most files hold neither sign, and "->" is frequent in code
        at = text.find(arrow, start)
        while at >= 0:
            change = _after_arrow(text, at, len(arrow))
            if change is not None:
                yield change
            at = text.find(arrow, at + len(arrow))
    if percent and "|" in text:
        yield from _tables(text, start)


def _after_arrow(text: str, at: int, width: int) -> Change | None:
    after = text[at + width : at + width + 2].lstrip(" *`$")
    before = text[max(0, at - 2) : at].rstrip(" *`")
    if not after[:1].isdigit() or not (before[-1:].isdigit() or before[-1:] == "%" or before[-1:].isalpha() or before[-1:] == "×"):
        return None
    second = re.compile(rf"\s*[*_`]*[$€£]?({_NUMBER})(\+?)[ ]?({_UNIT})?[*_`]*(?:\s[a-z]{{2,20}})?\s*\(([^()\n]{{1,60}})\)").match(text, at + width)
    if second is None or second.group(2):
        return None
    line = text.rfind("\n", max(0, at - 32), at) + 1
    first = re.search(rf"(?:^|[\s*_`(:|$€£])({_NUMBER})[ ]?({_UNIT})?[*_`]*\s*\Z", text[max(line, at - 32) : at])
    if first is None:
        return None
    head = text[max(line, at - 32) : at][: first.start(1)].rstrip()
    if head.endswith(("→", "->", "~", "≈", "<", ">", "≤", "≥", "-", "–", "/", "^", "*", "=")) and not head.endswith("**"):
        return None  # a chain, or no exact number
    stated = re.match(rf"\s*([+\-−–↑↓]?)\s*({_NUMBER})\s*(%|pp\b|pts?\b|(?:percentage )?points?\b|x\b|×|times\b)?(.*)", second.group(4))
    if stated is None:
        return None
    begin = second.start(4) + stated.start(1) if stated.group(1) else second.start(4) + stated.start(2)
    end = second.start(4) + max(stated.end(2), stated.end(3) if stated.group(3) else 0)
    verdict = judge(first.group(1), first.group(2) or "", second.group(1), second.group(3) or "", stated.group(1), stated.group(2), stated.group(3) or "", stated.group(4))
    return _change(verdict, text, begin, end, text[max(line, at - 32) + first.start(1) : at].strip(" *_`"), text[second.start(1) : (second.end(3) if second.group(3) else second.end(1))])


def _change(verdict: tuple[str, str] | None, text: str, begin: int, end: int, before: str, after: str) -> Change | None:
    if verdict is None:
        return None
    return Change(verdict[0], Span(begin, end), text[begin:end], f"{before} → {after}", verdict[1])


def judge(a: str, a_unit: str, b: str, b_unit: str, sign: str, c: str, c_unit: str, rest: str, table: bool = False) -> tuple[str, str] | None:
    """(verdict, what the numbers give) of "a → b (c)", or None where c is no statement about a and b."""
    rest = rest.strip(" !.,;:*")
    percent = c_unit == "%"
    ratio = c_unit in ("x", "×", "times")
    words = re.search(_CHANGE_WORDS, rest, re.I) is not None
    if re.search(r"~|≈|\d|\b(?:about|from|of|per|up to|vs|target|p[ <=])\b", rest) or (rest and not words and not re.match(r"(?:abs\w*|rel\w*|points?|pp|faster|slower|speed-?up)\b", rest, re.I)):
        return None
    if not sign and not words and not ratio or percent and re.search(r"faster|slower|speed", rest, re.I):
        return None
    if a_unit != b_unit and a_unit and b_unit:
        return None
    unit = b_unit or a_unit
    if unit not in ("%", "") and unit[0] != "/" and not unit.isalpha() or ratio and unit == "%":
        return None
    lo_a, hi_a = _interval(a, unit)
    lo_b, hi_b = _interval(b, unit)
    x, y, z = _value(a), _value(b), _value(c)
    if lo_a <= 0 or y <= 0 and ratio or unit in ("K", "M", "B", "k"):
        return None
    step = 10.0 ** -_decimals(c)
    if ratio:
        low, high = (lo_b / hi_a, hi_b / lo_a) if y >= x else (lo_a / hi_b if hi_b else 0, hi_a / lo_b if lo_b > 0 else 1e9)
        fits = any(low - step < value < high + step for value in (z, z + 1))
        return (RIGHT if fits else WRONG), f"{max(x, y) / min(x, y):.3g}x"
    if sign in ("-", "−", "–", "↓"):
        z = -z
    signed = bool(sign)
    difference, relative = y - x, (y - x) / x * 100
    absolute = _within(z, lo_b - hi_a, hi_b - lo_a, step / 2 + 1e-9, signed)
    relatively = _within(z, (lo_b - hi_a) / hi_a * 100, (hi_b - lo_a) / lo_a * 100, step, signed)
    if not signed and y > 0:  # "60% improvement" is also said of the ratio, and of the change seen from the end
        relatively = relatively or _within(z, (lo_b - hi_a) / hi_b * 100, (hi_b - lo_a) / max(lo_b, 1e-9) * 100, step, False) or abs(y / x * 100 - z) <= step
    points = re.match(r"p", c_unit) is not None or re.match(r"(?:abs|points?|pp)", rest, re.I) is not None
    shown = f"{difference:+.4g} points or {relative:+.1f} %" if unit == "%" else f"{relative:+.1f} %" if percent else f"{difference:+.4g}"
    if points:
        return (RIGHT if absolute else WRONG), f"{difference:+.4g} points"
    if percent and unit == "%":
        if abs(abs(z) - abs(difference)) < 1e-6 and absolute or relatively and (re.match(r"rel", rest, re.I) or y == 0 or words and not signed and not table):
            return RIGHT, shown
        return (RELATIVE_ONLY if relatively else RIGHT if absolute else WRONG), shown
    if percent:
        return (RIGHT if relatively else WRONG), shown
    if unit and unit[0] == "/" or not rest or words:
        return (RIGHT if absolute or relatively and unit == "%" else WRONG), shown
    return None


def _within(value: float, low: float, high: float, slack: float, signed: bool) -> bool:
    if low - slack <= value <= high + slack:
        return True
    return not signed and low - slack <= -value <= high + slack


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _interval(text: str, unit: str) -> tuple[float, float]:
    """What a number may have been before it was rounded; a plain count is what it says."""
    value = _value(text)
    exact = "." not in text and (not unit or unit.isalpha() and len(unit) > 2)
    half = 0.0 if exact else 0.5 * 10.0 ** -_decimals(text)
    return value - half, value + half


_BEFORE = frozenset("baseline before old previous original v1 start".split())
_AFTER = frozenset("target after new now improved optimized optimised result".split())
_DELTA = frozenset("improvement change delta δ gain difference increase reduction".split())


def _tables(text: str, start: int) -> Iterator[Change]:
    """Tables with one column each for before, after and the change, also where a broken fence hides the table."""
    for match in re.compile(r"\n(\|[^\n]*)(?=\n\|[ :-])").finditer(text, start):
        if any(word in match.group(1).lower() for word in _DELTA):
            yield from _table(text, *match.span(1))


def _table(text: str, line: int, end: int) -> Iterator[Change]:
    header = [text[span[0] : span[1]].strip("*_` ").lower() for span in _cells(text, line, end)]
    columns = []
    for words in (_BEFORE, _AFTER, _DELTA):
        match = [at for at, cell in enumerate(header) if cell in words]
        if len(match) != 1:
            return
        columns.append(match[0])
    at = text.find("\n", end + 1)
    while at >= 0 and text[at + 1 : at + 2] == "|":
        stop = text.find("\n", at + 1)
        stop = len(text) if stop < 0 else stop
        cells = _cells(text, at + 1, stop)
        at = stop if stop < len(text) else -1
        if len(cells) <= max(columns):
            continue
        first, second, third = (text[cells[column][0] : cells[column][1]].strip("*_` ") for column in columns)
        one = re.fullmatch(rf"[$€£]?({_NUMBER})[ ]?({_UNIT})?", first)
        two = re.fullmatch(rf"[$€£]?({_NUMBER})[ ]?({_UNIT})?", second)
        stated = re.fullmatch(rf"([+\-−–↑↓]?)\s*({_NUMBER})\s*(%|pp|pts?|(?:percentage )?points?|x|×|times)?(.*)", third)
        if one is None or two is None or stated is None:
            continue
        rest = stated.group(4) or ("" if stated.group(1) else " improvement")
        verdict = judge(one.group(1), one.group(2) or "", two.group(1), two.group(2) or "", stated.group(1), stated.group(2), stated.group(3) or "", rest, True)
        begin = text.index(third, cells[columns[2]][0])
        change = _change(verdict, text, begin, begin + len(third), first, second)
        if change is not None:
            yield change


def _cells(text: str, start: int, end: int) -> list[tuple[int, int]]:
    cells = []
    at = start + 1
    for part in text[start:end].strip().strip("|").split("|"):
        cells.append((at, at + len(part)))
        at += len(part) + 1
    return cells


class Share(NamedTuple):
    """ "7/8 (88%)": a share and the percentage stated for it."""

    span: Span
    text: str
    pair: str
    computed: float


def wrong_shares(text: str, start: int = 0) -> Iterator[Share]:
    """Shares whose percentage is off by a whole unit of its last digit, so that neither rounding nor cutting gives it."""
    at = text.find("%", start)
    while at >= 0:
        if text[at - 1 : at].isdigit():
            line = max(text.rfind("\n", max(0, at - 48), at) + 1, at - 48, 0)
            piece = text[line:at]
            if "/" in piece or " of " in piece:
                match = re.search(
                    r"(?:^|[\s(*_`:|=≥])(\d{1,7}) ?(/|of|out of) ?(\d{1,7})(?: [a-z][\w-]*){0,2} ?[*_`]{0,2} ?(\(|=) ?(\d+(?:\.\d+)?)\Z", piece
                )
                if match is not None and not re.match(r"\)?[^.\n]{0,40}\b(?:skipped|excluded|not applicable)\b", text[at + 1 : at + 80]) and text[at + 1 : at + 2] in (")", "", "\n", " ", ",", ".", ";", "*") and (match.group(4) == "=" or text[at + 1 : at + 2] == ")"):
                    part, whole, stated = int(match.group(1)), int(match.group(3)), match.group(5)
                    if whole and part <= whole and abs(100 * part / whole - float(stated)) >= 10.0 ** -_decimals(stated):
                        yield Share(Span(line + match.start(5), at + 1), stated + "%", f"{part} {match.group(2)} {whole}" if match.group(2) != "/" else f"{part}/{whole}", 100 * part / whole)
        at = text.find("%", at + 1)
