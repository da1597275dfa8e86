"""
What it checks: the file of a skill is called exactly `SKILL.md`.

Why it matters: `skill.md` or `Skill.md` is not found where file names are case-sensitive (Linux, CI, most containers): the skill does
not load, and nothing says so. It works on the author's Mac only. The plugin directory demands the exact name.

How to fix: `git mv skills/x/skill.md skills/x/tmp && git mv skills/x/tmp skills/x/SKILL.md`; in one step a Mac sees no change.
"""

from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="the file of a skill is not called exactly SKILL.md",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
)

_SKILL = "---\nname: x\ndescription: Reads logs. Use when a log must be searched.\n---\nRead the log.\n"

GOOD = (Example({"skills/x/SKILL.md": _SKILL}), Example({"skills/x/SKILL.md": _SKILL, "skills/x/references/skill.md": "# The skill\n"}))
BAD = (
    Example({"skills/x/skill.md": _SKILL.replace("---", f"---{HERE}", 1)}, message="the client looks for SKILL.md and does not load 'skill.md'"),
    Example({"skills/x/Skill.MD": _SKILL.replace("---", f"---{HERE}", 1)}, message="the client looks for SKILL.md and does not load 'Skill.MD'"),
)


def check(package):
    for rel, entry in package.entries.items():
        if rel[-8:].lower() != "skill.md" or entry.name == "SKILL.md" or entry.name.lower() != "skill.md" or entry.folder:
            continue
        folder = rel.rpartition("/")[0]
        parent = folder.rpartition("/")[0]
        in_place = parent == "skills" or folder and not parent and package.kind == "skills-folder"
        if in_place and f"{folder}/SKILL.md" not in package.entries:
            document = package.documents.get(rel)
            place = document.at(document.first_line()) if document is not None else package.place(rel)
            yield Problem(place.source, place.span, f"the client looks for SKILL.md and does not load '{entry.name}'", "Rename the file to SKILL.md.")
