"""
What it checks: an entry of a marketplace states the version and the name that the plugin's own manifest states.

Why it matters: the manifest wins, so the version in the marketplace is a false statement, and a release that raised
only this one is never offered as an update. With two names, settings use the entry's and agents are called by the
manifest's.

How to fix: make them agree, or leave the version out of the entry.
"""

from pluglint.manifest_fields import listed_plugins
from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MARKETPLACE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a marketplace entry disagrees with the plugin's manifest",
    severity=WARNING,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22; marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n'
_PLUGIN = '{"name": "x", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'

GOOD = (Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./x", "version": "1.0.0"}\n  ]\n}\n', "x/.claude-plugin/plugin.json": _PLUGIN}),)
BAD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./x", "version": "1.1.0"}' + HERE + "\n  ]\n}\n", "x/.claude-plugin/plugin.json": _PLUGIN}, message="the entry says version '1.1.0', the plugin's manifest '1.0.0'"),
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "y", "source": "./x"}' + HERE + "\n  ]\n}\n", "x/.claude-plugin/plugin.json": _PLUGIN}, message="the entry says name 'y', the plugin's manifest 'x'"),
)


def check(document):
    for entry, _, package in listed_plugins(document):
        manifest = package.manifest if package is not None else None
        for key in ("version", "name"):
            mine = entry.get(key)
            theirs = manifest.get(key) if manifest is not None else None
            if mine is None or theirs is None or STRING not in (mine.kind, theirs.kind) or mine.text == theirs.text or not theirs.text:
                continue
            hint = "The manifest wins: make them agree, or leave the version out here." if key == "version" else "Use one name in both."
            yield Problem(document.source, mine.span, f"the entry says {key} '{mine.text}', the plugin's manifest '{theirs.text}'", hint, (manifest.at(theirs.span, "the manifest"),))
