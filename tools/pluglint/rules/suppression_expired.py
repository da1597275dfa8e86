"""
What it checks: the `until` date of a suppression, in a comment or in the configuration, must not have passed.

Why it matters: from the day after that date the suppression silences nothing: what it hid is reported again,
beside this finding, which says why.

How to fix: mend what it hid, or set a later date and say in the reason what it waits for.
"""

from pluglint.rule import ERROR, HERE, Example, Rule

RULE = Rule(
    title="a suppression whose date has passed",
    severity=ERROR,
    on=(),
    source="this linter",
)

_AGENT = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"

GOOD = (Example({"agents/lead.md": _AGENT + "Delegate to other agents:\n\n<!-- pluglint: ignore[delegate-unknown] until=2999-12-31 the user brings it -->\n- **jax-pro**: numerical code\n"}),)
BAD = (
    Example(
        {"agents/lead.md": _AGENT + f"<!-- pluglint: ignore[delegate-unknown] until=2020-01-31 jax-pro follows in 2.0 -->{HERE}\nYou split requests.\n"},
        message="this suppression of delegate-unknown ended on 2020-01-31",
    ),
)


def check(subject):
    """Nothing: suppress.py compares the dates when it applies them."""
    return ()
