"""YAML front matter to nodes.

Plain headers (`key: value` lines, which is what most files hold) are read without PyYAML: that saves
its import on small packages and most of its time on big ones. Whatever does not fit that narrow form
goes to PyYAML's event stream; a test holds both readings equal. Events, not `compose`: building the
tree on a stack of our own keeps deep nesting from reaching the C stack, and aliases from expanding.
"""

from __future__ import annotations

import re

from pluglint.parse.node import ALIAS, BOOLEAN, INTEGER, LIST, MAP, NULL, NUMBER, STRING, Node, ParseError
from pluglint.text import Span

MAX_DEPTH = 64
MAX_NODES = 20_000

# One header line of the narrow form: a key and a plain or simply quoted value that no YAML version reads otherwise.
_LINE = re.compile(
    r"([A-Za-z_][A-Za-z0-9_-]*):[ ]+(?:(\"[^\"\\\n]*\"|'[^'\n]*')|([A-Za-z](?:[^\n]*[^ \n])?))[ ]*\Z"
)
_WORDS = frozenset("true false yes no on off null y n".split())
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+|[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?\Z")


def parse_yaml(text: str, start: int, end: int) -> tuple[Node | None, ParseError | None]:
    """The tree of `text[start:end]`, with spans counted in `text`.

    Returns (node, None), (None, None) for an empty document, or (None, error).
    """
    node = _plain_lines(text, start, end)
    if node is not None:
        return node, None
    return _events(text[start:end], start)


def _plain_lines(text: str, start: int, end: int) -> Node | None:
    """The narrow form, or None where anything is not of it."""
    block = text[start:end]
    if not block.isascii() and not block.replace("\n", "").isprintable():
        return None
    pairs = []
    at = start
    for line in block.split("\n"):
        if not line:
            if at + 1 < end:
                return None
            break
        match = _LINE.match(line)
        if match is None:
            return None
        key, quoted, plain = match.groups()
        if len(key) < 6 and key.lower() in _WORDS:
            return None
        if quoted:
            value_text, style = quoted[1:-1], quoted[0]
            if not value_text.isprintable():
                return None
        else:
            value_text, style = plain, ""
            if ": " in plain or " #" in plain or plain[-1] == ":" or not plain.isprintable() or (len(plain) < 6 and plain.lower() in _WORDS):
                return None
        value_at = at + match.start(2 if quoted else 3)
        value_end = value_at + len(quoted or plain)
        pairs.append(
            (
                Node(STRING, key, key, Span(at, at + len(key))),
                Node(STRING, value_text, value_text, Span(value_at, value_end), style),
            )
        )
        at += len(line) + 1
    if not pairs:
        return None
    return Node(MAP, None, "", Span(start, pairs[-1][1].span.end), "", (), tuple(pairs))


def scalar(text: str, span: Span, style: str = "") -> Node:
    """A scalar node with the type that the YAML 1.2 core schema gives it."""
    if style:
        return Node(STRING, text, text, span, style)
    if not text or text in ("~", "null", "Null", "NULL"):
        return Node(NULL, None, text, span)
    first = text[0]
    if first in "tTfF" and text.lower() in ("true", "false"):
        return Node(BOOLEAN, text[0] in "tT", text, span)
    if first in "-+.0123456789":
        if text[:2] in ("0x", "0o") and re.match(r"0x[0-9a-fA-F]+\Z|0o[0-7]+\Z", text) and len(text) < 4000:
            return Node(INTEGER, int(text, 0), text, span)
        if _INT.match(text) and len(text) < 4000:
            return Node(INTEGER, int(text.replace("_", "")), text, span)
        if _FLOAT.match(text) and len(text) < 4000:
            return Node(NUMBER, float(text.replace("_", "")), text, span)
    return Node(STRING, text, text, span)


def _events(block: str, base: int) -> tuple[Node | None, ParseError | None]:
    import yaml

    try:
        loader_class = yaml.CSafeLoader
    except AttributeError:  # PyYAML built without libyaml: slower, same events
        loader_class = yaml.SafeLoader
    try:
        loader = loader_class(block)
    except yaml.YAMLError as error:
        return None, _error(error, block, base)
    anchors: dict[str, Node] = {}
    # Each open container: [is_map, start, style, children, anchor]
    stack: list[tuple[bool, int, str, list[Node], str | None]] = []
    root: Node | None = None
    count = 0
    try:
        while True:
            event = loader.get_event()
            if event is None or isinstance(event, yaml.StreamEndEvent):
                return root, None
            node: Node | None = None
            if isinstance(event, yaml.ScalarEvent):
                begin, stop = event.start_mark.index, event.end_mark.index
                style = event.style if event.style and event.style != "plain" else ""
                if style in ("|", ">"):
                    while stop > begin and block[stop - 1 : stop].isspace():  # the marks of block scalars run into the next line
                        stop -= 1
                node = scalar(event.value, Span(base + begin, base + stop), style)
                if event.anchor:
                    anchors[event.anchor] = node
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(stack) >= MAX_DEPTH:
                    at = base + event.start_mark.index
                    return None, ParseError(f"nested deeper than {MAX_DEPTH} levels", Span(at, at + 1))
                is_map = isinstance(event, yaml.MappingStartEvent)
                stack.append((is_map, event.start_mark.index, "{" if event.flow_style else "", [], event.anchor))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                is_map, begin, style, children, anchor = stack.pop()
                stop = event.end_mark.index
                while stop > begin and block[stop - 1 : stop].isspace():
                    stop -= 1
                span = Span(base + begin, base + stop)
                if is_map:
                    pairs = tuple(zip(children[::2], children[1::2]))
                    node = Node(MAP, None, "", span, style, (), pairs)
                else:
                    node = Node(LIST, None, "", span, style, tuple(children))
                if anchor:
                    anchors[anchor] = node
            elif isinstance(event, yaml.AliasEvent):
                begin, stop = event.start_mark.index, event.end_mark.index
                span = Span(base + begin, base + stop)
                target = anchors.get(event.anchor)
                if target is None:
                    return None, ParseError(f"the alias *{event.anchor} names no anchor", span)
                node = Node(ALIAS, None, event.anchor, span) if target.kind in (LIST, MAP) else target._replace(span=span)
            elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
                at = base + event.start_mark.index
                return None, ParseError("a second YAML document starts here", Span(at, at + 3))
            if node is not None:
                count += 1
                if count > MAX_NODES:
                    return None, ParseError(f"more than {MAX_NODES} values", node.span)
                if stack:
                    stack[-1][3].append(node)
                else:
                    root = node
    except yaml.YAMLError as error:
        return None, _error(error, block, base)


_REASONS = (
    ("mapping values are not allowed", "a colon followed by a space starts a new key here: put the value in quotes"),
    ("found character '\\t'", "a tab indents this line: YAML allows spaces only"),
    ("tab character that violates", "a tab indents this line: YAML allows spaces only"),
    ("found character that cannot start any token", "this character cannot start a plain value: put the value in quotes"),
    ("found unexpected end of stream", "a quote or bracket is opened and never closed"),
    ("did not find expected ',' or", "a bracket is opened and never closed"),
    ("could not find expected ':'", "this line is neither a key with a value nor indented under one"),
    ("while scanning a simple key", "this line is neither a key with a value nor indented under one"),
    ("did not find expected key", "this line does not fit the indentation above it, or a quote ends too early"),
    ("did not find expected alphabetic", "a value that starts with * or & is an alias or anchor in YAML: put it in quotes"),
    ("control characters are not allowed", "a control character stands here"),
    ("special characters are not allowed", "a control character stands here"),
)


def _error(error: Exception, block: str, base: int) -> ParseError:
    """Our wording for the loaders' errors: the C loader and the pure one say different things."""
    mark = getattr(error, "problem_mark", None)
    at = min(mark.index, max(len(block) - 1, 0)) if mark is not None else 0
    position = getattr(error, "position", None)
    if mark is None and isinstance(position, int):
        at = min(position, max(len(block) - 1, 0))
    said = " ".join(str(part) for part in (getattr(error, "context", "") or "", getattr(error, "problem", "") or "") if part) or str(error)
    for needle, reason in _REASONS:
        if needle in said:
            return ParseError(reason, Span(base + at, base + at + 1))
    return ParseError(said.replace("\n", " "), Span(base + at, base + at + 1))
