'''
What it checks: `allowed-tools` of a skill or command does not hold `Bash` without a pattern.

Why it matters: it approves in advance: from the call on, every shell command runs without asking, those too that a text
read on the way puts forward.

How to fix: name the commands: `Bash(git log:*) Bash(git diff:*)`.
'''

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a skill approves every shell command",
    severity=INFO,
    on=(SKILL, COMMAND),
    source="client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\nallowed-tools: {}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("Read, Bash(git log:*)")),)
BAD = (
    Example(_SKILL.format(f"Read, Bash{HERE}"), message="'Bash' approves every shell command in advance"),
    Example(_SKILL.format(f"Bash(*){HERE}"), message="'Bash(*)' approves every shell command in advance"),
)


def check(document):
    if document.header is not None:
        for value in document.names("allowed-tools"):
            if value.text in ("Bash", "Bash()", "Bash(*)", "Bash(:*)", "PowerShell", "PowerShell(*)"):
                yield Problem(document.source, value.span, f"'{value.text}' approves every shell command in advance", "Name the commands: `Bash(git log:*)`.")
