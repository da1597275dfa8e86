"""
What it checks: every entry of `channels` names a server of this plugin's `mcpServers`, and every monitor has a unique name,
a command and a description; neither has other keys.

Why it matters: these objects are strict: one unknown or missing key keeps the whole plugin from loading.

How to fix: as the message says.
"""

from pluglint.manifest_fields import faults, mcp_servers, shapes
from pluglint.parse.node import LIST, MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a channel or monitor keeps the plugin from loading",
    severity=ERROR,
    on=(MANIFEST,),
    source="manifest and components references of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n  "mcpServers": {"chat": {"command": "chat"}},\n  '

GOOD = (Example(_HEAD + '"channels": [{"server": "chat", "displayName": "Chat"}]\n}\n'),)
BAD = (
    Example(_HEAD + '"channels": [{"server": "chta"}]' + HERE + "\n}\n", message="a channel names the server 'chta', which `mcpServers` does not hold: the plugin is not loaded"),
    Example(_HEAD + '"channels": [{"name": "chat"}]' + HERE + "\n}\n", message="a channel has no `server`: the plugin is not loaded"),
    Example(_HEAD + '"experimental": {"monitors": [{"name": "m", "command": "tail -f log"}]}' + HERE + "\n}\n", message="a monitor has no `description`: the plugin is not loaded"),
)


def check(document):
    root = document.root
    if root is None:
        return
    for span, message, hint in (*_channels(document, root.get("channels")), *_monitors(root.get("monitors")), *_monitors(document.get("experimental", "monitors"))):
        yield Problem(document.source, span, f"{message}: the plugin is not loaded", hint)


def _channels(document, channels):
    inline = {name.text for name, _ in mcp_servers(document)}
    beside = document.package.documents.get(".mcp.json")
    servers = inline | {name.text for name, _ in mcp_servers(beside)} if beside is not None else inline
    by_path = document.get("mcpServers") is not None and document.get("mcpServers").kind != MAP
    for channel in channels.items if channels is not None else ():
        for fault in faults(channel, shapes()["objects"]["channel"], "a channel"):
            yield fault.span, fault.message, fault.hint
        server = channel.get("server")
        if server is not None and server.kind == STRING and server.text and server.text not in servers and not by_path:
            close = did_you_mean(server.text, servers)
            yield server.span, f"a channel names the server '{server.text}', which `mcpServers` does not hold", f"Did you mean '{close}'?" if close else ""


def _monitors(monitors):
    seen = set()
    for monitor in monitors.items if monitors is not None and monitors.kind == LIST else ():
        if monitor.kind == STRING:
            continue
        for fault in faults(monitor, shapes()["objects"]["monitor"], "a monitor"):
            yield fault.span, fault.message, fault.hint
        name, command = monitor.get("name"), monitor.get("command")
        if name is not None and name.text in seen:
            yield name.span, f"two monitors are called '{name.text}'", "Rename one."
        seen.add(name.text if name is not None else None)
        if command is not None and command.kind == STRING and "${user_config." in command.text:
            yield command.span, "a monitor's command takes no ${user_config.…}", ""
