"""Cuts the YAML header off a Markdown file and reads it as the client does.

What the client was seen to do (2.1.330): the header must start in the first line with exactly `---`
(trailing blanks are fine) and be closed by another `---`; anything else is no header at all. When the
YAML does not parse it tries again with the plain values in quotes, so it takes headers that a strict
parser refuses: such a header has `forgiven` set.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pluglint.parse.node import MAP, Node, ParseError
from pluglint.parse.yaml import parse_yaml
from pluglint.text import Span

MISSING, UNCLOSED, LATE = "missing", "unclosed", "late"
_CLOSE = re.compile(r"\n---[ \t]*(?=\n|\Z)")
_LATE = re.compile(r"\s+---[ \t]*\n|(?:-{4,}|\+{3,})[ \t]*\n|(?:<!--.*?-->|#[^\n]*\n)\s*---[ \t]*\n(?=[A-Za-z_-]+:)", re.S)
_VALUE_LINE = re.compile(r"([A-Za-z_][\w-]*:[ \t]+)(\S(?:.*[^ \t])?)([ \t]*)\Z")


class FrontMatter(NamedTuple):
    """The header of a file.

    state     "" when there is one, else `missing`, `unclosed` or `late` (it starts after line 1)
    span      the whole header with both fences; of a missing one, the first line
    node      its map, or None when it is empty, unparsable or no map
    error     why the YAML has no tree that the client would take
    forgiven  the strict parser's error where the client's second try succeeds
    body      offset at which the body starts
    """

    state: str
    span: Span
    node: Node | None
    error: ParseError | None
    forgiven: ParseError | None
    body: int


def cut(text: str) -> FrontMatter:
    first_end = text.find("\n")
    first = text if first_end < 0 else text[:first_end]
    if first[:3] != "---" or first[3:].strip(" \t"):
        late = _LATE.match(text[:4000]) if text[:1] in " \t\n\r-+<#" else None
        if late is not None:
            return FrontMatter(LATE, Span(0, late.end()), None, None, None, 0)
        return FrontMatter(MISSING, Span(0, len(first)), None, None, None, 0)
    close = _CLOSE.search(text, first_end if first_end >= 0 else len(text))
    if first_end < 0 or close is None:
        return FrontMatter(UNCLOSED, Span(0, len(first)), None, None, None, 0)
    begin, end = first_end + 1, close.start() + 1
    body = min(close.end() + 1, len(text))
    span = Span(0, close.end())
    if begin >= end:
        return FrontMatter("", span, None, None, None, body)
    node, error = parse_yaml(text, begin, end)
    forgiven = None
    if error is not None:
        second = _second_try(text, begin, end)
        if second is not None:
            node, error, forgiven = second, None, error
    if node is not None and node.kind != MAP:
        error = error or ParseError("the header is not a list of `key: value` lines", node.span)
        node = None
    return FrontMatter("", span, node, error, forgiven, body)


def _second_try(text: str, begin: int, end: int) -> Node | None:
    """Reads the header with its plain top-level values in quotes, or None where that fails too.

    The quotes would shift every span, so each quoted line is read on its own here: a value that
    YAML refuses becomes a string node with the span of its raw text.
    """
    pairs: list[tuple[Node, Node]] = []
    block: list[str] = []
    block_at = at = begin
    bad = False

    def flush(upto: int) -> None:
        nonlocal bad
        if upto <= block_at:
            return
        node, error = parse_yaml(text, block_at, upto)
        if error is None and node is not None and node.kind == MAP:
            pairs.extend(node.pairs)
            return
        if error is None and node is None:
            return
        match = _VALUE_LINE.match(block[0]) if len([line for line in block if line.strip()]) == 1 else None
        if match is None or match.group(2)[0] in "\"'|>":
            bad = True
            return
        key = match.group(1).split(":")[0]
        value_at = block_at + len(match.group(1))
        value = match.group(2)
        from pluglint.parse.node import STRING

        pairs.append(
            (
                Node(STRING, key, key, Span(block_at, block_at + len(key))),
                Node(STRING, value, value, Span(value_at, value_at + len(value))),
            )
        )

    for line in text[begin:end].split("\n"):
        if line[:1] not in ("", " ", "\t", "#", "-"):  # a top-level key starts a block of its own
            flush(at)
            block, block_at = [], at
        block.append(line)
        at += len(line) + 1
    flush(min(at, end))
    if bad or not pairs:
        return None
    return Node(MAP, None, "", Span(begin, pairs[-1][1].span.end), "", (), tuple(pairs))
