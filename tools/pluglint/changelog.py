"""The releases of a changelog: Keep a Changelog and its usual variants."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from pluglint.model import MarkdownDocument, Package
from pluglint.text import Span

_VERSION = r"[vV]?(\d+(?:\.\d+){1,3}(?:-[0-9A-Za-z][0-9A-Za-z.-]*)?(?:\+[0-9A-Za-z.-]+)?)"


class Release(NamedTuple):
    """One release heading.

    version  as written without a leading v; "" for "Unreleased"
    span     of the version (of the word Unreleased)
    date     the text that stands where a date is expected, "" without one; `day` its date when it is one
    """

    version: str
    span: Span
    level: int
    date: str
    date_span: Span
    day: date | None


class Changelog(NamedTuple):
    """releases in order of the file; `malformed`: headings at the level of the releases that name none"""

    document: MarkdownDocument
    releases: list[Release]
    malformed: list[Span]

    @property
    def versions(self) -> list[Release]:
        return [one for one in self.releases if one.version]

    @property
    def newest(self) -> Release | None:
        """The highest version that is released: the first one, unless the file runs the other way round."""
        return max(self.versions, key=lambda one: order(one.version), default=None)


def changelog_of(package: Package) -> Changelog | None:
    if package.changelog is None:
        return None
    return package.memo("changelog", lambda one: read(one.changelog))


def read(document: MarkdownDocument) -> Changelog:
    """All release headings; the level of most of them is the level of releases, deeper ones are their sections."""
    found: list[Release] = []
    others: list[tuple[int, str, Span]] = []
    for heading in document.markdown.headings:
        release = _release(heading.text, heading.span, heading.level)
        if release is not None:
            found.append(release)
        else:
            others.append((heading.level, heading.text, heading.span))
    if not found:
        return Changelog(document, [], [])
    level = min(one.level for one in found if one.level > 1) if any(one.level > 1 for one in found) else 1
    releases = [one for one in found if one.level == level]
    malformed = [span for other, text, span in others if other == level and re.search(r"\d+\.\d+", text) is not None]
    return Changelog(document, releases, malformed)


def _release(text: str, span: Span, level: int) -> Release | None:
    if re.match(r"\W*unreleased\b", text, re.I):
        at = text.lower().index("unreleased")
        return Release("", Span(span.start + at, span.start + at + 10), level, "", span, None)
    match = re.match(rf"\W*(?:(?:version|release)\s+)?(?:[a-z][\w-]*[ @]\s*)?\[?{_VERSION}\]?(?:\([^)\s]*\))?(?=[\s:(—–-]|\Z)", text, re.I)
    if match is None:
        return None
    rest = text[match.end() :]
    at = span.start + match.start(1)
    stamp = re.match(r"[\s:(—–|@*_-]*((?:\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4})|(?:[A-Za-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})|(?:\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4})|(?:[A-Za-z]{3,9} \d{4}))(?!\w)", rest)
    if stamp is None:
        return Release(match.group(1), Span(at, at + len(match.group(1))), level, "", span, None)
    start = span.start + match.end() + stamp.start(1)
    return Release(match.group(1), Span(at, at + len(match.group(1))), level, stamp.group(1), Span(start, start + len(stamp.group(1))), _day(stamp.group(1)))


def _day(text: str) -> date | None:
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", text)
    if match is None:
        return None
    try:
        return date(int(match.group(1)), int(match.group(2)), int(match.group(3)))
    except ValueError:
        return None


def order(version: str) -> tuple:
    """A key that sorts versions as SemVer does; a pre-release stands before its release."""
    core, dash, pre = version.lstrip("vV").partition("+")[0].partition("-")
    numbers = [int(part) if part.isdigit() else 0 for part in core.split(".")]
    numbers += [0] * (4 - len(numbers))
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")) if dash else ()
    return (tuple(numbers), 0 if dash else 1, parts)
