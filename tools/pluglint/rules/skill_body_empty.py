'''
What it checks: a skill or a command has text below its header.

Why it matters: it is listed and can be called, and the call gives the model nothing.

How to fix: write what to do, or remove the file.
'''

from pluglint.rule import COMMAND, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a skill or command has no text",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="client 2.1.330, observed 2026-11-22",
)

_HEADER = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---"

GOOD = (Example(_HEADER + "\nRead on.\n"),)
BAD = (
    Example(_HEADER.replace("---\nn", f"---{HERE}\nn") + "\n\n", message="the skill has no text below its header"),
    Example({"commands/example.md": f"---{HERE}\ndescription: Read logs\n---\n"}, message="the command has no text below its header"),
)


def check(document):
    front = document.frontmatter
    if not front.state and front.body and not document.text[front.body : front.body + 400].strip() and not document.body.strip():
        yield Problem(document.source, document.first_line(), f"the {document.kind} has no text below its header", "Write what to do, or remove the file.")
