"""
What it checks: the description of an agent, skill or command is text, not a list or a map.

Why it matters: the client drops a description that is a list. The model is told of an agent as "Agent from X
plugin", and of a skill or command not at all. A description that starts with `[` or `{` is such a list or map.

How to fix: put the text in double quotes.
"""

from pluglint.parse.node import LIST, MAP
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a description is no text",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="descriptions that are lists loaded by client 2.1.330, 2026-11-22",
)

GOOD = (Example("---\nname: example\ndescription: '[draft] Reads changes. Use when one is ready.'\n---\nYou read.\n"),)
BAD = (
    Example(f"---\nname: example\ndescription: [Reads changes, lists faults]{HERE}\n---\nYou read.\n", message="the description is a list, so the client drops it"),
    Example(f"---\nname: example\ndescription:\n  text: Reads changes.{HERE}\n---\nYou read.\n", message="the description is a map, so the client drops it"),
)


def check(document):
    value = document.field("description")
    if value is not None and value.kind in (LIST, MAP):
        yield Problem(document.source, value.span, f"the description is a {value.kind}, so the client drops it", "Put the text in double quotes.")
