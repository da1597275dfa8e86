"""
What it checks: an entry with `"strict": false` names no components when the plugin has a `plugin.json` of its own.

Why it matters: the plugin fails to load: "conflicting manifests: both plugin.json and marketplace entry specify
components".

How to fix: remove `strict`, or the components from the entry, or the plugin's `plugin.json`.
"""

from pluglint.manifest_fields import listed_plugins
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="an entry with strict: false competes with the plugin's manifest",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="manifest reference and troubleshooting page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n'
_PLUGIN = '{"name": "x", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'
_SKILL = "---\nname: t\ndescription: Reads. Use when there is something to read.\n---\nRead.\n"

GOOD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./x", "skills": ["./more"]}\n  ]\n}\n', "x/.claude-plugin/plugin.json": _PLUGIN, "x/more/t/SKILL.md": _SKILL}),
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./x", "strict": false, "skills": ["./more"]}\n  ]\n}\n', "x/skills/t/SKILL.md": _SKILL}),
)
BAD = (
    Example({".claude-plugin/marketplace.json": _HEAD + '    {"name": "x", "source": "./x", "strict": false, "skills": ["./more"]}' + HERE + "\n  ]\n}\n", "x/.claude-plugin/plugin.json": _PLUGIN, "x/more/t/SKILL.md": _SKILL}, message="`strict` is false and the entry names `skills`, but the plugin has a plugin.json: it does not load"),
)


def check(document):
    for entry, _, package in listed_plugins(document):
        strict = entry.get("strict")
        if strict is None or strict.value is not False or package is None or package.manifest is None:
            continue
        key = next((key for key in ("commands", "agents", "skills", "hooks", "outputStyles", "themes") if entry.get(key) is not None), None)
        if key is not None:
            related = (package.manifest.at(package.manifest.first_line(), "the plugin's manifest"),)
            yield Problem(document.source, strict.span, f"`strict` is false and the entry names `{key}`, but the plugin has a plugin.json: it does not load", "Remove `strict`, or the components here.", related)
