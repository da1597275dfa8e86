"""
What it checks: the name of an agent has at most 256 characters; in a project it holds no `:` and does not start
with `-`.

Why it matters: the client ignores a longer name in a plugin and does not load the agent in a project; a project's
agent with `:` or a leading `-` is skipped.

How to fix: use a short name of lower-case words with hyphens.
"""

from pluglint.facts import FACTS
from pluglint.headers import in_project
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule

RULE = Rule(
    title="the client refuses the name of an agent",
    severity=ERROR,
    on=(AGENT,),
    source="sub-agents page of 2026-10-07 (2.1.292)",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_REST = "\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
GOOD = (Example(f"---\nname: {'a' * 256}{_REST}"),)
BAD = (
    Example(f"---\nname: {'a' * 257}{HERE}{_REST}", message="the name has 257 characters, the client takes at most 256"),
    Example({".claude/agents/example.md": f"---\nname: review:fast{HERE}{_REST}"}, message="the client skips a project's agent whose name holds ':'"),
    Example({".claude/agents/example.md": f"---\nname: -fast{HERE}{_REST}"}, message="the client skips a project's agent whose name starts with '-'"),
)


def check(document):
    value = document.field("name")
    name = document.string("name").strip()
    limit = FACTS["agents"]["max_name"]
    project = in_project(document.package)
    if len(name) > limit:
        message = f"the name has {len(name)} characters, the client takes at most {limit}"
    elif project and ":" in name:
        message = "the client skips a project's agent whose name holds ':'"
    elif project and name.startswith("-"):
        message = "the client skips a project's agent whose name starts with '-'"
    else:
        return
    yield Problem(document.source, value.span, message, "Use a short name of lower-case words with hyphens.")
