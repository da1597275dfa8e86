'''
What it checks: a skill states its `name`.

Why it matters: the portable format and the upload to claude.ai refuse a skill without one. The Claude client does
not mind: it takes the folder's name.

How to fix: add `name:` with the name of the folder.
'''

from pluglint.rule import DIRECTORY, ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a skill states no name",
    severity=ERROR,
    on=(SKILL,),
    source="agentskills.io specification of 2026-08-04",
    profiles=(PORTABLE, DIRECTORY),
)

_TEXT = "description: Cleans tables. Use when a table has missing values.\n---\nRead the table first.\n"

GOOD = (Example("---\nname: example\n" + _TEXT),)
BAD = (
    Example(f"---{HERE}\n" + _TEXT, message="the skill states no name"),
    Example(f"---\nname: \"\"{HERE}\n" + _TEXT, message="the name is empty"),
)


def check(skill):
    if skill.header is None or skill.string("name").strip():
        return
    node = skill.field("name")
    folder = skill.folder.rpartition("/")[2]
    hint = f"Add `name: {folder}`." if folder else "Add `name:`."
    if node is None:
        yield Problem(skill.source, skill.first_line(), "the skill states no name", hint)
    elif node.items or node.pairs:
        yield Problem(skill.source, node.span, "the name is not a text", hint)
    else:
        yield Problem(skill.source, skill.header.key("name").span, "the name is empty", hint)
