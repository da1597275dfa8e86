"""
What it checks: the description of a plugin in plugin.json, in the portable plugin.json at the root and in its
marketplace entry are the same text, but for blanks and a full stop at the end.

Why it matters: the marketplace shows one, the installed plugin the other. When they drift apart, one of them no
longer describes the plugin.

How to fix: copy one over the other, or leave the description out of the marketplace entry.
"""

from pluglint.claims import own_entries
from pluglint.parse.node import STRING
from pluglint.rule import HERE, INFO, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="two manifests describe the plugin differently",
    severity=INFO,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22: both are shown, and differences pass --strict",
)

_MANIFEST = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'
_SHOP = '{{\n  "name": "shop",\n  "owner": {{"name": "Example"}},\n  "description": "Things.",\n  "plugins": [\n    {{"name": "demo", "source": "./demo", "description": "{0}"}}{1}\n  ]\n}}\n'

GOOD = (Example({".claude-plugin/marketplace.json": _SHOP.format("A  demonstration", ""), "demo/.claude-plugin/plugin.json": _MANIFEST}),)
GOOD += (
    Example({".claude-plugin/marketplace.json": _SHOP.format("A demonstration", "").replace("    {", '    {"name": "old-demo", "source": "./demo", "description": "Use demo."},\n    {'), "demo/.claude-plugin/plugin.json": _MANIFEST}),
)
BAD = (
    Example(
        {".claude-plugin/marketplace.json": _SHOP.format("Something else", HERE), "demo/.claude-plugin/plugin.json": _MANIFEST},
        message="the description differs from the one in plugin.json of the client",
    ),
)


def check(package):
    pairs = [(package.marketplace, entry, target.manifest) for entry, target in own_entries(package)]
    if package.portable_manifest is not None and package.portable_manifest.root is not None:
        pairs.append((package.portable_manifest, package.portable_manifest.root, package.manifest))
    for document, node, manifest in pairs:
        here, there = node.get("description"), manifest.get("description") if manifest is not None else None
        if here is not None and there is not None and here.kind == there.kind == STRING and _plain(here.text) != _plain(there.text):
            yield Problem(
                document.source, here.span, "the description differs from the one in plugin.json of the client", "Copy one over the other.",
                (manifest.at(there.span, "the other description"),),
            )


def _plain(text):
    return " ".join(text.split()).rstrip(".")
