"""
What it checks: the name of a marketplace is none of those that Anthropic keeps for its own, and none that the client
uses for something else (`inline`, `builtin`, `npm`, ...).

Why it matters: such a marketplace can be added only from Anthropic's own repositories; local validation passes it.

How to fix: choose a name of your own.
"""

import re

from pluglint.facts import FACTS
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MARKETPLACE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the marketplace's name is reserved",
    severity=WARNING,
    on=(MARKETPLACE,),
    source="marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": []\n}\n'

GOOD = (Example('{\n  "name": "our-agent-skills",\n' + _TAIL),)
BAD = (
    Example('{\n  "name": "agent-skills",' + HERE + "\n" + _TAIL, message="the marketplace name 'agent-skills' is reserved"),
    Example('{\n  "name": "claudeai-tools",' + HERE + "\n" + _TAIL, message="the marketplace name 'claudeai-tools' is reserved"),
)


def check(document):
    name = document.get("name")
    if name is None or not name.text or _anthropics(document.get("owner")):
        return
    folded = re.sub(r"[-_.\s]+", "-", name.text.lower())
    if folded in FACTS["marketplace"]["reserved_names"] or folded.startswith("claudeai-"):
        yield Problem(document.source, name.span, f"the marketplace name '{name.text}' is reserved", "Choose a name of your own.")


def _anthropics(person):
    """Whether the people whose names these are publish it."""
    return person is not None and person.kind == MAP and (person.string("name") == "Anthropic" or person.string("email").endswith("@anthropic.com"))
