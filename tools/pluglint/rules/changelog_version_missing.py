"""
What it checks: when there is a CHANGELOG.md with releases, the version of plugin.json has an entry in it. Where the
changelog is ahead of the manifest, `version-mismatch` speaks instead. An "Unreleased" entry does not count: what has
a version in the manifest is what users install.

Why it matters: the client offers an update whenever the version changes, and users then look up what changed. Without
an entry the release is a black box.

How to fix: add an entry for the version, or rename the "Unreleased" one.
"""

from pluglint.changelog import changelog_of, order
from pluglint.claims import is_version, same_version
from pluglint.rule import ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the version of the manifest has no changelog entry",
    severity=ERROR,
    on=(MANIFEST,),
    source="manifest reference of 2026-10: a changed version is what makes an update; Keep a Changelog 1.1.0",
)

_MANIFEST = '{{\n  "name": "demo",\n  "version": "{0}",{1}\n  "description": "A demonstration.",\n  "author": {{"name": "Example Author"}},\n  "license": "MIT"\n}}\n'

GOOD = (
    Example({".claude-plugin/plugin.json": _MANIFEST.format("1.1.0", ""), "CHANGELOG.md": "# Changelog\n\n## [v1.1.0] - 2026-02-01\n"}),
    Example({".claude-plugin/plugin.json": _MANIFEST.format("1.1.0", ""), "CHANGELOG.md": "# Changelog\n\nNothing yet.\n"}),
    Example({".claude-plugin/plugin.json": _MANIFEST.format("1.1.0", "")}),
)
BAD = (
    Example(
        {".claude-plugin/plugin.json": _MANIFEST.format("1.2.0", HERE), "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-01\n"},
        message="version 1.2.0 has no entry in CHANGELOG.md",
    ),
    Example(
        {".claude-plugin/plugin.json": _MANIFEST.format("1.1.1", HERE), "CHANGELOG.md": "# Changelog\n\n## 1.1.0 (2026-02-01)\n\n## 1.0.0 (2026-01-01)\n"},
        message="version 1.1.1 has no entry in CHANGELOG.md",
    ),
)


def check(document):
    log = changelog_of(document.package)
    node = document.get("version")
    if log is None or node is None or not is_version(node.text) or log.newest is None:
        return
    if order(log.newest.version) > order(node.text) or any(same_version(one.version, node.text) for one in log.versions):
        return
    yield Problem(
        document.source, node.span, f"version {node.text} has no entry in {log.document.rel}", "Say there what changed, under a heading with this version.",
        (log.document.at(log.newest.span, "the newest entry"),),
    )
