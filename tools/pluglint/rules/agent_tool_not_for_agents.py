"""
What it checks: names under `tools` of tools that the client never gives to a called agent: AskUserQuestion,
EnterPlanMode, ExitPlanMode, Workflow and others.

Why it matters: the client drops them, so a body that says "ask the user" has no tool for it. They work only in a
session that is started as the agent; an agent with `initialPrompt` is taken for one of that kind.

How to fix: remove the name, and let the agent return its question in its report to the caller.
"""

from pluglint.headers import NEVER, leads_session, nothing_left, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="an agent lists a tool that called agents never get",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: Read, SendMessage\n---\nYou read.\n"),
    Example(_TOP + "tools: Read, AskUserQuestion\ninitialPrompt: Ask what to do.\n---\nYou ask.\n"),
    Example({".claude/agents/example.md": _TOP + "tools: Read, ExitPlanMode\npermissionMode: plan\n---\nYou plan.\n"}),
)
BAD = (Example(_TOP + f"tools: Read, AskUserQuestion{HERE}\n---\nYou read.\n", message="an agent that is called never gets 'AskUserQuestion'"),)


def check(document):
    tools = tools_of(document, "tools")
    if nothing_left(tools) or leads_session(document):
        return
    planning = not document.package.is_plugin and document.string("permissionMode") == "plan"
    for tool in tools:
        if tool.state == NEVER and not (planning and tool.base == "ExitPlanMode"):
            yield Problem(document.source, tool.span, f"an agent that is called never gets '{tool.base}'", "Remove it; an agent asks and plans in its report to the caller.")
