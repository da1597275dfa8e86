"""The header as the client reads it: where it starts and ends, its second try, and the two YAML readers."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pluglint.parse.frontmatter import LATE, MISSING, UNCLOSED, cut
from pluglint.parse.node import LIST, STRING
from pluglint.parse.yaml import _events, _plain_lines


def texts(header):
    """The values of a header by key."""
    return {key.text: [item.text for item in value.items] if value.kind == LIST else value.text for key, value in header.node.pairs}


@pytest.mark.parametrize(
    "text, state",
    [
        ("", MISSING),
        ("name: a\n", MISSING),
        ("---", UNCLOSED),
        ("---\nname: a\n", UNCLOSED),
        ("---\nname: a\n...\n", UNCLOSED),
        ("---\nname: a\n ---\n", ""),  # the client ends the header at any three hyphens
        ("---\nname: a\n----\n", ""),
        ("\n---\nname: a\n---\n", LATE),
        (" ---\nname: a\n---\n", LATE),
        ("----\nname: a\n----\n", LATE),
        ("+++\nname = 'a'\n+++\n", LATE),
        ("<!-- x -->\n---\nname: a\n---\n", LATE),
        ("---\nname: a\n---", ""),
        ("--- \t\nname: a\n--- \nBody", ""),
    ],
)
def test_state(text, state):
    assert cut(text).state == state


@pytest.mark.parametrize(
    "lines, values",
    [
        (["description: Plans: a, b. Use when: asked."], {"description": "Plans: a, b. Use when: asked."}),
        # a bad value beside values that are fine on their own
        (["name: a", "description: Plans: a", "tools: Read, Grep", "maxTurns: 3"], {"name": "a", "description": "Plans: a", "tools": "Read, Grep", "maxTurns": "3"}),
        (["description: Plans: a", "when_to_use: Say: go"], {"description": "Plans: a", "when_to_use": "Say: go"}),
        # values beside it that are quoted, folded, or lists
        (['description: Plans: a', 'name: "a: b"'], {"description": "Plans: a", "name": "a: b"}),
        (["description: Plans: a", "tools:", "  - Read", "  - Grep"], {"description": "Plans: a", "tools": ["Read", "Grep"]}),
        (["description: Plans: a", "tools:", "- Read", "- Grep"], {"description": "Plans: a", "tools": ["Read", "Grep"]}),
        (["tools: [Read, Grep]", "description: Plans: a"], {"tools": ["Read", "Grep"], "description": "Plans: a"}),
        # comments and blank lines around it
        (["# ours", "description: Plans: a", "", "# theirs", "name: a"], {"description": "Plans: a", "name": "a"}),
        # characters that cannot start a plain value
        (["description: @team plans"], {"description": "@team plans"}),
        (["description: `run` plans"], {"description": "`run` plans"}),
        (["description: %done"], {"description": "%done"}),
        (["description: *bold* text"], {"description": "*bold* text"}),
        (["description: [draft] plans"], {"description": "[draft] plans"}),
        (["description: {draft} plans"], {"description": "{draft} plans"}),
        (["argument-hint: [file] [--fast]", "description: Runs."], {"argument-hint": "[file] [--fast]", "description": "Runs."}),
    ],
)
def test_second_try_reads_what_the_client_reads(lines, values):
    header = cut("---\n" + "\n".join(lines) + "\n---\nBody\n")
    assert header.error is None and header.forgiven is not None
    assert texts(header) == values


@pytest.mark.parametrize(
    "lines",
    [
        ["description: 'Plans", "name: a"],
        ["description: Plans: a", "when_to_use: >", "  first", "  second: third", "name: a"],  # the block's mark is put in quotes too
        ["description: Plans.", "\tname: a"],
        ["description: Plans.", "<example>", "user: go", "</example>"],
        ["description: Plans: a", "  more: text", " less: text"],
    ],
)
def test_second_try_gives_up(lines):
    header = cut("---\n" + "\n".join(lines) + "\n---\nBody\n")
    assert header.node is None and header.error is not None and header.forgiven is None


def test_second_try_keeps_places():
    text = "---\nname: a\ndescription: Plans: a  \ntools:\n  - Read\n---\nBody\n"
    for key, value in cut(text).node.pairs:
        assert text[key.span.start : key.span.end] == key.text
        if value.kind == STRING:
            assert text[value.span.start : value.span.end] == value.text
        else:
            assert [text[item.span.start : item.span.end] for item in value.items] == ["Read"]


def test_the_strict_reason_points_at_the_line():
    text = "---\nname: a\ndescription: Plans: a\n---\n"
    at = cut(text).forgiven.span.start
    assert text.count("\n", 0, at) == 2


# -- the narrow reader of plain lines against PyYAML's events

KEYS = st.sampled_from(["name", "description", "a", "when_to_use", "allowed-tools", "true", "Yes", "null", "n", "_x", "X9", "é", "1", "on"])
PIECES = st.sampled_from(
    ["a", "Read", " ", "  ", ":", ": ", " #", "#", ",", "'", '"', "''", "\\", "\\n", "-", "- ", "[", "]", "{", "}", "&", "*", "!", "|", ">", "%", "@", "`", "?", "~", "=", "<<",
     "true", "no", "Null", "1", "1.5", "0x1f", "2026-11-22", ".inf", "é", "日", "\u200b", "\u00a0", "\u0085", "\u2028", "\x7f", "\t", "…", "😀", "\ufeff"]
)  # fmt: skip
LINES = st.one_of(
    st.builds("{}: {}".format, KEYS, st.lists(PIECES, max_size=6).map("".join)),
    st.builds("{}:{}{}".format, KEYS, st.sampled_from([" ", "  ", "\t", ""]), st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)),
    st.sampled_from(["", " ", "# note", "- item", "  more", "---", "..."]),
)
BLOCKS = st.lists(LINES, min_size=1, max_size=5).map("\n".join)


@settings(max_examples=1500, deadline=None)
@given(BLOCKS, st.sampled_from(["", "\n", "\n\n"]), st.sampled_from(["", "---\n"]))
@example("name: a ", "\n", "---\n")
@example("name:   'a: b'  ", "", "")
@example("a: x\na: y", "\n", "")
def test_narrow_reader_agrees_with_the_events(block, tail, lead):
    text = lead + block + tail
    narrow = _plain_lines(text, len(lead), len(text))
    if narrow is None:  # declined: PyYAML reads it
        return
    full, error = _events(text[len(lead) :], len(lead))
    assert error is None, error
    assert narrow.kind == full.kind
    assert narrow.pairs == full.pairs


def test_the_narrow_reader_does_not_decline_what_is_common():
    assert _plain_lines("name: a\ndescription: Reads it. Use when asked.\nmodel: \"opus\"\ntools: Read, Grep\n", 0, 79) is not None
