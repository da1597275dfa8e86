"""The release headings that the changelog reader knows."""

from __future__ import annotations

import pytest

from pluglint.changelog import order, read
from pluglint.model import MarkdownDocument
from pluglint.text import Source


def _releases(*headings: str):
    text = "# Changelog\n\n" + "\n\n".join(headings) + "\n"
    log = read(MarkdownDocument("changelog", Source("CHANGELOG.md", "CHANGELOG.md", text), None))
    for one in log.releases:
        assert text[one.span.start : one.span.end] == (one.version or text[one.span.start : one.span.end])
        assert text[one.date_span.start : one.date_span.end] == one.date or not one.date
    return [(one.version, one.date) for one in log.releases]


@pytest.mark.parametrize(
    "heading, version, date",
    [
        ("## [1.2.0] - 2026-01-01", "1.2.0", "2026-01-01"),
        ("## [1.2.0](https://example.com/v1.2.0) (2026-01-01)", "1.2.0", "2026-01-01"),
        ("## 1.2.0 (2026-01-01)", "1.2.0", "2026-01-01"),
        ("## v1.2.0", "1.2.0", ""),
        ("### 1.2.0", "1.2.0", ""),
        ("## Version 1.2 — 2026-01-01", "1.2", "2026-01-01"),
        ("## [1.2.0-rc.1] - 01/02/2026", "1.2.0-rc.1", "01/02/2026"),
        ("## [1.2.0] - 2026-01-01 [YANKED]", "1.2.0", "2026-01-01"),
        ("## core 1.2.0 - March 4, 2026", "1.2.0", "March 4, 2026"),
        ("## [Unreleased]", "", ""),
    ],
)
def test_heading(heading, version, date):
    assert _releases(heading) == [(version, date)]


def test_sections_are_no_releases():
    assert _releases("## 1.2.0", "### Added", "### 1.1.0 in short", "## Links") == [("1.2.0", "")]


def test_order_is_that_of_semver():
    versions = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0"]
    assert sorted(versions, key=order) == versions
