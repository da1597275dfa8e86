"""
What it checks: no version has two entries in CHANGELOG.md. Headings of one version that both carry a package name
("data 1.2.0", "core 1.2.0") are two versions.

Why it matters: a release happens once. Two entries mean that one of them belongs to another version, so the reader
of either is told something false.

How to fix: give the entry the version that it was released as, or merge the two.
"""

from pluglint.changelog import changelog_of
from pluglint.rule import CHANGELOG, ERROR, HERE, Example, Location, Problem, Rule

RULE = Rule(
    title="a version has two entries in the changelog",
    severity=ERROR,
    on=(CHANGELOG,),
    source="Keep a Changelog 1.1.0: one entry for every version",
)

GOOD = (
    Example("# Changelog\n\n## 1.1.0 - 2026-02-01\n\n## 1.0.0 - 2026-01-01\n\n### 1.1.0 in short\n"),
    Example("# Changelog\n\n## core 1.0.0 - 2026-02-01\n\n## data 1.0.0 - 2026-01-01\n"),
)
BAD = (
    Example(f"# Changelog\n\n## [1.0.0] - 2026-02-01\n\n### Added\n\n## v1.0.0 - 2026-01-01{HERE}\n", message="1.0.0 has an entry already"),
    Example(f"# Changelog\n\n## 1.0.0\n\n## 1.0.0{HERE}\n\n## 1.0.0{HERE}\n", message="1.0.0 has an entry already"),
)


def check(document):
    log = changelog_of(document.package)
    first = {}
    for release in log.versions if log is not None and log.document is document else ():
        line = document.source.line_text(document.source.position(release.span.start)[0])
        before = line[: document.source.position(release.span.start)[1] - 1].strip("#[ vV*_").lower()
        key = (before if any(c.isalpha() for c in before) else "", release.version)
        if key in first:
            yield Problem(
                document.source, release.span, f"{release.version} has an entry already", "Correct the version, or merge the entries.",
                (Location(document.source, first[key].span, "the first entry"),),
            )
        first.setdefault(key, release)
