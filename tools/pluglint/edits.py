"""Edits that several rules offer. Each is None where the text does not allow it as simply as that."""

from __future__ import annotations

import re

from pluglint.finding import Edit
from pluglint.model import Document
from pluglint.parse.node import STRING, Node
from pluglint.text import Span


def replaced(document: Document, span: Span, old: str, new: str) -> Edit | None:
    """Another text at a span, if what stands there is `old` to the letter."""
    return Edit(document.source, span, new) if document.source.slice(span) == old else None


def revalued(document: Document, node: Node, text: str) -> Edit | None:
    """Another value in the place of a string of JSON or YAML, in the quotes that it has."""
    if node.kind != STRING or not text.isprintable() or any(mark in text for mark in "\"'\\"):
        return None
    raw = document.source.slice(node.span)
    if raw[:1] in ("'", '"') and len(raw) > 1 and raw[-1] == raw[0]:
        return Edit(document.source, node.span, raw[0] + text + raw[0])
    if raw == node.text and re.fullmatch(r"[A-Za-z][\w./-]*", text):
        return Edit(document.source, node.span, text)
    return None


def without_item(document: Document, span: Span) -> Edit | None:
    """One of several names less: of a list on one line with the comma before it, of a YAML list with its line."""
    text = document.source.text
    start, end = span
    if start and text[start - 1] in "'\"" and text[end : end + 1] == text[start - 1]:
        start, end = start - 1, end + 1
    before = len(text[:start].rstrip(" "))
    if before and text[before - 1] == ",":
        return Edit(document.source, Span(before - 1, end), "")
    line = document.source.line_span(start)
    if re.fullmatch(r"\s*-\s+", text[line.start : start]) and not text[end : line.end].strip():
        return Edit(document.source, Span(line.start, min(line.end + 1, len(text))), "")
    return None


def quoted(document: Document, span: Span) -> Edit | None:
    """A plain text of YAML in quotes, which mean nothing inside it."""
    text = document.source.slice(span)
    if "\n" in text or "\\" in text:
        return None
    mark = '"' if '"' not in text else "'" if "'" not in text else ""
    return Edit(document.source, span, mark + text + mark) if mark else None
