"""SARIF 2.1.0, for code scanning services and editors.

Suppressed and known findings are not in it: not every reader looks at `suppressions`, and one that
does not would show them as open.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import quote

from pluglint import __version__, fingerprint
from pluglint.engine import INTERNAL_ERROR, Report
from pluglint.finding import ERROR, INFO, WARNING, Finding, Place
from pluglint.report.pages import page
from pluglint.rule import load

_LEVEL = {ERROR: "error", WARNING: "warning", INFO: "note"}
_BASE = "%SRCROOT%"


def render(report: Report) -> str:
    ids = sorted({one.rule for one in report.findings if one.rule != INTERNAL_ERROR})
    found = list(zip(report.findings, fingerprint.keys(report.findings)))
    crashes = [one for one in report.findings if one.rule == INTERNAL_ERROR]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "pluglint", "semanticVersion": __version__, "rules": [_rule(one) for one in ids]}
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {
                    _BASE: {
                        "description": {
                            "text": "The root of the repository, or the working folder where there is none."
                        }
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": not crashes,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": _message(one),
                                "locations": [_location(one.place)],
                                "descriptor": {"id": INTERNAL_ERROR},
                            }
                            for one in crashes
                        ],
                    }
                ],
                "results": [
                    _result(one, ids.index(one.rule), fingerprint.digest(key))
                    for one, key in found
                    if one.rule != INTERNAL_ERROR
                ],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule_id: str) -> dict[str, Any]:
    rule = load(rule_id).rule
    text = page(rule_id)
    return {
        "id": rule_id,
        "shortDescription": {"text": f"{rule.title[0].upper()}{rule.title[1:]}."},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "help": {"text": text, "markdown": text},
        "properties": {"tags": list(rule.on)},
    }


def _result(one: Finding, index: int, digest: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVEL[one.severity],
        "message": _message(one),
        "locations": [_location(one.place)],
        # The name that GitHub reads, primaryLocationLineHash, is left to its uploader, which hashes the lines around.
        "partialFingerprints": {"pluglint/v1": digest},
    }
    if one.related:
        result["relatedLocations"] = [
            {"id": number, **_location(place), "message": {"text": _text(place.label or "see here")}}
            for number, place in enumerate(one.related, 1)
        ]
    return result


def _message(one: Finding) -> dict[str, str]:
    return {"text": _text(f"{one.message}. {one.hint}" if one.hint else one.message)}


def _text(text: str) -> str:
    """`[a](b)` would be a link (SARIF 2.1.0, section 3.11.6): a message that quotes Markdown means the characters."""
    return re.sub(r"\[([^\[\]]*)\]\(", r"\\[\1\\](", text)


def _location(place: Place) -> dict[str, Any]:
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    return {"physicalLocation": {"artifactLocation": _artifact(place.path), "region": region}}


def _artifact(path: str) -> dict[str, str]:
    uri = quote(os.fsencode(path))
    if os.path.isabs(path):  # outside the repository
        return {"uri": "file://" + ("" if uri.startswith("/") else "/") + uri}
    return {"uri": uri, "uriBaseId": _BASE}
