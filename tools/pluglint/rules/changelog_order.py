"""
What it checks: the releases of CHANGELOG.md must run from the newest to the oldest (or all the other way round), and
their dates must run the same way: a later version has no earlier date. Two lines of versions that are kept up side by
side (1.x and 2.x) may cross in time as long as each line is in order.

Why it matters: people and tools take the first entry for the newest. One in the wrong place is read as old news, and
a date that runs backwards means that the date or the version was copied.

How to fix: move the entry to its place, or correct its version or its date.
"""

from pluglint.changelog import changelog_of, order
from pluglint.rule import CHANGELOG, ERROR, HERE, Example, Location, Problem, Rule

RULE = Rule(
    title="releases of the changelog are out of order",
    severity=ERROR,
    on=(CHANGELOG,),
    source="Keep a Changelog 1.1.0: the latest version comes first; dates by arithmetic",
)

GOOD = (
    Example("# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-03-01\n\n## 1.0.0-rc.1 (2026-02-01)\n\n## v0.9.0\n"),
    Example("# Changelog\n\n## 0.9.0 - 2026-01-01\n\n## 0.10.0 - 2026-02-01\n\n## 1.0.0 - 2026-03-01\n"),
    Example("# Changelog\n\n## 1.4.2 - 2026-03-01\n\n## 2.0.0 - 2026-02-01\n\n## 1.4.1 - 2026-01-01\n"),
)
BAD = (
    Example(f"# Changelog\n\n## 1.0.0 - 2026-03-01\n\n## 0.8.0 - 2026-01-01\n\n## 0.9.0 - 2026-02-01{HERE}\n\n## 0.7.0 - 2025-01-01\n", message="0.9.0 stands below 0.8.0, which is older"),
    Example(f"# Changelog\n\n## 1.0.0 - 2026-03-01{HERE}\n\n## 0.9.0 - 2026-03-05\n", message="1.0.0 is dated 2026-03-01, before the older 0.9.0"),
)


def check(document):
    log = changelog_of(document.package)
    if log is None or log.document is not document:
        return
    releases = log.versions
    pairs = list(zip(releases, releases[1:]))
    rising = sum(1 for above, below in pairs if order(above.version) < order(below.version))
    if pairs and rising > len(pairs) / 2:  # oldest first throughout
        pairs = [(below, above) for above, below in pairs]
        rising = len(pairs) - rising
    for above, below in pairs:
        if order(above.version) < order(below.version):
            if above.day is not None and below.day is not None and above.day >= below.day and _other_line(above.version, below.version):
                continue
            yield Problem(
                document.source, below.span, f"{below.version} stands below {above.version}, which is older", "Put the newest release first.",
                (Location(document.source, above.span, "the older release"),),
            )
        elif above.day is not None and below.day is not None and above.day < below.day and not _other_line(below.version, above.version):
            if above.version == below.version:
                continue  # another rule's
            yield Problem(
                document.source, above.date_span, f"{above.version} is dated {above.date}, before the older {below.version}", "Correct the date that is wrong.",
                (Location(document.source, below.date_span, f"the date of {below.version}"),),
            )


def _other_line(older, newer):
    """Whether the older version can be a fix for a line that is kept up beside the newer one."""
    old, new = order(older)[0], order(newer)[0]
    return old[:2] != new[:2] and old[2] > 0 or old[0] != new[0] and old[0] > 0
