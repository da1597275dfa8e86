"""
What it checks: names under `disallowedTools` that are no tools: wrong case, typos, programs.

Why it matters: the client ignores a name that it does not know, so **nothing is denied**: with
`disallowedTools: bash` the agent has Bash.

How to fix: correct the spelling; names are matched exactly.
"""

from pluglint.headers import UNKNOWN, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule

RULE = Rule(
    title="an agent denies a tool that does not exist",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "disallowedTools: Bash, MultiEdit, mcp__*\n---\nYou read.\n"),)
BAD = (
    Example(_TOP + f"disallowedTools: bash{HERE}\n---\nYou read.\n", message="no tool is called 'bash': nothing is denied"),
    Example(_TOP + f"disallowedTools: [Write, rm]{HERE}\n---\nYou read.\n", message="no tool is called 'rm': nothing is denied"),
)


def check(document):
    for tool in tools_of(document, "disallowedTools"):
        if tool.state == UNKNOWN:
            hint = f"Did you mean '{tool.close}'?" if tool.close else "Remove it; programs are run through Bash, which can be denied as a whole."
            yield Problem(document.source, tool.span, f"no tool is called '{shown(tool.text)}': nothing is denied", hint)
