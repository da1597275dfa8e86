"""
What it checks: no tool stands twice under `tools`, aliases included (`Task` is `Agent`).

Why it matters: it has no effect; often another tool was meant.

How to fix: remove the second one, or put the tool there that was meant.
"""

from pluglint.edits import without_item
from pluglint.headers import shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Fix, Problem, Rule

RULE = Rule(
    title="an agent lists a tool twice",
    severity=WARNING,
    on=(AGENT,),
    source="tool names and aliases of client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="safe",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read, Bash(git log), Bash(git diff)\n---\nYou read.\n"),)
BAD = (
    Example(_TOP + f"tools: Read, Bash, Read{HERE}\n---\nYou read.\n", message="'Read' stands twice", fixed='tools: Read, Bash'),
    Example(_TOP + f"tools: [Read, Agent, Task]{HERE}\n---\nYou read.\n", message="'Task' is another name of 'Agent', which stands here already", fixed='tools: [Read, Agent]'),
)


def check(document):
    seen = {}
    for tool in tools_of(document, "tools"):
        if "(" in tool.text:  # several patterns of one tool are each their own
            continue
        first = seen.setdefault(tool.base, tool)
        if first is not tool:
            message = f"'{shown(tool.text)}' stands twice" if first.text == tool.text else f"'{shown(tool.text)}' is another name of '{shown(first.text)}', which stands here already"
            edit = without_item(document, tool.span)
            fix = Fix("remove it", (edit,), safe=True) if edit else None
            yield Problem(document.source, tool.span, message, "Remove it, or name the tool that was meant.", (document.at(first.span, "the first one"),), fix)
