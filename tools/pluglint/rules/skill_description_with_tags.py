'''
What it checks: the description of a skill has no tags such as `<example>` in it.

Why it matters: the client shows them to the model as `&lt;example&gt;`, which costs room and means nothing.

How to fix: write the text without tags.
'''

import re

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's description has tags in it",
    severity=INFO,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example("---\nname: example\ndescription: Reads logs with fewer errors than 5 < 6. Use when a build failed.\n---\nRead on.\n"),)
BAD = (Example(f"---\nname: example\ndescription: Reads logs. <example>a build failed</example> Use when needed.{HERE}\n---\nRead on.\n", message="the tag '<example>' reaches the model as '&lt;example&gt;'"),)


def check(skill):
    node = skill.field("description")
    match = re.search(r"</?[A-Za-z][\w-]*>", node.text) if node is not None and "<" in node.text else None
    if match:
        at = skill.text.find(match.group(), *node.span)
        span = Span(at, at + len(match.group())) if at >= 0 else node.span
        yield Problem(skill.source, span, f"the tag '{match.group()}' reaches the model as '&lt;{match.group()[1:-1]}&gt;'", "Write the description without tags.")
