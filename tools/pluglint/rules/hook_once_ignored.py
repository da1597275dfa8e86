"""
What it checks: `once` stands only on hooks in the header of a skill.

Why it matters: elsewhere it is accepted and not honoured: the hook runs every time.

How to fix: remove it, or let the command remember that it ran.
"""

from pluglint.manifest_fields import hooks
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, WARNING, Example, Problem, Rule

RULE = Rule(
    title="`once` on a hook that runs every time",
    severity=WARNING,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS),
    source="hooks page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true", "once": false}]}]}}\n'),)
BAD = (Example('{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": "true", "once": true}' + HERE + "\n  ]}]}\n}\n", message="`once` is honoured in the header of a skill only: this hook runs every time"),)


def check(document):
    for hook in hooks(document):
        once = hook.handler.get("once")
        if once is not None and once.value is True:
            yield Problem(document.source, hook.handler.key("once").span, "`once` is honoured in the header of a skill only: this hook runs every time", "Remove it, or let the command remember that it ran.")
