"""
What it checks: every skill lies where the client looks: `skills/NAME/SKILL.md`, or in a folder that `skills` of the manifest names.
Found are a Markdown file with a skill's header directly in `skills/`, a SKILL.md further down, and a folder that is called SKILL.md.

Why it matters: the client goes one level deep. What lies elsewhere is not loaded, without any message.

How to fix: move the file to `skills/NAME/SKILL.md`, or add the folder to `skills` in the manifest.
"""

from pluglint.claims import entry_packages
from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a skill lies where the client does not look",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
)

_SKILL = "---\nname: s\ndescription: Reads logs. Use when a log must be searched.\n---\nRead the log.\n"
_MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "Example Author"}, "license": "MIT", "skills": "./skills/x/"}\n'

GOOD = (
    Example({"skills/s/SKILL.md": _SKILL, "skills/README.md": "# The skills\n"}),
    Example({"skills/s/SKILL.md": _SKILL, "skills/s/assets/template/SKILL.md": _SKILL}),
    Example({".claude-plugin/plugin.json": _MANIFEST, "skills/x/s/SKILL.md": _SKILL}),
)
BAD = (
    Example({"skills/s.md": _SKILL.replace("---", f"---{HERE}", 1)}, message="a Markdown file directly in skills/ is not loaded as a skill"),
    Example({"skills/x/s/SKILL.md": _SKILL.replace("---", f"---{HERE}", 1)}, message="this skill lies 2 folders below skills/, where the client does not look"),
    Example({"skills/s/SKILL.md/": HERE}, message="SKILL.md is a folder"),
)


def check(package):
    base = {"plugin": "skills/", "marketplace": "skills/", "claude-folder": "skills/", "skills-folder": ""}.get(package.kind)
    if base is None or package.kind == "marketplace" and not any(target is package for _, target in entry_packages(package)):
        return
    for rel, entry in package.entries.items():
        if not rel.startswith(base) or not rel.endswith(".md") or entry.link is not None:
            continue
        folder, _, name = rel[len(base) :].rpartition("/")
        document = package.documents.get(rel)
        if name == "SKILL.md" and entry.folder and folder and "/" not in folder:
            place = package.place(rel)
            yield Problem(place.source, place.span, "SKILL.md is a folder", "Put the text of the skill into a file of this name.")
        elif document is None or document.kind in ("skill", "command", "agent"):
            continue
        elif not folder and document.kind == "page" and document.header is not None and document.string("description"):
            hint = f"Move it to {base}{document.stem}/SKILL.md."
            yield Problem(document.source, document.first_line(), "a Markdown file directly in skills/ is not loaded as a skill", hint)
        elif name == "SKILL.md" and "/" in folder and not _inside_a_skill(package, base, folder):
            depth = folder.count("/") + 1
            hint = f"Move it to {base}{folder.rpartition('/')[2]}/SKILL.md, or name its folder under `skills` in the manifest."
            yield Problem(document.source, document.first_line(), f"this skill lies {depth} folders below skills/, where the client does not look", hint)


def _inside_a_skill(package, base, folder):
    """Whether a folder further up is a skill: then this is one of its templates or examples."""
    parent = folder.rpartition("/")[0]
    while parent:
        if f"{base}{parent}/SKILL.md" in package.entries:
            return True
        parent = parent.rpartition("/")[0]
    return False
