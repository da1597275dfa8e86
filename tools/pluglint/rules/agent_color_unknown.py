"""
What it checks: the `color` of an agent is one of the eight that the client has: red, blue, green, yellow, purple,
orange, pink, cyan.

Why it matters: the client's own reference names no others; an agent with another is told apart by no color.

How to fix: take one of the eight, or leave the key out.
"""

from pluglint.facts import FACTS
from pluglint.headers import shown
from pluglint.parse.node import STRING
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="the color of an agent is none of the client's",
    severity=WARNING,
    on=(AGENT,),
    source="sub-agents page of 2026-10-07 (2.1.292)",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "color: cyan\n---\nYou read.\n"),)
BAD = (
    Example(_TOP + f"color: magenta{HERE}\n---\nYou read.\n", message="the client has no color 'magenta'"),
    Example(_TOP + f"color: '#ff0000'{HERE}\n---\nYou read.\n", message="the client has no color '#ff0000'"),
)


def check(document):
    value = document.field("color")
    colors = FACTS["agents"]["colors"]
    if value is None or value.kind != STRING or value.text.strip() in ("", *colors):
        return
    close = did_you_mean(value.text.strip(), colors)
    hint = f"Did you mean '{close}'?" if close else f"Take one of {listed(colors, 8)}."
    yield Problem(document.source, value.span, f"the client has no color '{shown(value.text.strip(), 40)}'", hint)
