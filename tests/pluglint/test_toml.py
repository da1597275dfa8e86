"""The TOML reader has tomllib's values and real places."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pluglint.parse.node import Node
from pluglint.parse.toml import parse_toml

TEXT = '''\
# select = ["comment"]
select = ["a", 'b',
  "c", # ] = "no"
]
"quoted key" = """
[not.a.table]
ignore = 1
"""
dotted . name = 'C:\\'
number = 1.5
when = 1979-05-27 07:32:00.5

[table.inner]
flag = true
inline = { "x.y" = 1, list = [{ z = 2 }, []] }

[[suppress]]
rule = "one"

  [suppress.more]
  deep = 3

[[suppress]]
rule = "two"
'''


def flat(node: Node, path: tuple = ()) -> dict[tuple, Node]:
    found = {path: node}
    for name, value in node.pairs:
        found |= flat(value, (*path, name.text))
    for number, item in enumerate(node.items):
        found |= flat(item, (*path, number))
    return found


def at(*path: str | int) -> str:
    node, _ = parse_toml(TEXT)
    assert node is not None
    span = flat(node)[path].span
    return TEXT[span.start : span.end]


@pytest.mark.parametrize(
    "path, text",
    [
        (("select", 0), '"a"'),
        (("select", 2), '"c"'),
        (("quoted key",), '"""\n[not.a.table]\nignore = 1\n"""'),
        (("dotted", "name"), "'C:\\'"),
        (("number",), "1.5"),
        (("when",), "1979-05-27 07:32:00.5"),
        (("table",), "table"),
        (("table", "inner"), "inner"),
        (("table", "inner", "flag"), "true"),
        (("table", "inner", "inline", "x.y"), "1"),
        (("table", "inner", "inline", "list", 0, "z"), "2"),
        (("table", "inner", "inline", "list", 1), "[]"),
        (("suppress", 0, "rule"), '"one"'),
        (("suppress", 0, "more", "deep"), "3"),
        (("suppress", 1, "rule"), '"two"'),
    ],
)
def test_value_stands_where_it_says(path, text):
    assert at(*path) == text


def test_keys_and_tables_have_places():
    node, _ = parse_toml(TEXT)
    assert node is not None
    suppress = node.get("suppress")
    assert [TEXT.count("\n", 0, item.span.start) + 1 for item in suppress.items] == [17, 23]
    key = node.key("quoted key")
    assert TEXT[key.span.start : key.span.end] == '"quoted key"'


def test_values_are_those_of_tomllib():
    node, error = parse_toml(TEXT)
    raw = tomllib.loads(TEXT)
    raw["when"] = raw["when"].isoformat()
    assert error is None and node.plain() == raw


@pytest.mark.parametrize("text, offset", [("a = [\n", 6), ("a = 1\nb = = 2\n", 10), ("a = 1\na = 2\n", 11), ('a = "', 5), ("a = 1 b", 6)])
def test_error_has_a_place(text, offset):
    node, error = parse_toml(text)
    assert node is None and error.span.start == offset and "(at" not in error.message


def test_deep_nesting_is_an_error_and_no_crash():
    node, error = parse_toml("a = " + "[" * 5000 + "]" * 5000)
    assert node is None and error is not None


VALUE = st.recursive(
    st.sampled_from(['"a"', "'b # c'", "1", "-1.5", "true", "2027-01-31", '"""x\n[y]\n"""', '"\\"\\u0041="']),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ",\n # note ]\n ".join(items) + "]") | st.lists(inner.filter(lambda text: "\n" not in text), max_size=2).map(lambda items: "{" + ", ".join(f"k{n} = {item}" for n, item in enumerate(items)) + "}"),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(VALUE, max_size=4), st.lists(VALUE, max_size=3))
def test_scalars_read_back_from_their_span(top, inner):
    text = "".join(f"key{n} = {value}\n" for n, value in enumerate(top)) + "[t.'u v']\n" + "".join(f"k.{n} = {value}\n" for n, value in enumerate(inner))
    node, error = parse_toml(text)
    assert error is None
    raw = tomllib.loads(text)
    for path, one in flat(node).items():
        if one.items or one.pairs or one.kind in ("map", "list"):
            continue
        value = raw
        for part in path:
            value = value[part]
        assert tomllib.loads("v = " + text[one.span.start : one.span.end])["v"] == value


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(st.sampled_from("ab=.[]{}\"'#\n ,1\\-"), max_size=30))
def test_no_text_makes_it_raise(text):
    node, error = parse_toml(text)
    assert (node is None) != (error is None)
