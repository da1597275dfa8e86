'''
What it checks: the description of a skill has at most 1,024 characters (option `max`). One that is longer than the
client shows at all is left to `skill-description-cut`.

Why it matters: all descriptions share one budget. On a model with 200,000 tokens of context three skills with 1,000
characters each were listed with one description; the other two had none left. The portable format refuses
more than 1,024 characters outright.

How to fix: keep what the skill does and its occasions, and move the rest to the body.
'''

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's description is too long",
    severity=WARNING,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22; agentskills.io specification of 2026-08-04",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"max": 1024},
)

_LONG = "Reads logs when a build failed. " * 32  # 1,024 characters with the last blank

GOOD = (Example(f"---\nname: example\ndescription: {_LONG}\n---\nRead on.\n"),)
BAD = (
    Example(f"---\nname: example\ndescription: {_LONG}It also counts.{HERE}\n---\nRead on.\n", message="the description has 1,039 characters, 1,024 are the most"),
    Example(f"---\nname: example\ndescription: Reads logs when a build failed.{HERE}\n---\nRead on.\n", message="the description has 31 characters, 20 are the most", options={"max": 20}),
)


def check(skill, options):
    text = skill.description
    size, limit = len(text), options["max"]
    if size > limit and len(skill.listing) <= FACTS["skills"]["listing_cut"] and not skill.flag("disable-model-invocation"):
        node = skill.field("description")
        begin = skill.text.find(text, *node.span)
        span = Span(begin + limit, begin + size) if begin >= 0 else node.span
        yield Problem(skill.source, span, f"the description has {size:,} characters, {limit:,} are the most", f"Shorten it by {size - limit:,} characters.")
