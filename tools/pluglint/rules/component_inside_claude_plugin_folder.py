"""
What it checks: `.claude-plugin/` holds manifests only; `agents/`, `skills/`, `commands/`, `hooks/`, `.mcp.json` and so
on stand beside it, at the plugin's root.

Why it matters: components inside `.claude-plugin/` are never looked for. The plugin loads without them, and neither the
client nor its validation says a word.

How to fix: move them one level up.
"""

from pluglint.manifest_fields import named_paths, shapes, tidy
from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a component lies inside .claude-plugin/",
    severity=ERROR,
    on=(PACKAGE,),
    source="agents/ moved inside .claude-plugin/, loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}}\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (Example({".claude-plugin/plugin.json": _MANIFEST, "agents/a.md": _AGENT}),)
BAD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, ".claude-plugin/agents/a.md": _AGENT.replace("---\nname", f"---{HERE}\nname", 1)}, message="agents/ inside .claude-plugin/ is never read"),
    Example({".claude-plugin/plugin.json": _MANIFEST, ".claude-plugin/.mcp.json": f'{{"mcpServers": {{}}}}{HERE}\n'}, message=".mcp.json inside .claude-plugin/ is never read"),
)


def check(package):
    prefix = ".claude-plugin/"
    manifest = package.manifest.root if package.manifest is not None else None
    named = {tidy(text) for _, _, text in named_paths(manifest, FACTS["manifest"]["path_keys"])} if manifest is not None else set()
    for name in shapes()["folders"]["component_entries"]:
        entry = package.entries.get(prefix + name)
        if entry is None or any(path == prefix + name or path.startswith(prefix + name + "/") for path in named):
            continue
        first = next((rel for rel, one in package.entries.items() if rel.startswith(prefix + name + "/") and not one.folder), None) if entry.folder else entry.rel
        if first is None:
            continue
        place = package.documents[first].at(package.documents[first].first_line()) if first in package.documents else package.place(first)
        shown = name + "/" if entry.folder else name
        yield Problem(place.source, place.span, f"{shown} inside .claude-plugin/ is never read", "Move it one level up, to the plugin's root.")
