"""Cuts the YAML header off a Markdown file and reads it as the client does.

What client 2.1.330 was seen to do with some eighty headers (tests/pluglint/client_headers.json keeps them):

- the header starts in the first line with exactly `---` (blanks may follow); anything else is no header;
- it ends at the next `---`, *wherever that stands*, also inside a value or a comment: `early` says so;
- when the YAML does not parse, a second try puts some plain values in quotes, so the client takes headers
  that a strict parser refuses: such a header has `forgiven` set. Files with CR LF get no second try.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pluglint.parse.node import LIST, MAP, STRING, Node, ParseError
from pluglint.parse.yaml import parse_yaml
from pluglint.text import Span

MISSING, UNCLOSED, LATE = "missing", "unclosed", "late"
_LATE = re.compile(r"\s+---[ \t]*\n|(?:-{4,}|\+{3,})[ \t]*\n|(?:<!--.*?-->|#[^\n]*\n)\s*---[ \t]*\n(?=[A-Za-z_-]+:)", re.S)


class FrontMatter(NamedTuple):
    """The header of a file.

    state     "" when there is one, else `missing`, `unclosed` or `late` (it starts after line 1)
    span      the whole header with both fences; of a missing one, the first line
    node      its map, or None when it is empty, unparsable or no map
    error     why the YAML has no tree that the client would take
    forgiven  the strict parser's error where the client's second try succeeds
    body      offset at which the body starts
    early     the `---` that ends the header although it is no line of its own
    """

    state: str
    span: Span
    node: Node | None
    error: ParseError | None
    forgiven: ParseError | None
    body: int
    early: Span | None = None


def cut(text: str, crlf: bool = False) -> FrontMatter:
    """The header of a text with LF line ends; `crlf` says that the file had CR LF."""
    first_end = text.find("\n")
    first = text if first_end < 0 else text[:first_end]
    if first[:3] != "---" or first[3:].strip(" \t"):
        late = _LATE.match(text[:4000]) if text[:1] in " \t\n\r-+<#" else None
        if late is not None:
            return FrontMatter(LATE, Span(0, late.end()), None, None, None, 0)
        return FrontMatter(MISSING, Span(0, len(first)), None, None, None, 0)
    close = text.find("---", first_end + 1) if first_end >= 0 else -1
    if close < 0:
        return FrontMatter(UNCLOSED, Span(0, len(first)), None, None, None, 0)
    line_end = text.find("\n", close)
    line_end = len(text) if line_end < 0 else line_end
    own_line = text[close - 1] == "\n" and not text[close + 3 : line_end].strip(" \t")
    early = None if own_line else Span(close, close + 3)
    begin, end = first_end + 1, close
    body = min(line_end + 1, len(text)) if own_line else close + 3
    span = Span(0, close + 3)
    if begin >= end:
        return FrontMatter("", span, None, None, None, body, early)
    node, error = parse_yaml(text, begin, end)
    forgiven = None
    if error is not None and not crlf:
        second = _second_try(text, begin, end)
        if second is not None:
            node, error, forgiven = second, None, error
    if node is not None and node.kind != MAP:
        error = error or ParseError("the header is not a list of `key: value` lines", node.span)
        node = None
    return FrontMatter("", span, node, error, forgiven, body, early)


_SPECIAL = frozenset("{}[]*&#!|>%@`")


def _second_try(text: str, begin: int, end: int) -> Node | None:
    """Reads the header as the client's second try does, or None where that fails too.

    The client quotes each value of a top-level `key: value` line that holds `: ` or a special character
    and is not in quotes already. Here such a value is masked by a quoted filler of the same length, so
    that every span stays right, and put back afterwards.
    """
    masked: dict[int, str] = {}
    lines = []
    at = begin
    source = text[begin:end].split("\n")
    for number, line in enumerate(source):
        match = re.match(r"([A-Za-z_-]+:[ \t]+)(\S.*)", line)
        if match is not None:
            value = match.group(2).rstrip()
            quoted = len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]
            if not quoted and (": " in value or value[0] == "," or not _SPECIAL.isdisjoint(value)) and not _is_list(value):
                follower = source[number + 1] if number + 1 < len(source) else ""
                if follower[:1] in (" ", "\t") and follower.strip():
                    return None  # a quoted value cannot run on in the next line
                masked[at + match.start(2)] = value
                filler = f'"{"x" * (len(value) - 2)}"' if len(value) > 1 else "x"
                line = match.group(1) + filler + " " * (len(line) - match.start(2) - len(value))
        lines.append(line)
        at += len(line) + 1
    node, error = parse_yaml(" " * begin + "\n".join(lines), begin, end)
    if error is not None or node is None or node.kind != MAP:
        return None
    pairs = []
    for key, value in node.pairs:
        raw = masked.get(value.span.start)
        pairs.append((key, value if raw is None else Node(STRING, raw, raw, value.span)))
    return node._replace(pairs=tuple(pairs))


def _is_list(value: str) -> bool:
    """Whether a value is a flow list that parses: the client still reads it as one."""
    if value[0] != "[" or value[-1] != "]":
        return False
    node, error = parse_yaml(value, 0, len(value))
    return error is None and node is not None and node.kind == LIST
