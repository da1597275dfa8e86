"""
What it checks: the fields that plugin.json, the portable plugin.json at the root and the marketplace entry share:
name and license must say the same in all of them, and author in the two manifests (versions have a rule of their own; a
marketplace may name a company where the plugin names a person).

Why it matters: the client takes .claude-plugin/plugin.json and ignores the one at the root, other tools do the
reverse, and the marketplace shows the entry. With two licenses nobody knows which one holds; with two names the plugin
is installed under one and found under another.

How to fix: make the fields equal, or leave them out of the marketplace entry.
"""

from pluglint.claims import own_entries
from pluglint.edits import revalued
from pluglint.parse.node import LIST, MAP, NULL
from pluglint.rule import ERROR, HERE, PACKAGE, Example, Fix, Problem, Rule

RULE = Rule(
    title="two manifests of one plugin disagree",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22: a plugin.json at the root is ignored beside the real one; Agent Plugins 1.0.0",
    fix="unsafe",
)

_MANIFEST = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'
_PORTABLE = '{{\n  "$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {{"name": "{0}"}},{1}\n  "license": "{2}"{3}\n}}\n'
_SHOP = '{{\n  "name": "shop",\n  "owner": {{"name": "Example"}},\n  "description": "Things.",\n  "plugins": [\n    {{"name": "{0}", "source": "./demo", "license": "MIT", "author": {{"name": "Example Author"}}}}{1}\n  ]\n}}\n'

GOOD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, "plugin.json": _PORTABLE.format("Example Author", "", "MIT", "")}),
    Example({".claude-plugin/marketplace.json": _SHOP.format("demo", "").replace("Example Author", "Example Company"), "demo/.claude-plugin/plugin.json": _MANIFEST}),
)
GOOD += (
    Example({".claude-plugin/marketplace.json": _SHOP.format("demo", "").replace("    {", '    {"name": "old-demo", "source": "./demo", "description": "Use demo."},\n    {'), "demo/.claude-plugin/plugin.json": _MANIFEST}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, "plugin.json": _PORTABLE.format("Other", HERE, "Apache-2.0", HERE)}, message="the author is 'Other' here, but 'Example Author' in plugin.json of the client", fixed='  "author": {"name": "Example Author"},\n  "license": "MIT"'),
    Example({".claude-plugin/marketplace.json": _SHOP.format("demonstration", HERE), "demo/.claude-plugin/plugin.json": _MANIFEST}, message="the name is 'demonstration' here, but 'demo' in plugin.json of the client", fixed='    {"name": "demo", "source": "./demo", "license": "MIT", "author": {"name": "Example Author"}}'),
)


def check(package):
    manifest, portable = package.manifest, package.portable_manifest
    if manifest is not None and portable is not None and manifest.root is not None and portable.root is not None:
        yield from _compare(portable, portable.root, manifest)
    for entry, target in own_entries(package):
        if target.manifest is not None and target.manifest.root is not None:
            yield from _compare(package.marketplace, entry, target.manifest, ("name", "license"))


def _compare(document, node, manifest, keys=("name", "license", "author")):
    for key in keys:
        here, there = _value(node, key), _value(manifest.root, key)
        if here is not None and there is not None and here.text.strip() and there.text.strip() and here.text.strip() != there.text.strip():
            edit = revalued(document, here, there.text)
            yield Problem(
                document.source, here.span, f"the {key} is '{here.text}' here, but '{there.text}' in plugin.json of the client", "Make the two equal.",
                (manifest.at(there.span, "the other manifest"),),
                Fix(f"write '{there.text}'", (edit,)) if edit else None,
            )


def _value(node, key):
    """The scalar under a key; of an author, the name."""
    value = node.get(key)
    if value is not None and value.kind == MAP:
        value = value.get("name")
    return value if value is not None and value.kind not in (LIST, MAP, NULL) else None
