"""JSON with spans. Strict: no comments, no trailing commas, as the client reads it. Duplicate keys survive in `pairs`."""

from __future__ import annotations

import re
from json import loads as _loads

from pluglint.parse.node import BOOLEAN, INTEGER, LIST, MAP, NULL, NUMBER, STRING, Node, ParseError
from pluglint.text import Span

MAX_DEPTH = 200

_TOKEN = re.compile(
    r'[ \t\n\r]*(?:([{}\[\]:,])|("(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")'
    r"|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])|(true|false|null)(?!\w)|(\Z)|(.))",
    re.S,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


def parse_json(text: str) -> tuple[Node | None, ParseError | None]:
    """The tree of a JSON text, or the first error. One of the two is None."""
    tokens = _TOKEN.finditer(text)
    # Each open container: (is_map, start, children)
    stack: list[tuple[bool, int, list[Node]]] = []
    root: Node | None = None
    want = "value"  # what the grammar allows next: value, first (value or close), key, firstkey, colon, comma, end
    for match in tokens:
        kind = match.lastindex or 6
        at, stop = match.span(kind)
        token = match.group(kind)
        if kind == 5:
            if root is not None and want == "end":
                return root, None
            if root is None and not stack and want == "value":
                return None, ParseError("the file is empty", Span(0, 0))
            opened = f"; the {'object' if stack[-1][0] else 'array'} opened here is not closed" if stack else ""
            at = stack[-1][1] if stack else at
            return None, ParseError(f"the file ends too early{opened}", Span(at, min(at + 1, len(text))))
        span = Span(at, stop)
        if want == "end":
            return None, ParseError("text after the end of the JSON value", span)
        node: Node | None = None
        if kind == 6:
            return None, ParseError(_complaint(text, at), span)
        if want in ("key", "firstkey"):
            if kind == 2:
                stack[-1][2].append(Node(STRING, *_string(token), span))
                want = "colon"
                continue
            if token == "}" and want == "firstkey":
                node = _close(stack, stop)
            elif token == "}":
                return None, ParseError("a comma before the closing brace: JSON allows none", span)
            else:
                return None, ParseError("expected a key in double quotes", span)
        elif want == "colon":
            if token != ":":
                return None, ParseError("expected a colon after the key", span)
            want = "value"
            continue
        elif want == "comma":
            is_map = stack[-1][0]
            if token == ",":
                want = "key" if is_map else "value"
                continue
            if token != ("}" if is_map else "]"):
                return None, ParseError(f"expected a comma or the closing {'brace' if is_map else 'bracket'}", span)
            node = _close(stack, stop)
        elif kind == 1 and token in "{[":
            if len(stack) >= MAX_DEPTH:
                return None, ParseError(f"nested deeper than {MAX_DEPTH} levels", span)
            stack.append((token == "{", at, []))
            want = "firstkey" if token == "{" else "first"
            continue
        elif kind == 1 and token == "]" and want == "first":
            node = _close(stack, stop)
        elif kind == 1 and token == "]" and stack and not stack[-1][0]:
            return None, ParseError("a comma before the closing bracket: JSON allows none", span)
        elif kind == 1:
            return None, ParseError("expected a value", span)
        elif kind == 2:
            node = Node(STRING, *_string(token), span)
        elif kind == 3:
            whole = not any(c in token for c in ".eE")
            if len(token) > 400:
                return None, ParseError("a number of more than 400 digits", span)
            node = Node(INTEGER if whole else NUMBER, int(token) if whole else float(token), token, span)
        else:
            value = _CONSTANTS[token]
            node = Node(NULL if value is None else BOOLEAN, value, token, span)
        if node is not None:
            if stack:
                stack[-1][2].append(node)
                want = "comma"
            else:
                root, want = node, "end"
    return None, ParseError("the file ends too early", Span(0, 0))


def _string(token: str) -> tuple[str, str]:
    value = _loads(token) if "\\" in token else token[1:-1]
    return value, value


def _close(stack: list[tuple[bool, int, list[Node]]], stop: int) -> Node:
    is_map, start, children = stack.pop()
    if is_map:
        return Node(MAP, None, "", Span(start, stop), "", (), tuple(zip(children[::2], children[1::2])))
    return Node(LIST, None, "", Span(start, stop), "", tuple(children))


def _complaint(text: str, at: int) -> str:
    if text.startswith(("//", "/*", "#"), at):
        return "a comment: JSON allows none"
    if text[at] == "'":
        return "single quotes: JSON wants double quotes"
    if text[at] == '"':
        return "a string that is not closed, or holds a line break or an unknown escape"
    return "this is no JSON value"
