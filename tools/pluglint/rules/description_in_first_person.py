'''
What it checks: the description of a skill or an agent does not begin with "I" or "You can".

Why it matters: descriptions stand in a list that the model reads as its own instructions; "I" and "you" are somebody
else there than their author meant.

How to fix: write in the third person: "Reads logs", not "I read logs".
'''

import re

from pluglint.rule import AGENT, HERE, INFO, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a description speaks in the first or second person",
    severity=INFO,
    on=(SKILL, AGENT),
    source="skill authoring guide of 2026-08-22",
)

GOOD = (Example("---\nname: example\ndescription: I/O tracing. Use when you read logs.\n---\nRead on.\n"),)
BAD = (
    Example(f"---\nname: example\ndescription: I can help you read logs when a build failed.{HERE}\n---\nRead on.\n", message="the description begins with 'I can'"),
    Example(f"---\nname: example\ndescription: You can use this when a build failed.{HERE}\n---\nRead on.\n", message="the description begins with 'You can'"),
)


def check(document):
    match = re.match(r"(?:I|You)(?: \w+|'\w+)", document.description)
    if match:
        node = document.field("description")
        at = document.text.find(match.group(), *node.span)
        span = Span(at, at + len(match.group())) if at >= 0 else node.span
        yield Problem(document.source, span, f"the description begins with '{match.group()}'", "Write in the third person.")
