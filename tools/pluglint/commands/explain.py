"""`pluglint explain`: the page of a rule."""

from __future__ import annotations

from pluglint.report.pages import page
from pluglint.rule import load

INTERNAL = """\
`internal-error` is no rule: it is how a rule that crashed shows itself. It has severity error, cannot be silenced or
left out, leaves the other rules running and makes the exit status 3. It is a fault in pluglint: please report it with
the file that it names.
"""


def of_release(name: str) -> str:
    """What a finding of `pluglint release check` means; "" for any other name."""
    from pluglint.release import RULES

    if name not in RULES:
        return ""
    return f"`{name}`: {RULES[name]}. A finding of `pluglint release check`, which compares with what was released; see `pluglint release check --help`.\n"


def run(rule_id: str, as_json: bool = False) -> str:
    if as_json:
        import json

        rule = load(rule_id).rule
        return json.dumps({"id": rule_id, **rule._asdict(), "page": page(rule_id)}, indent=2) + "\n"
    return page(rule_id)
