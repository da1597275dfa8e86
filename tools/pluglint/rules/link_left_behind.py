"""
What it checks: no symbolic link in the package leads out of it, to nothing, or in a circle; and no skill is a link to a folder elsewhere
in the package. Components that the client does not follow at all are another rule's.

Why it matters: on installation the client makes a copy of the package. Installed from a marketplace in a folder, the copy lacked
links that lead out of that marketplace and links in a circle; a link to nothing was kept and leads to nothing; a link to another place
in the marketplace became a copy of the file. With such a marketplace the client goes on loading from the folder itself, so the author
sees no fault; by the documentation whoever installs from elsewhere (GitHub, npm, ...) has the copy alone, and a script or reference
that the prompts name is missing. A linked skill was seen to load with `--plugin-dir`; validate warns of it.

How to fix: put the file itself in the place of the link.
"""

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a symbolic link that may not survive installation",
    severity=WARNING,
    on=(PACKAGE,),
    source="plugins reference of 2026-10-03; client 2.1.330, copies of an installation observed 2026-11-23",
)

_SKILL = "---\nname: x\ndescription: Reads logs. Use when a log must be searched.\n---\nRead the log.\n"

GOOD = (Example({"skills/x/SKILL.md": _SKILL, "skills/x/references/a.md": "# A\n", "skills/x/references/b.md": "-> a.md"}),)
BAD = (
    Example({"skills/x/SKILL.md": _SKILL, "skills/x/scripts/run.sh": f"-> ../../../../../run.sh {HERE}"}, message="this symbolic link leads nowhere"),
    Example(
        {"skills/x/SKILL.md": _SKILL, **{f"mirror/{name}.md": f"-> gone.md {HERE if name == 'a' else ''}" for name in "abcdef"}},
        message="this symbolic link leads nowhere, and so do 5 more in mirror/",
    ),
    Example({"skills/x/SKILL.md": _SKILL, "skills/y": f"-> x {HERE}"}, message="this skill is a symbolic link; validate --strict refuses it"),
)

_WHERE = {"outside": "leads out of the package", "dangling": "leads nowhere", "loop": "leads in a circle"}
_COMPONENTS = frozenset("agent manifest portable-manifest marketplace skill command hooks mcp lsp".split())
_FOLDERS = frozenset(("agents", "skills", "commands", "hooks", ".claude-plugin"))

_MANY = 5  # more in one folder are one mistake


def check(package):
    dangling = {}  # first folder -> how many links lead nowhere below it
    for rel, entry in package.entries.items():
        if entry.link is None:
            continue
        top = rel in _FOLDERS or rel.rpartition("/")[0] == "skills"
        if entry.link == "inside":
            if not top or not entry.folder:
                continue
            message = f"this {'component folder' if rel in _FOLDERS else 'skill'} is a symbolic link; validate --strict refuses it"
        elif top or package.taken_for.get(rel) in _COMPONENTS:
            continue
        else:
            folder = rel.partition("/")[0]
            dangling.setdefault((folder, entry.link), []).append(rel)
            continue
        place = package.place(rel)
        yield Problem(place.source, place.span, message, "Put the file itself in the place of the link.")
    for (folder, link), rels in dangling.items():
        for rel in rels if len(rels) <= _MANY else rels[:1]:
            place = package.place(rel)
            more = f", and so do {len(rels) - 1} more in {folder}/" if len(rels) > _MANY else ""
            yield Problem(place.source, place.span, f"this symbolic link {_WHERE[link]}{more}", "Put the file itself in the place of the link.")
