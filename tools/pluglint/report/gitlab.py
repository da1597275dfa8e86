"""GitLab's code quality report, a part of the Code Climate format (docs.gitlab.com, ci/testing/code_quality)."""

from __future__ import annotations

import json

from pluglint import fingerprint
from pluglint.engine import INTERNAL_ERROR, Report
from pluglint.finding import ERROR, INFO, WARNING
from pluglint.report import printable

_SEVERITY = {ERROR: "major", WARNING: "minor", INFO: "info"}


def render(report: Report) -> str:
    """An array with one object a finding; an empty array is what GitLab takes for a clean state."""
    return (
        json.dumps(
            [
                {
                    "description": printable(f"{one.message}. {one.hint}" if one.hint else one.message),
                    "check_name": one.rule,
                    "fingerprint": fingerprint.digest(key),  # GitLab shows two findings with one fingerprint as one
                    "severity": "blocker" if one.rule == INTERNAL_ERROR else _SEVERITY[one.severity],
                    "location": {"path": one.place.path, "lines": {"begin": one.place.line, "end": one.place.end_line}},
                }
                for one, key in zip(report.findings, fingerprint.keys(report.findings))
            ],
            indent=2,
        )
        + "\n"
    )
