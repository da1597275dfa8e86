"""The walk-throughs of the README quote what the linked pages print, to the letter."""

import re

import pytest

from documents import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("\n### Walk-throughs\n")[1].split("\n### ")[0]
WALKS = dict(re.findall(r"^#### (.+?)\n(.*?)(?=^#### |\Z)", SECTION, re.M | re.S))


def test_the_three_are_there():
    assert list(WALKS) == ["A deep network that does not learn", "A vision transformer for a small data set", "Which framework?"]


@pytest.mark.parametrize("title", WALKS)
def test_every_quoted_line_is_checked_output_of_the_page(title):
    text = WALKS[title]
    (page,) = re.findall(r"\]\((skills/[\w/-]+\.md)\)", text)
    checked = re.findall(r"<!-- output[^>]*-->\n```text\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.S)
    printed = {" ".join(line.split()) for block in checked for line in block.splitlines()}
    quoted = [" ".join(line.split()) for block in re.findall(r"```text\n(.*?)```", text, re.S) for line in block.splitlines()]
    assert quoted
    assert [line for line in quoted if line not in printed] == []
