'''
What it checks: each name in `arguments` of a skill or command stands in its text as `$name`.

Why it matters: what the user types for it reaches nothing, most often because one of the two is misspelt.

How to fix: use the name, correct it, or take it from the list.
'''

import re

from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a declared argument is not used",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="skills page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\narguments: branch step\n---\n"

GOOD = (Example(_SKILL + "Read the log of $branch at $step.\n"), Example(_SKILL + "Read the log of $ARGUMENTS.\n"), Example(_SKILL + "Read the log of $0 at $1.\n"))
BAD = (Example(_SKILL.replace("step\n", f"step{HERE}\n") + "Read the log of $branch at $setp.\n", message="the argument 'step' is not used in the text"),)


def check(document):
    values = document.names("arguments")
    body = document.body if values else ""
    if not values or re.search(r"\$(?:ARGUMENTS\b|\d)", body):
        return
    used = set(re.findall(r"\$\{?([A-Za-z_][\w-]*)", body))
    for value in values:
        if re.fullmatch(r"[\w-]+", value.text) and value.text not in used:
            close = did_you_mean(value.text, used)
            yield Problem(document.source, value.span, f"the argument '{value.text}' is not used in the text", f"Did you mean '${close}'?" if close else f"Use `${value.text}`, or take it from the list.")
