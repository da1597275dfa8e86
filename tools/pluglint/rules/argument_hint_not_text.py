'''
What it checks: `argument-hint` is a text. Without quotes, `[file]` is a list.

Why it matters: the client makes a text of it as well as it can; releases up to 2.1.46 failed on it, and other clients still may.

How to fix: put it in quotes.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="an argument hint is not a text",
    severity=INFO,
    on=(COMMAND, SKILL),
    source="change log of the client, 2.1.47",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('---\ndescription: Ship a release\nargument-hint: "[version]"\n---\nBuild $ARGUMENTS first.\n'),)
BAD = (Example(f"---\ndescription: Ship a release\nargument-hint: [version]{HERE}\n---\nBuild $ARGUMENTS first.\n", message="the argument hint is a list"),)


def check(document):
    node = document.field("argument-hint")
    if node is not None and node.kind in ("list", "map"):
        yield Problem(document.source, node.span, f"the argument hint is a {node.kind}", f'Put it in quotes: "{document.source.slice(node.span).strip()}".')
