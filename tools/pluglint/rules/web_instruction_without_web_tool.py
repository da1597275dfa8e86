"""
What it checks: an agent that is told to search the web, to fetch a page or to use `WebSearch` or `WebFetch`,
while its `tools` list holds nothing that reaches the web.

Why it matters: the client gives an agent what its list names and nothing else. The agent answers from memory
instead, and may cite pages it never saw.

How to fix: add `WebSearch` or `WebFetch` to `tools`, or take the step out.
"""

import re

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span
from pluglint.rules._delegation import tools_of

RULE = Rule(
    title="a step on the web, but no tool that reaches it",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("web", "Web", "nternet", "etch ", " online"),
)

_HEADER = "---\nname: scout\ndescription: Finds sources. Use when a claim needs one.\ntools: {}\n---\n"

GOOD = (
    Example(_HEADER.format("Read, WebSearch") + "1. Search the web for the original paper.\n"),
    Example(_HEADER.format("Read, Grep") + "Users search the web first. Never fetch a page.\n"),
    Example(_HEADER.format("Read, Bash") + "1. Fetch the page with curl.\n"),
)
BAD = (
    Example(_HEADER.format("Read, Grep") + f"1. Read the claim.\n2. Search the web for the original paper.{HERE}\n", message="the agent is told to 'Search the web', but its tools lack WebSearch and WebFetch"),
    Example(_HEADER.format("Read, Grep") + f"Use `WebFetch` to read the page.{HERE}\n", message="the agent is told to 'Use `WebFetch`', but its tools lack WebSearch and WebFetch"),
)

_STEP = (
    r"\n[ \t]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?:\*\*)?(?:(?:Then|First|Next|Now|Always|Finally),?[ \t]+)?"
    r"((?:[Ss]earch|[Bb]rowse)[ \t]+(?:the[ \t]+)?(?:web|internet)\b|[Ss]earch[ \t]+online\b|[Ff]etch[ \t]+(?:the|each|every)[ \t]+(?:web[ \t]?pages?|pages?|URLs?)\b|[Uu]se[ \t]+(?:the[ \t]+)?`?Web(?:Search|Fetch)`?)"
)


def check(agent):
    tools = tools_of(agent) if agent.header is not None else None
    if not tools or tools & {"*", "Bash", "PowerShell", "Agent", "WebSearch", "WebFetch"} or any(name.startswith("mcp__") for name in tools):
        return
    body = agent.frontmatter.body  # the header is blank in `prose`, line ends included
    for match in re.finditer(_STEP, "\n" + agent.markdown.prose[body:]):
        related = (agent.at(agent.field("tools").span, "the tools"),)
        yield Problem(agent.source, Span(match.start(1) + body - 1, match.end(1) + body - 1), f"the agent is told to '{match.group(1)}', but its tools lack WebSearch and WebFetch", "Add the tool, or take the step out.", related)
