'''
What it checks: the description of a skill has at most 1,024 characters.

Why it matters: the portable format and the upload to claude.ai refuse a longer one.

How to fix: keep what the skill does and its occasions, and move the rest to the body.
'''

from pluglint.facts import FACTS
from pluglint.rule import ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's description is longer than the portable format allows",
    severity=ERROR,
    on=(SKILL,),
    source="agentskills.io specification of 2026-08-04",
    profiles=(PORTABLE,),
)

_LONG = "Reads logs when a build failed. " * 32

GOOD = (Example(f"---\nname: example\ndescription: {_LONG}\n---\nRead on.\n"),)
BAD = (Example(f"---\nname: example\ndescription: {_LONG}It also counts.{HERE}\n---\nRead on.\n", message="the description has 1,039 characters, the portable format allows 1,024"),)


def check(skill):
    text = skill.description
    size, limit = len(text), FACTS["skills"]["portable_description"]
    if size > limit:
        node = skill.field("description")
        begin = skill.text.find(text, *node.span)
        span = Span(begin + limit, begin + size) if begin >= 0 else node.span
        yield Problem(skill.source, span, f"the description has {size:,} characters, the portable format allows {limit:,}", f"Shorten it by {size - limit:,} characters.")
