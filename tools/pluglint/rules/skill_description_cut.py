'''
What it checks: the description of a skill, joined with its `when_to_use`, has at most 1,536 characters.

Why it matters: the client cuts the listing entry there. What stands behind, often the occasions to use the skill, never
reaches the model.

How to fix: shorten the description, and keep details in the body.
'''

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's description is longer than the client shows",
    severity=WARNING,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_LONG = "Reads logs when a build failed. " * 48  # 1,536 characters with the last blank

GOOD = (Example(f"---\nname: example\ndescription: {_LONG}\n---\nRead on.\n"),)
BAD = (
    Example(f"---\nname: example\ndescription: {_LONG}It also counts.{HERE}\n---\nRead on.\n", message="the description has 1,551 characters, the client shows 1,536"),
    Example(f"---\nname: example\ndescription: {_LONG}\nwhen_to_use: A build failed.{HERE}\n---\nRead on.\n", message="description and when_to_use have 1,553 characters together, the client shows 1,536"),
)


def check(skill):
    limit = FACTS["skills"]["listing_cut"]
    size = len(skill.listing)
    if size <= limit:
        return
    over = len(skill.description) > limit
    key = "description" if over else "when_to_use"
    node = skill.field(key)
    # Point at what is lost, where the value stands in the file as it reads.
    begin = skill.text.find(node.text.strip(), *node.span) if node.text.strip() else -1
    lost = limit - 1 if over else max(0, limit - 1 - len(skill.description) - 3)
    span = Span(begin + lost, begin + len(node.text.strip())) if begin >= 0 else node.span
    what = "the description has" if over else "description and when_to_use have"
    yield Problem(skill.source, span, f"{what} {size:,} characters{'' if over else ' together'}, the client shows {limit:,}", f"Shorten it by {size - limit:,} characters.")
