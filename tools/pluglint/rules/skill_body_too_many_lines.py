'''
What it checks: the body of a skill has at most 500 lines (option `lines`). The place shown is the first line too many.

Why it matters: the whole body is put into the conversation at each call, however little of it is needed.

How to fix: move details to files below `references/` and say in the body when to read them.
'''

from pluglint.facts import FACTS
from pluglint.rule import HERE, INFO, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's body has too many lines",
    severity=INFO,
    on=(SKILL,),
    source="skills page of 2026-10-03; agentskills.io specification of 2026-08-04",
    options={"lines": FACTS["skills"]["body_lines"]},
)

_HEADER = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\n"

GOOD = (Example(_HEADER + "Read on.\n" * 500),)
BAD = (
    Example(_HEADER + "Read on.\n" * 500 + f"And on.{HERE}\nAnd on.\n", message="the body has 502 lines, 500 are the most"),
    Example(_HEADER + f"Read on.\nAnd on.{HERE}\n", message="the body has 2 lines, 1 is the most", options={"lines": 1}),
)


def check(skill, options):
    text, at, limit = skill.text, skill.frontmatter.body, options["lines"]
    count = text.count("\n", at) + (not text.endswith("\n") and len(text) > at)
    if count > limit:
        for _ in range(limit):
            at = text.index("\n", at) + 1
        end = text.find("\n", at)
        span = Span(at, end if end >= 0 else len(text))
        yield Problem(skill.source, span, f"the body has {count:,} lines, {limit:,} {'is' if limit == 1 else 'are'} the most", "Move what comes from here on to a file of its own.")
