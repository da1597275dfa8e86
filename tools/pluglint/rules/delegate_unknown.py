"""
What it checks: every name that a prompt sends work to (a "Delegate To" table, a list under a delegation
heading, "x → use y", "use the x agent", "hand over to `x`", `plugin:agent`, `@agent-plugin:name`, `Agent(x)` in
tools, `agent:`, `skills:`, `subagent_type`) must be an agent or skill of this package or of another plugin of
the same marketplace, a workflow in `workflows/`, an agent built in to the client, or one that the configuration declares under
`external-agents`. A name that begins with another plugin's is left to `delegate-undeclared-external`.

Why it matters: a subagent is not told which agents exist. A call to an unknown one fails ("Agent type 'x' not
found"); an unknown `agent:` of a forked skill falls back, without a word, to an agent with every tool; an
unknown skill in `skills:` is skipped.

How to fix: correct the name, ship the agent, or declare the plugin that provides it:

    [external-agents]
    other-plugin = ["jax-pro"]
"""

import re

from pluglint.discover import AGENTS_FOLDER, COMMANDS_FOLDER, SINGLE_FILE, SKILL_FOLDER, SKILLS_FOLDER
from pluglint.graph import SUBAGENT_TYPE, UNKNOWN
from pluglint.parse.links import skill_folder
from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, ERROR, HERE, REFERENCE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="work is sent to an agent or skill that does not exist",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEADER = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\n---\n"
_REVIEWER = "---\nname: reviewer\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"

GOOD = (
    Example({"agents/lead.md": _HEADER + "| Delegate To | When |\n| --- | --- |\n| reviewer | a change is ready |\n", "agents/reviewer.md": _REVIEWER}),
    Example({"agents/lead.md": _HEADER + "Delegate to other agents:\n\n- **Explore**: reading code\n- **general-purpose**: the rest\n"}),
    Example({"agents/lead.md": _HEADER + "Use the plan-and-execute agent pattern, with a human-facing agent at the end.\n"}),
    Example({"agents/lead.md": _HEADER + "## Delegation\n\n- **fail-fast**: stop at the first error\n- **well-known names**: prefer them\n"}),
    Example({"agents/lead.md": _HEADER + "Type `/demo:start` to begin, and ask the `other:helper` agent.\n"}),
    Example({"agents/lead.md": _HEADER + "The scan runs through the `demo:scan` workflow.\n", "workflows/scan.js": "\n"}),
    Example({"agents/lead.md": _HEADER + "Decide which agents the new one hands over to:\n\n**Security Auditor** → hands off to:\n- `remedy-agent` (to mend)\n- `test-writer` (to test)\n"}),
)
GOOD += (
    Example({"skills/x/SKILL.md": "---\nname: x\ndescription: Reads. Use when one is ready.\n---\nDelegate to other agents:\n\n- **eval-design**: how to measure\n", "skills/x/references/eval-design.md": "# Design\n"}),
    Example({"skills/x/SKILL.md": "---\nname: x\ndescription: Reads. Use when one is ready.\n---\n```yaml\nname: log-auditor\n```\n\nThen call it with subagent_type=\"log-auditor\".\n\n```ts\n// task({\n//   subagent_type: \"web-agent\",\n// })\n```\n"}),
)
BAD = (
    Example(
        {"agents/lead.md": _HEADER + f"| Delegate To | When |\n| --- | --- |\n| reviewers | a change is ready |{HERE}\n", "agents/reviewer.md": _REVIEWER},
        message="no agent or skill is called 'reviewers'",
    ),
    Example({"agents/lead.md": _HEADER + f"Delegate to other agents:\n\n- **jax-pro**: numerical code{HERE}\n"}, message="no agent or skill is called 'jax-pro'"),
    Example({"commands/go.md": f"---\ndescription: Goes.\n---\nCall Task(subagent_type=\"demo::lead\"):{HERE}\n", "agents/lead.md": _HEADER}, message="no agent is called 'demo::lead'"),
    Example({"agents/lead.md": _HEADER.replace("---\nname", "---\nskills: [trace]\nname").replace("skills: [trace]", f"skills: [trace]{HERE}") + "You split.\n"}, message="no skill is called 'trace'"),
)


# What a part of a package lets one judge: whoever is named may lie in another part.
_VISIBLE = {AGENTS_FOLDER: ("agent", "either"), SKILLS_FOLDER: ("skill",), COMMANDS_FOLDER: (), SKILL_FOLDER: (), SINGLE_FILE: ()}


def check(document):
    package = document.package
    for edge in document.edges:
        if edge.status != UNKNOWN or edge.wants not in _VISIBLE.get(package.kind, (edge.wants,)):
            continue
        if f"workflows/{edge.target.rpartition(':')[2]}.js" in package.entries:
            continue
        if re.search(r"(?i)\bfollow-up\b|\bnot yet\b|\bplanned\b", document.source.slice(document.source.line_span(edge.start))):
            continue  # still to come, as the text says
        if _means_a_file(document, edge) or _of_an_example(document, edge):
            continue
        agents, skills = package.agents_by_name, package.skills_by_name
        known = skills if edge.wants == "skill" else agents if edge.wants == "agent" else {**skills, **agents}
        close = did_you_mean(edge.target, known) or next((name for name in known if name.endswith("-" + edge.target)), None)
        noun = {"agent": "agent", "skill": "skill"}.get(edge.wants, "agent or skill")
        hint = f"Did you mean '{close}'?" if close else "Correct the name, or declare the plugin that provides it under `external-agents`."
        yield Problem(document.source, edge.span, f"no {noun} is called '{edge.target}'", hint)


def _means_a_file(document, edge):
    """Whether a file of the skill has the name: the text sends the reader there."""
    folder = skill_folder(document) if edge.wants == "either" else None
    return folder is not None and any(rel.startswith(folder) and rel.rpartition("/")[2] == edge.target + ".md" for rel in document.package.entries)


def _of_an_example(document, edge):
    """Whether the page shows how to define the agent that it then calls, or the call is a comment in code of another framework."""
    line = document.text[document.source.line_span(edge.start).start : edge.start].lstrip()
    return edge.via == SUBAGENT_TYPE and (line.startswith("//") or re.search(rf"^[ \t]*name: *{re.escape(edge.target)}[ \t]*$", document.text, re.M) is not None)
