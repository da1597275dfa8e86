"""The report for people: grouped by file, with the source line, a caret, the hint and the rule id."""

from __future__ import annotations

from typing import Iterator

from pluglint.engine import Report
from pluglint.finding import ERROR, INFO, WARNING, Finding
from pluglint.report import printable
from pluglint.words import plural

Segment = tuple[str, str]  # (text, style of rich)
_STYLE = {ERROR: "bold red", WARNING: "yellow", INFO: "cyan"}


def render(report: Report, show_files: bool = False, statistics: bool = False) -> str:
    """The whole report as plain text, ending in a line break."""
    return "".join(text for text, _ in segments(report, show_files, statistics))


def show(report: Report, show_files: bool = False, statistics: bool = False) -> None:
    """Prints the report to a terminal, in colour. Imports rich."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text.assemble(*segments(report, show_files, statistics)), end="")


def segments(report: Report, show_files: bool = False, statistics: bool = False) -> Iterator[Segment]:
    if show_files:
        for path, kind in report.files.items():
            yield f"{printable(path)}: {kind}\n", "dim"
        if report.files:
            yield "\n", ""
    path = None
    for one in report.findings:
        if one.place.path != path:
            if path is not None:
                yield "\n", ""
            path = one.place.path
            yield f"{printable(path)}", "bold"
            kind = report.files.get(path)
            yield f"  ({kind})\n" if kind else "\n", "dim"
        yield from _finding(one)
    if report.findings:
        yield "\n", ""
    yield from _summary(report, statistics)


def _finding(one: Finding) -> Iterator[Segment]:
    place = one.place
    yield f"  {place.line}:{place.column} ", "dim"
    yield one.severity, _STYLE[one.severity]
    yield f" {printable(one.message)} ", ""
    yield f"[{one.rule}]\n", "dim"
    if one.snippet.strip():
        gutter = f"{place.line:>6} | "
        line, column, width = _window(one)
        yield gutter, "dim"
        yield line + "\n", ""
        yield " " * (len(gutter) + column) + "^" * width + "\n", _STYLE[one.severity]
    for other in one.related:
        yield f"         {printable(other.path)}:{other.line}:{other.column}", "dim"
        yield f" {printable(other.label)}\n" if other.label else "\n", ""
    if one.hint:
        yield "         help: ", "bold"
        yield f"{printable(one.hint)}\n", ""


def _window(one: Finding, limit: int = 110) -> tuple[str, int, int]:
    """The part of the source line around the finding: (text, column from 0, width of the caret)."""
    raw = one.snippet
    place = one.place
    column = place.column - 1
    if raw.startswith("…"):
        from pluglint.finding import SNIPPET_LIMIT

        column = min(column, SNIPPET_LIMIT // 2)
    stop = place.end_column - 1 if place.end_line == place.line and not raw.startswith("…") else column + (place.end_column - place.column if place.end_line == place.line else len(raw))
    stop = max(min(stop, len(raw)), column + 1)
    first = max(0, column - limit // 3) if len(raw) > limit else 0
    head = printable(raw[first:column].replace("\t", " "))
    body = printable(raw[column : min(stop, first + limit)].replace("\t", " "))
    tail = printable(raw[min(stop, first + limit) : first + limit].replace("\t", " "))
    lead = "…" if first else ""
    trail = "…" if first + limit < len(raw) else ""
    return lead + head + body + tail + trail, len(lead + head), max(1, len(body))


def _summary(report: Report, statistics: bool) -> Iterator[Segment]:
    errors, warnings, infos = report.count(ERROR), report.count(WARNING), report.count(INFO)
    kinds: dict[str, int] = {}
    for kind in report.files.values():
        kinds[kind] = kinds.get(kind, 0) + 1
    checked = ", ".join(plural(kinds[kind], kind) for kind in sorted(kinds, key=lambda kind: (-kinds[kind], kind))[:5])
    roots = report.packages
    what = f"{roots[0][1]} {roots[0][2]}" if len(roots) == 1 else plural(len(roots), "package")
    if errors or warnings or infos:
        parts = [plural(n, word) for n, word in ((errors, "error"), (warnings, "warning")) if n]
        if infos:
            parts.append(f"{infos} info")
        yield ", ".join(parts), _STYLE[ERROR if errors else WARNING if warnings else INFO]
        yield f" in {printable(what)} ({checked})", ""
    else:
        yield "No findings", "green"
        yield f" in {printable(what)} ({checked})", ""
    fixable = [one.fix for one in report.findings if one.fix is not None]
    if fixable:
        safe = sum(1 for one in fixable if one.safe)
        parts = [f"{safe} with --fix" if safe else "", f"{len(fixable) - safe} with --unsafe-fixes" if safe < len(fixable) else ""]
        yield f"; mends {' and '.join(part for part in parts if part)}", "dim"
    if report.suppressed:
        yield f"; {report.suppressed} suppressed", "dim"
    if report.known:
        yield f"; {report.known} known", "dim"
    yield "\n", ""
    if statistics:
        yield "\n", ""
        width = len(str(report.top()[0][1])) if report.findings else 0
        for rule, count in report.top():
            yield f"{count:>{width}}  {rule}\n", ""
    elif len(report.findings) > 20:
        yield "Most frequent: " + ", ".join(f"{rule} ({count})" for rule, count in report.top()[:5]) + "\n", "dim"
