"""
What it checks: every handler has a known type (`command`, `prompt`, `agent`, `http`, `mcp_tool`), the keys that its type
needs, and values of the right type: a timeout is a number of seconds.

Why it matters: a handler that the client does not understand is left out; the rest of the file still runs.

How to fix: as the message says.
"""

from pluglint.manifest_fields import UNKNOWN_KEY, faults, hook_groups, opening, seen_words, shapes
from pluglint.parse.node import LIST, MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a hook handler that the client leaves out",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="hooks of an unknown type loaded by client 2.1.330, 2026-11-22; hook typings of @anthropic-ai/claude-agent-sdk 0.3.330",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "hooks": {\n    "Stop": [{"hooks": [\n      '
_TAIL = "\n    ]}]\n  }\n}\n"

GOOD = (Example(_HEAD + '{"type": "http", "url": "https://example.com/stop", "timeout": 5}' + _TAIL),)
BAD = (
    Example(_HEAD + '{"type": "comand", "command": "true"}' + HERE + _TAIL, message="unknown type of hook 'comand'"),
    Example(_HEAD + '{"type": "command", "cmd": "true"}' + HERE + _TAIL, message="the command hook has no `command`"),
    Example(_HEAD + '{"command": "true"}' + HERE + _TAIL, message="the hook has no `type`"),
    Example(_HEAD + '{"type": "command", "command": "true", "timeout": "5s"}' + HERE + _TAIL, message="`timeout` of the command hook must be a number, not a string"),
)


def check(document):
    for _, group in hook_groups(document):
        handlers = group.get("hooks")
        for handler in handlers.items if handlers is not None and handlers.kind == LIST else ():
            for span, message, hint in _handler(handler):
                yield Problem(document.source, span, message, hint)


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
