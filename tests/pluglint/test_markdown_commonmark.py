"""The line scanner against a CommonMark parser: headings, fences and list items must agree.

Known differences, kept out of the inputs: HTML blocks are not modelled (a fence right under a lone tag is a
fence here), lazy continuation lines of quotes and items are followed for one line only, and a list that
starts in the line of another item's marker ("- - x") counts as one item.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pluglint.parse.frontmatter import cut
from pluglint.parse.markdown import Markdown
from pluglint.text import line_starts

markdown_it = pytest.importorskip("markdown_it")
ROOT = Path(__file__).resolve().parents[2]
PARSER = markdown_it.MarkdownIt("commonmark").enable("table")


def by_commonmark(text: str):
    headings, fences, items = [], [], []
    lists, quotes = 0, 0
    for token in PARSER.parse(text):
        kind = token.type
        if kind == "heading_open":
            headings.append((int(token.tag[1]), token.map[0]))
        elif kind == "fence":
            fences.append((token.map[0], token.map[1], token.info.strip()))
        elif kind in ("bullet_list_open", "ordered_list_open"):
            lists += 1
        elif kind in ("bullet_list_close", "ordered_list_close"):
            lists -= 1
        elif kind in ("blockquote_open", "blockquote_close"):
            quotes += 1 if kind.endswith("open") else -1
        elif kind == "list_item_open" and lists == 1 and not quotes:
            items.append(token.map[0])
    return headings, fences, items


def by_scanner(text: str):
    markdown = Markdown(text)
    starts = line_starts(text)

    def line(offset: int) -> int:
        return bisect_right(starts, offset) - 1

    headings = [(heading.level, line(heading.span.start)) for heading in markdown.headings]
    fences = [(line(fence.span.start), line(fence.span.end) + 1, fence.info) for fence in markdown.fences]
    items = [line(item.start) for one in markdown.lists if one.depth == 0 for item in one.items if ">" not in text[text.rfind("\n", 0, item.start) + 1 : item.start]]
    return headings, fences, sorted(items)


def compare(text: str) -> None:
    expected, found = by_commonmark(text), by_scanner(text)
    assert found[0] == expected[0], "headings"
    assert [(start, info) for start, _, info in found[1]] == [(start, info) for start, _, info in expected[1]], "fences"
    closed = {line_of(text, fence): fence.closed for fence in Markdown(text).fences}
    ends = {start: end for start, end, _ in expected[1]}
    for start, end, _ in found[1]:
        if closed[start]:
            assert end == ends[start], "where a fence ends"
    assert found[2] == expected[2], "list items"


def line_of(text: str, fence) -> int:
    return text.count("\n", 0, fence.span.start)


CASES = [
    "# One\n\n## Two ##\n\n#not one\n\n####### seven\n\n#\ttab\n",
    "Title\n=====\n\nTwo lines\nof a title\n-----\n\ntext\n\n---\n\n***\n",
    "    # code\n\n   # heading\n",
    "text\n# heading right below\ntext\n",
    "```python\n# no heading\n- no item\n```\n# heading\n",
    "````markdown\n```python\nx\n```\n````\n# heading\n",
    "```\na\n```python\nb\n```\n\n# heading\n\n```\n# no heading\n",
    "~~~\n```\n~~~\n# heading\n",
    "``` not a `fence`\n# heading\n",
    "- a\n- b\n  - c\n    - d\n- e\n",
    "1. a\n2. b\n\n   more\n\n3. c\n",
    "1. a\n   ```\n   code\n   ```\n2. b\n",
    "1. a\n   ```\ncode at the margin\n   ```\n# heading\n",
    "- ```python\n  x\n  ```\n- # heading in an item\n",
    "It began in\n2019. Nothing else.\n\n2019. A list\n",
    "text\n1. a list that starts at one may follow a paragraph\n",
    "- a\n\n\n- b\n\ntext\n\n- c\n",
    "- a\n- b\n* c\n+ d\n",
    "> # quoted\n> - item\n> ```\n> code\n> ```\n\n# heading\n",
    "> ```\n> code\n\n# heading\n",
    "| a | b |\n| - | - |\n| 1 | 2 |\n\n# heading\n",
    "text\n\n-\n\n- \n\n-\ttab\n",
    "<!-- a comment\n# no heading\n-->\n\n# heading\n",
    "",
    "\n\n\n",
    "#",
    "```",
]


@pytest.mark.parametrize("text", CASES)
def test_written_cases_agree(text):
    compare(text)


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("agents/**/*.md")) + sorted(ROOT.glob("skills/**/*.md")) + sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_own_files_agree(path):
    text = path.read_text(encoding="utf-8")
    compare(text[cut(text).body :])


WORD = st.sampled_from(["text", "two words", "`code`", "**bold** text", "2019. a year", "a | b", "[link](x.md)", "C#", "é ü", "end:"])
PARAGRAPH = st.lists(WORD, min_size=1, max_size=3).map(lambda words: "text " + "\ntext ".join(words))
HEADING = st.builds(lambda level, word, tail: "#" * level + " " + word + tail, st.integers(1, 6), WORD, st.sampled_from(["", " ##", "  "]))
SETEXT = st.builds(lambda word, line: f"text {word}\n{line}", WORD, st.sampled_from(["===", "---", "-----"]))
CODE = st.lists(st.sampled_from(["# no heading", "- no item", "x = 1", "", "    y", "| a |", "1. no item", "<!-- no comment"]), max_size=4)


@st.composite
def fence(draw):
    mark = draw(st.sampled_from(["```", "````", "~~~", "~~~~~"]))
    info = draw(st.sampled_from(["", "python", " markdown x"]))
    return "\n".join([mark + info, *draw(CODE), mark + draw(st.sampled_from(["", mark[0], "  "]))])


@st.composite
def bullets(draw, deep=True):
    mark = draw(st.sampled_from(["-", "*", "+", "1.", "1)", "7."]))
    box = draw(st.sampled_from(["", "[ ] ", "[x] "]))
    parts = []
    for number in range(draw(st.integers(1, 4))):
        shown = f"{int(mark[:-1]) + number}{mark[-1]}" if mark[0].isdigit() else mark
        pad = " " * (len(shown) + 1)
        body = [box + draw(WORD)]
        if deep:
            inner = draw(st.sampled_from(["none", "list", "fence", "paragraph"]))
            if inner == "list":
                body += draw(bullets(deep=False)).split("\n")
            elif inner == "fence":
                body += draw(fence()).split("\n")
            elif inner == "paragraph":
                body += ["", "text"]
        parts.append("\n".join([f"{shown} {body[0]}", *(pad + line if line else "" for line in body[1:])]))
    return draw(st.sampled_from(["\n", "\n\n"])).join(parts)


TABLE = st.integers(1, 3).map(lambda rows: "| a | b |\n| --- | :-: |\n" + "\n".join(["| 1 | `x` |"] * rows))
QUOTE = st.one_of(PARAGRAPH, HEADING, fence(), bullets(deep=False)).map(lambda block: "\n".join("> " + line for line in block.split("\n")))
BLOCK = st.one_of(PARAGRAPH, HEADING, SETEXT, fence(), bullets(), TABLE, QUOTE, st.just("<!-- a comment -->"), st.just("***"))
DOCUMENT = st.lists(BLOCK, max_size=8).map(lambda blocks: "\n\n".join(blocks) + "\n")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(DOCUMENT)
def test_generated_documents_agree(text):
    compare(text)


ANYTHING = st.text(alphabet=st.sampled_from("ab #-*+>`~|[]()!<=\\\"'_1.\t\n\r\u00e9\U0001f600:/"), max_size=200)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.one_of(ANYTHING, DOCUMENT))
@example("[a](b) ![c](<d e> \"f\")\n\n[g]: h\n<a href='i'>\n")
def test_every_span_slices_back_to_its_text(text):
    markdown = Markdown(text)
    for heading in markdown.headings:
        assert markdown.slice(heading.span) == heading.text
    for one in markdown.fences:
        assert 0 <= one.span.start <= one.content.start <= one.content.end <= one.span.end <= len(text)
        assert markdown.slice(one.span).startswith(one.mark)
        assert text[one.content.start - 1 : one.content.start] in ("\n", "") or one.content.start == one.content.end
    for one in markdown.lists:
        assert one.items and one.ordered == (one.items[0].number is not None)
        for item in one.items:
            assert 0 <= item.start < item.text_start <= len(text) and item.end <= len(text)
            mark = text[item.start : item.text_start]
            assert mark.startswith(item.mark) if item.number is None else mark[: len(mark)].lstrip("0123456789")[:1] == item.mark
    for link in markdown.links:
        assert markdown.slice(link.target_span) == link.target
        assert link.span.start <= link.target_span.start <= link.target_span.end <= link.span.end
    for span in markdown.code_spans:
        assert markdown.slice(span).startswith("`") and markdown.slice(span).endswith("`")
    for table in markdown.tables:
        for row in [markdown.cells(table.header), *markdown.rows(table)]:
            assert all(0 <= start <= end <= len(text) for start, end in row)
    for index, section in enumerate(markdown.sections):
        later = [other for other in markdown.headings[index + 1 :] if other.level <= section.heading.level]
        end = text.rfind("\n", 0, later[0].span.start) + 1 if later else len(text)
        assert section.end == end and section.start <= section.own_end <= section.end
    assert len(markdown.prose) == len(text)


HOSTILE = {
    "brackets": "[", "closing brackets": "](", "back-ticks": "`", "growing back-ticks": "` `` ", "stars": "*", "parentheses": "(", "comments": "<!--", "bars": "|",
    "quotes": "> ", "items": "- ", "fences": "```\n", "long fences": "````\n```\n", "headings": "# \n", "underlines": "a\n=\n", "links": "[a](b", "images": "![", "tags": "<a href=",
    "numbers": "2. a\n", "items in lines": "- a\n", "deep items": "- a\n  ", "tables": "| a |\n| - |\n", "comment lines": "<!-- a\n", "definitions": "[a]: b\n", "bare lines": "a\n", "nested": "* [ ] `",
}


def work(text: str) -> int:
    """How much a scan does: calls of functions, with the lengths that text searches run over left out. Counted, so that no clock decides."""
    count = 0

    def tick(frame, event, argument):
        nonlocal count
        count += 1

    previous = sys.getprofile()
    sys.setprofile(tick)
    try:
        markdown = Markdown(text)
        markdown.links, markdown.code_spans, markdown.sections, markdown.prose  # noqa: B018
    finally:
        sys.setprofile(previous)
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_in_step_with_the_input(name):
    part = HOSTILE[name]
    small, large = work(part * 2_000), work(part * 4_000)
    assert large <= small * 2.3 + 200


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_ends(name):
    """A quadratic search inside one call would not show in the count above: here it would take minutes."""
    part = HOSTILE[name]
    markdown = Markdown(part * (50_000 // len(part) + 1))
    assert markdown.links is not None and markdown.code_spans is not None and markdown.sections is not None
