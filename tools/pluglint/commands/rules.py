"""`pluglint rules`: the list of rules."""

from __future__ import annotations

from pluglint.rule import Loaded, load_all


def rows(profile: str | None = None) -> list[Loaded]:
    return [loaded for loaded in load_all() if profile is None or profile in loaded.rule.profiles]


def render(profile: str | None, as_json: bool) -> str:
    found = rows(profile)
    if as_json:
        import json

        return json.dumps([{"id": one.id, **one.rule._asdict()} for one in found], indent=2) + "\n"
    width = max((len(one.id) for one in found), default=0)
    lines = [f"{one.rule.severity:<8}{one.id:<{width + 2}}{one.rule.title}" for one in found]
    return "\n".join(lines) + f"\n{len(found)} rules. `pluglint explain RULE` says more; info rules are off unless selected.\n"
