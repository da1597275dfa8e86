"""Reports: one module a format, each with `render(report) -> str`. Looked up by name, imported on demand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

FORMATS = {"text": "pluglint.report.text", "json": "pluglint.report.json"}


def renderer(name: str) -> Any:
    return import_module(FORMATS[name])


def printable(text: str) -> str:
    """Text that cannot drive a terminal: control, hidden and bidirectional characters become visible escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}" if ord(char) > 255 else f"\\x{ord(char):02x}" for char in text)
