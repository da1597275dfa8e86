"""
What it checks: every plugin below a marketplace is listed in it.

Why it matters: a plugin that is not listed cannot be installed from there. It may be meant so.

How to fix: add an entry, or leave it.
"""

from pluglint.manifest_fields import listed_plugins
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="a plugin is not listed in the marketplace above it",
    severity=INFO,
    on=(MARKETPLACE,),
    source="marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n'
_PLUGIN = '{"name": "x", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'

GOOD = (Example({".claude-plugin/marketplace.json": _HEAD + '  "plugins": [{"name": "x", "source": "./x"}]\n}\n', "x/.claude-plugin/plugin.json": _PLUGIN}),)
BAD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '  "plugins": [{"name": "x", "source": "./x"}]' + HERE + "\n}\n", "x/.claude-plugin/plugin.json": _PLUGIN, "y/.claude-plugin/plugin.json": _PLUGIN.replace('"x"', '"y"')}, message="the plugin 'y' in y/ is not listed"),
)


def check(document):
    plugins, home = document.get("plugins"), document.package
    if plugins is None or home.workspace is None:
        return
    listed = {package.path for _, _, package in listed_plugins(document) if package is not None}
    for package in home.workspace.packages:
        if package.manifest is not None and package.path not in listed and package.path.startswith(home.path.rstrip("/") + "/"):
            rel = package.path[len(home.path.rstrip("/")) + 1 :]
            name = document.root.key("plugins")
            yield Problem(document.source, name.span, f"the plugin '{package.name}' in {rel}/ is not listed", f'Add {{"name": "{package.name}", "source": "./{rel}"}}.', (package.manifest.at(package.manifest.first_line(), "the plugin"),))
