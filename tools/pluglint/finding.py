"""What rules yield (`Problem`) and what reports show (`Finding`).

A `Problem` points into a `Source`; the engine turns it into a `Finding`, which holds only numbers
and strings: it can cross a process boundary and needs no source to be printed.
"""

from __future__ import annotations

from typing import NamedTuple

from pluglint.text import Source, Span

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)
SNIPPET_LIMIT = 240


class Location(NamedTuple):
    """A place that a finding also speaks of."""

    source: Source
    span: Span
    label: str


class Edit(NamedTuple):
    """Text to stand in the place of a span."""

    source: Source
    span: Span
    text: str


class Fix(NamedTuple):
    """Edits that mend a fault, all of them or none.

    `title` says in a few words what they do. Safe: what a model or a person reads keeps its meaning. An edit of a
    description or of a prompt is never safe, however right.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False


class Problem(NamedTuple):
    """One fault that a rule found.

    `message` says what is wrong, `hint` what to do; both are plain sentences without a full path.
    `related` are the places that disagree with this one.
    """

    source: Source
    span: Span
    message: str
    hint: str = ""
    related: tuple[Location, ...] = ()
    fix: Fix | None = None


class Place(NamedTuple):
    """A resolved location: lines and columns from 1, the end exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    label: str = ""


class PlainEdit(NamedTuple):
    """An edit without its source: offsets are code points of the text as `text.decode` gives it."""

    path: str
    start: int
    end: int
    text: str


class PlainFix(NamedTuple):
    """A fix without its sources."""

    title: str
    edits: tuple[PlainEdit, ...]
    safe: bool


class Finding(NamedTuple):
    rule: str
    severity: str
    place: Place
    message: str
    hint: str
    related: tuple[Place, ...]
    snippet: str
    fix: PlainFix | None = None

    @property
    def sort_key(self) -> tuple:
        place = self.place
        return (place.path, place.line, place.column, self.rule, self.message)


def resolve(source: Source, span: Span, label: str = "") -> Place:
    start = min(max(span[0], 0), len(source.text))
    end = min(max(span[1], start), len(source.text))
    line, column = source.position(start)
    end_line, end_column = source.position(end)
    return Place(source.path, line, column, end_line, end_column, label)


def finding(rule: str, severity: str, problem: Problem) -> Finding:
    place = resolve(problem.source, problem.span)
    begin, end = problem.source.line_bounds(place.line)
    first = max(0, place.column - 1 - SNIPPET_LIMIT // 2) if end - begin > SNIPPET_LIMIT else 0
    line = problem.source.text[begin + first : min(end, begin + first + SNIPPET_LIMIT)].rstrip("\r")
    if first:  # a window of a very long line: keep the caret inside it
        line = "…" + line[1:]
    related = tuple(resolve(loc.source, loc.span, loc.label) for loc in problem.related)
    fix = problem.fix
    plain = PlainFix(fix.title, tuple(PlainEdit(edit.source.path, edit.span[0], edit.span[1], edit.text) for edit in fix.edits), fix.safe) if fix else None
    return Finding(rule, severity, place, problem.message, problem.hint, related, line, plain)
