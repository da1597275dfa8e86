'''
What it checks: a description without quotes or a block mark stands on one line.

Why it matters: wrapped by a formatter, it still reads as one text today; several releases of the client dropped
such a skill, and one more wrapping without indentation breaks the header for all of them.

How to fix: write it on one line, or as a block that begins with `>-`.
'''

from pluglint.rule import AGENT, COMMAND, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a description without quotes runs over several lines",
    severity=INFO,
    on=(SKILL, AGENT, COMMAND),
    source="reports against releases of the client from 2025-10 to 2026-09",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"),
    Example("---\nname: example\ndescription: >-\n  Reads logs.\n  Use when a build failed.\n---\nRead on.\n"),
)
BAD = (Example(f"---\nname: example\ndescription: Reads logs.{HERE}\n  Use when a build failed.\n---\nRead on.\n", message="the description runs over 2 lines without quotes or a block mark"),)


def check(document):
    node = document.field("description")
    if node is not None and node.kind == "string" and not node.style and "\n" in (raw := document.source.slice(node.span).rstrip()):
        yield Problem(document.source, node.span, f"the description runs over {raw.count(chr(10)) + 1} lines without quotes or a block mark", "Write it on one line, or begin it with `>-`.")
