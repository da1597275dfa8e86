'''
What it checks: no skill lies in a folder called `synced`, in whatever case.

Why it matters: the client's documentation reserves that name. Release 2.1.330 loads a plugin's skill from such a folder
like any other and says nothing; another release may not.

How to fix: rename the folder.
'''

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a skill's folder has a name that the documentation reserves",
    severity=INFO,
    on=(SKILL,),
    source="skills page of 2026-10-03; client 2.1.330, observed 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TEXT = "\ndescription: Copies files. Use when a copy is out of date.\n---\nCompare both first.\n"

GOOD = (Example({"skills/sync/SKILL.md": "---\nname: sync" + _TEXT}),)
BAD = (Example({"skills/synced/SKILL.md": f"---{HERE}\nname: synced" + _TEXT}, message="the documentation reserves the folder name 'synced'"),)


def check(skill):
    folder = skill.folder.rpartition("/")[2]
    if folder.lower() in FACTS["skills"]["reserved_folders"]:
        yield Problem(skill.source, skill.first_line(), f"the documentation reserves the folder name '{folder}'", "Rename the folder.")
