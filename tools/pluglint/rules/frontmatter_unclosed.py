"""
What it checks: a header that is opened by `---` in the first line is closed by a line of exactly `---`.

Why it matters: the client closes a header at `---` alone; `...`, `----` and an indented `---` do not count. An
unclosed header is no header: its text becomes part of the prompt, and a plugin's agent loads **with every tool**.

How to fix: put a line of `---` after the last key.
"""

import re

from pluglint.headers import without_header
from pluglint.parse.frontmatter import UNCLOSED
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="the header is never closed",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="unclosed headers loaded by client 2.1.330, 2026-11-22",
)

_KEYS = "name: example\ndescription: Reads changes. Use when one is ready.\n"
_EFFECT = "the agent loads as 'Agent from demo plugin' with every tool"
GOOD = (Example(f"---\n{_KEYS}---"), Example(f"---\n{_KEYS}--- \nYou read.\n"))
BAD = (
    Example(f"---{HERE}\n{_KEYS}\nYou read.\n", message=f"the header is never closed: {_EFFECT}"),
    Example(f"---{HERE}\n{_KEYS}...\nYou read.\n", message=f"the header is never closed: {_EFFECT}"),
    Example({"skills/example/SKILL.md": f"---{HERE}\n{_KEYS}--\nRead.\n"}, message="the header is never closed: the model is not told of the skill"),
)


def check(document):
    frontmatter = document.frontmatter
    if frontmatter.state != UNCLOSED:
        return
    almost = re.search(r"\n(\.\.\.|--|—+)[ \t]*(?=\n|\Z)", document.text[:10_000])
    related = (document.at(Span(*almost.span(1)), "this line does not close it"),) if almost else ()
    yield Problem(
        document.source,
        Span(0, 3),
        f"the header is never closed: {without_header(document)}",
        "Put a line of exactly `---` after the last key.",
        related,
    )
