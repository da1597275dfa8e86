'''
What it checks: no skill lies in a folder called `synced`, in whatever case.

Why it matters: the client's documentation reserves that name: whether a skill is loaded from it is not promised.

How to fix: rename the folder.
'''

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a skill's folder has a name that the client keeps for itself",
    severity=WARNING,
    on=(SKILL,),
    source="skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TEXT = "\ndescription: Copies files. Use when a copy is out of date.\n---\nCompare both first.\n"

GOOD = (Example({"skills/sync/SKILL.md": "---\nname: sync" + _TEXT}),)
BAD = (Example({"skills/synced/SKILL.md": f"---{HERE}\nname: synced" + _TEXT}, message="the client keeps the folder name 'synced' for itself"),)


def check(skill):
    folder = skill.folder.rpartition("/")[2]
    if folder.lower() in FACTS["skills"]["reserved_folders"]:
        yield Problem(skill.source, skill.first_line(), f"the client keeps the folder name '{folder}' for itself", "Rename the folder.")
