"""A line scanner for the Markdown that packages are written in.

One regular expression finds the lines that carry structure (headings, fences, list items, tables,
HTML comments); everything else is prose and is never looked at. It agrees with a CommonMark parser on
headings, fences and list items (a differential test over real files holds that), at a twentieth of
the time, and gives columns, which those parsers do not.

All spans are offsets into the whole text that was given, also when scanning started at the body.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from pluglint.parse.inline import Link, find_code_spans, find_links
from pluglint.text import Span


class Heading(NamedTuple):
    level: int
    text: str
    span: Span  # the text of the heading, without marks


class Fence(NamedTuple):
    """A fenced code block. `content` excludes both fence lines; `lang` is the first word of the info string, lower case."""

    info: str
    lang: str
    span: Span
    content: Span
    closed: bool
    indent: int
    mark: str  # the opening run of backticks or tildes


class Item(NamedTuple):
    """One list item.

    number  the number of an ordered item, else None
    mark    "-", "*", "+", "." or ")"
    box     None without a check box, else " " or "x"
    column  indentation of the marker in columns
    start, text_start, end   offsets of the marker, of the text after marker and box, and of the end of the first line

    Flat numbers and not spans: a big package has a hundred thousand items.
    """

    number: int | None
    mark: str
    box: str | None
    column: int
    start: int
    text_start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    @property
    def text(self) -> Span:
        return Span(self.text_start, self.end)


class List(NamedTuple):
    """Items of one level that follow each other. `depth` is 0 for a list that stands in no other."""

    ordered: bool
    depth: int
    items: list[Item]

    @property
    def span(self) -> Span:
        return Span(self.items[0].start, self.items[-1].end)


class Table(NamedTuple):
    """A table. `header` is the span of its first line; `Markdown.cells` and `Markdown.rows` split lines when somebody asks."""

    header: Span
    body: Span
    span: Span


class Section(NamedTuple):
    """A heading and what stands under it, up to the next heading of its level or above. `own_end`: up to the next heading of any level."""

    heading: Heading
    start: int
    own_end: int
    end: int


# Groups: 1 indentation, 2 heading marks, 3 fence, 4 list marker, 5 its check box, 6 table bar, 7 comment, 8 setext underline.
# Blanks after heading marks, list markers and boxes belong to the match, so that it ends where the text starts.
_EVENT = re.compile(
    r"\n([ \t>]*)(?:(\#{1,6})(?=[ \t\n]|\Z)[ \t]*|(`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})"
    r"|([-*+]|\d{1,9}[.)])(?:[ \t]+(?:\[([ xX])\](?:[ \t]+|(?=\n|\Z)))?|(?=\n|\Z))"
    r"|(\|)|(<!--)|(=+|--+)(?=[ \t]*(?:\n|\Z)))"
)
_HEADING = re.compile(r"\#{1,6}(?=[ \t\n]|\Z)")
_FENCE = re.compile(r"`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,}")
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])(?=[ \t\n]|\Z)")
_SIBLING = re.compile(r"\n([-*+]|\d{1,9}[.)])( {1,4})(?:\[([ xX])\] +)?(?!\[[ xX]\](?:\s|\Z))([^\s#`~*-][^\n]*)")
_RULE = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}(?=\n|\Z)")
_DELIMITER = re.compile(r"[ \t]*+\|?+[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+\Z")  # possessive: a run of blanks is walked once
_ROWS = re.compile(r"(?:\n[^|\n]*+\|[^\n]*+)*+")
_new = tuple.__new__


def columns(indent: str, start: int = 0) -> int:
    """Width of indentation with tab stops of four."""
    if "\t" not in indent:
        return len(indent)
    width = start
    for char in indent:
        width += 4 - width % 4 if char == "\t" else 1
    return width - start


class Markdown:
    """The structure of `text[start:]`, scanned once."""

    __slots__ = ("text", "start", "headings", "fences", "lists", "tables", "comments", "_prose", "_links", "_sections", "_code_spans", "_langs")

    def __init__(self, text: str, start: int = 0) -> None:
        self.text = text
        self.start = start
        self.headings: list[Heading] = []
        self.fences: list[Fence] = []
        self.lists: list[List] = []
        self.tables: list[Table] = []
        self.comments: list[Span] = []
        self._prose: str | None = None
        self._links: list[Link] | None = None
        self._sections: list[Section] | None = None
        self._code_spans: list[Span] | None = None
        self._langs: frozenset[str] | None = None
        _scan(self)

    @property
    def langs(self) -> frozenset[str]:
        """The languages of all fences."""
        if self._langs is None:
            self._langs = frozenset([fence.lang for fence in self.fences])
        return self._langs

    @property
    def prose(self) -> str:
        """The whole text with front matter, fences and HTML comments turned to spaces: offsets stay, so a search in it needs no mask."""
        if self._prose is None:
            cuts = sorted([fence.span for fence in self.fences] + self.comments)
            text = self.text
            parts = [" " * self.start]
            at = self.start
            for start, end in cuts:
                if end <= at:
                    continue
                start = max(start, at)
                parts.append(text[at:start])
                parts.append(" " * (end - start))
                at = end
            parts.append(text[at:])
            self._prose = "".join(parts)
        return self._prose

    @property
    def code_spans(self) -> list[Span]:
        """Inline code, marks included."""
        if self._code_spans is None:
            self._code_spans = list(find_code_spans(self.prose, self.start)) if "`" in self.prose else []
        return self._code_spans

    @property
    def links(self) -> list[Link]:
        if self._links is None:
            self._links = find_links(self)
        return self._links

    @property
    def sections(self) -> list[Section]:
        """One section a heading, in order."""
        if self._sections is None:
            heads = self.headings
            result: list[Section] = []
            size = own_end = len(self.text)
            ends = [size] * 7  # for each level: where the next heading of that level or above begins, walking backwards
            for head in reversed(heads):
                begin = self.text.find("\n", head.span.end)
                begin = size if begin < 0 else begin + 1
                result.append(Section(head, min(begin, own_end), own_end, ends[head.level]))
                own_end = _line_start(self.text, head.span.start)
                ends[head.level :] = [own_end] * (7 - head.level)
            result.reverse()
            self._sections = result
        return self._sections

    def slice(self, span: Span) -> str:
        return self.text[span[0] : span[1]]

    def cells(self, line: Span) -> list[Span]:
        """The trimmed cells of one table line, such as `table.header`."""
        return _cells(self.text, line[0], line[1])

    def rows(self, table: Table) -> list[list[Span]]:
        """The cells of each body row of a table."""
        rows = []
        at, size = table.body
        while at < size:
            stop = self.text.find("\n", at, size)
            stop = size if stop < 0 else stop
            rows.append(_cells(self.text, at, stop))
            at = stop + 1
        return rows

    def in_code(self, offset: int) -> bool:
        """Whether an offset stands in inline code."""
        spans = self.code_spans
        index = bisect_left(spans, (offset + 1,)) - 1
        return index >= 0 and offset < spans[index].end

    def heading_index(self, offset: int) -> int:
        """Index of the heading at or above an offset, or -1."""
        return bisect_right(self.headings, offset, key=lambda heading: heading.span.start) - 1

    def heading_above(self, offset: int) -> str:
        """The text of the heading that an offset stands below, or of the one that it stands in."""
        index = self.heading_index(offset)
        return self.headings[index].text if index >= 0 else ""

    def intro(self, offset: int) -> str:
        """The paragraph line right above an offset: what introduces a list or a table."""
        prose = self.prose
        end = offset
        while end > self.start:  # in steps: a copy of all that stands above would make many lists cost the square
            step = prose[max(self.start, end - 1000) : end]
            kept = step.rstrip()
            end -= len(step) - len(kept)
            if kept:
                break
        return prose[max(self.start, prose.rfind("\n", self.start, end) + 1) : end].strip()


def _without_closing_marks(body: str) -> str:
    body = body.rstrip(" \t")
    bare = body.rstrip("#")
    return bare.rstrip(" \t") if len(bare) < len(body) and bare[-1:] in (" ", "\t") else body


def _line_start(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def _scan(doc: Markdown) -> None:
    text, shift, size = doc.text, 0, len(doc.text)
    at = doc.start - 1
    if at < 0:
        text, shift, at = "\n" + text, 1, 0
        size += 1
    headings, fences, comments = doc.headings, doc.fences, doc.comments
    # Open lists, outermost first: [marker column, content column, list]
    open_lists: list[list] = []
    last_end = at  # end of the line of the last list item seen
    unclosed: set[tuple] = set()  # kinds of fences that nothing closes from here on
    loose = -1  # end of the last line that looked like a table or an underline and was neither
    event = _EVENT.search
    find = text.find
    while True:
        before, loose_before = at, loose  # where the line above ends, when it carried structure; and when it only looked so
        match = event(text, at)
        if match is None:
            break
        group = match.lastindex
        if group == 5:
            group = 4
        indent, begin = match.group(1), match.start(group)
        line_end = find("\n", begin)
        if line_end < 0:
            line_end = size
        at = line_end
        quoted = ">" in indent
        column = columns(indent.rpartition(">")[2]) if quoted else (len(indent) if "\t" not in indent else columns(indent))
        if group == 4:
            if column >= 4 and not (open_lists and column < open_lists[-1][1] + 4):
                continue
            rule = _RULE.match(text, begin) if text[begin] in "-*" else None
            if rule is not None and rule.end() >= line_end:
                open_lists.clear()
                continue
            if not open_lists and (match.end(4) == line_end or text[begin] in "0123456789"):
                if _wraps(text, match, -1 if before == loose_before else before, doc.start + shift - 1):
                    loose = line_end
                    continue
            last_end = _item(doc, text, shift, match, column, begin, line_end, open_lists, last_end)
            first = match.end()
            lead = text[first : first + 1]
            if lead == "#" and _HEADING.match(text, first):
                headings.append(_heading(text, first, line_end, shift))
            elif lead in ("`", "~") and lead and (opening := _FENCE.match(text, first)) is not None:
                at = _fence(fences, text, first, opening.group(), line_end, size, shift, open_lists[-1][1], quoted, open_lists[-1][1], unclosed)
                last_end = fences[-1].span.end + shift
                if not fences[-1].closed:
                    _leave(text, at, open_lists)
                continue
            if not indent and len(open_lists) == 1:
                at = last_end = _siblings(text, shift, line_end, open_lists[0])
        elif group == 2:
            if column >= 4 and not (open_lists and column < open_lists[-1][1] + 4):
                continue
            if column < 4 and open_lists and column < open_lists[0][1]:
                open_lists.clear()
            first = match.end()
            last = text[line_end - 1]
            if last != "#" and last != " " and last != "\t" and first < line_end:
                headings.append(_new(Heading, (len(match.group(2)), text[first:line_end], _new(Span, (first - shift, line_end - shift)))))
            else:
                headings.append(_heading(text, begin, line_end, shift))
        elif group == 3:
            inside = open_lists and column >= open_lists[0][1] and _still_open(text, last_end, match.start(), open_lists)
            if column >= 4 and not inside:
                continue
            if not inside and open_lists and column < open_lists[0][1]:
                open_lists.clear()
            container = 0
            if inside:
                for entry in open_lists:
                    if column >= entry[1]:
                        container = entry[1]
            at = _fence(fences, text, begin, match.group(3), line_end, size, shift, column, quoted, container, unclosed)
            if open_lists:
                last_end = fences[-1].span.end + shift
                if container and not fences[-1].closed:
                    _leave(text, at, open_lists)
        elif group == 6:
            if column >= 4 and not open_lists:
                continue
            at = _table(doc, text, shift, match.start() + 1, line_end, size)
            if at == line_end:
                loose = at
        elif group == 7:
            if column >= 4 and not open_lists:
                continue
            close = find("-->", begin + 4)
            end = size if close < 0 else close + 3
            comments.append(Span(begin - shift, end - shift))
            at = find("\n", end)
            if at < 0:
                break
        else:  # an underline makes a heading of the paragraph above it
            rule = match.group(8)[0] == "-" and match.end(8) - begin > 2
            if not rule:
                loose = line_end
            if column >= 4 or quoted:
                continue
            above = _paragraph(text, match.start(), max(doc.start + shift - 1, -1 if before == loose_before else before), bool(open_lists))
            if open_lists and column < open_lists[0][1]:
                open_lists.clear()
            if above is None:
                continue
            loose = -1
            lead, end = above
            headings.append(Heading(1 if text[begin] == "=" else 2, text[lead:end], Span(lead - shift, end - shift)))
    if "<!--" in text:
        _inline_comments(doc)


def _heading(text: str, begin: int, line_end: int, shift: int) -> Heading:
    """The ATX heading whose marks start at `begin`."""
    first = begin
    while first < line_end and text[first] == "#":
        first += 1
    level = first - begin
    while first < line_end and text[first] in " \t":
        first += 1
    body = text[first:line_end]
    if body[-1:] == "#" or body[-1:] in (" ", "\t"):
        if body.strip("# \t") == "" and body[:1] == "#":
            body = ""
        else:
            body = _without_closing_marks(body)
    return Heading(level, body, Span(first - shift, first + len(body) - shift))


def _fence(fences: list, text: str, begin: int, mark: str, line_end: int, size: int, shift: int, column: int, quoted: bool, container: int, unclosed: set[tuple]) -> int:
    """Adds the fence that opens at `begin`; returns where scanning goes on."""
    info = text[begin + len(mark) : line_end].strip()
    content, end, closed, at = _fence_end(text, line_end, size, mark, quoted, container, unclosed)
    lang = info.split(None, 1)[0].strip("{}.").split(",")[0].lower() if info.strip("{}. ,") else ""
    fences.append(Fence(info, lang, Span(begin - shift, end - shift), Span(min(line_end + 1, content) - shift, content - shift), closed, column, mark))
    return at


def _wraps(text: str, match: re.Match, before: int, floor: int) -> bool:
    """Whether a line such as "2019. A year" goes on with the paragraph above it: only a list that starts at 1 may break into one."""
    marker = match.group(4)
    if marker[:-1] == "1" and text[match.end(4) : match.end(4) + 1] not in ("", "\n"):
        return False
    return before != match.start() and _paragraph(text, match.start(), max(before, floor), False) is not None


def _paragraph(text: str, end: int, floor: int, listed: bool) -> tuple[int, int] | None:
    """(start, end) of the paragraph whose last line ends at `end`, trimmed; None when that line belongs to no paragraph.

    `floor` is the end of the structural line above it. Inside a list, only one line is looked at, and only at the margin.
    """
    first = last = None
    at = end
    while at > floor:
        start = text.rfind("\n", 0, at) + 1
        line = text[start:at]
        stripped = line.strip(" \t\r")
        if stripped[:1] == ">":
            return None  # what follows a quote without a blank line goes on with the quote
        if not stripped or (stripped[0] in "*_-" and _RULE.match(stripped) is not None):
            break
        indent = columns(line[: len(line) - len(line.lstrip(" \t"))])
        if indent < 4:
            first = start + len(line) - len(line.lstrip(" \t"))
            if listed and first > start:
                return None
        elif start - 1 <= floor or text[text.rfind("\n", 0, start - 1) + 1 : start - 1].strip(" \t") == "":
            break  # indented code
        if last is None:
            last = start + len(line.rstrip(" \t\r"))
        at = start - 1
        if listed:
            if text[text.rfind("\n", 0, max(at, 0)) + 1 : max(at, 0)].strip(" \t"):
                return None  # goes on with the list item
            break
    return None if first is None or last is None else (first, last)


def _leave(text: str, at: int, open_lists: list[list]) -> None:
    """Closes the lists that the line below an unclosed fence is outside of: no paragraph is open that it could go on with."""
    end = text.find("\n", at + 1)
    line = text[at + 1 : end if end >= 0 else len(text)]
    stripped = line.lstrip(" \t")
    if _MARKER.match(stripped) is None:
        column = columns(line[: len(line) - len(stripped)])
        while open_lists and open_lists[-1][1] > column:
            open_lists.pop()


def _still_open(text: str, last_end: int, here: int, open_lists: list[list]) -> bool:
    """Whether the list still runs: no line between its last item and here starts a paragraph left of its content."""
    gap = text[last_end:here]
    if "\n" not in gap.strip(" \t"):
        return True
    blank = False
    content = open_lists[0][1]
    for line in gap.split("\n")[1:]:
        stripped = line.lstrip(" \t")
        if not stripped:
            blank = True
        elif (blank or stripped[0] in ">*_") and columns(line[: len(line) - len(stripped)]) < content:
            if blank or stripped[0] == ">" or _RULE.match(stripped) is not None:
                return False
    return True


def _siblings(text: str, shift: int, at: int, entry: list) -> int:
    """Adds the plain items at the margin that follow right below one another, as most items do; returns the end of the last line."""
    items = entry[2].items
    mark = items[-1].mark
    while True:
        match = _SIBLING.match(text, at)
        if match is None:
            return at
        marker, gap, box, rest = match.groups()
        if marker[-1] != mark:
            return at
        at = end = match.end()
        if rest[-1] in " \t\r":
            end = match.start(4) + len(rest.rstrip(" \t\r"))
        number = int(marker[:-1]) if len(marker) > 1 else None
        items.append(_new(Item, (number, mark, box.lower() if box else box, 0, match.start() + 1 - shift, match.start(4) - shift, end - shift)))
        entry[1] = len(marker) + len(gap)


def _content_column(text: str, match: re.Match, column: int) -> int:
    """The column at which the content of a list item starts: what is indented that far belongs to it."""
    start = match.end(4)
    first = match.end() if match.start(5) < 0 else match.start(5) - 1
    width = start - match.start(4)
    gap = columns(text[start:first], column + width)
    return column + width + (gap if 1 <= gap <= 4 and text[first : first + 1] not in ("", "\n") else 1)


def _item(doc: Markdown, text: str, shift: int, match: re.Match, column: int, begin: int, line_end: int, open_lists: list, last_end: int) -> int:
    marker, box = match.group(4, 5)
    first = match.end()
    content = _content_column(text, match, column)
    if len(marker) == 1:
        number, mark = None, marker
    else:
        number, mark = int(marker[:-1]), marker[-1]
    stop = line_end
    while stop > first and text[stop - 1] in " \t\r":
        stop -= 1
    item = _new(Item, (number, mark, box.lower() if box else box, column, begin - shift, first - shift, stop - shift))
    if open_lists and match.start() != last_end and not _still_open(text, last_end, match.start(), open_lists):
        open_lists.clear()
    while open_lists and column < open_lists[-1][0] or len(open_lists) > 1 and column < open_lists[-1][1] and column < open_lists[-1][0]:
        open_lists.pop()
    if open_lists:
        top = open_lists[-1]
        if column < top[1]:  # a sibling; another marker starts another list
            last = top[2].items[-1]
            if last.mark == mark:
                top[2].items.append(item)
                top[1] = content
                return line_end
            open_lists.pop()
    new = List(number is not None, len(open_lists), [item])
    doc.lists.append(new)
    open_lists.append([column, content, new])
    return line_end


def _fence_end(text: str, line_end: int, size: int, mark: str, quoted: bool, container: int, unclosed: set[tuple]) -> tuple[int, int, bool, int]:
    """(end of the content, end of the closing line, closed, where scanning goes on)."""
    char = mark[0]
    find = text.find
    if container:
        size = _container_end(text, line_end, size, container)
    at = size if not container and (mark, quoted) in unclosed else line_end
    while at < size:
        close = find(mark, at, size)
        if close < 0:
            break
        start = text.rfind("\n", 0, close) + 1
        stop = find("\n", close)
        if stop < 0:
            stop = len(text)
        lead = text[start:close]
        if quoted:
            lead = lead.lstrip("> ")
        if start > line_end and not lead.strip(" \t") and columns(lead) < 4 + container and not text[close:stop].strip(" \t\r").strip(char):
            return start - 1, stop, True, stop
        at = stop
    if not container:
        unclosed.add((mark, quoted))
    if quoted:  # a fence in a block quote ends where the quote does
        at = line_end
        while at < size and text.startswith("\n>", at):
            stop = find("\n", at + 1)
            at = size if stop < 0 else stop
        return at, at, False, at
    return size, size, False, size


def _container_end(text: str, line_end: int, size: int, container: int) -> int:
    """End of the list item that a fence stands in: it reaches to the first line left of its content."""
    at = line_end
    while at < size:
        stop = text.find("\n", at + 1)
        stop = size if stop < 0 else stop
        line = text[at + 1 : stop]
        stripped = line.lstrip(" \t")
        if stripped:
            if columns(line[: len(line) - len(stripped)]) < container:
                return at
        at = stop
    return size


def _cells(text: str, start: int, end: int) -> list[Span]:
    cells = []
    at = start
    while at < end and text[at] in " \t>":
        at += 1
    if at < end and text[at] == "|":
        at += 1
    stop = end
    while stop > at and text[stop - 1] in " \t\r":
        stop -= 1
    if stop > at and text[stop - 1] == "|" and text[stop - 2 : stop - 1] != "\\":
        stop -= 1
    cell = at
    while True:
        bar = text.find("|", at, stop)
        while bar > 0 and text[bar - 1] == "\\":
            bar = text.find("|", bar + 1, stop)
        cell_end = stop if bar < 0 else bar
        first, last = cell, cell_end
        while first < last and text[first] in " \t":
            first += 1
        while last > first and text[last - 1] in " \t":
            last -= 1
        cells.append(Span(first, last))
        if bar < 0:
            return cells
        at = cell = bar + 1


def _table(doc: Markdown, text: str, shift: int, start: int, line_end: int, size: int) -> int:
    """Reads a table whose first line starts here; returns where scanning goes on."""
    next_end = text.find("\n", line_end + 1)
    if next_end < 0:
        next_end = size
    line = text[line_end + 1 : next_end].lstrip("> ")
    if line_end >= size or "-" not in line or _DELIMITER.match(line) is None:
        return line_end
    at = _ROWS.match(text, next_end).end()
    doc.tables.append(
        Table(Span(start - shift, line_end - shift), Span(min(next_end + 1, at) - shift, at - shift), Span(start - shift, at - shift))
    )
    return at


def _inline_comments(doc: Markdown) -> None:
    """Comments that start inside a line; those that start one were found by the scan."""
    known = sorted([fence.span for fence in doc.fences] + doc.comments)
    text = doc.text
    index = counted = ticks = 0  # the next known span; backticks in this line, counted up to there
    at = text.find("<!--", doc.start)
    while at >= 0:
        while index < len(known) and known[index].end <= at:
            index += 1
        line = text.rfind("\n", counted, at) + 1
        ticks = text.count("`", line, at) if line else ticks + text.count("`", counted, at)
        counted = at
        if not (index < len(known) and known[index].start <= at) and ticks % 2 == 0:
            close = text.find("-->", at + 4)
            if close < 0:
                break
            doc.comments.append(Span(at, close + 3))
            at = close
        at = text.find("<!--", at + 4)
    doc.comments.sort()
