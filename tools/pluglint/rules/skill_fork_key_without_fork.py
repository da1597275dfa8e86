'''
What it checks: `agent` and `background` stand only in a skill or command that also says `context: fork`.

Why it matters: without the fork the text runs in the conversation itself, with its tools and its model; the key has no
effect.

How to fix: add `context: fork`, or remove the key.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a key for forked skills has no effect",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("context: fork\nagent: Explore")),)
BAD = (
    Example(_SKILL.format(f"agent: Explore{HERE}"), message="`agent` has no effect without `context: fork`"),
    Example(_SKILL.format(f"background: true{HERE}"), message="`background` has no effect without `context: fork`"),
)


def check(document):
    if document.header is not None and document.field("context") is None:
        for key in ("agent", "background"):
            node = document.header.key(key)
            if node is not None:
                yield Problem(document.source, node.span, f"`{key}` has no effect without `context: fork`", f"Add `context: fork`, or remove `{key}`.")
