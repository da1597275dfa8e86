'''
What it checks: the entries of all agents in the listing that the model gets have together at most 60,000 characters
(option `max`), about 15,000 tokens. The tools stand in the listing too, with those that `memory` adds.

Why it matters: the client has no limit and cuts nothing: every session pays for all of it before the first word is
said. Above 15,000 tokens it warns at its start.

How to fix: shorten descriptions (examples belong in the body), or split the package.
'''

from pluglint.headers import listing_line
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="the agents' descriptions fill the context",
    severity=INFO,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"max": 60_000},
)

_TEXT = "---\nname: {0}\ndescription: Reads logs. Use when a build failed.\ntools: Read\n---\nYou read.\n"

GOOD = (Example({"agents/one.md": _TEXT.format("one")}),)
BAD = (
    Example(
        {"agents/one.md": _TEXT.format("one"), "agents/two.md": _TEXT.format("two").replace("failed.", f"failed.{HERE}")},
        message="the listing of 2 agents has 126 characters, 100 are the most",
        options={"max": 100},
    ),
    Example(
        {"agents/one.md": _TEXT.format("one").replace("failed.", f"failed.{HERE}").replace("Read\n", "Read\nmemory: user\n")},
        message="the listing of 1 agent has 76 characters, 75 are the most",
        options={"max": 75},
    ),
)


def check(package, options):
    total, first = 0, None
    for agent in sorted(package.agents, key=lambda one: one.qualified):
        total += len(listing_line(agent)) + 1
        if first is None and total > options["max"]:
            first = agent
    if first is not None:
        node = first.field("description")
        span = node.span if node is not None else first.first_line()
        message = f"the listing of {len(package.agents)} agent{'' if len(package.agents) == 1 else 's'} has {total:,} characters, {options['max']:,} are the most"
        yield Problem(first.source, span, message, "Shorten descriptions, or split the package.")
