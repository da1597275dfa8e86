"""
What it checks: `plugin.json` states a version, a description and an author. A version is not asked of a plugin that a
marketplace of the same repository lists: there each commit may be meant as one.

Why it matters: the plugin loads without them, but the client's strict validation fails, people who browse a
marketplace see an entry that says nothing, and without a version every commit counts as an update.

How to fix: add the key.
"""

from pluglint.claims import entry_packages
from pluglint.manifest_fields import opening, shapes
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the manifest lacks a version, a description or an author",
    severity=WARNING,
    on=(MANIFEST,),
    source="mutations of plugin.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'),)
GOOD += (
    Example({".claude-plugin/marketplace.json": '{"name": "shop", "owner": {"name": "A"}, "description": "A shop.", "plugins": [{"name": "demo", "source": "./demo"}]}\n', "demo/.claude-plugin/plugin.json": '{"name": "demo", "description": "A demonstration.", "author": {"name": "A"}}\n'}),
)
BAD = (
    Example('{' + HERE + '\n  "name": "demo",\n  "version": "1.0.0",\n  "author": {"name": "A"}\n}\n', message="the manifest has no `description`"),
    Example('{' + HERE + '\n  "name": "demo",\n  "versoin": "1.0.0",\n  "description": "D.",\n  "author": {"name": "A"}\n}\n', message="the manifest has no `version`"),
)


def check(document):
    root = document.root
    for key in shapes()["manifest"]["expected"] if root is not None else ():
        if root.get(key) is None and not (key == "version" and _listed(document.package)):
            close = did_you_mean(key, root.keys())
            hint = f"Rename `{close}` to `{key}`." if close else f"Add `{key}`."
            yield Problem(document.source, opening(root), f"the manifest has no `{key}`", hint)


def _listed(package):
    """Whether a marketplace of the same repository lists the plugin: then each commit may be meant as a version."""
    around = package.workspace.packages if package.workspace is not None else (package,)
    return any(target is package for one in around for _, target in entry_packages(one))
