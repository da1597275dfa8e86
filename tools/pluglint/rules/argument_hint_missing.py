'''
What it checks: a command whose text uses `$ARGUMENTS` or `$1` says in `argument-hint` what to type.

Why it matters: the menu shows the name alone, and the user learns of the arguments by chance.

How to fix: add `argument-hint: "[version]"`.
'''

import re

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, Example, Problem, Rule, Span

RULE = Rule(
    title="a command takes arguments and does not say which",
    severity=INFO,
    on=(COMMAND,),
    source="skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('---\ndescription: Ship a release\nargument-hint: "[version]"\n---\nBuild $ARGUMENTS first.\n'),)
BAD = (Example(f"---\ndescription: Ship a release\n---\nBuild $ARGUMENTS first.{HERE}\n", message="the command uses '$ARGUMENTS' and has no `argument-hint`"),)


def check(command):
    if command.header is None or command.field("argument-hint") is not None or command.field("arguments") is not None or "$ARGUMENTS" not in command.text:
        return
    match = re.compile(r"(?<!\\)\$ARGUMENTS\b").search(command.text, command.frontmatter.body)
    if match:
        yield Problem(command.source, Span(*match.span()), "the command uses '$ARGUMENTS' and has no `argument-hint`", 'Add `argument-hint: "[what to type]"`.')
