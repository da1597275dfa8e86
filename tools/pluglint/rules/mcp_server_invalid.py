"""
What it checks: every server in `.mcp.json` (or under `mcpServers` in the manifest) has a command, or a type and a URL; the
wrapper is called `mcpServers`, not `servers`; types are known and values of the right type.

Why it matters: the client drops a server that it does not understand and says nothing in the session: the tools are just
not there.

How to fix: a program is {"command": "...", "args": [...]}, a service {"type": "http", "url": "https://..."}.
"""

from pluglint.manifest_fields import UNKNOWN_KEY, faults, mcp_servers, opening, seen_words, shapes
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, MCP, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="an MCP server that the client drops",
    severity=ERROR,
    on=(MCP, MANIFEST),
    source="mutations of .mcp.json loaded by client 2.1.330, 2026-11-22; components reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (
    Example('{"mcpServers": {"a": {"command": "a"}, "b": {"type": "http", "url": "https://example.com/mcp"}}}\n'),
    Example('{"a": {"command": "a", "args": ["--all"]}}\n'),
)
BAD = (
    Example('{\n  "servers": {"a": {"command": "a"}}' + HERE + "\n}\n", message="`servers` is not read: the key is `mcpServers`"),
    Example('{\n  "mcpServers": {\n    "a": {"args": ["x"]}' + HERE + "\n  }\n}\n", message="the server 'a' has no `command`"),
    Example('{\n  "mcpServers": {\n    "a": {"url": "https://example.com/mcp"}' + HERE + "\n  }\n}\n", message="the server 'a' has a `url` and no `type`: it is taken for a program without a command"),
    Example('{\n  "mcpServers": {\n    "a": {"type": "htpp", "url": "https://example.com/mcp"}' + HERE + "\n  }\n}\n", message="unknown type 'htpp' of the server 'a'"),
    Example('{\n  "mcpServers": {\n    "a": {"command": "a", "args": "--all"}' + HERE + "\n  }\n}\n", message="`args` of the server 'a' must be a list of strings, not a string"),
)


def check(document):
    root = document.root
    wrong = root.get("servers") if root is not None and document.kind == "mcp" and root.get("mcpServers") is None else None
    if wrong is not None and wrong.kind == MAP and wrong.get("command") is None and wrong.get("url") is None:
        yield Problem(document.source, root.key("servers").span, "`servers` is not read: the key is `mcpServers`", "Rename it.")
        return
    inner = root.get("mcpServers") if root is not None else None
    if document.kind == "mcp" and inner is not None and inner.kind != MAP:
        yield Problem(document.source, inner.span, f"`mcpServers` must be an object, not {seen_words(inner)}", "")
    for name, server in mcp_servers(document):
        for span, message, hint in _server(f"the server '{name.text}'", server):
            yield Problem(document.source, span, message, hint)


def _server(owner, server):
    if server.kind != MAP:
        yield server.span, f"{owner} must be an object, not {seen_words(server)}", 'Write {"command": "…"}.'
        return
    facts = shapes()["mcp"]
    kind = server.get("type")
    if kind is not None and kind.text not in facts["types"]:
        close = did_you_mean(kind.text, facts["types"]) if kind.kind == STRING else None
        yield kind.span, f"unknown type '{kind.text}' of {owner}", f"Did you mean '{close}'?" if close else f"One of {listed(facts['types'][:4])}."
        return
    remote = kind is not None and kind.text != "stdio"
    if kind is None and server.get("command") is None and server.get("url") is not None:
        yield opening(server), f"{owner} has a `url` and no `type`: it is taken for a program without a command", 'Add "type": "http".'
        return
    for fault in faults(server, facts["remote" if remote else "local"], owner):
        if fault.what != UNKNOWN_KEY:
            yield fault.span, fault.message, fault.hint
