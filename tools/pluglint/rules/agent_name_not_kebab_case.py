"""
What it checks: the name of an agent is made of lower-case letters, digits, and single hyphens or dots between them.

Why it matters: the client takes any name as it is, but a name must be repeated exactly: the mention
`@agent-plugin:name` is matched with prefix and case. A blank ends it, a `:` reads like a sub-folder; letters of
other alphabets and hidden characters look like a name that is not there.

How to fix: rename it, here and wherever it is delegated to.
"""

import re

from pluglint.headers import in_project
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="the name of an agent is not in lower case with hyphens",
    severity=WARNING,
    on=(AGENT,),
    source="names and mentions tried with client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_REST = "\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
GOOD = (Example(f"---\nname: net-4.8-reviewer{_REST}"), Example(f"---\nmodel: opus{_REST}"))
BAD = (
    Example(f"---\nname: Code Reviewer{HERE}{_REST}", message="the name 'Code Reviewer' holds 'C'"),
    Example(f"---\nname: code_reviewer{HERE}{_REST}", message="the name 'code_reviewer' holds '_'"),
    Example(f"---\nname: code\u200breviewer{HERE}{_REST}", message="the name 'codereviewer' holds U+200B"),
    Example(f"---\nname: code-{HERE}{_REST}", message="the name 'code-' begins or ends with a hyphen or dot, or has two in a row"),
)


def check(document):
    name = document.string("name").strip()
    if not name or re.fullmatch(r"[a-z0-9]+(?:[.-][a-z0-9]+)*", name):
        return
    if in_project(document.package) and (":" in name or name[0] == "-"):  # skipped by the client: agent-name-refused
        return
    value = document.field("name")
    odd = re.search(r"[^a-z0-9.-]", name)
    shown = "".join(char for char in name if char.isprintable())[:60]
    close = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", "".join(c for c in name if c.isprintable())).lower()).strip("-")
    if close.replace("-", "") == document.stem.replace("-", ""):  # "DevOps Engineer" in devops-engineer.md
        close = document.stem
    hint = f"Call it '{close}'." if close else "Use lower-case letters, digits and hyphens."
    if odd is None:
        yield Problem(document.source, value.span, f"the name '{shown}' begins or ends with a hyphen or dot, or has two in a row", hint)
        return
    char = odd.group()
    said = f"'{char}'" if char.isprintable() and char != " " else "a blank" if char == " " else f"U+{ord(char):04X}"
    inner = document.text.find(name, value.span.start, value.span.end)
    span = Span(inner + odd.start(), inner + odd.end()) if inner >= 0 else value.span
    yield Problem(document.source, span, f"the name '{shown}' holds {said}", hint)
