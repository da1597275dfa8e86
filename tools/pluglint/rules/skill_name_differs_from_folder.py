'''
What it checks: the `name` of a skill must be the name of its folder (`plugin:folder` is accepted too). A name that differs only in capitals, blanks
or underscores is left to `skill-name-shape`.

Why it matters: the client takes the folder's name for the skill's and shows the model both, as
`demo:cleaning (demo:scrubber)`; a README or an agent that uses one of them is right only by luck. The portable
format refuses the skill. A name copied from another skill makes two skills answer to it.

How to fix: write the folder's name in the header, or rename the folder.
'''

from pluglint.edits import revalued
from pluglint.rule import HERE, SKILL, WARNING, Example, Fix, Problem, Rule

RULE = Rule(
    title="a skill's name differs from its folder",
    severity=WARNING,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22; agentskills.io specification of 2026-08-04",
    fix="unsafe",
)

_TEXT = "description: Cleans tables. Use when a table has missing values.\n---\nRead the table first.\n"

GOOD = (
    Example({"skills/cleaning/SKILL.md": "---\nname: cleaning\n" + _TEXT}),
    Example({"skills/cleaning/SKILL.md": "---\n" + _TEXT}),
    Example({"skills/data-cleaning/SKILL.md": "---\nname: Data Cleaning\n" + _TEXT}),
    Example({"skills/cleaning/SKILL.md": "---\nname: demo:cleaning\n" + _TEXT}),
)
BAD = (
    Example(
        {"skills/cleaning/SKILL.md": f"---\nname: scrubber{HERE}\n" + _TEXT},
        message="the name 'scrubber' is not that of the folder: the skill is called 'cleaning'",
        fixed='name: cleaning',
    ),
    Example(
        {"skills/cleaning/SKILL.md": f"---\nname: plotting{HERE}\n" + _TEXT, "skills/plotting/SKILL.md": "---\nname: plotting\n" + _TEXT.replace("Cleans", "Draws")},
        message="the name 'plotting' is that of another skill: this one is called 'cleaning'",
        fixed='name: cleaning',
    ),
)


def check(skill):
    node = skill.field("name")
    name = skill.string("name").strip()
    folder = _folder(skill)
    if node is None or not name or not folder or name in (folder, skill.qualified) or "-".join(name.lower().replace("_", " ").split()) == folder:
        return
    edit = revalued(skill, node, folder)
    fix = Fix(f"write '{folder}'", (edit,)) if edit else None
    others = [other for other in skill.package.skills if other is not skill and other.folder and other.name == name]
    if others:
        related = (others[0].at(others[0].first_line(), "the skill of that name"),)
        yield Problem(skill.source, node.span, f"the name '{name}' is that of another skill: this one is called '{folder}'", f"Write `name: {folder}`.", related, fix)
    else:
        yield Problem(skill.source, node.span, f"the name '{name}' is not that of the folder: the skill is called '{folder}'", f"Write `name: {folder}`, or rename the folder.", (), fix)


def _folder(skill):
    """The folder's name with hyphens for blanks, as the client takes it; empty at the root of a plugin, where the name counts."""
    folder = skill.folder.rpartition("/")[2]
    if not folder and skill.package.kind == "skill":
        folder = skill.package.path.rstrip("/").rpartition("/")[2]
    return folder.replace(" ", "-")
