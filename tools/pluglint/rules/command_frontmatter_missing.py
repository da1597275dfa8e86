"""
What it checks: a command file begins with a header.

Why it matters: a command without a header can be typed, but the model is not told of it and cannot run it; the
menu shows no description.

How to fix: add a header with a `description`, unless the command is for people alone.
"""

from pluglint.parse.frontmatter import MISSING
from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="a command has no header",
    severity=INFO,
    on=(COMMAND,),
    source="a command without a header loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example("---\ndescription: Runs the checks. Use before a release.\n---\nRun the checks.\n"),)
BAD = (Example(f"Run the checks.{HERE}\n", message="the command has no header: people can type it, but the model is not told of it"),)


def check(document):
    if document.frontmatter.state == MISSING:
        yield Problem(
            document.source,
            document.frontmatter.span,
            "the command has no header: people can type it, but the model is not told of it",
            "Begin the file with a header that holds a `description`.",
        )
