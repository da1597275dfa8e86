"""
What it checks: an agent that says of itself that it is read-only or never changes files, and yet holds `Edit`,
`Write` or `NotebookEdit`, be it by name or because it has no `tools` list and so holds everything.

Why it matters: the sentence is a wish, the list is a bound. What the agent reads, for example a file that
tells it to write, can talk it out of the first but not of the second.

How to fix: list the tools it needs, without those that write, or put those under `disallowedTools`.
"""

import re

from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span
from pluglint.rules._delegation import holds, tools_of
from pluglint.words import listed

RULE = Rule(
    title="an agent that must not write holds tools that write",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("read-only", "READ-ONLY", " edit", " modify", " change", " alter", " write to", "\n- NO ", "\n- **NO "),
)

_HEADER = "---\nname: auditor\ndescription: Reads code. Use when it must be judged.\n{}---\n"

GOOD = (
    Example(_HEADER.format("tools: Read, Grep\n") + "You never edit files.\n"),
    Example(_HEADER.format("disallowedTools: Write, Edit, NotebookEdit\n") + "You are a read-only agent.\n"),
    Example(_HEADER.format("tools: Read, Edit\n") + "You never edit files outside `src/`. Do not modify files unless you are asked to.\n"),
    Example(_HEADER.format("") + "Read-only file systems need care. Never modify generated files.\n"),
    Example(_HEADER.format("tools: Read, Write\n") + "Never modify files. Write your report to `report.md`.\n"),
)
BAD = (
    Example(_HEADER.format(f"tools: Read, Grep, Edit{HERE}\n") + "You never edit files.\n", message="the text says 'never edit files', but the agent holds Edit"),
    Example(_HEADER.format("") + f"Read the code. You are a read-only agent.{HERE}\n", message="the text says 'You are a read-only agent', but the agent holds Edit, Write and NotebookEdit"),
    Example(_HEADER.format("") + f"## Bounds\n\n- NO direct code editing — you report.{HERE}\n", message="the text says 'NO direct code editing', but the agent holds Edit, Write and NotebookEdit"),
    Example(_HEADER.format("") + f"- **Read-only** - Never modify files; only validate.{HERE}\n", message="the text says 'Never modify files', but the agent holds Edit, Write and NotebookEdit"),
)

_WRITERS = ("Edit", "Write", "NotebookEdit")
_NEVER = (
    r"(?:(?<=\n)|(?<=  )|(?<=[.;:–—-] )|(?<=\*\* )|(?<=[-*] )|(?<=\d\. )|\b[Yy]ou (?:must |may |should |can |will )?)(?:\*\*)?"
    r"((?:[Nn]ever|NEVER|[Dd]o not|DO NOT|[Dd]on't|[Mm]ust not|MUST NOT|[Nn]ot|[Cc]annot)(?:\*\*)? (?:edit|modify|change|alter|write to)(?:,? (?:or |and )?(?:create|edit|modify|write|delete))* (?:any |the |source |existing |code |project |repository |or )*(?:files?|code|anything))(?=(?:\*\*)?[.;!,)\n]|\*\*| [-–—] |\Z)"
)
_READ_ONLY = r"(?:\b(?:You are|you are|You're|This is|this is|This agent is|This agent is|It is) (?:a |an )?(?:strictly )?(?:\*\*)?(?:read-only|READ-ONLY)(?:\*\*)?(?: (?:agent|reviewer|auditor|analyst|role|subagent|assistant|investigator|explorer))?(?=[.;!,:\n]|\*\*| [-–—(])|\b(?:You |you )?(?:operate|work|run)s? in (?:strict )?read-only mode\b)"
_NONE = r"\n- (?:\*\*)?(NO (?:direct )?(?:file|code) (?:editing|edits|changes|modifications?))(?=(?:\*\*)?(?:[.;\n]| [-–—] ))"
_CONDITION = r"(?i:\b(?:unless|except|without|outside|until|before|other than|only (?:if|when)|if|when|during|while|yet|phase|step|directly|yourself)\b)"
_WRITES_ELSEWHERE = r"(?i:\b(?:write|save|create|append)s?\b[^.\n]{0,40}(?:report|findings|summary|plan|`[^`\n]*\.\w+`|\.md|file|notes?|document|log|to disk))"


def check(agent):
    held = [tool for tool in _WRITERS if holds(agent, tool)] if agent.header is not None else []
    span = _statement(agent) if held else None
    if span is None:
        return
    if "Write" in held and re.search(_WRITES_ELSEWHERE, agent.body):  # it writes its report: that is another thing than editing
        held.remove("Write")
    if held:
        yield _problem(agent, span, held)


def _statement(agent):
    """Where the agent says of itself that it does not write, without a condition."""
    text, body = agent.text, agent.frontmatter.body
    for words, pattern in ((("read-only", "READ-ONLY"), _READ_ONLY), ((" edit", " modify", " change", " alter", " write to"), _NEVER), (("\n- NO ", "\n- **NO "), _NONE)):
        for word in words:
            for at in agent.places(word):
                if at < body or pattern is _NEVER and not text[at - 5 : at].lower().rstrip("*").endswith(("ever", "not", "n't")):
                    continue
                prose = agent.markdown.prose
                match = re.compile(pattern).search(prose, max(prose.rfind("\n", 0, at - 40), 0), min(at + 160, len(prose)))
                if match is not None:
                    span = Span(*(match.span(1) if match.lastindex else match.span()))
                    if not re.search(_CONDITION, _sentence(prose, span)):
                        return span
    return None


def _problem(agent, span, held):
    said = re.sub(r"\s+", " ", agent.source.slice(span)).replace("*", "")
    message = f"the text says '{said}', but the agent holds {listed(held)}"
    hint = "List only tools that read, or put the others under `disallowedTools`."
    named = next((value for value in agent.names("tools") if value.text.partition("(")[0] in held), None) if tools_of(agent) is not None else None
    if named is None:
        return Problem(agent.source, span, message, hint)
    return Problem(agent.source, named.span, message, hint, (agent.at(span, "said here"),))


def _sentence(prose, span):
    """The sentence around a place, over line breaks inside a paragraph."""
    start = max(prose.rfind(". ", 0, span.start), prose.rfind("\n\n", 0, span.start), prose.rfind("\n- ", 0, span.start)) + 1
    ends = [at for at in (prose.find(". ", span.end), prose.find("\n\n", span.end), prose.find(".\n", span.end), prose.find("\n- ", span.end)) if at >= 0]
    return prose[start : min(ends, default=len(prose))]
