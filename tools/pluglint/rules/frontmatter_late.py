"""
What it checks: the header starts in the first line, and with exactly three hyphens: no blank line, comment or
other text before it, no `----`, no `+++`.

Why it matters: the client looks for `---` in line 1 and nowhere else. With anything else there, no key of the
header is read: a plugin's agent loads **with every tool**, the model is not told of a skill or command.

How to fix: make `---` the first line.
"""

from pluglint.headers import without_header
from pluglint.parse.frontmatter import LATE
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="the header does not start in the first line",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="headers moved and altered, loaded by client 2.1.330, 2026-11-22",
)

_KEYS = "name: example\ndescription: Reads changes. Use when one is ready.\n"
_EFFECT = "the agent loads as 'Agent from demo plugin' with every tool"
GOOD = (Example(f"---\n{_KEYS}---\nYou read.\n"), Example(f"---  \n{_KEYS}---\nYou read.\n"))
BAD = (
    Example({"agents/example.md": f" \n---{HERE}\n{_KEYS}---\nYou read.\n"}, message=f"a blank line stands before the header: {_EFFECT}"),
    Example(f"----{HERE}\n{_KEYS}----\nYou read.\n", message=f"'----' does not open a header, only three hyphens do: {_EFFECT}"),
    Example(f"+++{HERE}\nname = 'example'\n+++\nYou read.\n", message=f"'+++' does not open a header, only three hyphens do: {_EFFECT}"),
    Example(f"<!-- ours -->{HERE}\n---\n{_KEYS}---\nYou read.\n", message=f"a comment stands before the header: {_EFFECT}"),
)


def check(document):
    frontmatter = document.frontmatter
    if frontmatter.state != LATE:
        return
    text = document.text
    line = document.source.line_span(0)
    first = document.source.slice(line).rstrip()
    hint = "Make `---` the very first line."
    if not first:
        fence = text.find("---", 0, frontmatter.span.end)
        line, fault = Span(fence, fence + 3), "a blank line stands before the header"
    elif first[0] in "<#":
        fault = "a comment stands before the header"
    elif first.strip() == "---":
        fault = "blanks stand before the `---` of the header"
    else:
        fault, hint = f"'{first[:20]}' does not open a header, only three hyphens do", "Write the line as `---`."
    yield Problem(document.source, Span(line.start, line.end), f"{fault}: {without_header(document)}", hint)
