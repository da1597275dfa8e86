'''
What it checks: the `name` of a skill has 1 to 64 characters: lower-case letters a to z, digits and single hyphens
between them; it does not hold the words "anthropic" or "claude".

Why it matters: the portable format and the upload to claude.ai refuse any other name. The client itself ignores
such a name and uses the folder's.

How to fix: write the name in lower case with hyphens, and name the folder alike.
'''

import re

from pluglint.rule import DIRECTORY, ERROR, HERE, PORTABLE, SKILL, Example, Problem, Rule, Span

RULE = Rule(
    title="a skill's name has a shape that portable formats refuse",
    severity=ERROR,
    on=(SKILL,),
    source="agentskills.io specification of 2026-08-04; skills upload page of 2026-08-22",
    profiles=(PORTABLE, DIRECTORY),
)

_TEXT = "description: Cleans tables. Use when a table has missing values.\n---\nRead the table first.\n"

GOOD = (Example("---\nname: example\n" + _TEXT), Example({"skills/read-2-logs/SKILL.md": "---\nname: read-2-logs\n" + _TEXT}))
BAD = (
    Example({"skills/data-cleaning/SKILL.md": f"---\nname: Data Cleaning{HERE}\n" + _TEXT}, message="the name 'Data Cleaning' has 'D' in it"),
    Example({"skills/read--logs/SKILL.md": f"---\nname: read--logs{HERE}\n" + _TEXT}, message="the name 'read--logs' has two hyphens in a row"),
    Example({"skills/logs-/SKILL.md": f"---\nname: logs-{HERE}\n" + _TEXT}, message="the name 'logs-' ends with a hyphen"),
    Example({"skills/claude-logs/SKILL.md": f"---\nname: claude-logs{HERE}\n" + _TEXT}, message="the name 'claude-logs' holds the reserved word 'claude'"),
    Example({f"skills/{'a' * 65}/SKILL.md": f"---\nname: {'a' * 65}{HERE}\n" + _TEXT}, message="the name has 65 characters, 64 are allowed"),
)


def check(skill):
    node = skill.field("name")
    name = skill.string("name").strip()
    if node is None or not name:
        return
    begin = skill.text.find(name, *node.span)
    wrong = re.search(r"[^a-z0-9-]", name)
    reserved = re.search(r"anthropic|claude", name)
    if wrong:
        at, size, message = wrong.start(), 1, f"the name '{name}' has '{wrong.group()}' in it"
    elif name[0] == "-" or name[-1] == "-":
        at, size, message = (0 if name[0] == "-" else len(name) - 1), 1, f"the name '{name}' {'starts' if name[0] == '-' else 'ends'} with a hyphen"
    elif "--" in name:
        at, size, message = name.index("--"), 2, f"the name '{name}' has two hyphens in a row"
    elif reserved:
        at, size, message = reserved.start(), len(reserved.group()), f"the name '{name}' holds the reserved word '{reserved.group()}'"
    elif len(name) > 64:
        at, size, message = 0, len(name), f"the name has {len(name)} characters, 64 are allowed"
    else:
        return
    span = Span(begin + at, begin + at + size) if begin >= 0 else node.span
    yield Problem(skill.source, span, message, "Use lower-case letters, digits and single hyphens, in the folder's name too.")
