"""What `pluglint release check` says beside its findings: what each plugin was, is, and why it has to rise."""

from __future__ import annotations

import json
from typing import Any

from pluglint.engine import Report
from pluglint.release import Release, Verdict
from pluglint.report import printable
from pluglint.report.json import data

SHOWN = 12  # reasons of one plugin in the text report; JSON has all


def as_json(release: Release, report: Report) -> str:
    """One JSON object; the schema is `pluglint schema release`."""
    whole: dict[str, Any] = data(report)
    whole["plugins"] = [
        {
            "name": one.package.name,
            "path": one.package.shown or ".",
            "since": one.reference,
            "commit": one.base,
            "released": one.released,
            "version": one.version,
            "new": one.new,
            "needs": one.needs,
            "least": one.least,
            "reasons": [reason._asdict() for reason in one.reasons],
        }
        for one in release.verdicts
    ]
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def as_text(release: Release) -> str:
    """A paragraph for each plugin, and an empty line."""
    return "".join(_paragraph(one) for one in release.verdicts) + "\n"


def _paragraph(one: Verdict) -> str:
    name = printable(one.package.name)
    version = printable(one.version) or "without a version"
    if one.new:
        return f"{name} {version}: was not there in {printable(one.reference)}\n"
    steps = f"{printable(one.released) or 'without a version'} -> {version}" if one.version != one.released else version
    head = f"{name} {steps}, since {printable(one.reference)} ({one.base[:10]})"
    if not one.needs:
        return f"{head}: nothing shipped changed\n"
    lines = [f"{head}: {one.needs}{f', so {one.least} or higher' if one.least else ''}"]
    lines += [f"  {reason.part:<5}  {printable(reason.text)}" for reason in one.reasons[:SHOWN]]
    if len(one.reasons) > SHOWN:
        lines.append(f"  and {len(one.reasons) - SHOWN} more; --format json has all")
    return "\n".join(lines) + "\n"
