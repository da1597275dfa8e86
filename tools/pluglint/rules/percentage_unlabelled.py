"""
What it checks: a change between two percentages that is given in per cent and fits only as a relative change:
"78% → 87% (+12%)" is nine points more.

Why it matters: two percentages with a third one behind them are read as a difference, so the figure looks wrong, or
like more than was gained.

How to fix: write "+9 points", or "+12% relative".
"""

from pluglint.arithmetic import RELATIVE_ONLY, changes
from pluglint.rule import HERE, MARKDOWN, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a change between percentages does not say that it is relative",
    severity=WARNING,
    on=MARKDOWN,
    source="arithmetic",
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n\n"

GOOD = (
    Example(_HEADER + "Success 78% → 88% (+10%), recall 78% → 88% (+13% relative), precision 78% → 88% (+10 points), rating 7.5/10 → 8.5/10 (+13%).\n"),
    Example(_HEADER + "| Agent | Baseline | Target | Improvement |\n| --- | --- | --- | --- |\n| a | 78% | 87% | +9% |\n"),
)
BAD = (
    Example(_HEADER + f"Success 78% → 88% (+13%).{HERE}\n", message="78% → 88% is +10 points or +12.8 %; +13% does not say which"),
    Example(_HEADER + f"| Agent | Baseline | Target | Improvement |\n| --- | --- | --- | --- |\n| a | 75% | 86% | +15% |{HERE}\n", message="75% → 86% is +11 points or +14.7 %; +15% does not say which"),
)


def check(document):
    if "%" in document.text:
        for change in changes(document.text, document.frontmatter.body):
            if change.verdict == RELATIVE_ONLY:
                yield Problem(document.source, change.span, f"{change.pair} is {change.computed}; {change.text} does not say which", "Write the points, or add \"relative\".")
