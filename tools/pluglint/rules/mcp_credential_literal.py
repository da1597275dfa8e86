"""
What it checks: headers and environment variables of MCP servers that hold credentials (`Authorization`, `X-API-Key`,
`*_TOKEN`, `*_SECRET`, `*_PASSWORD`, `*_API_KEY`) take them from a variable.

Why it matters: a literal value is shipped to everybody who installs the plugin, and stays in the history.

How to fix: declare an option under `userConfig` with `"sensitive": true` and write `${user_config.KEY}`, or `${NAME}` for
a variable of the user's environment. Withdraw a credential that was published.
"""

import re

from pluglint.manifest_fields import mcp_servers
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, MCP, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a credential is written into the configuration of a server",
    severity=WARNING,
    on=(MCP, MANIFEST),
    source="command line page of 2026-10-03 (client 2.1.281 and later)",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "mcpServers": {\n    "a": {"type": "http", "url": "https://example.com/mcp",\n'

GOOD = (Example(_HEAD + '      "headers": {"Authorization": "Bearer ${TOKEN}", "X-Client": "demo"}}\n  }\n}\n'), Example('{"mcpServers": {"a": {"command": "a", "env": {"API_KEY": "", "TOKEN_LIMIT": "4000"}}}}\n'))
BAD = (Example(_HEAD + '      "headers": {"Authorization": "Bearer 3f9ac1d07b52"}}' + HERE + "\n  }\n}\n", message="'Authorization' of the server 'a' holds a literal credential"),)


def check(document):
    for name, server in mcp_servers(document):
        for part in ("headers", "env"):
            values = server.get(part)
            for key, value in values.pairs if values is not None and values.kind == MAP else ():
                if value.kind != STRING or "$" in value.text or len(value.text) < 6 or re.search(r"(?i)your|example|change|<.*>|xxx|\.\.\.|placeholder|dummy|none|true|false", value.text):
                    continue
                if re.search(r"(?i)^(?:proxy-)?authorization$|^x-(?:api-key|auth-token|access-token)$|(?:_|^|-)(?:api_?key|apikey|access_?token|auth_?token|token|secret|password|passwd|secret_?key)$", key.text):
                    yield Problem(document.source, value.span, f"'{key.text}' of the server '{name.text}' holds a literal credential", "Declare a sensitive option under `userConfig` and write ${user_config.KEY}.")
