"""
What it checks: names under `tools` that have the shape of a tool, but that the client did not know in the version
that pluglint's facts describe.

Why it matters: the client drops a name that it does not know without a word. A name in this shape may also be
newer than pluglint, or belong to a feature that only some sessions have.

How to fix: correct or remove the name; where the tool exists in your client, suppress the finding with a reason.
"""

from pluglint.facts import FACTS
from pluglint.headers import UNFAMILIAR, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="an agent lists a tool that the checked client does not know",
    severity=WARNING,
    on=(AGENT,),
    source="tool names of client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read, LSP, PushNotification\n---\nYou read.\n"),)
BAD = (Example(_TOP + f"tools: Read, TeamCreate{HERE}\n---\nYou read.\n", message="client 2.1.330 has no tool 'TeamCreate', it drops the name"),)


def check(document):
    for tool in tools_of(document, "tools"):
        if tool.state == UNFAMILIAR:
            hint = f"Did you mean '{tool.close}'?" if tool.close else "Remove it, unless your client has this tool."
            yield Problem(document.source, tool.span, f"client {FACTS['client']} has no tool '{shown(tool.base)}', it drops the name", hint)
