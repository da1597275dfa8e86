'''
What it checks: no two skills of a package are known under one name. The name is that of the folder, with hyphens
for blanks.

Why it matters: a name finds one skill. The other one is still in the package and is never run.

How to fix: rename one of the folders.
'''

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="two skills of a package have one name",
    severity=WARNING,
    on=(PACKAGE,),
    source="skills page of 2026-10-03: a skill is called by its name alone",
)

_TEXT = "---\ndescription: {} tables. Use when a table has missing values.\n---\nRead the table first.\n"
_MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "A"}, "skills": ["./extra"]}\n'

GOOD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, "skills/cleaning/SKILL.md": _TEXT.format("Cleans"), "extra/plotting/SKILL.md": _TEXT.format("Draws")}),
)
BAD = (
    Example(
        {".claude-plugin/plugin.json": _MANIFEST, "extra/cleaning/SKILL.md": _TEXT.format("Draws"), "skills/cleaning/SKILL.md": _TEXT.format("Cleans").replace("---\nd", f"---{HERE}\nd")},
        message="a second skill is called 'cleaning'",
    ),
)


def check(package):
    first = {}
    for skill in sorted(package.skills, key=lambda one: one.rel):
        name = skill.name.replace(" ", "-")
        if not skill.folder:
            continue
        other = first.setdefault(name, skill)
        if other is not skill:
            related = (other.at(other.first_line(), "the first one"),)
            yield Problem(skill.source, skill.first_line(), f"a second skill is called '{name}'", "Rename one of the folders.", related)
