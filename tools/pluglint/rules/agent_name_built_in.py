"""
What it checks: no agent has the name of one that is built in to the client (Explore, Plan, general-purpose ...).

Why it matters: a plugin's agent keeps its prefix, so both exist, and a reader of "use the Plan agent" cannot tell
which is meant; a bare name finds the built-in one.

How to fix: choose another name.
"""

from pluglint.facts import FACTS
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="an agent has the name of a built-in one",
    severity=INFO,
    on=(AGENT,),
    source="an agent with such a name loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_REST = "\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
GOOD = (Example(f"---\nname: planner{_REST}"),)
BAD = (Example(f"---\nname: Plan{HERE}{_REST}", message="the client has an agent of its own called 'Plan'"),)


def check(document):
    name = document.string("name").strip()
    for built_in in FACTS["agents"]["built_in"] if name else ():
        if name.lower() == built_in.lower():
            yield Problem(document.source, document.field("name").span, f"the client has an agent of its own called '{built_in}'", "Choose another name.")
