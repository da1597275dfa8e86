"""
What it checks: an agent of a project (`.claude/agents`) has a `name` in its header.

Why it matters: the client takes a project's file without a name for documentation and skips it. In a plugin the
file name stands in, so this rule is silent there.

How to fix: add `name:`.
"""

from pluglint.headers import in_project, shown
from pluglint.rule import AGENT, CLAUDE_CODE, ERROR, HERE, Example, Problem, Rule, Span

RULE = Rule(
    title="an agent of a project has no name",
    severity=ERROR,
    on=(AGENT,),
    source="sub-agents page of 2026-10-07 (2.1.292)",
    profiles=(CLAUDE_CODE,),
)

GOOD = (
    Example({".claude/agents/example.md": "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"}),
    Example("---\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"),
)
BAD = (
    Example(
        {".claude/agents/example.md": f"---{HERE}\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"},
        message="the header has no name: the client skips the agent",
    ),
)


def check(document):
    if document.header is not None and in_project(document.package) and not document.string("name").strip():
        key = document.header.key("name")
        yield Problem(document.source, key.span if key is not None else Span(0, 3), "the header has no name: the client skips the agent", f"Add `name: {shown(document.stem)}`.")
