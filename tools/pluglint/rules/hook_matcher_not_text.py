"""
What it checks: a `matcher` is one string.

Why it matters: on `PreToolUse` and `PermissionRequest` a matcher of another kind keeps the whole plugin from loading,
because the hook may have been a guard (in the header of a skill: all hooks and the `allowed-tools` of the skill are
dropped). On every other event the group is left out with all of its hooks. A session prints neither.

How to fix: write one string, with `|` between names; for every tool leave the key out.
"""

from pluglint.manifest_fields import fate_of_hook, hook_groups, seen_words, with_fate
from pluglint.parse.node import LIST, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a matcher is no text",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="such matchers on 21 events loaded by client 2.1.330, 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HOOK = '"hooks": [{"type": "command", "command": "true"}]'

GOOD = (Example('{"hooks": {"PreToolUse": [{"matcher": "Edit|Write", ' + _HOOK + "}, {" + _HOOK + "}]}}\n"),)
BAD = (
    Example('{\n  "hooks": {"PreToolUse": [\n    {"matcher": ["Edit", "Write"], ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="`matcher` must be a string, not a list: the plugin is not loaded"),
    Example('{\n  "hooks": {"PostToolUse": [\n    {"matcher": null, ' + HERE + "\n     " + _HOOK + "}\n  ]}\n}\n", message="`matcher` must be a string, not null: the client leaves it out"),
)


def check(document):
    for event, group in hook_groups(document):
        matcher = group.get("matcher")
        if matcher is not None and matcher.kind != STRING:
            message = with_fate(f"`matcher` must be a string, not {seen_words(matcher)}", fate_of_hook(document, event.text))
            yield Problem(document.source, matcher.span, message, "Separate names by '|'." if matcher.kind == LIST else "Write one string, or leave the key out.")
