"""
What it checks: among the release headings of CHANGELOG.md, one that holds a version number but not where a version is
expected, as in "## Release notes for 1.2" or "## [1.2.0 - 2026-01-01".

Why it matters: tools that cut the notes of a release out of the file, pluglint's own checks of versions among them,
do not see such an entry.

How to fix: write `## [1.2.0] - 2026-01-01`.
"""

from pluglint.changelog import changelog_of
from pluglint.rule import CHANGELOG, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="a release heading of the changelog has another form",
    severity=INFO,
    on=(CHANGELOG,),
    source="Keep a Changelog 1.1.0",
)

GOOD = (
    Example("# Changelog\n\n## [1.2.0] - 2026-01-01\n\n## Version 1.1.0\n\n## Links\n"),
    Example("# Changelog\n\nEverything since 1.0 is in the tags.\n"),
)
BAD = (
    Example(f"# Changelog\n\n## Notes for 1.2{HERE}\n\n## [1.0.0] - 2026-01-01\n", message="'Notes for 1.2' is no release heading that tools can read"),
)


def check(document):
    log = changelog_of(document.package)
    for span in log.malformed if log is not None and log.document is document else ():
        text = document.source.slice(span)
        yield Problem(document.source, span, f"'{text[:60]}' is no release heading that tools can read", "Write `## [1.2.0] - 2026-01-01`.")
