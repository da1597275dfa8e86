"""A summary in Markdown: for the summary page of a GitHub job, or a comment on a pull request."""

from __future__ import annotations

import re

from pluglint.engine import Report
from pluglint.finding import SEVERITIES
from pluglint.report import printable
from pluglint.words import plural

RULES, FINDINGS = 10, 50  # rows of the two tables


def render(report: Report) -> str:
    """Counts, the most frequent rules, and the first findings, errors first."""
    counts = ", ".join(
        plural(report.count(severity), word)
        for severity, word in zip(SEVERITIES, ("error", "warning", "note"))
        if report.count(severity)
    )
    extra = "".join(
        f"; {number} {word}" for number, word in ((report.suppressed, "suppressed"), (report.known, "known")) if number
    )
    lines = ["### pluglint", "", f"{counts or 'No findings'} in {plural(len(report.files), 'file')}{extra}."]
    top = report.top()
    if top:
        lines += [
            "",
            "| Rule | Findings |",
            "| --- | ---: |",
            *(f"| {rule} | {count} |" for rule, count in top[:RULES]),
        ]
        if len(top) > RULES:
            lines += ["", f"And {plural(len(top) - RULES, 'more rule')}."]
        shown = sorted(report.findings, key=lambda one: SEVERITIES.index(one.severity))[:FINDINGS]
        lines += ["", "| | Where | What |", "| --- | --- | --- |"]
        lines += [
            f"| {one.severity} | {_cell(f'{one.place.path}:{one.place.line}')} | {_cell(one.message)} ({one.rule}) |"
            for one in shown
        ]
        if len(report.findings) > len(shown):
            lines += ["", f"And {plural(len(report.findings) - len(shown), 'more finding')}."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text that stays text: no mark-up, no mention of a person, no new cell."""
    return re.sub(r"([\\`*_{}\[\]<>()#|~!@&:])", lambda match: f"&#{ord(match.group())};", printable(text))
