"""
What it checks: an agent whose `tools` hold neither Write nor Edit has no `memory`.

Why it matters: `memory` adds Read, Write and Edit to the agent's tools (and about 13,000 characters to its prompt):
an agent that was meant to read only can change files.

How to fix: remove `memory`, or name Write and Edit under `tools`, so that the list says what the agent can do.
"""

from pluglint.headers import EVERY, UNFAMILIAR, keeps_notes, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the memory of an agent lets it write",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: Read, Write, Edit\nmemory: project\n---\nYou read.\n"),
    Example(_TOP + "memory: project\n---\nYou read.\n"),
    Example(_TOP + "tools: Read\ndisallowedTools: Write, Edit\nmemory: project\n---\nYou read.\n"),
)
BAD = (Example(_TOP + f"tools: Read, Grep\nmemory: project{HERE}\n---\nYou read.\n", message="'memory' adds Write and Edit to an agent whose tools only read"),)


def check(document):
    value = document.field("memory")
    if value is None or not keeps_notes(document):
        return
    denied = {tool.text for tool in tools_of(document, "disallowedTools")}
    added = [name for name in ("Write", "Edit") if name not in denied]
    tools = tools_of(document, "tools")
    if not added or not tools or any(tool.base in ("Write", "Edit", "Bash", "PowerShell") or tool.state in (EVERY, UNFAMILIAR) for tool in tools):
        return
    yield Problem(
        document.source,
        value.span,
        f"'memory' adds {' and '.join(added)} to an agent whose tools only read",
        f"Remove `memory`, or name {' and '.join(added)} under `tools`.",
        (document.at(document.field("tools").span, "the tools as declared"),),
    )
