"""
What it checks: a plugin's `settings.json` (or `settings` in its manifest) holds only keys that the client applies there:
`agent` and `subagentStatusLine`. The settings of a project (`.claude/settings.json`) and of a folder without a manifest
are not a plugin's.

Why it matters: permissions, hooks, environment and all else are dropped: a plugin cannot change them for its users.

How to fix: move hooks to `hooks/hooks.json`, tell users in the README what to put into their own settings, and remove
the rest.
"""

from pluglint.manifest_fields import shapes
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, SETTINGS, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a setting of the plugin is dropped",
    severity=WARNING,
    on=(SETTINGS, MANIFEST),
    source="manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"$schema": "https://example.com/settings.json", "subagentStatusLine": {"type": "command", "command": "true"}}\n'),)
GOOD += (
    Example({".claude/.claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n', ".claude/settings.json": '{"env": {"A": "1"}}\n'}),
)
BAD = (
    Example('{\n  "permissions": {"allow": ["Bash"]}' + HERE + "\n}\n", message="`permissions` has no effect in a plugin's settings"),
    Example('{\n  "name": "x",' + HERE + '\n  "version": "1",\n  "author": "y",\n  "license": "MIT"\n}\n', message="`name`, `version`, `author` and `license` have no effect in a plugin's settings"),
)


def check(document):
    holder = document.root if document.kind == "settings" else document.get("settings")
    if holder is None or holder.kind != MAP or not document.package.is_plugin:
        return
    if document.kind == "settings" and (document.package.manifest is None or document.package.path.rstrip("/").endswith("/.claude")):
        return  # the settings of a project or a person
    applied = shapes()["settings"]["applied"]
    dropped = [name for name, _ in holder.pairs if name.text not in applied and name.text != "$schema"]
    plain = []
    for name in dropped:
        if len(dropped) > 3 and name.text != "hooks" and not did_you_mean(name.text, applied):
            plain.append(name)
        else:
            close = did_you_mean(name.text, applied)
            hint = f"Did you mean `{close}`?" if close else "Move it to hooks/hooks.json." if name.text == "hooks" else "Say in the README what users may put into their own settings."
            yield Problem(document.source, name.span, f"`{name.text}` has no effect in a plugin's settings", hint)
    if plain:
        names = listed([f"`{name.text}`" for name in plain])
        yield Problem(document.source, plain[0].span, f"{names} have no effect in a plugin's settings", "Remove the file, or say in the README what users may put into their own settings.")
