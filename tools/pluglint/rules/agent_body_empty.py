"""
What it checks: there is text after the header of an agent.

Why it matters: the body is the agent's whole system prompt. Without one the agent loads and is called, but with
nothing but the client's own notes: nobody told it what to do.

How to fix: write the instructions below the header, and not into the description.
"""

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="an agent has no instructions",
    severity=WARNING,
    on=(AGENT,),
    source="an agent without a body called in client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "name: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(f"---\n{_TOP}---\nYou read.\n"),)
BAD = (
    Example(f"---\n{_TOP}---{HERE}\n", message="nothing follows the header: the agent has no instructions"),
    Example(f"---\n{_TOP}---{HERE}\n\n  \n", message="nothing follows the header: the agent has no instructions"),
)


def check(document):
    frontmatter = document.frontmatter
    if frontmatter.state or frontmatter.node is None or document.text[frontmatter.body : frontmatter.body + 4000].strip() or document.body.strip():
        return
    fence = document.text.rfind("---", 0, frontmatter.span.end)
    yield Problem(document.source, Span(fence, fence + 3), "nothing follows the header: the agent has no instructions", "Write below the header what the agent is to do.")
