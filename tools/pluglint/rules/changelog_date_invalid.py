"""
What it checks: the date of a release in CHANGELOG.md must be a day of the calendar written as YYYY-MM-DD. A release
without any date, and an "Unreleased" heading, are left alone; so is a date in words ("March 1, 2026").

Why it matters: 03/04/2026 is two different days to two readers, and a day such as 2026-02-30 shows that the entry was
made up. Tools that read changelogs skip entries whose date they cannot read.

How to fix: write the day of the release as YYYY-MM-DD.
"""

import re

from pluglint.changelog import changelog_of
from pluglint.rule import CHANGELOG, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the date of a release is no ISO date",
    severity=WARNING,
    on=(CHANGELOG,),
    source="Keep a Changelog 1.1.0: dates as ISO 8601",
)

GOOD = (
    Example("# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-28\n\n## 1.0.0\n\n## 0.9.0 - March 2026\n"),
    Example("# Changelog\n\n## 1.1.0 (2028-02-29)\n"),
)
BAD = (
    Example(f"# Changelog\n\n## [1.0.0] - 2026-02-30{HERE}\n", message="2026-02-30 is no day of the calendar"),
    Example(f"# Changelog\n\n## 1.0.0 (03/04/2026){HERE}\n\n## 0.9.0 - 2026-1-5{HERE}\n", message="the date '03/04/2026' is not written as YYYY-MM-DD"),
)


def check(document):
    log = changelog_of(document.package)
    for release in log.versions if log is not None and log.document is document else ():
        if not release.date or release.day is not None or re.search(r"[A-Za-z]", release.date):
            continue
        if re.fullmatch(r"\d{4}-\d\d-\d\d", release.date):
            yield Problem(document.source, release.date_span, f"{release.date} is no day of the calendar", "Write the day of the release.")
        else:
            yield Problem(document.source, release.date_span, f"the date '{release.date}' is not written as YYYY-MM-DD", "Write the year first: 2026-03-04.")
