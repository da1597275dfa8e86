"""Code blocks that end early: a block inside a block needs a longer fence outside."""

from __future__ import annotations

import re
from typing import NamedTuple

from pluglint.parse.markdown import Fence, Markdown
from pluglint.text import Span


class Cut(NamedTuple):
    """An outer block that the closing fence of a block inside it ended, and the block that its own closing fence then opened."""

    outer: Fence
    inner: Span  # the opening line of the block inside
    stray: Fence | None


def cuts(markdown: Markdown) -> list[Cut]:
    """Outer blocks cut short, in order.

    A fence line with an info string cannot close anything: inside a block of the same mark it opens one, and the next bare
    fence line closes the outer block too early. From there, what was meant to close opens.
    """
    found = []
    outer = inner = None
    for fence in markdown.fences:
        if outer is not None and not fence.info and fence.mark[0] == outer.mark[0]:
            found.append(Cut(outer, inner, fence))
            outer = None  # from here on the text stands right again, or a new block is cut
        if outer is None:
            inner = _inner(markdown, fence)
            if inner is not None:
                outer = fence
    if outer is not None and inner is not None:
        found.append(Cut(outer, inner, None))
    return found


def _inner(markdown: Markdown, fence: Fence) -> Span | None:
    """The first line of a block that opens a block of the same mark inside it and does not close that."""
    text = markdown.text
    start, end = fence.content
    if text.find(fence.mark, start, end) < 0 or not fence.closed:
        return None
    for match in re.finditer(r"(?:\n|\A)( *)(`{3,}|~{3,})[ \t]*([A-Za-z][\w+#.-]*)[ \t]*(?=\n|\Z)", text[max(0, start - 1) : end]):
        indent, mark = match.group(1), match.group(2)
        # Further in, it is text of the block, and its closing fence closes nothing either.
        if mark[0] == fence.mark[0] and len(mark) >= len(fence.mark) and len(indent) < fence.indent + 4:
            return Span(max(0, start - 1) + match.start(2), max(0, start - 1) + match.end(3))
    return None


def left_open(markdown: Markdown, fence: Fence) -> Span | None:
    """In a bare block with a long fence: the first line of a block with a shorter one that is not closed inside."""
    if fence.info or len(fence.mark) < 4:
        return None
    text = markdown.text
    start, end = fence.content
    opened = None
    for match in re.finditer(r"\n *(`{3,}|~{3,})([^\n`]*)(?=\n|\Z)", text[start - 1 : end] if start else ""):
        if opened is None:
            if match.group(2).strip():
                opened = match
        elif not match.group(2).strip() and match.group(1).startswith(opened.group(1)):
            opened = None
    return None if opened is None else Span(start - 1 + opened.start(1), start - 1 + opened.end())


def headings_inside(markdown: Markdown, fence: Fence) -> list[Span]:
    """Lines in a block that would be headings outside it, with a blank line or another block below or above."""
    text = markdown.text
    start, end = fence.content
    found = []
    for match in re.finditer(r"\n#{1,6} +(\S[^\n]*)", text[start - 1 : end] if start else "\n" + text[start:end]):
        before = text[max(0, start - 1) : start - 1 + match.start()]
        after = text[start - 1 + match.end() : start - 1 + match.end() + 2]
        if after in ("\n\n", "") or before.endswith("\n") or not before.strip():
            found.append(Span(start - 1 + match.start(1), start - 1 + match.end(1)))
    return found
