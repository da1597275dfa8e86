"""
What it checks: no line of a description, after the first, looks like an entry of the list of agents: `- name: text`.

Why it matters: the client gives the model a list of lines `- plugin:agent: description`, with the line breaks of
the description kept. Such a line reads as another agent, which cannot be called.

How to fix: write it as running text, or move the list into the body.
"""

import re

from pluglint.headers import shown
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a line of a description looks like another agent",
    severity=WARNING,
    on=(AGENT,),
    source="the list of agents as sent by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (
    Example("---\nname: example\ndescription: |\n  Reads changes.\n  - slowly and with care\n---\nYou read.\n"),
    Example("---\nname: example\ndescription: >\n  Reads changes.\n  - tests: all of them\n---\nYou read.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: |\n  Reads changes.\n  - tests: all of them{HERE}\n---\nYou read.\n",
        message="the line '- tests: all of them' reads as another agent in the list that the model is given",
    ),
)


def check(document):
    text = document.description
    if "\n" not in text:
        return
    value = document.field("description")
    for match in re.finditer(r"\n(- [\w:-]+: [^\n]*)", text):
        line = match.group(1).rstrip()
        at = document.text.find(line, value.span.start, value.span.end)
        span = Span(at, at + len(line)) if at >= 0 else value.span
        yield Problem(document.source, span, f"the line '{shown(line)}' reads as another agent in the list that the model is given", "Write it as running text.")
