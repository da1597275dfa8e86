"""
What it checks: an agent, skill or command file does not end its lines in a lone CR, as the oldest Mac programs did.

Why it matters: the client sees one single line and no header in it. An agent loads under its file name, without its
description and with every tool; a skill or command is not listed.

How to fix: convert the file to LF.
"""

from pluglint.rule import ERROR, HERE, PROMPTS, Example, Problem, Rule, Span

RULE = Rule(
    title="the lines of a file end in a lone CR",
    severity=ERROR,
    on=PROMPTS,
    source="client 2.1.330, observed 2026-11-22",
)

_AGENT = "---\nname: example\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example(_AGENT), Example(_AGENT.replace("\n", "\r\n")))
BAD = (Example(_AGENT.replace("---\n", f"---{HERE}\n", 1).replace("\n", "\r"), message="the lines end in a lone CR, so the client finds no header"),)


def check(document):
    if document.source.newline == "\r" and document.text.count("\r") > 1:
        end = document.text.find("\r")
        yield Problem(document.source, Span(0, end), "the lines end in a lone CR, so the client finds no header", "Convert the file to LF.")
