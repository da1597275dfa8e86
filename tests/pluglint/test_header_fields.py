"""Fields of a header as the client reads them."""

from __future__ import annotations

import pytest

from pluglint.discover import PLUGIN, Root
from pluglint.model import MarkdownDocument, Package
from pluglint.text import Source


def document(kind: str, header: str) -> MarkdownDocument:
    return MarkdownDocument(kind, Source("x.md", "x.md", f"---\n{header}\n---\nText.\n"), Package(Root(PLUGIN, "/x", "x", {})))


@pytest.mark.parametrize(
    "value, flag",
    [("true", True), ("Yes", True), ("on", True), ("1", True), ("false", False), ("off", False), ("0", False), ('"true"', True), ("maybe", None), ("[true]", None), ("", None)],
)
def test_flag(value, flag):
    assert document("skill", f"user-invocable: {value}").flag("user-invocable") is flag


def test_flag_of_an_absent_key():
    assert document("skill", "name: a").flag("user-invocable") is None


def test_listing_of_a_skill_has_both_parts_and_an_agent_the_first():
    header = "description: Reads logs.\nwhen_to_use: A build failed."
    assert document("skill", header).listing == "Reads logs. - A build failed."
    assert document("agent", header).listing == "Reads logs."
    assert document("skill", "when_to_use: A build failed.").listing == " - A build failed."
