"""A draft of a changelog section from what differs: it lists what changed, people write why it matters."""

from __future__ import annotations

from pluglint.budget import budget, tokens
from pluglint.differences import ADDED, CHANGED, REMOVED, RENAMED, Change
from pluglint.release import Verdict
from pluglint.words import listed, plural

HEADINGS = (
    "Added",
    "Changed",
    "Removed",
)  # of Keep a Changelog; what is deprecated, fixed or a matter of security no comparison can tell


def section(verdict: Verdict) -> str:
    """The text below a release heading, "" when nothing shipped differs. Ends in a line break."""
    items: dict[str, list[str]] = {heading: [] for heading in HEADINGS}
    if verdict.new:
        items["Added"].append("The plugin.")
    if verdict.old is not None and verdict.old.name != verdict.package.name:
        items["Changed"].append(f"The plugin `{verdict.old.name}` is now called `{verdict.package.name}`.")
    for change in verdict.changes:
        if change.kind != "file":
            heading, text = _item(change)
            items[heading].append(text)
    others = [one for one in verdict.changes if one.kind == "file"]
    if others:
        items["Changed"].append(f"{plural(len(others), 'other file')}: {listed([_file(one) for one in others], 8)}.")
    cost = _budget(verdict)
    if cost:
        items["Changed"].append(cost)
    return "\n".join(
        "\n".join([f"### {heading}", "", *(f"- {text}" for text in items[heading]), ""])
        for heading in HEADINGS
        if items[heading]
    )


def _item(change: Change) -> tuple[str, str]:
    what = f"{change.kind[0].upper()}{change.kind[1:]} `{change.name}`"
    if change.kind == "script":
        what += f" of {change.owner[0]} `{change.owner[1]}`"
    if change.how == RENAMED:
        return "Changed", f"{change.kind[0].upper()}{change.kind[1:]} `{change.was}` is now called `{change.name}`."
    if change.how == REMOVED:
        return "Removed", f"{what}."
    if change.how == ADDED:
        about = getattr(change.document, "description", "") if change.kind in ("agent", "skill", "command") else ""
        return "Added", f"{what}: {' '.join(about.split())}" if about else f"{what}."
    lines = f"+{change.plus}/-{change.minus} lines" if change.plus or change.minus else "the same text"
    where = f" in {plural(len(change.files), 'file')}" if len(change.files) > 1 else ""
    return "Changed", f"{what}: {'description changed, ' if change.described else ''}{lines}{where}."


def _file(change: Change) -> str:
    return f"`{change.name}`" + (f" (+{change.plus}/-{change.minus})" if change.how == CHANGED else f" ({change.how})")


def _budget(verdict: Verdict) -> str:
    """What every session pays now, when it is another sum than before."""
    if verdict.old is None:
        return ""
    now, before = budget([verdict.package]).always, budget([verdict.old]).always
    if now == before:
        return ""
    return f"Every session: {now:,} characters ({now - before:+,}), about {tokens(now):,} tokens."
