"""
What it checks: `${CLAUDE_PLUGIN_ROOT}` (and `${CLAUDE_PLUGIN_DATA}`, `${CLAUDE_PROJECT_DIR}`) stand in double quotes in a
hook's shell command.

Why it matters: the folder may hold a blank: on the machine of anybody called "Ada Lovelace" the command falls into two
words and fails. Strict validation warns of it.

How to fix: `"${CLAUDE_PLUGIN_ROOT}/hooks/check.sh"`, with the quotes escaped in JSON, or list the words in `args`.
"""

import re

from pluglint.manifest_fields import commands, within
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the plugin's folder stands unquoted in a shell command",
    severity=WARNING,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="mutations of hooks.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("ommand",),
)

_HEAD = '{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": '
_SCRIPT = "#!/bin/sh\n"

GOOD = (
    Example({"hooks/hooks.json": _HEAD + '"sh \\"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh\\""}\n  ]}]}\n}\n', "hooks/a.sh": _SCRIPT}),
    Example({"hooks/hooks.json": _HEAD + '"sh", "args": ["${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"]}\n  ]}]}\n}\n', "hooks/a.sh": _SCRIPT}),
)
BAD = (Example({"hooks/hooks.json": _HEAD + '"sh ${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"}' + HERE + "\n  ]}]}\n}\n", "hooks/a.sh": _SCRIPT}, message="${CLAUDE_PLUGIN_ROOT} stands unquoted: a blank in the path breaks the command"),)


def check(document):
    for command in commands(document):
        text = command.node.text
        if not command.shell or "$" not in text:
            continue
        for match in re.finditer(r"\$\{?CLAUDE_(?:PLUGIN_ROOT|PLUGIN_DATA|PROJECT_DIR)\}?", text):
            if not _quoted(text, match.start()):
                yield Problem(document.source, within(document, command.node, match.group(), match.start()), f"{match.group()} stands unquoted: a blank in the path breaks the command", "Put the whole path into double quotes.")


def _quoted(text, at):
    """Whether an offset of a shell command lies inside quotes."""
    mark = ""
    skip = False
    for char in text[:at]:
        if skip:
            skip = False
        elif char == "\\" and mark != "'":
            skip = True
        elif mark:
            mark = "" if char == mark else mark
        elif char in "\"'":
            mark = char
    return mark != ""
