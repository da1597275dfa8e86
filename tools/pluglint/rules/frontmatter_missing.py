"""
What it checks: an agent or skill file begins with a header between two lines of `---`, and the header is not
empty. Every Markdown file below `agents/` counts, a README too: the client takes each for an agent.

Why it matters: a plugin's agent without a header loads all the same, described as "Agent from X plugin", **with
every tool**; a project's agent is skipped. A skill without a header can be typed, but the model is not told of it.

How to fix: begin the file with a header, and move pages that are no agents out of `agents/`:

    ---
    name: reviewer
    description: Reads changes. Use when one is ready for review.
    ---
"""

import re

from pluglint.headers import in_project, in_utf16, without_header
from pluglint.parse.frontmatter import MISSING
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="an agent or skill has no header",
    severity=ERROR,
    on=(AGENT, SKILL),
    source="files without a header loaded by client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY, PORTABLE),
)

_EFFECT = "the agent loads as 'Agent from demo plugin' with every tool"
GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"),
    Example("\ufeff---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"),
    Example({".claude/agents/README.md": "# Our agents\n", ".claude/agents/a.md": "---\nname: a\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"}),
)
BAD = (
    Example(f"# Reviewer{HERE}\n\nYou read changes.\n", message=f"the file has no header: {_EFFECT}"),
    Example(f"name: example{HERE}\ndescription: Reads changes.\n\nYou read.\n", message=f"the header lacks its lines of `---`: {_EFFECT}"),
    Example(f"---{HERE}\n---\nYou read changes.\n", message=f"the header is empty: {_EFFECT}"),
    Example(f"{HERE}", message=f"the file is empty: {_EFFECT}"),
    Example({"agents/README.md": f"# Our agents{HERE}\n"}, message=f"'README' looks like no agent, yet the client takes it for one: {_EFFECT}"),
    Example({"skills/example/SKILL.md": f"# Example{HERE}\n"}, message="the file has no header: the model is not told of the skill"),
)

_PAGES = frozenset("readme changelog contributing index license notice todo notes template overview".split())


def check(document):
    frontmatter = document.frontmatter
    if document.source.newline == "\r" or in_utf16(document.text) or frontmatter.node is not None or frontmatter.error is not None or frontmatter.state not in ("", MISSING):
        return
    page = document.kind == AGENT and document.stem.lower() in _PAGES
    if page and in_project(document.package):  # documentation beside a project's agents is skipped, as it should be
        return
    text, effect = document.text, without_header(document)
    hint = "Begin the file with a header of `---`, `name:`, `description:` and `---`."
    if page:
        fault, hint = f"'{document.stem}' looks like no agent, yet the client takes it for one", "Move the page out of the agents folder."
    elif not text.strip():
        fault = "the file is empty"
    elif frontmatter.state != MISSING:
        fault = "the header is empty"
    elif re.match(r"(?:[^\n]*\n)?(?:name|description):[ \t]", text):
        fault, hint = "the header lacks its lines of `---`", "Put a line of `---` before the first key and after the last one."
    else:
        fault = "the file has no header"
    first = frontmatter.span.end if frontmatter.state == MISSING else 3
    yield Problem(document.source, Span(0, first), f"{fault}: {effect}", hint)
