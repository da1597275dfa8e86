"""
What it checks: a plugin has no `CLAUDE.md` at its root.

Why it matters: it is never loaded for the people who install the plugin, and strict validation warns of it. What it
says reaches nobody.

How to fix: put instructions into a skill or an agent. When the file is for those who work on the plugin, say so in its
first line: `<!-- pluglint: ignore[claude-md-in-plugin] for contributors -->`.
"""

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a CLAUDE.md at the plugin's root",
    severity=INFO,
    on=(PACKAGE,),
    source="a CLAUDE.md at the plugin's root, validated and loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (
    Example({"docs/CLAUDE.md": "# Notes\n"}),
    Example({".claude-plugin/marketplace.json": '{"name": "m", "owner": {"name": "A"}, "description": "Ours.", "plugins": []}\n', "CLAUDE.md": "# For those who work here\n"}),
)
BAD = (Example({"CLAUDE.md": f"# Be careful{HERE}\n"}, message="CLAUDE.md is not loaded for those who install the plugin"),)


def check(package):
    if package.kind == "plugin" and "CLAUDE.md" in package.entries:
        document = package.documents.get("CLAUDE.md")
        place = document.at(document.first_line()) if document is not None else package.place("CLAUDE.md")
        yield Problem(place.source, place.span, "CLAUDE.md is not loaded for those who install the plugin", "Put instructions into a skill or an agent, or allow this file when it is for contributors.")
