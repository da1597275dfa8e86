"""
What it checks: an agent has a description, and it is not empty.

Why it matters: the description is all that the model knows of an agent when it decides whom to call. Without one
a plugin's agent is announced as "Agent from X plugin", and a project's agent is skipped.

How to fix: say in one or two sentences what the agent does and when to use it.
"""

from pluglint.headers import in_project, shown
from pluglint.parse.node import LIST, MAP
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule, Span

RULE = Rule(
    title="an agent has no description",
    severity=ERROR,
    on=(AGENT,),
    source="agents without a description loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_EFFECT = "the model is told of an 'Agent from demo plugin'"
GOOD = (
    Example("---\nname: example\ndescription: >\n  Reads changes.\n---\nYou read.\n"),
)
BAD = (
    Example(f"---{HERE}\nname: example\n---\nYou read.\n", message=f"the agent has no description: {_EFFECT}"),
    Example(f"---\nname: example\ndescription:{HERE}\n---\nYou read.\n", message=f"the description is empty: {_EFFECT}"),
    Example({".claude/agents/example.md": f"---{HERE}\nname: example\n---\nYou read.\n"}, message="the agent has no description: the client skips the agent"),
)


def check(document):
    if document.header is None:
        return
    value = document.field("description")
    if value is not None and value.kind in (LIST, MAP):  # description-not-text
        return
    text = document.description
    package = document.package
    effect = f"the model is told of an 'Agent from {shown(package.name)} plugin'" if package.is_plugin else "the client skips the agent" if in_project(package) else "the model is not told what it is for"
    hint = "Say what the agent does and when to use it."
    if value is None:
        yield Problem(document.source, Span(0, 3), f"the agent has no description: {effect}", hint)
    elif not text:
        yield Problem(document.source, document.header.key("description").span, f"the description is empty: {effect}", hint)
