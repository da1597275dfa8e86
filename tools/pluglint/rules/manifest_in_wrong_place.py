"""
What it checks: the manifest of a Claude Code plugin is `.claude-plugin/plugin.json`, and a marketplace is
`.claude-plugin/marketplace.json`, in this case and at this place.

Why it matters: a `plugin.json` at the root is not read: the plugin is named after its folder, so the prefix of every
agent and skill changes with the place where somebody cloned it.

How to fix: move the file into `.claude-plugin/`. A root `plugin.json` that follows the portable Agent Plugins format
(it names its `$schema`) may stay, beside the client's own.
"""

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a manifest lies where the client does not read it",
    severity=WARNING,
    on=(PACKAGE,),
    source="a root plugin.json loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, "agents/a.md": _AGENT}),
    Example({"plugin.json": '{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "demo"}\n', "agents/a.md": _AGENT}),
)
BAD = (
    Example({"plugin.json": _MANIFEST.rstrip() + HERE + "\n", "agents/a.md": _AGENT}, message="plugin.json at the root is not read by the client: the plugin is named after its folder"),
    Example({".claude-plugin/Plugin.json": _MANIFEST.rstrip() + HERE + "\n", "agents/a.md": _AGENT}, message=".claude-plugin/Plugin.json is not read: the name must be plugin.json, in lower case"),
)


def check(package):
    if not package.is_plugin:
        return
    portable = package.portable_manifest
    if package.manifest is None and portable is not None and ".claude-plugin/plugin.json" not in package.entries and "agent-plugins.org" not in portable.text:
        yield Problem(portable.source, portable.first_line(), "plugin.json at the root is not read by the client: the plugin is named after its folder", "Move it to .claude-plugin/plugin.json.")
    for rel in package.entries:
        if rel.startswith(".claude-plugin/") and rel.count("/") == 1:
            name = rel.rpartition("/")[2]
            if name.lower() in ("plugin.json", "marketplace.json") and name != name.lower():
                place = package.place(rel)
                yield Problem(place.source, place.span, f"{rel} is not read: the name must be {name.lower()}, in lower case", "Rename it.")
    root = package.entries.get("marketplace.json")
    if root is not None and ".claude-plugin/marketplace.json" not in package.entries and package.kind == "plugin":
        place = package.place("marketplace.json")
        yield Problem(place.source, place.span, "marketplace.json at the root is not read by the client", "Move it to .claude-plugin/marketplace.json.")
