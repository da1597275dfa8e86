"""Which tool a strange name is taken for, and which key."""

from __future__ import annotations

import pytest

from pluglint.headers import GRANTED, NEVER, RETIRED, UNFAMILIAR, UNKNOWN, _close_key, _tool, known_keys, shown
from pluglint.text import Span


@pytest.mark.parametrize(
    "name, state, close",
    [
        ("Read", GRANTED, ""),
        ("Bash(git log, git diff)", GRANTED, ""),
        ("mcp__server__tool", GRANTED, ""),
        ("TodoWrite", GRANTED, ""),
        ("Workflow", NEVER, ""),
        ("MultiEdit", RETIRED, "Edit"),
        ("read", UNKNOWN, "Read"),
        ("web-search", UNKNOWN, "WebSearch"),
        ("Wirte", UNKNOWN, "Write"),
        ("multiedit", UNKNOWN, "Edit"),
        ("read_file", UNKNOWN, "Read"),
        ("redis", UNKNOWN, ""),
        ("react", UNKNOWN, ""),
        ("numpy", UNKNOWN, ""),
        ("(x)", UNKNOWN, ""),
        ("-", UNKNOWN, ""),
        ("TeamCreate", UNFAMILIAR, ""),
        ("Python", UNFAMILIAR, ""),
    ],
)
def test_tool(name, state, close):
    tool = _tool(name, Span(0, len(name)))
    assert (tool.state, tool.close) == (state, close)


@pytest.mark.parametrize(
    "kind, key, close",
    [
        ("agent", "max-turns", "maxTurns"),
        ("agent", "Model", "model"),
        ("agent", "colour", "color"),
        ("agent", "descripton", "description"),
        ("agent", "mode", ""),
        ("agent", "rules", ""),
        ("agent", "version", ""),
        ("agent", "tags", ""),
        ("skill", "argument_hint", "argument-hint"),
        ("skill", "when-to-use", "when_to_use"),
        ("skill", "tools", ""),
        ("skill", "author", ""),
        ("command", "names", ""),
    ],
)
def test_key(kind, key, close):
    assert _close_key(key, known_keys(kind), set()) == close


def test_a_key_that_is_there_is_not_suggested():
    assert _close_key("colour", known_keys("agent"), {"color"}) == ""


def test_values_are_shown_on_one_line():
    assert shown("a\n  b\u202ec") == "a b c"
    assert shown("a" * 100, 10) == "a" * 9 + "…"
