"""
What it checks: the description of an agent holds no `<example>` blocks and spans no more than a few lines.

Why it matters: the description goes into every session as it is, tags and line breaks included. Examples cost
more than all the rest, and seldom help the choice.

How to fix: name the occasions in a sentence ("Use when ...") and move the examples into the body.
"""

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule, Span
from pluglint.words import plural

RULE = Rule(
    title="the description of an agent holds examples or many lines",
    severity=INFO,
    on=(AGENT,),
    source="the list of agents as sent by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example("---\nname: example\ndescription: |\n  Reads changes.\n  Use when one is ready.\n---\nYou read.\n"),)
BAD = (
    Example(
        f"---\nname: example\ndescription: |\n  Reads changes. Use when one is ready.\n  <example>{HERE}\n  user: Read this.\n  </example>\n---\nYou read.\n",
        message="1 example goes into every session with this description",
    ),
    Example(
        f"---\nname: example\ndescription: |\n  Reads.{HERE}\n  Use when\n  one\n  is\n  ready.\n---\nYou read.\n",
        message="the description has 5 lines, and every session carries them as they are",
    ),
)


def check(document):
    text = document.description
    examples, lines = text.count("<example>"), text.count("\n") + 1
    if not examples and lines < 5:
        return
    value = document.field("description")
    if examples:
        at = document.text.find("<example>", value.span.start, value.span.end)
        span = Span(at, at + 9) if at >= 0 else value.span
        verb = "goes" if examples == 1 else "go"
        yield Problem(document.source, span, f"{plural(examples, 'example')} {verb} into every session with this description", "Move the examples into the body.")
        return
    first = text.split("\n", 1)[0]
    at = document.text.find(first, value.span.start, value.span.end)
    span = Span(at, at + len(first)) if at >= 0 else value.span
    yield Problem(document.source, span, f"the description has {lines} lines, and every session carries them as they are", "Say it in one or two sentences.")
