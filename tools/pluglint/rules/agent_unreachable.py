"""
What it checks: in a package with an agent that distributes work (it holds `Agent` and names at least two other
agents), each agent must be named somewhere: by another agent, a skill, a command or the README.

Why it matters: the distributing agent is not shown which agents exist. One that nobody names gets no work
from it, and users do not learn of it either.

How to fix: name the agent where its kind of work is handed out, or in the README.
"""

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, GRAPH, Example, Problem, Rule
from pluglint.rules._chains import calls

RULE = Rule(
    title="an agent that nothing names",
    severity=INFO,
    on=(GRAPH,),
    source="prompts of subagents recorded from client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_LEAD = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read, Agent\n---\nDelegate to `demo:reader` or `demo:writer`.\n"


def _agent(name, here=""):
    return f"---\nname: {name}{here}\ndescription: Does {name} work. Use when there is some.\ntools: Read\n---\nYou work.\n"


GOOD = (
    Example({"agents/lead.md": _LEAD, "agents/reader.md": _agent("reader"), "agents/writer.md": _agent("writer"), "agents/late-night.md": _agent("late-night"), "README.md": "# Demo\n\nAlso: late-night.\n"}),
    Example({"agents/lead.md": _LEAD.replace(", Agent", ""), "agents/reader.md": _agent("reader"), "agents/writer.md": _agent("writer"), "agents/late-night.md": _agent("late-night")}),
)
BAD = (
    Example({"agents/lead.md": _LEAD, "agents/reader.md": _agent("reader"), "agents/writer.md": _agent("writer"), "agents/late-night.md": _agent("late-night", HERE)}, message="nothing in the package names the agent 'late-night'"),
)


def check(package):
    if not any(len(receivers) >= 2 for receivers in calls(package).values()):
        return
    named = {edge.found for edge in package.edges if edge.found != edge.sender}
    leads = {sender for sender, receivers in calls(package).items() if len(receivers) >= 2}
    lost = [agent for agent in package.agents if agent.qualified not in named and agent.qualified not in leads]
    if len(lost) > 100:  # each is searched for in every file
        return
    readers = [*package.agents, *package.skills, *package.commands, *([package.readme] if package.readme is not None else [])]
    for agent in lost:
        if not any(agent.name in one.text for one in readers if one is not agent):
            node = agent.field("name")
            yield Problem(agent.source, node.span if node is not None else agent.first_line(), f"nothing in the package names the agent '{agent.name}'", "Name it where its kind of work is handed out.")
