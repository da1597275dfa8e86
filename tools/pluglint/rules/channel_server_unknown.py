"""
What it checks: every entry of `channels` names a server of this plugin: one under `mcpServers` or in `.mcp.json`.

Why it matters: the documentation asks for it. The client was seen to load such a plugin without a word, in validation as
in a session, so nobody learns that the channel has nothing to speak through.

How to fix: write the name of the server as it stands in `mcpServers`.
"""

from pluglint.manifest_fields import mcp_servers
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a channel names a server that the plugin does not have",
    severity=WARNING,
    on=(MANIFEST,),
    source="manifest reference of 2026-10-03; client 2.1.330, observed 2026-11-23",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n  "mcpServers": {"chat": {"command": "chat"}},\n  '

GOOD = (Example(_HEAD + '"channels": [{"server": "chat", "displayName": "Chat"}]\n}\n'),)
BAD = (Example(_HEAD + '"channels": [{"server": "chta"}]' + HERE + "\n}\n", message="a channel names the server 'chta', which `mcpServers` does not hold"),)


def check(document):
    channels, own = document.get("channels"), document.get("mcpServers")
    if channels is None or own is not None and own.kind != MAP:  # servers in another file, or in a bundle
        return
    servers = {name.text for name, _ in mcp_servers(document)}
    beside = document.package.documents.get(".mcp.json")
    if beside is not None:
        servers.update(name.text for name, _ in mcp_servers(beside))
    for channel in channels.items:
        server = channel.get("server")
        if server is not None and server.kind == STRING and server.text and server.text not in servers:
            close = did_you_mean(server.text, servers)
            yield Problem(document.source, server.span, f"a channel names the server '{server.text}', which `mcpServers` does not hold", f"Did you mean '{close}'?" if close else "")
