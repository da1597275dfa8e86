"""
What it checks: the `tools` key of an agent holds names: it is not empty, `[]`, a number, true or a map.

Why it matters: such an agent is announced to the model with "All tools", but called with **no tool at all**: it
can neither read a file nor run a command. With `memory` it gets the three tools for its notes and no other.

How to fix: name the tools, or leave the key out to give the agent every tool.
"""

from pluglint.headers import keeps_notes, shown
from pluglint.parse.node import ALIAS, LIST, STRING
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule

RULE = Rule(
    title="the tools of an agent are empty",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: [Read]\n---\nYou read.\n"), Example(_TOP + "tools: '*'\n---\nYou read.\n"))
BAD = (
    Example(_TOP + f"tools: []{HERE}\n---\nYou read.\n", message="'tools' is an empty list: the agent is called with no tool at all"),
    Example(_TOP + f"memory: user\ntools: []{HERE}\n---\nYou read.\n", message="'tools' is an empty list: the agent is called with no tool but those that `memory` adds"),
    Example(_TOP + f"tools:{HERE}\n---\nYou read.\n", message="'tools' is empty: the agent is called with no tool at all"),
    Example(_TOP + f"tools: \"\"{HERE}\n---\nYou read.\n", message="'tools' is empty: the agent is called with no tool at all"),
    Example(_TOP + f"tools: 3{HERE}\n---\nYou read.\n", message="'tools' is '3', which is no list of names: the agent is called with no tool at all"),
    Example(_TOP + f"tools:\n  Read: true{HERE}\n---\nYou read.\n", message="'tools' is a map: the agent is called with no tool at all"),
)


def check(document):
    value = document.field("tools")
    if value is None or value.kind == ALIAS:
        return
    if value.kind == LIST:
        if value.items:
            return
        said = "is an empty list"
    elif value.kind == STRING and value.text.strip(" ,"):
        return
    elif not value.text:
        said = "is a map" if value.pairs or value.style == "{" else "is empty"
    else:
        said = f"is '{shown(value.text, 40)}', which is no list of names" if value.kind != STRING and value.text not in ("~", "null") else "is empty"
    span = value.span if value.span.end > value.span.start else document.header.key("tools").span
    effect = "the agent is called with no tool but those that `memory` adds" if keeps_notes(document) else "the agent is called with no tool at all"
    yield Problem(document.source, span, f"'tools' {said}: {effect}", "Name the tools, or remove the key to give the agent every tool.")
