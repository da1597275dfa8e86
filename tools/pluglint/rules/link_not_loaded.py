"""
What it checks: no agent file, skill, command, manifest or component folder is a symbolic link that the client does not follow: an agent
file that is a link at all, and any of the others where the link leads out of the package, to nothing, or in a circle.

Why it matters: the client passes over an agent file that is a link, without any message. A link that leads out of the
marketplace is missing in the copy that the client makes on installation, and whoever installs from elsewhere has only that copy.

How to fix: put the file itself in the place of the link.
"""

from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a component is a symbolic link that the client does not follow",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22; plugins reference of 2026-10-03",
)

_AGENT = "---\nname: a\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example({"agents/a.md": _AGENT}), Example({"agents/a.md": _AGENT, "docs/agent.md": "-> ../agents/a.md"}))
BAD = (
    Example({"agents/a.md": _AGENT, "agents/b.md": f"-> a.md {HERE}"}, message="this agent file is a symbolic link, which the client does not load"),
    Example({"skills/x/SKILL.md": f"-> ../../missing.md {HERE}", "agents/a.md": _AGENT}, message="this skill is a symbolic link that leads nowhere"),
    Example({"skills/x": f"-> ../../.. {HERE}", "agents/a.md": _AGENT}, message="this skill is a symbolic link that leads out of the package"),
)

_FOLDERS = frozenset(("agents", "skills", "commands", "hooks", ".claude-plugin"))
_WHERE = {"outside": "that leads out of the package", "dangling": "that leads nowhere", "loop": "that leads in a circle"}
_NOUNS = {"manifest": "manifest", "portable-manifest": "manifest", "marketplace": "marketplace", "skill": "skill", "command": "command", "hooks": "hook file", "mcp": "server file", "lsp": "server file"}


def check(package):
    for rel, entry in package.entries.items():
        if entry.link is None:
            continue
        kind = package.taken_for.get(rel)
        parent, _, _ = rel.rpartition("/")
        if kind == "agent":
            message = "this agent file is a symbolic link, which the client does not load"
        elif entry.link == "inside":
            continue
        elif kind in _NOUNS:
            message = f"this {_NOUNS[kind]} is a symbolic link {_WHERE[entry.link]}"
        elif rel in _FOLDERS:
            message = f"this component folder is a symbolic link {_WHERE[entry.link]}"
        elif parent == "skills":
            message = f"this skill is a symbolic link {_WHERE[entry.link]}"
        else:
            continue
        place = package.place(rel)
        yield Problem(place.source, place.span, message, "Put the file itself in the place of the link.")
