"""
What it checks: the URL of an MCP server on another machine is https or wss.

Why it matters: what goes over http can be read and changed on the way, credentials and answers included. Validation
warns, the plugin directory refuses it.

How to fix: use https. Servers on this machine (localhost, 127.0.0.1) may stay on http.
"""

import re

from pluglint.manifest_fields import mcp_servers, within
from pluglint.parse.node import STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, MCP, WARNING, Example, Problem, Rule

RULE = Rule(
    title="an MCP server is reached without encryption",
    severity=WARNING,
    on=(MCP, MANIFEST),
    source="command line and troubleshooting pages of 2026-10-03 (client 2.1.281 and later)",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"mcpServers": {"a": {"type": "http", "url": "http://localhost:8080/mcp"}, "b": {"type": "ws", "url": "wss://example.com"}}}\n'),)
BAD = (Example('{\n  "mcpServers": {\n    "a": {"type": "http", "url": "http://example.com/mcp"}' + HERE + "\n  }\n}\n", message="the server 'a' is reached over plain http"),)


def check(document):
    for name, server in mcp_servers(document):
        url = server.get("url")
        if url is None or url.kind != STRING:
            continue
        match = re.match(r"(http|ws)://(?!localhost\b|127\.|\[::1\]|0\.0\.0\.0|host\.docker\.internal\b|\$)", url.text, 2)
        if match is not None:
            scheme = match.group(1)
            yield Problem(document.source, within(document, url, scheme + "://"), f"the server '{name.text}' is reached over plain {scheme}", f"Use {scheme}s.")
