"""
What it checks: an agent that is told to use a skill ("load the `x` skill") while its `tools` list lacks `Skill`
and its `skills:` does not preload that skill.

Why it matters: without the tool the agent neither sees the list of skills nor can start one; only what
`skills:` names is put into its prompt.

How to fix: name the skill under `skills:`, or add `Skill` to `tools`.
"""

import re

from pluglint.graph import HERE as IN_PACKAGE
from pluglint.graph import SENTENCE, SIBLING, resolve
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule
from pluglint.rules._delegation import holds, tools_of

RULE = Rule(
    title="a skill to use, but no way to load it",
    severity=WARNING,
    on=(AGENT,),
    source="requests of subagents recorded from client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_AGENT = "---\nname: cleaner\ndescription: Cleans tables. Use when one has gaps.\ntools: {}\n---\nLoad the `data-cleaning` skill first.{}\n"
_SKILL = {"skills/data-cleaning/SKILL.md": "---\nname: data-cleaning\ndescription: Cleans tables. Use when one has gaps.\n---\nClean.\n"}

GOOD = (
    Example({"agents/cleaner.md": _AGENT.format("Read, Skill", ""), **_SKILL}),
    Example({"agents/cleaner.md": _AGENT.format("Read\nskills: data-cleaning", ""), **_SKILL}),
    Example({"agents/cleaner.md": _AGENT.replace("tools: {}\n", "").format(""), **_SKILL}),
)
GOOD += (
    Example({"agents/cleaner.md": _AGENT.replace("Load the `data-cleaning` skill first.{}", "It does not:\n\n- clean tables (use data-cleaning skill)").format("Read"), **_SKILL}),
)
BAD = (
    Example({"agents/cleaner.md": _AGENT.format("Read, Grep", HERE), **_SKILL}, message="the agent is told to use the skill 'data-cleaning', but its tools lack Skill and `skills:` does not name it"),
)


def check(agent):
    tools = tools_of(agent) if agent.header is not None else None
    if not tools or holds(agent, "Skill"):
        return
    preloaded = None
    seen = set()
    for edge in agent.edges:
        if edge.via != SENTENCE or edge.wants != "skill" or edge.status not in (IN_PACKAGE, SIBLING) or edge.found in seen:
            continue
        if agent.text[max(0, edge.start - 24) : edge.start].lower().rstrip("`*\"' ").endswith(("read", "read the", "see", "see the")):
            continue
        if re.search(r"\(use (?:the )?[`*]*\Z", agent.text[max(0, edge.start - 12) : edge.start]):
            continue  # "(use the x skill)" behind what is not this agent's work
        if preloaded is None:
            preloaded = {resolve(agent.package, value.text, "skill")[0] for value in agent.names("skills")}
        if edge.found not in preloaded:
            seen.add(edge.found)
            message = f"the agent is told to use the skill '{edge.target}', but its tools lack Skill and `skills:` does not name it"
            yield Problem(agent.source, edge.span, message, f"Add `skills: {edge.target}` or the tool `Skill`.", (agent.at(agent.field("tools").span, "the tools"),))
