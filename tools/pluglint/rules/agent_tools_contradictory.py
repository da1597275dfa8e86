"""
What it checks: no tool stands both under `tools` and under `disallowedTools`.

Why it matters: the client applies `disallowedTools` first, so the agent does not get the tool that `tools`
promises, and the model is told of.

How to fix: decide, and remove the name from one of the two lists.
"""

from pluglint.headers import GRANTED, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a tool of an agent is both allowed and denied",
    severity=WARNING,
    on=(AGENT,),
    source="sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read, Bash\ndisallowedTools: Write\n---\nYou read.\n"),)
BAD = (Example(_TOP + f"tools: Read, Task{HERE}\ndisallowedTools: Agent\n---\nYou read.\n", message="'Task' is allowed here and denied under 'disallowedTools'"),)


def check(document):
    if document.field("disallowedTools") is None:
        return
    denied = {tool.base: tool for tool in tools_of(document, "disallowedTools")}
    for tool in tools_of(document, "tools"):
        other = denied.get(tool.base)
        if other is not None and tool.state == GRANTED:
            yield Problem(
                document.source,
                tool.span,
                f"'{shown(tool.text)}' is allowed here and denied under 'disallowedTools'",
                "Remove it from one of the two.",
                (document.at(other.span, "denied here"),),
            )
