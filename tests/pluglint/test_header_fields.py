"""Fields of a header as the client reads them."""

from __future__ import annotations

import pytest

from pluglint.discover import PLUGIN, Root
from pluglint.headers import listed_tools
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


@pytest.mark.parametrize(
    "header, shown",
    [
        ("tools: Read, Grep", "Read, Grep"),
        ("tools: [Read, Grep]\nmemory: project", "Read, Grep, Write, Edit"),
        ("tools: Edit, Bash\nmemory: user", "Edit, Bash, Write, Read"),
        ("tools: []\nmemory: local", "Write, Edit, Read"),
        ("tools:\nmemory: local", "Write, Edit, Read"),
        ("tools: 3\nmemory: local", "Write, Edit, Read"),
        ("tools: Read\nmemory: Project", "Read"),
        ("tools: Read\nmemory: true", "Read"),
        ("memory: project", "All tools"),
        ("tools: '*'\nmemory: project", "All tools"),
        ("tools: Read\nmemory: project\ndisallowedTools: Write", "Read, Edit"),
        ("tools: Read\ndisallowedTools: Read", "None"),
        ("tools: Read, Bash\ndisallowedTools: Bash(git:*)", "Read, Bash"),
        ("memory: project\ndisallowedTools: Write, Bash", "All tools except Write, Bash"),
        ("disallowedTools: '*'", "All tools"),
        ("tools: []", "All tools"),
        ("tools:", "All tools"),
    ],
)
def test_tools_as_the_client_lists_them(header, shown):
    """Each line was seen in the listing of client 2.1.330."""
    assert listed_tools(document("agent", f"name: a\ndescription: Reads.\n{header}")) == shown
