"""
What it checks: every entry of `channels` has a `server`, and every monitor has a unique name, a command and a description;
neither has keys that the client does not know.

Why it matters: these objects are strict: one unknown or missing key keeps the whole plugin from loading.

How to fix: as the message says.
"""

from pluglint.manifest_fields import faults, shapes
from pluglint.parse.node import LIST, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="a channel or monitor keeps the plugin from loading",
    severity=ERROR,
    on=(MANIFEST,),
    source="such channels and monitors loaded by client 2.1.330, 2026-11-23; manifest and components references of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n  "mcpServers": {"chat": {"command": "chat"}},\n  '

GOOD = (Example(_HEAD + '"channels": [{"server": "chat", "displayName": "Chat"}]\n}\n'),)
BAD = (
    Example(_HEAD + '"channels": [{"server": "chat", "more": 1}]' + HERE + "\n}\n", message="a channel has an unknown key 'more': the plugin is not loaded"),
    Example(_HEAD + '"channels": [{"name": "chat"}]' + HERE + "\n}\n", message="a channel has no `server`: the plugin is not loaded"),
    Example(_HEAD + '"experimental": {"monitors": [{"name": "m", "command": "tail -f log"}]}' + HERE + "\n}\n", message="a monitor has no `description`: the plugin is not loaded"),
)


def check(document):
    root = document.root
    if root is None:
        return
    for span, message, hint in (*_channels(root.get("channels")), *_monitors(root.get("monitors")), *_monitors(document.get("experimental", "monitors"))):
        yield Problem(document.source, span, f"{message}: the plugin is not loaded", hint)


def _channels(channels):
    for channel in channels.items if channels is not None else ():
        for fault in faults(channel, shapes()["objects"]["channel"], "a channel"):
            yield fault.span, fault.message, fault.hint


def _monitors(monitors):
    seen = set()
    for monitor in monitors.items if monitors is not None and monitors.kind == LIST else ():
        if monitor.kind == STRING:
            continue
        for fault in faults(monitor, shapes()["objects"]["monitor"], "a monitor"):
            yield fault.span, fault.message, fault.hint
        name = monitor.get("name")
        if name is not None and name.text in seen:
            yield name.span, f"two monitors are called '{name.text}'", "Rename one."
        seen.add(name.text if name is not None else None)
