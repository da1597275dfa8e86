'''
What it checks: no agent lists under `skills` a skill with `disable-model-invocation: true`.

Why it matters: the client skips such a skill when the agent starts, and says so only in its debug log: the agent
works without the knowledge that its author gave it.

How to fix: remove the key from the skill, or the skill from the agent.
'''

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule

RULE = Rule(
    title="an agent preloads a skill that is closed to the model",
    severity=ERROR,
    on=(AGENT,),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_AGENT = "---\nname: reader\ndescription: Reads logs. Use when a build failed.\ntools: Read\nskills: {}\n---\nYou read.\n"
_SKILL = "---\nname: logs\ndescription: Reads logs. Use when a build failed.\n{}---\nRead on.\n"

GOOD = (Example({"agents/reader.md": _AGENT.format("logs"), "skills/logs/SKILL.md": _SKILL.format("")}),)
BAD = (
    Example(
        {"agents/reader.md": _AGENT.format("demo:logs" + HERE), "skills/logs/SKILL.md": _SKILL.format("disable-model-invocation: true\n")},
        message="the skill 'demo:logs' is closed to the model and is not preloaded",
    ),
)


def check(agent):
    for value in agent.names("skills"):
        skill = agent.package.skills_by_name.get(value.text)
        if skill is not None and skill.flag("disable-model-invocation"):
            related = (skill.at(skill.field("disable-model-invocation").span, "closed here"),)
            yield Problem(agent.source, value.span, f"the skill '{value.text}' is closed to the model and is not preloaded", "Open the skill, or take it from the list.", related)
