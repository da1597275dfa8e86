"""
What it checks: at least one name under `tools` is a tool that an agent can have.

Why it matters: the client drops names that it does not know. When none is left it **refuses every call** of the
agent ("would be spawned with zero tools"), while the model is still told that the agent exists. Lower-case names
are not known, and `All tools` is no name. With `memory` the agent is called, with the three tools for its notes alone.

How to fix: use the client's names (Read, Grep, Bash ...), or leave `tools` out for all of them. Programs and
libraries are no tools: they are run through Bash.
"""

from pluglint.headers import NEVER, RETIRED, keeps_notes, nothing_left, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule, Span
from pluglint.words import listed

RULE = Rule(
    title="no tool of an agent is known",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: mcp__images__draw\n---\nYou draw.\n"),
    Example(_TOP + "tools: TodoWrite\n---\nYou plan.\n"),
    Example(_TOP + "tools: Read, python\n---\nYou read.\n", also=("agent-tool-unknown",)),
)
BAD = (
    Example(_TOP + f"tools: read, grep{HERE}\n---\nYou read.\n", message="no name in 'tools' is a tool that an agent can have: every call of the agent is refused"),
    Example(_TOP + f"tools: All tools{HERE}\n---\nYou read.\n", message="'All tools' is no tool: every call of the agent is refused"),
    Example(_TOP + f"tools:\n  - python{HERE}\n  - numpy\n---\nYou read.\n", message="no name in 'tools' is a tool that an agent can have: every call of the agent is refused"),
    Example(_TOP + f"memory: user\ntools: read, grep{HERE}\n---\nYou read.\n", message="no name in 'tools' is a tool that an agent can have: the agent gets no tool but those that `memory` adds"),
    Example(_TOP + f"tools: MultiEdit{HERE}\n---\nYou read.\n", message="no name in 'tools' is a tool that an agent can have: every call of the agent is refused"),
)


def check(document):
    tools = tools_of(document, "tools")
    if not nothing_left(tools):
        return
    span = Span(min(tool.span.start for tool in tools), max(tool.span.end for tool in tools))
    words = " ".join(tool.text for tool in tools)
    effect = "the agent gets no tool but those that `memory` adds" if keeps_notes(document) else "every call of the agent is refused"
    if words.lower() in ("all tools", "all", "any", "every tool"):
        yield Problem(document.source, span, f"'{shown(words)}' is no tool: {effect}", "Leave `tools` out to give the agent every tool.")
        return
    close = list(dict.fromkeys(tool.close for tool in tools if tool.close and tool.state != NEVER))
    if close and all(tool.state == RETIRED for tool in tools):
        hint = f"These tools were removed; use {listed(close)}."
    elif close:
        hint = f"Did you mean {listed(close)}?"
    else:
        hint = "Name tools of the client: Read, Grep, Bash ... Programs and libraries are run through Bash."
    yield Problem(document.source, span, f"no name in 'tools' is a tool that an agent can have: {effect}", hint)
