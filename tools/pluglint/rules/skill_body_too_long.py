'''
What it checks: the body of a skill has at most about 5,000 tokens (option `tokens`), counted as four characters each. The
place shown is where the limit is passed. Up to 5 % more is left alone: the estimate is no closer than that.

Why it matters: when a conversation is compacted the client keeps the first 5,000 tokens of each skill that was called;
what stands behind is gone while the work goes on.

How to fix: move details to files below `references/` and say in the body when to read them.
'''

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's body is too long",
    severity=WARNING,
    on=(SKILL,),
    source="skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
    options={"tokens": 5000},
)

_HEADER = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\n"

GOOD = (Example(_HEADER + "Read on.\n"),)
BAD = (Example(_HEADER + f"Read the log.\nThen read on.{HERE}\nAnd on.\n", message="the body has about 9 tokens, 6 are the most", options={"tokens": 6}),)


def check(skill, options):
    begin, text = skill.frontmatter.body, skill.text
    size, limit = len(text) - begin, options["tokens"] * 4
    if size > limit + limit // 20:  # what the estimate may be off
        end = text.find("\n", begin + limit)
        span = Span(begin + limit, end if end >= 0 else len(text))
        yield Problem(skill.source, span, f"the body has about {size // 4:,} tokens, {options['tokens']:,} are the most", "Move what comes after this to a file of its own.")
