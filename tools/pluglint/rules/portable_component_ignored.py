"""
What it checks: which components of a package with a portable root `plugin.json` other clients do not read: Agent
Plugins 1.0.0 knows `skills/` and `mcp.json` only.

Why it matters: agents, commands and hooks are there for Claude Code alone; a README that promises them to everybody is
wrong.

How to fix: nothing, when the README says so. Servers for all clients go into `mcp.json`, without the leading dot.
"""

from pluglint.rule import HERE, INFO, PACKAGE, PORTABLE, Example, Problem, Rule
from pluglint.words import listed

RULE = Rule(
    title="a component that the portable format does not know",
    severity=INFO,
    on=(PACKAGE,),
    source="agentplugins/agent-plugins-spec 1.0.0, 2026-08-06",
    profiles=(PORTABLE,),
)

_MANIFEST = '{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "demo"}'
_SKILL = "---\nname: t\ndescription: Reads. Use when there is something to read.\n---\nRead.\n"

GOOD = (Example({"plugin.json": _MANIFEST + "\n", "skills/t/SKILL.md": _SKILL}),)
BAD = (
    Example({"plugin.json": _MANIFEST + HERE + "\n", "agents/a.md": "---\nname: a\ndescription: Reads.\n---\nYou read.\n"}, message="clients of the portable format do not read agents/"),
)


def check(package):
    if package.portable_manifest is None or package.portable_manifest.root is None:
        return
    found = [f"{name}/" for name in ("agents", "commands", "hooks") if (entry := package.entries.get(name)) is not None and entry.folder]
    if ".mcp.json" in package.entries and "mcp.json" not in package.entries:
        found.append(".mcp.json")
    if found:
        place = package.portable_manifest
        yield Problem(place.source, place.first_line(), f"clients of the portable format do not read {listed(found)}", "Say in the README which clients they are for.")
