"""Code blocks as somebody would run them: which ones to judge, and where their lines stand in the file."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from pluglint.parse.fences import cuts
from pluglint.parse.markdown import Fence, Markdown
from pluglint.text import Span

# Words of an info string, or of a comment above the block, that say: not meant to run.
_FRAGMENT = frozenset("fragment no-run norun text pseudo pseudocode pseudo-code ignore skip broken invalid incomplete wrong bad template diff excerpt partial".split())
LIMIT = 200_000  # characters


class Block(NamedTuple):
    """The code of one fence, without the indentation that its place (a list item, a quote) asks for.

    `cut` is how many characters each line lost at its left.
    """

    fence: Fence
    code: str
    lines: tuple[int, ...]  # offsets at which the lines begin in the file
    cut: tuple[int, ...]

    def span(self, text: str, line: int, column: int = 1, end_column: int = 0) -> Span:
        """The place of a line and column (from 1) of the code, to the end of the line where no end is given."""
        index = min(max(line, 1), len(self.lines)) - 1
        start = self.lines[index]
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        first = min(start + self.cut[index] + max(column, 1) - 1, stop)
        last = min(start + self.cut[index] + end_column - 1, stop) if end_column > column else stop
        if first >= last:  # past the end of the line: point at the whole of it
            first, last = start + self.cut[index], stop
            while first > 0 and not text[first:last].strip() and index > 0:  # an empty line: the one above
                index -= 1
                first = self.lines[index] + self.cut[index]
                last = text.find("\n", first)
        while last > first and text[last - 1] in " \t":
            last -= 1
        return Span(first, max(first, last))


def blocks(markdown: Markdown, langs: frozenset[str]) -> Iterator[Block]:
    """The blocks in some languages that are meant to be run as they stand."""
    if langs.isdisjoint(markdown.langs):
        return
    text = markdown.text
    nested = None
    for fence in markdown.fences:
        if fence[1] not in langs or not fence.closed or fence.content.end - fence.content.start > LIMIT:
            continue
        if fence.info != fence.lang and any(word in _FRAGMENT for word in re.split(r"[\s,{}.:=]+", fence.info.lower())[1:]):
            continue
        if _said_above(text, fence.span.start):
            continue
        if nested is None:
            nested = {fence.span for cut in cuts(markdown) for fence in (cut.outer, cut.stray) if fence is not None}
        if fence.span in nested:
            continue
        yield block_of(text, fence)


def block_of(text: str, fence: Fence) -> Block:
    start, end = fence.content
    body = text[start:end]
    quote = ">" in text[text.rfind("\n", 0, fence.span.start) + 1 : fence.span.start]
    if not fence.indent and not quote:
        return Block(fence, body, _Lines(body, start), _Zeros())
    return Block(fence, *_dedented(body, start, fence.indent, quote))


def _dedented(body: str, start: int, indent: int, quote: bool) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    lines, starts, cut = [], [], []
    at = start
    for line in body.split("\n"):
        gone = 0
        if quote:
            mark = re.match(r"[ \t]*(?:> ?)+", line)
            gone = mark.end() if mark else 0
        width = 0
        while gone < len(line) and line[gone] in " \t" and width < indent:
            width += 4 - width % 4 if line[gone] == "\t" else 1
            gone += 1
        lines.append(line[gone:])
        starts.append(at)
        cut.append(gone)
        at += len(line) + 1
    return "\n".join(lines), tuple(starts), tuple(cut)


class _Lines:
    """Line starts, counted only when somebody asks: nearly all blocks parse."""

    def __init__(self, body: str, start: int) -> None:
        self.body, self.start, self.made = body, start, None

    def _all(self) -> list[int]:
        if self.made is None:
            at, self.made = self.start, []
            for line in self.body.split("\n"):
                self.made.append(at)
                at += len(line) + 1
        return self.made

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: int) -> int:
        return self._all()[index]


class _Zeros:
    def __getitem__(self, index: int) -> int:
        return 0


def _said_above(text: str, fence_start: int) -> bool:
    """Whether `<!-- pluglint: fragment -->` stands right above."""
    above = text.rfind("-->", max(0, fence_start - 200), fence_start)
    if above < 0 or text[above + 3 : fence_start].strip():
        return False
    opening = text.rfind("<!--", 0, above)
    return opening >= 0 and re.fullmatch(r"\s*pluglint:\s*fragment\b[^\n]*", text[opening + 4 : above]) is not None


def placeholder(line: str) -> bool:
    """Whether a line stands for something: `<name>`, `{{ name }}`, `[your value]`, an ellipsis."""
    return "..." in line or "…" in line or "{{" in line or "{%" in line or re.search(r"<[A-Za-z][\w .|/-]*>|\[(?:your|the|insert|add|name|list)\b[^\]]*\]|\$\{?[A-Z]", line, re.I) is not None
