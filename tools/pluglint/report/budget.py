"""The budget as a table for people and as JSON for machines."""

from __future__ import annotations

import json
from typing import Any

from pluglint.budget import MODELS, Budget, free, tokens

VERSION = 1


def as_json(budget: Budget, before: Budget | None, exceeded: list[str]) -> str:
    """One JSON object; the schema is `pluglint schema budget`."""
    old = {one.name: one for one in before.costs} if before is not None else {}

    def component(one: Any) -> dict[str, Any]:
        told = {"kind": one.kind, "name": one.name, "path": one.path, "listed": one.listed, "used": one.used, "dropped": list(one.dropped)}
        if before is not None:
            told["before"] = {"listed": old[one.name].listed, "used": old[one.name].used} if one.name in old else None
        return told

    data: dict[str, Any] = {
        "version": VERSION,
        "always": {"characters": budget.always, "tokens": tokens(budget.always), "agents": budget.agents, "skills": budget.skills},
        "listing": {model: {"free": free(model), "dropped": [one.name for one in budget.costs if model in one.dropped]} for model in MODELS},
        "components": [component(one) for one in budget.costs],
        "exceeded": exceeded,
    }
    if before is not None:
        now = {one.name for one in budget.costs}
        data["before"] = {"characters": before.always, "removed": [one.name for one in before.costs if one.name not in now]}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(budget: Budget, before: Budget | None, exceeded: list[str]) -> str:
    """A table of plain text."""
    old = {one.name: one for one in before.costs} if before is not None else {}

    def number(value: int, earlier: int | None) -> str:
        change = f" ({value - earlier:+,})" if earlier is not None and value != earlier else ""
        return f"{value:,}{change}"

    rows = [("", "every session", "when used", "description dropped on")]
    for one in budget.costs:
        was = old.get(one.name)
        new = " (new)" if before is not None and was is None else ""
        rows.append((
            f"{one.kind} {one.name}{new}",
            number(one.listed, was.listed if was else None) if one.listed else "not told",
            number(one.used, was.used if was else None),
            ", ".join(f"{model} models" for model in one.dropped),
        ))
    rows.append(("together", number(budget.always, before.always if before is not None else None), "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows]
    if before is not None:
        now = {one.name for one in budget.costs}
        lines += [f"{one.kind} {one.name} (removed: {-one.listed:+,})" for one in before.costs if one.name not in now]
    lines.append("")
    lines.append(f"Every session: {budget.always:,} characters, about {tokens(budget.always):,} tokens ({budget.agents:,} for agents, {budget.skills:,} for skills and commands).")
    for model in MODELS:
        gone = sum(1 for one in budget.costs if model in one.dropped)
        state = f"{gone} description{'' if gone == 1 else 's'} dropped" if gone else "nothing dropped"
        lines.append(f"{model} models: the listing of skills has {free(model):,} characters beside the client's own; {state}.")
    lines += [f"over the limit: {one}" for one in exceeded]
    return "\n".join(lines) + "\n"
