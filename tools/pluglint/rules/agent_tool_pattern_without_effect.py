"""
What it checks: a pattern in parentheses under `tools` or `disallowedTools` of an agent, such as `Bash(git:*)`.

Why it matters: the client reads the name in front of the parentheses only. Under `tools` the agent gets the whole
tool, neither restricted nor approved in advance; under `disallowedTools` it loses the whole tool. `Agent(x)` limits
a session that is started as this agent, not the agent when it is called.

How to fix: write the bare name. To allow or deny single commands, use permission rules or a hook.
"""

from pluglint.headers import GRANTED, leads_session, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a pattern in the tools of an agent has no effect",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: Read, Bash\ndisallowedTools: WebFetch\n---\nYou read.\n"),
    Example(_TOP + "tools: Read, Agent(Explore)\ninitialPrompt: Begin.\n---\nYou lead.\n"),
)
BAD = (
    Example(_TOP + f"tools: Read, Bash(git:*){HERE}\n---\nYou read.\n", message="'Bash(git:*)' grants the whole tool, the pattern restricts nothing"),
    Example(_TOP + f"disallowedTools: Bash(git push *){HERE}\n---\nYou read.\n", message="'Bash(git push *)' takes the whole tool away, not only what the pattern names"),
    Example(
        _TOP + f"tools: Read, Agent(Explore){HERE}\n---\nYou read.\n",
        message="'Agent(Explore)' limits a session started as this agent, but not the agent when it is called",
    ),
)


def check(document):
    for key in ("tools", "disallowedTools"):
        for tool in tools_of(document, key):
            if "(" not in tool.text or tool.state != GRANTED:
                continue
            text = shown(tool.text)
            if key == "disallowedTools":
                message = f"'{text}' takes the whole tool away, not only what the pattern names"
            elif tool.base == "Agent":
                if leads_session(document):
                    continue
                message = f"'{text}' limits a session started as this agent, but not the agent when it is called"
            else:
                message = f"'{text}' grants the whole tool, the pattern restricts nothing"
            yield Problem(document.source, tool.span, message, f"Write `{tool.text.partition('(')[0].strip()}`; limit single commands with permission rules or a hook.")
