"""
What it checks: a comment `pluglint: ignore[...]` must name rules that exist and give a reason; an `until=` in it must
be a date.

Why it matters: such a comment silences nothing, although whoever wrote it believes that it does.

How to fix: write `pluglint: ignore[rule-id] reason`, with `until=YYYY-MM-DD` where it should end by itself.
"""

from pluglint.rule import ERROR, HERE, Example, Rule

RULE = Rule(
    title="a suppression without a rule, a reason or a proper date",
    severity=ERROR,
    on=(),
    source="this linter",
)

_AGENT = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"

GOOD = (
    Example({"agents/lead.md": _AGENT + "Delegate to other agents:\n\n<!-- pluglint: ignore[delegate-unknown] until=2999-12-31 the user brings it -->\n- **jax-pro**: numerical code\n"}),
    Example({"agents/lead.md": _AGENT + "Write `<!-- pluglint: ignore -->` to see what it says.\n"}),
)
BAD = (
    Example({"agents/lead.md": _AGENT + f"<!-- pluglint: ignore too noisy -->{HERE}\nYou split.\n"}, message="a suppression must name its rules"),
    Example({"agents/lead.md": _AGENT + f"<!-- pluglint: ignore[delegate-unknwon] the user brings it -->{HERE}\nYou split.\n"}, message="no rule is called 'delegate-unknwon'"),
    Example({"agents/lead.md": _AGENT + f"<!-- pluglint: ignore[delegate-unknown] -->{HERE}\nYou split.\n"}, message="a suppression must give its reason"),
    Example({"agents/lead.md": _AGENT + f"<!-- pluglint: ignore-file[delegate-unknown] until=2027-02-30 legacy -->{HERE}\nYou split.\n"}, message="'2027-02-30' is no date"),
)


def check(subject):
    """Nothing: suppress.py reads the comments, once for all rules."""
    return ()
