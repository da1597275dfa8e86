"""
What it checks: the folders that the client looks for (`agents`, `skills`, `commands`, `hooks`, `.claude-plugin`) and `hooks/hooks.json`
are written in lower case.

Why it matters: on Linux and in most containers `Agents/` is another folder than `agents/`: nothing in it loads, and nothing says so.

How to fix: rename it in two steps (`git mv Agents tmp && git mv tmp agents`); in one step a Mac sees no change.
"""

from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a component folder is not written in lower case",
    severity=ERROR,
    on=(PACKAGE,),
    source="manifest reference of 2026-10-03; plugin directory checklist of 2026-10",
)

_AGENT = "---\nname: a\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example({"agents/a.md": _AGENT}), Example({"docs/Agents/a.md": "# About agents\n"}))
BAD = (Example({"Agents/a.md": _AGENT.replace("---", f"---{HERE}", 1)}, message="the client looks for 'agents' and does not load from 'Agents'"),)

_NAMES = frozenset((".claude-plugin", "agents", "skills", "commands", "hooks", "hooks/hooks.json"))


def check(package):
    if package.kind not in ("plugin", "marketplace", "claude-folder"):
        return
    for rel, entry in package.entries.items():
        if rel.count("/") > 1 or rel.lower() == rel or rel.lower() not in _NAMES or rel.lower() in package.entries:
            continue
        if entry.folder:
            inside = next((name for name, one in package.entries.items() if name.startswith(rel + "/") and not one.folder), None)
            if inside is None or not inside.lower().endswith((".md", ".json")):
                continue
        else:
            inside = rel
        document = package.documents.get(inside)
        place = document.at(document.first_line()) if document is not None else package.place(inside)
        yield Problem(place.source, place.span, f"the client looks for '{rel.lower()}' and does not load from '{rel}'", f"Rename it to '{rel.lower()}'.")
