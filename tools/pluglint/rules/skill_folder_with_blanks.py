'''
What it checks: the folder of a skill has no blank in its name.

Why it matters: the client puts hyphens for the blanks: the skill in `my skill` is called `my-skill`, and links or
mentions that use the folder's name do not find it. The portable format refuses it.

How to fix: rename the folder, with hyphens for the blanks.
'''

from pluglint.rule import HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a skill's folder has a blank in its name",
    severity=WARNING,
    on=(SKILL,),
    source="client 2.1.330, observed 2026-11-22",
)

GOOD = (Example({"skills/read-logs/SKILL.md": "---\nname: read-logs\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"}),)
BAD = (
    Example(
        {"skills/read logs/SKILL.md": f"---{HERE}\nname: read-logs\ndescription: Reads logs. Use when a build failed.\n---\nRead on.\n"},
        message="the folder 'read logs' has a blank in its name: the skill is called 'read-logs'",
    ),
)


def check(skill):
    folder = skill.folder.rpartition("/")[2]
    if " " in folder:
        called = folder.replace(" ", "-")
        yield Problem(skill.source, skill.first_line(), f"the folder '{folder}' has a blank in its name: the skill is called '{called}'", f"Rename the folder to '{called}'.")
