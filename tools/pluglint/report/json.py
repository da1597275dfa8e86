"""The report for machines. The shape is version 1 and frozen: fields may be added, never changed (schemas/output.schema.json)."""

from __future__ import annotations

import json
from typing import Any

from pluglint.engine import Report
from pluglint.finding import SEVERITIES, Place

VERSION = 1


def data(report: Report) -> dict[str, Any]:
    return {
        "version": VERSION,
        "profile": report.profile,
        "summary": {
            **{severity: report.count(severity) for severity in SEVERITIES},
            "suppressed": report.suppressed,
            "known": report.known,
            "files": len(report.files),
            "rules": dict(sorted(report.top())),
        },
        "packages": [{"path": path, "kind": kind, "name": name} for path, kind, name in report.packages],
        "files": [{"path": path, "kind": kind} for path, kind in report.files.items()],
        "findings": [
            {
                "rule": one.rule,
                "severity": one.severity,
                **_place(one.place),
                "message": one.message,
                "hint": one.hint,
                "related": [{**_place(place), "label": place.label} for place in one.related],
                "fix": {"title": one.fix.title, "safe": one.fix.safe} if one.fix else None,
            }
            for one in report.findings
        ],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }


def render(report: Report) -> str:
    return json.dumps(data(report), indent=2, ensure_ascii=True) + "\n"
