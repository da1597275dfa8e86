"""
What it checks: no key of a matcher group of hooks, or of a handler, looks like a misspelt one. Labels such as `id` are
dropped as well, and left alone.

Why it matters: an unknown key is dropped. A misspelt `matcher` makes the hook run on every tool, a misspelt `timeout`
leaves the default.

How to fix: correct the spelling or remove the key.
"""

from pluglint.manifest_fields import UNKNOWN_KEY, faults, hook_groups, shapes
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a hook has a key that the client does not know",
    severity=WARNING,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="hook typings of @anthropic-ai/claude-agent-sdk 0.3.330, 2026-11-20",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "true", "async": true}]}]}}\n'),)
GOOD += (
    Example('{"hooks": {"PreToolUse": [{"id": "pre-bash", "matcher": "Bash", "hooks": [{"type": "command", "command": "true"}]}]}}\n'),
)
BAD = (
    Example('{\n  "hooks": {"PreToolUse": [{\n    "matchers": "Bash",' + HERE + '\n    "hooks": [{"type": "command", "command": "true"}]\n  }]}\n}\n', message="a group of 'PreToolUse' has an unknown key 'matchers': the client drops it"),
    Example('{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": "true", "timeuot": 5}' + HERE + "\n  ]}]}\n}\n", message="the command hook has an unknown key 'timeuot': the client drops it"),
)


def check(document):
    for event, group in hook_groups(document):
        for name, _ in group.pairs:
            if name.text not in ("matcher", "hooks", "description"):
                close = did_you_mean(name.text, ("matcher", "hooks"))
                if close:  # others are labels for tools of the author's
                    yield Problem(document.source, name.span, f"a group of '{event.text}' has an unknown key '{name.text}': the client drops it", f"Did you mean `{close}`?")
        handlers = group.get("hooks")
        for handler in handlers.items if handlers is not None else ():
            table = shapes()["handlers"].get(handler.string("type")) if handler.kind == MAP else None
            for fault in faults(handler, table, f"the {handler.string('type')} hook") if isinstance(table, dict) else ():
                # The published typings are not complete: only what looks like a misspelling is reported.
                if fault.what == UNKNOWN_KEY and fault.hint.startswith("Did you mean"):
                    yield Problem(document.source, fault.span, f"{fault.message}: the client drops it", fault.hint)
