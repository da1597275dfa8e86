"""
What it checks: names under `tools` of tools that were removed from the client: MultiEdit, LS, NotebookRead,
TodoRead, BashOutput, SlashCommand and others.

Why it matters: the client drops them without a word, and the agent works without them.

How to fix: use the tool that took its place, or remove the name.
"""

from pluglint.edits import replaced, without_item
from pluglint.headers import RETIRED, nothing_left, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Fix, Problem, Rule

RULE = Rule(
    title="an agent lists a tool that was removed from the client",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="unsafe",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read, Edit, KillShell\n---\nYou read.\n"),)
BAD = (
    Example(_TOP + f"tools: Read, MultiEdit{HERE}\n---\nYou read.\n", message="the tool 'MultiEdit' was removed from the client, which drops the name", fixed='tools: Read, Edit'),
    Example(_TOP + f"tools:\n  - Read\n  - LS{HERE}\n---\nYou read.\n", message="the tool 'LS' was removed from the client, which drops the name"),
)


def check(document):
    tools = tools_of(document, "tools")
    if nothing_left(tools):
        return
    for tool in tools:
        if tool.state == RETIRED:
            there = [one.base for one in tools]
            edit = without_item(document, tool.span) if tool.close in there else replaced(document, tool.span, tool.text, tool.close) if tool.close.isalpha() else None
            fix = Fix("remove it" if tool.close in there else f"write {tool.close}", (edit,)) if edit else None
            yield Problem(document.source, tool.span, f"the tool '{tool.base}' was removed from the client, which drops the name", f"Use {tool.close}.", (), fix)
