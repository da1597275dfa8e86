"""
What it checks: `if` stands only on hooks of events about tools (`PreToolUse`, `PostToolUse`, `PostToolUseFailure`,
`PermissionRequest`, `PermissionDenied`).

Why it matters: on any other event a hook with `if` never runs.

How to fix: remove `if`, and test the condition inside the command.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import hooks
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a hook with `if` on an event that has none",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="hooks page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "true", "if": "Bash(git *)"}]}]}}\n'),)
BAD = (
    Example('{\n  "hooks": {"SessionStart": [{"hooks": [\n    {"type": "command", "command": "true", "if": "Bash(git *)"}' + HERE + "\n  ]}]}\n}\n", message="`if` has no meaning on 'SessionStart': the hook never runs"),
)


def check(document):
    facts = FACTS["hooks"]
    for hook in hooks(document):
        if hook.event.text in facts["events"] and hook.event.text not in facts["with_if"] and hook.handler.get("if") is not None:
            yield Problem(document.source, hook.handler.key("if").span, f"`if` has no meaning on '{hook.event.text}': the hook never runs", "Test the condition inside the command.")
