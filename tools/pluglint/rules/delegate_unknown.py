"""
What it checks: every name that a prompt sends work to (a "Delegate To" table, a list under a delegation
heading, `plugin:agent`, `@agent-plugin:name`, "use the x agent", `Agent(x)` in tools, `agent:`, `skills:`,
`subagent_type`) must be an agent or skill of this package or of another plugin of the same marketplace, an
agent built in to the client, or one that the configuration declares under `external-agents`.

Why it matters: a subagent is not told which agents exist. A call to an unknown one fails ("Agent type 'x' not
found"); an unknown `agent:` of a forked skill falls back, without a word, to an agent with every tool; an
unknown skill in `skills:` is skipped.

How to fix: correct the name, ship the agent, or declare the plugin that provides it:

    [external-agents]
    other-plugin = ["jax-pro"]
"""

from pluglint.graph import UNKNOWN
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, REFERENCE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="work is sent to an agent or skill that does not exist",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="calls scripted against client 2.1.330, 2026-11-22",
)

_HEADER = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\n---\n"
_REVIEWER = "---\nname: reviewer\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"

GOOD = (
    Example({"agents/lead.md": _HEADER + "| Delegate To | When |\n| --- | --- |\n| reviewer | a change is ready |\n", "agents/reviewer.md": _REVIEWER}),
    Example({"agents/lead.md": _HEADER + "Delegate to other agents:\n\n- **Explore**: reading code\n- **general-purpose**: the rest\n"}),
)
BAD = (
    Example(
        {"agents/lead.md": _HEADER + f"| Delegate To | When |\n| --- | --- |\n| reviewers | a change is ready |{HERE}\n", "agents/reviewer.md": _REVIEWER},
        message="no agent or skill is called 'reviewers'",
    )
    ,
    Example({"agents/lead.md": _HEADER + f"Delegate to other agents:\n\n- **jax-pro**: numerical code{HERE}\n"}, message="no agent or skill is called 'jax-pro'"),
)


def check(document):
    package = document.package
    for edge in document.edges:
        if edge.status != UNKNOWN:
            continue
        known = package.skills_by_name if edge.wants == "skill" else {**package.skills_by_name, **package.agents_by_name} if edge.wants == "either" else package.agents_by_name
        close = did_you_mean(edge.target, known)
        noun = {"agent": "agent", "skill": "skill"}.get(edge.wants, "agent or skill")
        hint = f"Did you mean '{close}'?" if close else "Correct the name, or declare the plugin that provides it under `external-agents`."
        yield Problem(document.source, edge.span, f"no {noun} is called '{edge.target}'", hint)
