'''
What it checks: the `agent:` of a skill or command in a plugin names an agent of a plugin in full, as `plugin:agent`.

Why it matters: a bare name is not found, and without a word the skill runs in the general-purpose agent, with every
tool and without the prompt of yours.

How to fix: write the plugin's name before it: `agent: demo:reviewer`.
'''

from pluglint.graph import HEADER_AGENT, HERE as IN_PACKAGE, SIBLING
from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a forked skill names its agent without the plugin",
    severity=ERROR,
    on=(SKILL, COMMAND),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\ncontext: fork\nagent: {}\n---\nRead on.\n"
_AGENT = "---\nname: reader\ndescription: Reads logs. Use when a build failed.\ntools: Read\n---\nYou read.\n"

GOOD = (
    Example({"skills/example/SKILL.md": _SKILL.format("demo:reader"), "agents/reader.md": _AGENT}),
    Example({"skills/example/SKILL.md": _SKILL.format("Explore")}),
    Example({".claude/skills/example/SKILL.md": _SKILL.format("reader"), ".claude/agents/reader.md": _AGENT}),
)
BAD = (
    Example({"skills/example/SKILL.md": _SKILL.format("reader" + HERE), "agents/reader.md": _AGENT}, message="'reader' is not found without the plugin's name: the skill runs in general-purpose with every tool"),
    Example({"commands/example.md": _SKILL.format("logs:reader" + HERE).replace("name: example\n", ""), "agents/logs/reader.md": _AGENT}, message="'logs:reader' is not found without the plugin's name: the command runs in general-purpose with every tool"),
)


def check(document):
    if document.string("context").strip() != "fork" or document.field("agent") is None:
        return
    for edge in document.edges:
        if edge.via == HEADER_AGENT and edge.status in (IN_PACKAGE, SIBLING) and edge.found != edge.target and ":" in edge.found:
            message = f"'{edge.target}' is not found without the plugin's name: the {document.kind} runs in general-purpose with every tool"
            yield Problem(document.source, edge.span, message, f"Write `agent: {edge.found}`.")
