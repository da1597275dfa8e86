"""
What it checks: commands of hooks and servers name no path below a home folder (`/home/ada/...`, `/Users/ada/...`,
`C:\\Users\\ada\\...`).

Why it matters: such a path exists on the machine of the author only; on every other one the command fails when it fires.

How to fix: `${CLAUDE_PLUGIN_ROOT}/...` for the plugin's own files, `${CLAUDE_PROJECT_DIR}/...` for the project's.
"""

import re

from pluglint.manifest_fields import commands, within
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, LSP, MANIFEST, MARKETPLACE, MCP, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a command names a path of one machine",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, MCP, LSP, SKILL),
    source="a hook with an absolute path loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("ommand",),
)

_HEAD = '{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": '

GOOD = (Example({"hooks/hooks.json": _HEAD + '"/usr/bin/true \\"$HOME/notes\\""}\n  ]}]}\n}\n'}),)
BAD = (
    Example({"hooks/hooks.json": _HEAD + '"sh /home/ada/demo/hooks/a.sh"}' + HERE + "\n  ]}]}\n}\n"}, message="'/home/ada/demo/hooks/a.sh' is a path of one machine"),
    Example({".mcp.json": '{\n  "mcpServers": {"a": {"command": "node",\n    "args": ["/Users/ada/server.js"]}}' + HERE + "\n}\n"}, message="'/Users/ada/server.js' is a path of one machine"),
)


def check(document):
    for command in commands(document):
        for node in (command.node, *command.args):
            if "/home/" not in node.text and "Users" not in node.text:
                continue
            for match in re.finditer(r"(?<![\w}/.])(?:/home/|/Users/|[A-Za-z]:[\\/]Users[\\/])[^\s\"'`;|&<>()$]+", node.text):
                path = match.group()
                yield Problem(document.source, within(document, node, path, match.start()), f"'{path}' is a path of one machine", "Write ${CLAUDE_PLUGIN_ROOT}/… for the plugin's own files.")
