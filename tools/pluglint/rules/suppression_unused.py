"""
What it checks: every comment `pluglint: ignore[...]` and every `[[suppress]]` of the configuration must silence at
least one finding of a rule that ran.

Why it matters: what it was written for is gone, or the comment stands in the wrong place. Left behind, it hides the
next fault of that rule, which nobody has looked at.

How to fix: delete it, or move it to the line of the finding or the line before that.
"""

from pluglint.rule import HERE, WARNING, Example, Rule

RULE = Rule(
    title="a suppression that silences nothing",
    severity=WARNING,
    on=(),
    source="this linter",
)

_AGENT = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"

GOOD = (
    Example({"agents/lead.md": _AGENT + "Delegate to other agents:\n\n<!-- pluglint: ignore[delegate-unknown] the user brings it -->\n- **jax-pro**: numerical code\n"}),
    Example({"agents/lead.md": _AGENT + "In code a comment is no suppression:\n\n```text\n<!-- pluglint: ignore[delegate-unknown] an example -->\n```\n"}),
)
BAD = (
    Example(
        {"agents/lead.md": _AGENT + f"<!-- pluglint: ignore[delegate-unknown] the user brings it -->{HERE}\nYou split requests.\n"},
        message="this comment silences delegate-unknown, which finds nothing here",
    ),
    Example(
        {"agents/lead.md": _AGENT.replace("tools:", f"# pluglint: ignore[delegate-unknown] the user brings it{HERE}\ntools:") + "You split requests.\n"},
        message="this comment silences delegate-unknown, which finds nothing here",
    ),
)


def check(subject):
    """Nothing: only the whole run knows which suppressions were used, see suppress.py."""
    return ()
