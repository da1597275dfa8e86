"""
What it checks: a text file in `agents/` ends in `.md`, and no SKILL.md lies there.

Why it matters: the client loads `.md` files only and says nothing of the rest. A SKILL.md below `agents/` loads as an agent, with the
tools and the text of something that was meant as a skill.

How to fix: rename the agent to end in `.md`; move a skill to `skills/NAME/SKILL.md`, and other files out of `agents/`.
"""

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a file in agents/ is not loaded, or loaded as what it is not",
    severity=WARNING,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
)

_AGENT = "---\nname: a\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example({"agents/a.md": _AGENT}), Example({"agents/a.MD": _AGENT, "agents/.gitkeep": ""}))
GOOD += (
    Example({"agents/a.md": _AGENT, "agents/openai.yaml": "interface:\n  display_name: A\n"}),
)
BAD = (
    Example({"agents/a.txt": _AGENT.replace("---", f"---{HERE}", 1)}, message="'a.txt' does not end in .md, so the client does not load it"),
    Example({"agents/x/SKILL.md": _AGENT.replace("---", f"---{HERE}", 1)}, message="this SKILL.md loads as an agent, because it lies in agents/"),
)

_TEXT = (".txt", ".markdown", ".mdx", ".mdc", ".rst", ".md.txt", ".md.bak", ".yaml", ".yml")


def check(package):
    base = {"plugin": "agents/", "marketplace": "agents/", "claude-folder": "agents/", "agents-folder": ""}.get(package.kind)
    manifest = package.manifest.root if package.manifest is not None else None
    if base is None or manifest is not None and manifest.get("agents") is not None:
        return
    for rel, entry in package.entries.items():
        if not rel.startswith(base) or entry.folder:
            continue
        if rel.lower().endswith(_TEXT) and entry.name != "openai.yaml":  # another client's own
            message, hint = f"'{entry.name}' does not end in .md, so the client does not load it", "Let an agent end in .md; move other files out of agents/."
        elif entry.name == "SKILL.md":
            message, hint = "this SKILL.md loads as an agent, because it lies in agents/", f"Move it to skills/{rel.split('/')[-2] if '/' in rel else 'NAME'}/SKILL.md."
        else:
            continue
        document = package.documents.get(rel)
        place = document.at(document.first_line()) if document is not None else package.place(rel)
        yield Problem(place.source, place.span, message, hint)
