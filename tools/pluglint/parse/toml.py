"""TOML to nodes. `tomllib` reads the values and keeps no places, so a scan of the same text finds these.

The scan runs only after `tomllib` took the text, and so may assume that it is well formed.
"""

from __future__ import annotations

import re
from typing import Any

from pluglint.parse.node import BOOLEAN, INTEGER, LIST, MAP, NUMBER, STRING, Node, ParseError
from pluglint.text import Span, line_starts

Path = tuple[str | int, ...]


def parse_toml(text: str) -> tuple[Node | None, ParseError | None]:
    """The tree of a TOML text, or the first error. Dates become strings as they are written in ISO 8601."""
    import tomllib

    try:
        raw = tomllib.loads(text)
        return _tree(raw, (), _places(text), Span(0, 0))[1], None
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z", message)
        at = len(text)
        if place is not None:
            message = message[: place.start()]
            if place.group(1):
                at = line_starts(text)[int(place.group(1)) - 1] + int(place.group(2)) - 1
        return None, ParseError(message[:1].lower() + message[1:], Span(min(at, len(text)), min(at + 1, len(text))))
    except RecursionError:
        return None, ParseError("nested too deep", Span(0, 0))


def _tree(value: Any, path: Path, places: dict[Path, tuple[Span, Span]], parent: Span) -> tuple[Span, Node]:
    """(span of the key, node of the value). What the scan did not place stands where its parent does."""
    key, span = places.get(path, (parent, parent))
    if isinstance(value, dict):
        pairs = []
        for name, inner in value.items():
            at, node = _tree(inner, (*path, name), places, span)
            pairs.append((Node(STRING, name, name, at), node))
        return key, Node(MAP, None, "", span, "", (), tuple(pairs))
    if isinstance(value, list):
        return key, Node(LIST, None, "", span, "", tuple(_tree(inner, (*path, number), places, span)[1] for number, inner in enumerate(value)))
    if isinstance(value, bool):
        return key, Node(BOOLEAN, value, "true" if value else "false", span)
    if isinstance(value, int):
        return key, Node(INTEGER, value, str(value), span)
    if isinstance(value, float):
        return key, Node(NUMBER, value, str(value), span)
    text = value if isinstance(value, str) else value.isoformat()
    return key, Node(STRING, text, text, span)


_TOKEN = (
    r'"""(?:\\.|[^\\])*?"{3,5}|' r"'''.*?'{3,5}|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|"
    r"(?P<comment>#[^\n]*)|\n|[\[\]{}=,.]|(?P<bare>[^\s\[\]{}=,.#\"']+)"
)


def _places(text: str) -> dict[Path, tuple[Span, Span]]:
    """Path -> (span of the key, span of the value) for every key and every item."""
    tokens = [(match.group(), match.start(), match.end()) for match in re.finditer(_TOKEN, text, re.S) if match.lastgroup != "comment"]
    tokens.append(("\n", len(text), len(text)))
    return _Scan(tokens).run()


class _Scan:
    def __init__(self, tokens: list[tuple[str, int, int]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.places: dict[Path, tuple[Span, Span]] = {}
        self.arrays: dict[Path, int] = {}  # path of an array of tables -> index of its newest table

    def run(self) -> dict[Path, tuple[Span, Span]]:
        table: Path = ()
        while self.at < len(self.tokens):
            word, start, _ = self.tokens[self.at]
            if word == "\n":
                self.at += 1
            elif word == "[":
                double = self.tokens[self.at + 1][:2] == ("[", start + 1)
                self.at += 2 if double else 1
                table = self.header(self.keys("]"), double)
                self.at += 1 if double else 0
            else:
                self.pair(table)
        return self.places

    def keys(self, stop: str) -> list[tuple[str, Span]]:
        """The parts of a dotted key up to its stop, which is passed."""
        parts = []
        while self.tokens[self.at][0] != stop:
            word, start, end = self.tokens[self.at]
            if word != ".":
                parts.append((_unquoted(word), Span(start, end)))
            self.at += 1
        self.at += 1
        return parts

    def header(self, parts: list[tuple[str, Span]], double: bool) -> Path:
        path: Path = ()
        for number, (name, span) in enumerate(parts):
            path = (*path, name)
            self.places.setdefault(path, (span, span))
            if double and number == len(parts) - 1:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path])
                self.places.setdefault(path, (span, span))
        return path

    def pair(self, table: Path) -> None:
        path = table
        span = Span(0, 0)
        for name, span in self.keys("="):
            path = (*path, name)
            self.places.setdefault(path, (span, span))
        self.places[path] = (span, self.value(path))

    def value(self, path: Path) -> Span:
        word, start, end = self.tokens[self.at]
        self.at += 1
        if word not in ("[", "{"):
            while self.tokens[self.at][0] not in ("\n", ",", "]", "}"):  # 1.5 and 07:32:00.9 are several tokens
                end = self.tokens[self.at][2]
                self.at += 1
            return Span(start, end)
        number = 0
        while True:
            inner, _, end = self.tokens[self.at]
            if inner in ("]", "}"):
                self.at += 1
                return Span(start, end)
            if inner in ("\n", ","):
                self.at += 1
            elif word == "{":
                self.pair(path)
            else:
                span = self.value((*path, number))
                self.places[(*path, number)] = (span, span)
                number += 1


def _unquoted(word: str) -> str:
    if word[:1] not in "\"'":
        return word
    if "\\" not in word or word[0] == "'":
        return word[1:-1]
    import tomllib

    return tomllib.loads(f"key = {word}")["key"]
