"""
What it checks: the header is YAML that the client can read, a list of `key: value` lines.

Why it matters: of a header that does not parse, no key is read, and no message is shown. A plugin's agent loads as
"Agent from X plugin" **with every tool**; a project's agent is skipped; a skill or command stays without its
description, so the model is not told of it.

How to fix: correct the line. Text with a colon, a quote or a bracket in it belongs in double quotes; longer text
is safest as a block (`description: >-` and indented lines).
"""

from pluglint.headers import without_header
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="the header is no YAML that the client can read",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="broken headers loaded by client 2.1.330, 2026-11-22",
)

_EFFECT = "the agent loads as 'Agent from demo plugin' with every tool"
GOOD = (
    Example("---\nname: example\ndescription: \"Reads: changes. Use when one is ready.\"\n---\nYou read.\n"),
    Example("---\nname: example\ndescription: >-\n  Reads: changes.\n  Use when one is ready.\n---\nYou read.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes.\n\ttools: Read{HERE}\n---\nYou read.\n",
        message=f"the client cannot read the header (a tab indents this line: YAML allows spaces only): {_EFFECT}",
    ),
    Example(
        f"---\n- name: example{HERE}\n- description: Reads changes.\n---\nYou read.\n",
        message=f"the header holds no `key: value` lines: {_EFFECT}",
    ),
    Example(
        {"skills/example/SKILL.md": f"---\nname: example\ndescription: Reads.\n  Use: when{HERE}\n---\nRead.\n"},
        message="the client cannot read the header (a colon followed by a space starts a new key here: put the value in quotes): the model is not told of the skill",
    ),
)


def check(document):
    error = document.frontmatter.error
    if error is None:
        return
    if error.message.startswith("the header is not"):
        line = document.source.line_span(error.span.start)
        yield Problem(document.source, line, f"the header holds no `key: value` lines: {without_header(document)}", "Write one `key: value` on each line.")
        return
    yield Problem(
        document.source,
        error.span,
        f"the client cannot read the header ({error.message}): {without_header(document)}",
        "Correct this line; put text with colons, quotes or brackets in double quotes.",
    )
