"""
What it checks: names under `tools` that cannot be tools of the client: a known tool in the wrong case or with a
typo, a program, a library, a word.

Why it matters: the client drops such a name without a word, and the agent works without it. The model is still
told of the agent with the names as written.

How to fix: correct the spelling (names are matched exactly, `Read` and not `read`). Programs and libraries such as
python, git or numpy are no tools: an agent uses them through Bash.
"""

from pluglint.edits import replaced, without_item
from pluglint.headers import UNKNOWN, nothing_left, shown, tools_of
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Fix, Problem, Rule

RULE = Rule(
    title="an agent lists a tool that does not exist",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="unsafe",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "tools: Read, Grep, TodoWrite, mcp__images__draw, Task\n---\nYou read.\n"),
    Example(_TOP + "tools:\n  - Read\n  - Bash(git log, git diff)\n---\nYou read.\n"),
    Example(_TOP + "tools: [\"Read, Grep\"]\n---\nYou read.\n"),
)
BAD = (
    Example(_TOP + f"tools: Read, grep{HERE}\n---\nYou read.\n", message="no tool is called 'grep', the client drops it", fixed='tools: Read, Grep'),
    Example(_TOP + f"tools: Read Wirte{HERE}\n---\nYou read.\n", message="no tool is called 'Wirte', the client drops it", fixed='tools: Read Write'),
    Example(_TOP + f"tools:\n  - Read\n  - numpy{HERE}\n---\nYou read.\n", message="no tool is called 'numpy', the client drops it"),
)


def check(document):
    tools = tools_of(document, "tools")
    if nothing_left(tools):  # said once, for the list as a whole
        return
    for tool in tools:
        if tool.state == UNKNOWN:
            hint = f"Did you mean '{tool.close}'?" if tool.close else "Remove it; programs and libraries are run through Bash."
            there = tool.close in [one.base for one in tools]
            edit = without_item(document, tool.span) if there else replaced(document, tool.span, tool.text, tool.close) if tool.close else None
            title = "remove it" if there else f"write {tool.close}"
            yield Problem(document.source, tool.span, f"no tool is called '{shown(tool.text)}', the client drops it", hint, (), Fix(title, (edit,)) if edit else None)
