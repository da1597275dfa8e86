"""
What it checks: numbers that can be recomputed. "78% → 87% (+9%)", also as a table with columns for before, after and
improvement: the stated change must be the difference or the relative change, whatever rounding of all three permits.
"10 → 20 (2x)": the ratio. "7/8 (88%)", "3 of 4 = 75%": the share, rounded or cut.

Why it matters: a figure that contradicts the two numbers beside it is false, and takes the credit of all others with
it. In a prompt the model repeats it.

How to fix: recompute the figure, or correct the number that it is derived from.
"""

from pluglint.arithmetic import WRONG, changes, wrong_shares
from pluglint.rule import ERROR, HERE, MARKDOWN, Example, Problem, Rule

RULE = Rule(
    title="a percentage does not follow from the numbers beside it",
    severity=ERROR,
    on=MARKDOWN,
    source="arithmetic",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n\n"

GOOD = (
    Example(_HEADER + "Dice 0.12 → 0.63 (+0.51!), success 78% → 88% (+13%), recall 78% → 88% (+10%), rating 7.5/10 → 8.5/10 (+13%), 10 → 20 (2x more).\n"),
    Example(_HEADER + "Passed 7/8 (88%), 7 of 8 tests (87.5%), 2/3 = 66%, 12/10 (50% off), 500ms → 200ms (60% reduction), 1.2.0 -> 1.3.0 (+5).\n"),
    Example(_HEADER + "| Agent | Baseline | Target | Improvement |\n| --- | --- | --- | --- |\n| a | 78% | 87% | +12% |\n| b | 500 ms | 200 ms | 2.5x |\n"),
)
GOOD += (
    Example(_HEADER + "Passed 65/67 (100%), 2 rightly skipped.\n"),
)
BAD = (
    Example(_HEADER + f"Success 78% → 88% (+20%).{HERE}\n", message="78% → 88% is no change of +20%: it is +10 points or +12.8 %"),
    Example(_HEADER + f"Dice 0.12 → 0.63 (+0.61!).{HERE}\n\nUse cases: 10 → 20 (5x more).{HERE}\n", message="0.12 → 0.63 is no change of +0.61: it is +0.51"),
    Example(_HEADER + f"| Agent | Before | After | Change |\n| --- | --- | --- | --- |\n| a | 200 | 300 | +33% |{HERE}\n", message="200 → 300 is no change of +33%: it is +50.0 %"),
    Example(_HEADER + f"Passed 7/8 (85%).{HERE}\n", message="7/8 is 87.5 %, not 85%"),
)


def check(document):
    text = document.text
    start = document.frontmatter.body
    for change in changes(text, start):
        if change.verdict == WRONG:
            yield Problem(document.source, change.span, f"{change.pair} is no change of {change.text}: it is {change.computed}", "Recompute it, or correct the numbers that it comes from.")
    if "%" in text:
        for share in wrong_shares(text, start):
            yield Problem(document.source, share.span, f"{share.pair} is {share.computed:.4g} %, not {share.text}", "Recompute the percentage.")
