"""
What it checks: the folder that an entry's `source` names exists below the marketplace.

Why it matters: validation passes it; installing the plugin fails.

How to fix: correct the path, or remove the entry.
"""

from pluglint.manifest_fields import ABSENT, listed_plugins, other_case, state
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="the source folder of an entry does not exist",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n'
_PLUGIN = '{"name": "x", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'

GOOD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./plugins/x"}\n  ]\n}\n', "plugins/x/.claude-plugin/plugin.json": _PLUGIN}),
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./"}\n  ]\n}\n', ".claude-plugin/plugin.json": _PLUGIN}),
)
BAD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./plugins/y"}' + HERE + "\n  ]\n}\n", "plugins/x/.claude-plugin/plugin.json": _PLUGIN}, message="there is no folder './plugins/y'"),
)


def check(document):
    rooted = document.get("metadata", "pluginRoot") is not None
    for entry, path, package in listed_plugins(document):
        source = entry.get("source")
        if path and package is None and (rooted or source.text.startswith(".")):  # other forms: marketplace-source-invalid
            found = document.package.entries.get(path)
            if found is not None and not found.folder and found.link is None:
                yield Problem(document.source, source.span, f"'{source.text}' is a file, not a folder", "Name the plugin's folder.")
            elif path != "." and state(document.package, path) == ABSENT:
                close = other_case(document.package, path)
                yield Problem(document.source, source.span, f"there is no folder '{source.text}'", f"Did you mean './{close}'?" if close else "Correct the path, or remove the entry.")
