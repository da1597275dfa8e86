'''
What it checks: no command has the name of a skill of the same package.

Why it matters: in a plugin the command hides the skill: the model is told of the command only, and `/demo:name` runs it.
In a project's own `.claude` folder it is the other way round. Nothing is reported in either case.

How to fix: remove one of the two, or rename it.
'''

from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a skill and a command have one name",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22; skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: deploy\ndescription: Ships a release. Use when a release is ready.\n---\nBuild it first.\n"
_COMMAND = "---\ndescription: Ships a release\n---\nBuild it first.\n"

GOOD = (
    Example({"skills/deploy/SKILL.md": _SKILL, "commands/ship.md": _COMMAND}),
    Example({"skills/deploy/SKILL.md": _SKILL, "commands/staging/deploy.md": _COMMAND}),
)
BAD = (
    Example({"skills/deploy/SKILL.md": _SKILL.replace("deploy\n", f"deploy{HERE}\n"), "commands/deploy.md": _COMMAND}, message="the command 'deploy' hides this skill"),
    Example({".claude/skills/deploy/SKILL.md": _SKILL, ".claude/commands/deploy.md": _COMMAND.replace("---\nd", f"---{HERE}\nd")}, message="the skill 'deploy' hides this command"),
)


def check(package):
    # Commands in sub-folders carry the folder in their name.
    commands = {one.name: one for one in package.commands if not one.folder.startswith("commands/")}
    for skill in package.skills:
        name = skill.name.replace(" ", "-")
        command = commands.get(name)
        if command is None or not skill.folder:
            continue
        hidden, hiding = (skill, command) if package.is_plugin else (command, skill)
        node = hidden.field("name")
        span = node.span if node is not None and node.text == name else hidden.first_line()
        related = (hiding.at(hiding.first_line(), f"the {hiding.kind}"),)
        yield Problem(hidden.source, span, f"the {hiding.kind} '{name}' hides this {hidden.kind}", f"Remove or rename the {hiding.kind}.", related)
