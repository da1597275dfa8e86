"""
What it checks: the description of an agent has at most `max` characters (1,536 unless configured).

Why it matters: the client sets no limit and no budget: the whole description of every agent goes into every
session, whether the agent is called or not. 300 agents with 2,000 characters each put 610,000 characters there.

How to fix: keep what decides whether to call the agent, and move examples and method into the body:

    [rules.agent-description-too-long]
    max = 1000
"""

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the description of an agent is too long",
    severity=WARNING,
    on=(AGENT,),
    source="listings measured in sessions of client 2.1.330, 2026-11-22; the limit is the length at which it cuts the descriptions of skills",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"max": 1536},
)

GOOD = (
    Example(f"---\nname: example\ndescription: {'a' * 1536}\n---\nYou read.\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n", options={"max": 37}),
)
BAD = (
    Example(f"---\nname: example\ndescription: {'a' * 1537}{HERE}\n---\nYou read.\n", message="the description has 1,537 characters, which every session carries (limit 1,536)"),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.{HERE}\n---\nYou read.\n",
        message="the description has 37 characters, which every session carries (limit 36)",
        options={"max": 36},
    ),
)


def check(document, options):
    length, limit = len(document.description), options["max"]
    if length > limit:
        yield Problem(
            document.source,
            document.header.key("description").span,
            f"the description has {length:,} characters, which every session carries (limit {limit:,})",
            "Keep what decides whether to call the agent; move the rest into the body.",
        )
