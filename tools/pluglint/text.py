"""Decoded text with a line table: the one place where offsets become lines and columns.

Offsets are code points of `Source.text`, half open. Line ends are normalised to LF on reading
(`Source.newline` remembers what the file had), so no parser downstream has to know about CR LF.
Lines and columns are counted from 1, columns in code points.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Iterable, NamedTuple


class Span(NamedTuple):
    """A half-open range of code points, `start <= end`."""

    start: int
    end: int


class Source:
    """One text file as it was read.

    `path` is what a person is shown; `rel` is the path inside the package, with forward slashes.
    `bad_utf8` is the offset of the first byte that is not UTF-8 (as a code point offset), or None.
    """

    __slots__ = ("path", "rel", "text", "bom", "newline", "bad_utf8", "_starts")

    def __init__(self, path: str, rel: str, text: str, bom: bool = False, newline: str = "\n", bad_utf8: int | None = None) -> None:
        self.path = path
        self.rel = rel
        self.text = text
        self.bom = bom
        self.newline = newline
        self.bad_utf8 = bad_utf8
        self._starts: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a code point offset."""
        starts = self._starts
        if starts is None:
            starts = self._starts = line_starts(self.text)
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its line end; empty past the end."""
        self.position(0)
        starts = self._starts or [0]
        if line > len(starts):
            return ""
        end = starts[line] - 1 if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r")

    def line_bounds(self, line: int) -> tuple[int, int]:
        """Where a line, counted from 1, begins and ends, without its line end."""
        starts = self._starts
        if starts is None:
            starts = self._starts = line_starts(self.text)
        return starts[line - 1], starts[line] - 1 if line < len(starts) else len(self.text)

    def line_span(self, offset: int = 0) -> Span:
        """The span of the line that holds an offset, without its line end."""
        text = self.text
        start = text.rfind("\n", 0, offset) + 1
        end = text.find("\n", offset)
        return Span(start, len(text) if end < 0 else end)

    def slice(self, span: Span) -> str:
        return self.text[span[0] : span[1]]


def line_starts(text: str) -> list[int]:
    """Offsets at which the lines of `text` begin. A lone CR ends a line too, as editors show it."""
    starts = [0]
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    find = text.find
    at = find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = find("\n", at + 1)
    return starts


def decode(data: bytes, path: str, rel: str) -> Source:
    """Bytes to `Source`. Never raises: what is not UTF-8 is replaced, and remembered.

    A byte order mark is taken off and remembered; CR LF becomes LF. `newline` is "\\n", "\\r\\n",
    "\\r" (no LF at all) or "mixed".
    """
    bom = data.startswith(b"\xef\xbb\xbf")
    if bom:
        data = data[3:]
    bad = None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        bad = len(data[: error.start].decode("utf-8", "replace").replace("\r\n", "\n"))
        text = data.decode("utf-8", "replace")
    newline = "\n"
    if "\r" in text:
        crlf = text.count("\r\n")
        lf = text.count("\n")
        if crlf:
            newline = "\r\n" if crlf == lf else "mixed"
            text = text.replace("\r\n", "\n")
        elif not lf:
            newline = "\r"
        else:
            newline = "mixed"
    return Source(path, rel, text, bom, newline, bad)


def edited(data: bytes, edits: Iterable[tuple[int, int, str]]) -> bytes:
    """The bytes of a file with pieces of its text replaced; byte order mark and line ends stay.

    An edit is (start, end, text), in offsets as `decode` gives them. Raises UnicodeDecodeError for a file that is not
    UTF-8: it could not be written back as it was.
    """
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    text = data[len(mark) :].decode()
    ends = []  # where each CR LF stands once they count as one
    at = text.find("\r\n")
    while at >= 0:
        ends.append(at - len(ends))
        at = text.find("\r\n", at + 2)
    newline = "\r\n" if len(ends) * 2 > text.count("\n") else "\n"
    for start, end, new in sorted(edits, reverse=True):
        first, last = start + bisect_left(ends, start), end + bisect_left(ends, end)
        text = text[:first] + new.replace("\n", newline) + text[last:]
    return mark + text.encode()
