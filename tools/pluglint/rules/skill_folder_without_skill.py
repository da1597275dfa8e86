"""
What it checks: every folder in `skills/` that holds Markdown holds a SKILL.md. Folders that skills share are known by their names
(`shared`, `references`, `_common`…) and left alone.

Why it matters: without SKILL.md there is no skill; the client passes the folder over without a message.

How to fix: add the SKILL.md, rename the file that should be it, or move shared text to a folder called `_shared`.
"""

from pluglint.claims import entry_packages
from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a folder in skills/ has no SKILL.md",
    severity=WARNING,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
)

_SKILL = "---\nname: x\ndescription: Reads logs. Use when a log must be searched.\n---\nRead the log.\n"

GOOD = (Example({"skills/x/SKILL.md": _SKILL}), Example({"skills/x/SKILL.md": _SKILL, "skills/_shared/terms.md": "# Terms\n"}))
BAD = (Example({"skills/x/SKILLS.md": _SKILL.replace("---", f"---{HERE}", 1)}, message="the folder 'x' in skills/ has no SKILL.md"),)

_SHARED = frozenset("shared common references reference templates assets scripts lib docs resources examples includes evals tests data utils".split())


def check(package):
    base = {"plugin": "skills/", "marketplace": "skills/", "claude-folder": "skills/", "skills-folder": ""}.get(package.kind)
    if base is None or package.kind == "marketplace" and not any(target is package for _, target in entry_packages(package)):
        return
    first = {}  # folder -> its first Markdown file
    complete = set()
    for rel, entry in package.entries.items():
        if not rel.startswith(base):
            continue
        folder, slash, rest = rel[len(base) :].partition("/")
        if not slash or folder in complete:
            continue
        if entry.name.lower() == "skill.md":  # a wrong case and a wrong depth are other rules'
            complete.add(folder)
        elif "/" not in rest and rest.lower().endswith(".md") and not entry.folder:
            first.setdefault(folder, []).append(rel)
    for folder, files in first.items():
        if folder in complete or folder[:1] in "._" or folder.lower() in _SHARED:
            continue
        close = did_you_mean("SKILL.md", [rel.rpartition("/")[2] for rel in files])
        rel = files[0] if close is None else next(rel for rel in files if rel.endswith(close))
        document = package.documents.get(rel)
        place = document.at(document.first_line()) if document is not None else package.place(rel)
        hint = f"Rename '{close}' to SKILL.md." if close else "Add a SKILL.md, or move shared text to a folder whose name starts with an underscore."
        yield Problem(place.source, place.span, f"the folder '{folder}' in skills/ has no SKILL.md", hint)
