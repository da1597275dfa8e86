"""The tree that YAML and JSON both become. Every value keeps its span and its raw text."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple

from pluglint.text import Span

STRING, INTEGER, NUMBER, BOOLEAN, NULL, LIST, MAP, ALIAS = (
    "string", "integer", "number", "boolean", "null", "list", "map", "alias",
)


class Node(NamedTuple):
    """One value.

    kind   one of the constants above; an alias to a list or map stays `alias` (an alias bomb must not expand)
    value  the Python value of a scalar (`str`, `int`, `float`, `bool`, `None`), None for containers
    text   a scalar as text: unquoted for strings, as written for the rest ("1.10" stays "1.10")
    span   where it stands, quotes included
    style  "" for a plain YAML scalar and for JSON, else the quote or block mark
    items  children of a list
    pairs  (key, value) nodes of a map in order: duplicate keys survive
    """

    kind: str
    value: Any
    text: str
    span: Span
    style: str = ""
    items: tuple["Node", ...] = ()
    pairs: tuple[tuple["Node", "Node"], ...] = ()

    def get(self, key: str) -> "Node | None":
        """The value under a key, the last one where it repeats (as the client takes it), or None."""
        found = None
        for name, value in self.pairs:
            if name.text == key:
                found = value
        return found

    def key(self, key: str) -> "Node | None":
        """The key node that `get` took its value from."""
        found = None
        for name, _ in self.pairs:
            if name.text == key:
                found = name
        return found

    def string(self, key: str) -> str:
        """The text of a scalar under a key, or the empty string."""
        node = self.get(key)
        return node.text if node is not None and node.kind not in (LIST, MAP, ALIAS, NULL) else ""

    def keys(self) -> list[str]:
        return [name.text for name, _ in self.pairs]

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in order, without recursion."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.items:
                stack.extend(reversed(node.items))
            elif node.pairs:
                for name, value in reversed(node.pairs):
                    stack.append(value)
                    stack.append(name)

    def plain(self) -> Any:
        """Plain Python data, for libraries that want it. Aliases become None; depth is bounded by the parsers."""
        if self.kind == MAP:
            return {name.text: value.plain() for name, value in self.pairs}
        if self.kind == LIST:
            return [item.plain() for item in self.items]
        return self.value


class ParseError(NamedTuple):
    """Why a document has no tree: a sentence, and where."""

    message: str
    span: Span
