'''
What it checks: `allowed-tools` and `disallowed-tools` of a skill or command name tools that the client has, in its spelling,
in a form that it can read.

Why it matters: an unknown name approves and forbids nothing: the user is asked all the same, and in print mode the
call is denied. `allowed-tools` is an approval in advance and no restriction, so the mistake shows nowhere else.

How to fix: correct the name.
'''

import re

from pluglint.facts import FACTS, tool_names
from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule, Span
from pluglint.words import did_you_mean

RULE = Rule(
    title="a skill approves a tool that does not exist",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="tool constants of @anthropic-ai/claude-agent-sdk 0.3.330; client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\nallowed-tools: {}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("Read, Bash(git log:*), mcp__tracker__search")), Example(_SKILL.format("[Read, WebFetch(domain:example.com)]")))
BAD = (
    Example(_SKILL.format(f"Read, bash{HERE}"), message="the client has no tool 'bash'"),
    Example(_SKILL.format(f"Read, MultiEdit{HERE}"), message="the tool 'MultiEdit' was removed from the client"),
    Example(_SKILL.format(f"Read, Bash(git log{HERE}"), message="the bracket of 'Bash(git log' is not closed"),
)


def check(document):
    if document.header is None:
        return
    for key in ("allowed-tools", "disallowed-tools"):
        for value in document.names(key):
            name, bracket, rest = value.text.partition("(")
            if value.text[:1] in "\"'" and value.text[-1:] == value.text[:1] != "":
                yield Problem(document.source, value.span, f"the quotes are part of the entry {value.text}", "Take them off, or make the value a list in brackets.")
            elif bracket and not rest.endswith(")"):
                yield Problem(document.source, value.span, f"the bracket of '{value.text}' is not closed", f"Write `{value.text})`.")
            elif name.startswith(("mcp__", "$", "{")) or name in ("*", "") or name in tool_names():
                continue
            else:
                span = Span(value.span.start, min(value.span.end, value.span.start + len(name)))
                retired = FACTS["tools"]["retired"].get(name)
                close = did_you_mean(name, tool_names())
                if retired:
                    yield Problem(document.source, span, f"the tool '{name}' was removed from the client", f"Its place took: {retired}.")
                elif re.fullmatch(r"[\w-]+", name):
                    yield Problem(document.source, span, f"the client has no tool '{name}'", f"Did you mean '{close}'?" if close else "Use a name as the client spells it.")
