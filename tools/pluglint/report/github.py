"""Workflow commands of GitHub Actions: the findings become annotations on the lines of a pull request."""

from __future__ import annotations

from pluglint.engine import Report
from pluglint.finding import ERROR, INFO, SEVERITIES, WARNING, Finding
from pluglint.report import printable
from pluglint.words import plural

_COMMAND = {ERROR: "error", WARNING: "warning", INFO: "notice"}
# Annotations of one kind that GitHub keeps of a step (actions/toolkit, docs/problem-matchers.md); the rest is in the log.
SHOWN = 10


def render(report: Report) -> str:
    """One command a finding, errors first: where GitHub cuts, it cuts what matters least."""
    lines = [_command(one) for severity in SEVERITIES for one in report.findings if one.severity == severity]
    counts = ", ".join(
        plural(report.count(severity), _COMMAND[severity]) for severity in SEVERITIES if report.count(severity)
    )
    if any(report.count(severity) > SHOWN for severity in SEVERITIES):
        top = ", ".join(f"{rule} ({count})" for rule, count in report.top()[:5])
        text = f"{counts}. GitHub shows {SHOWN} annotations of a kind; this log has all. Most frequent: {top}"
        lines.append(f"::notice title=pluglint::{_data(text)}")
    elif lines:
        lines.append(f"pluglint: {counts}")
    else:
        lines.append("pluglint: no findings")
    return "\n".join(lines) + "\n"


def _command(one: Finding) -> str:
    place = one.place
    where = {"file": place.path, "line": place.line, "endLine": place.end_line}
    if place.line == place.end_line:  # GitHub takes columns only within one line
        where["col"] = place.column
        if place.end_column > place.column:
            where["endColumn"] = place.end_column
    where["title"] = f"pluglint: {one.rule}"
    # The position again in the text: the log shows nothing of the properties.
    text = f"{place.path}:{place.line}:{place.column}: {one.message} [{one.rule}]"
    if one.hint:
        text += f"\n{one.hint}"
    for other in one.related:
        text += f"\n{other.path}:{other.line}:{other.column}{' ' + other.label if other.label else ''}"
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items())
    return f"::{_COMMAND[one.severity]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    """What stands after `::`, as actions/toolkit escapes it. Percent signs first, since the others bring some."""
    return "%0A".join(printable(line).replace("%", "%25") for line in text.split("\n"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
