'''
What it checks: path patterns in `allowed-tools` and `disallowed-tools` stand on `Read` and `Edit`, not on `Write`, `NotebookEdit`
or `Glob`.

Why it matters: the client accepts `Write(docs/**)` and never consults it. `Edit(...)` speaks for all tools that write,
`Read(...)` for all that read.

How to fix: write `Edit(docs/**)` or `Read(docs/**)`.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a path pattern stands on a tool that does not consult it",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="permissions page of 2026-08",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\nallowed-tools: {}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("Edit(docs/**), Write")),)
BAD = (Example(_SKILL.format(f"Read, Write(docs/**){HERE}"), message="the client never consults the pattern of 'Write(docs/**)'"),)

_INSTEAD = {"Write": "Edit", "NotebookEdit": "Edit", "Glob": "Read"}


def check(document):
    if document.header is None:
        return
    for key in ("allowed-tools", "disallowed-tools"):
        for value in document.names(key):
            name, bracket, rest = value.text.partition("(")
            instead = _INSTEAD.get(name)
            if bracket and instead and rest.endswith(")") and rest not in (")", "*)", "**)"):
                span = Span(value.span.start, min(value.span.end, value.span.start + len(name)))
                yield Problem(document.source, span, f"the client never consults the pattern of '{value.text}'", f"Write `{instead}({rest}`.")
