'''
What it checks: the body of an agent has at most about 5,000 tokens (option `tokens`), counted as four characters each. The
place shown is where the limit is passed. Up to 5 % more is left alone: the estimate is no closer than that.

Why it matters: the body is the whole system prompt: each call of the agent pays for it, and the more it says, the less each
sentence counts.

How to fix: move knowledge that is not needed at each call to a skill, and name it in `skills` or in the text.
'''

from pluglint.rule import AGENT, HERE, INFO, Example, Problem, Rule, Span

RULE = Rule(
    title="an agent's prompt is long",
    severity=INFO,
    on=(AGENT,),
    source="client 2.1.330, observed 2026-11-22",
    options={"tokens": 5000},
)

_HEADER = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\n"

GOOD = (Example(_HEADER + "You read.\n"),)
BAD = (Example(_HEADER + f"You read the log.\nThen you read on.{HERE}\n", message="the prompt has about 9 tokens, 6 are the most", options={"tokens": 6}),)


def check(agent, options):
    begin, text = agent.frontmatter.body, agent.text
    size, limit = len(text) - begin, options["tokens"] * 4
    if size > limit + limit // 20:  # what the estimate may be off
        end = text.find("\n", begin + limit)
        span = Span(begin + limit, end if end >= 0 else len(text))
        yield Problem(agent.source, span, f"the prompt has about {size // 4:,} tokens, {options['tokens']:,} are the most", "Move what is not needed at each call to a skill.")
