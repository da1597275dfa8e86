"""
What it checks: every handler has a known type (`command`, `prompt`, `agent`, `http`, `mcp_tool`), the keys that its type
needs, and values of the right type: a timeout is a number of seconds.

Why it matters: on `PreToolUse` and `PermissionRequest` one handler that the client does not understand keeps the whole
plugin from loading, because it may have been a guard (in the header of a skill: all hooks and the `allowed-tools` of the
skill are dropped). On every other event the handler is left out, and the rest of the file runs. A session prints neither.

How to fix: as the message says.
"""

from pluglint.manifest_fields import UNKNOWN_KEY, fate_of_hook, faults, hook_groups, opening, seen_words, shapes, with_fate
from pluglint.parse.node import LIST, MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a hook handler that the client does not understand",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="such handlers on 21 events loaded by client 2.1.330, 2026-11-23; hook typings of @anthropic-ai/claude-agent-sdk 0.3.330",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "hooks": {\n    "Stop": [{"hooks": [\n      '
_TAIL = "\n    ]}]\n  }\n}\n"

GOOD = (Example(_HEAD + '{"type": "http", "url": "https://example.com/stop", "timeout": 5}' + _TAIL),)
BAD = (
    Example(_HEAD + '{"type": "comand", "command": "true"}' + HERE + _TAIL, message="unknown type of hook 'comand': the client leaves it out"),
    Example(_HEAD + '{"type": "command", "cmd": "true"}' + HERE + _TAIL, message="the command hook has no `command`: the client leaves it out"),
    Example(_HEAD + '{"command": "true"}' + HERE + _TAIL, message="the hook has no `type`: the client leaves it out"),
    Example(_HEAD + '{"type": "command", "command": "true", "timeout": "5s"}' + HERE + _TAIL, message="`timeout` of the command hook must be a number, not a string: the client leaves it out"),
    Example(_HEAD.replace("Stop", "PreToolUse") + '{"type": "comand", "command": "true"}' + HERE + _TAIL, message="unknown type of hook 'comand': the plugin is not loaded"),
)


def check(document):
    for event, group in hook_groups(document):
        handlers = group.get("hooks")
        for handler in handlers.items if handlers is not None and handlers.kind == LIST else ():
            for span, message, hint in _handler(handler):
                yield Problem(document.source, span, with_fate(message, fate_of_hook(document, event.text)), hint)


def _handler(handler):
    if handler.kind != MAP:
        yield handler.span, f"a hook must be an object, not {seen_words(handler)}", 'Write {"type": "command", "command": "…"}.'
        return
    kinds = {key: value for key, value in shapes()["handlers"].items() if key != "source"}
    kind = handler.get("type")
    if kind is None:
        guess = next((name for name, table in kinds.items() if all(handler.get(key) is not None for key in table["required"])), None)
        yield opening(handler), "the hook has no `type`", f'Add "type": "{guess}".' if guess else f"One of {listed(kinds)}."
    elif kind.kind != STRING or kind.text not in kinds:
        close = did_you_mean(kind.text, kinds) if kind.kind == STRING else None
        yield kind.span, f"unknown type of hook '{kind.text}'", f"Did you mean '{close}'?" if close else f"One of {listed(kinds)}."
    else:
        for fault in faults(handler, kinds[kind.text], f"the {kind.text} hook"):
            if fault.what != UNKNOWN_KEY:
                yield fault.span, fault.message, fault.hint
