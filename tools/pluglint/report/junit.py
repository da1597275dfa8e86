"""JUnit XML: a suite for each file, a failed case for each finding, one passed case for a file without any."""

from __future__ import annotations

from xml.etree import ElementTree

from pluglint.engine import INTERNAL_ERROR, Report
from pluglint.finding import Finding
from pluglint.report import printable


def render(report: Report) -> str:
    by_path: dict[str, list[Finding]] = {path: [] for path in report.files}
    for one in report.findings:
        by_path.setdefault(one.place.path, []).append(one)
    crashes = sum(1 for one in report.findings if one.rule == INTERNAL_ERROR)
    cases = sum(max(1, len(found)) for found in by_path.values())
    root = ElementTree.Element("testsuites", name="pluglint", **_counts(cases, len(report.findings), crashes))
    for path, found in sorted(by_path.items()):
        crashes = sum(1 for one in found if one.rule == INTERNAL_ERROR)
        suite = ElementTree.SubElement(
            root, "testsuite", name=printable(path), **_counts(max(1, len(found)), len(found), crashes)
        )
        if not found:
            ElementTree.SubElement(suite, "testcase", name="no findings", classname=printable(path))
        for one in found:
            _case(suite, one)
    ElementTree.indent(root)
    # ASCII with references: right in whatever encoding standard output has
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="us-ascii").decode() + "\n"


def _counts(tests: int, findings: int, crashes: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(findings - crashes), "errors": str(crashes)}


def _case(suite: ElementTree.Element, one: Finding) -> None:
    place = one.place
    case = ElementTree.SubElement(
        suite, "testcase", name=f"{one.rule}:{place.line}:{place.column}", classname=printable(place.path)
    )
    kind = "error" if one.rule == INTERNAL_ERROR else "failure"
    lines = [f"{place.path}:{place.line}:{place.column}: {one.message} [{one.rule}]", one.snippet.strip(), one.hint]
    lines += [f"{other.path}:{other.line}:{other.column} {other.label}".rstrip() for other in one.related]
    # XML has no place for control characters, not even as references
    ElementTree.SubElement(case, kind, type=one.severity, message=printable(one.message)).text = "\n".join(
        printable(line) for line in lines if line
    )
