"""
What it checks: every key in the header of a skill or command is one that the client reads, or that the package's
own schema declares.

Why it matters: the client ignores other keys without a word. Some expect an effect that does not come: `tools` in
a skill limits nothing.

How to fix: remove the key, or put data of your own under `metadata`, which the portable format allows.
"""

from pluglint.headers import foreign_keys, shown
from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, INFO, SKILL, Example, Problem, Rule

RULE = Rule(
    title="the header of a skill or command has a key that means nothing",
    severity=INFO,
    on=(SKILL, COMMAND),
    source="skills with other keys loaded by client 2.1.330, 2026-11-22; skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "metadata:\n  version: '1'\n---\nRead.\n"), Example({"commands/example.md": "---\ndescription: Runs the checks.\n---\nRun.\n"}))
BAD = (
    Example(_TOP + f"version: 1.2{HERE}\n---\nRead.\n", message="the client ignores the key 'version' of a skill"),
    Example(_TOP + f"tools: Read{HERE}\n---\nRead.\n", message="the client ignores the key 'tools' of a skill"),
    Example({"commands/example.md": f"---\ndescription: Runs the checks.\nname: run{HERE}\n---\nRun.\n"}, message="the client ignores the key 'name' of a command"),
)


def check(document):
    for key, _, which in foreign_keys(document):
        if not which:
            hint = "Remove it, or put it under `metadata`."
            if key.text == "tools":
                hint = "Nothing limits the tools of a skill; `allowed-tools` grants them without asking, `disallowed-tools` takes them away."
            yield Problem(document.source, key.span, f"the client ignores the key '{shown(key.text)}' of a {document.kind}", hint)
