"""What stands inside lines: code spans, links, images, reference definitions, HTML attributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from pluglint.text import Span

if TYPE_CHECKING:
    from pluglint.parse.markdown import Markdown

_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n")


class Link(NamedTuple):
    """An inline link, image, reference definition or HTML attribute. `target` is as written, without title and angle brackets."""

    text: str
    target: str
    span: Span
    target_span: Span
    image: bool


def find_code_spans(prose: str, start: int) -> Iterator[Span]:
    at = prose.find("`", start)
    size = len(prose)
    missing: set[int] = set()  # run lengths with no partner before the next blank line: keeps this linear
    limit = 0
    while 0 <= at < size:
        stop = at
        while stop < size and prose[stop] == "`":
            stop += 1
        width = stop - at
        if at >= limit:
            blank = _PARAGRAPH_BREAK.search(prose, at)
            limit = blank.start() if blank else size
            missing.clear()
        close = -1
        if width not in missing:
            seek = stop
            while True:
                seek = prose.find("`" * width, seek, limit)
                if seek < 0:
                    missing.add(width)
                    break
                after = seek
                while after < limit and prose[after] == "`":
                    after += 1
                if after - seek == width:
                    close = after
                    break
                seek = after
        if close >= 0:
            yield Span(at, close)
            stop = close
        at = prose.find("`", stop)


_INLINE_LINK = re.compile(r"(!?)\[((?:[^\[\]\n]|\[[^\[\]\n]{0,200}\](?:\([^()\n]{0,500}\))?|\n(?!\n)){0,600})\]\([ \t]*(?:<([^<>\n]*)>|([^\s()<>]*(?:\([^\s()]*\)[^\s()]*)*))(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'))?[ \t]*\)")
_DEFINITION = re.compile(r"\n {0,3}\[([^\]\n]{1,200})\]:[ \t]*<?([^\s<>]+)>?")
_ATTRIBUTE = re.compile(r"<(a|img)\b[^<>\n]{0,500}?\b(?:href|src)=(?:\"([^\"\n]*)\"|'([^'\n]*)')", re.I)


def find_links(doc: Markdown) -> list[Link]:
    prose = doc.prose
    links: list[Link] = []
    at = prose.find("](", doc.start)
    done = doc.start
    while at >= 0:
        # Walk back from "](" to the bracket that opens the link text, so that a run of brackets costs nothing.
        opening = _opening(prose, at, max(done, at - 800))
        if opening >= 0:
            begin = opening - 1 if opening > 0 and prose[opening - 1] == "!" else opening
            match = _INLINE_LINK.match(prose, begin)
            if match is not None and not doc.in_code(begin) and prose[begin - 1 : begin] != "\\":
                group = 3 if match.group(3) is not None else 4
                links.append(Link(match.group(2), match.group(group), Span(begin, match.end()), Span(*match.span(group)), bool(match.group(1))))
        at = prose.find("](", at + 2)
    if "\n[" in prose and "]:" in prose:
        for match in _DEFINITION.finditer(prose):
            if not match.group(1).startswith("^"):
                links.append(Link(match.group(1), match.group(2), Span(match.start() + 1, match.end()), Span(*match.span(2)), False))
    if "=" in prose and ("<a" in prose or "<img" in prose or "<A" in prose or "<IMG" in prose):
        for match in _ATTRIBUTE.finditer(prose):
            group = 2 if match.group(2) is not None else 3
            if not doc.in_code(match.start()):
                links.append(Link("", match.group(group), Span(*match.span()), Span(*match.span(group)), match.group(1).lower() == "img"))
    links.sort(key=lambda link: link.span)
    return links


def _opening(prose: str, close: int, floor: int) -> int:
    """Offset of the bracket that the one at `close` closes, or -1."""
    depth = 0
    at = close + 1
    while True:
        opening = prose.rfind("[", floor, at)
        if opening < 0:
            return -1
        depth += prose.count("]", opening, at) - 1
        if depth <= 0:
            return opening if depth == 0 else -1
        at = opening
