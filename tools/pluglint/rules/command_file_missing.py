"""
What it checks: a script below `${CLAUDE_PLUGIN_ROOT}` that a hook or a server runs is in the package.

Why it matters: nothing looks for it when the plugin is loaded. A hook fails each time it fires (status 127), a server
does not start.

How to fix: correct the path or ship the file. What a build makes (`dist/`, `node_modules/`) is not looked for.
"""

from pluglint.manifest_fields import ABSENT, commands, other_case, scripts, state, within
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, LSP, MANIFEST, MCP, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a command runs a file that is not in the package",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MCP, LSP, SKILL),
    source="a hook with a missing script loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("ommand",),
)

_HEAD = '{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": '

GOOD = (
    Example({"hooks/hooks.json": _HEAD + '"sh \\"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh\\""}\n  ]}]}\n}\n', "hooks/a.sh": "#!/bin/sh\n"}),
    Example({".mcp.json": '{"mcpServers": {"a": {"command": "node", "args": ["${CLAUDE_PLUGIN_ROOT}/dist/a.js"]}}}\n'}),
)
BAD = (
    Example({"hooks/hooks.json": _HEAD + '"sh \\"${CLAUDE_PLUGIN_ROOT}/hooks/b.sh\\""}' + HERE + "\n  ]}]}\n}\n", "hooks/a.sh": "#!/bin/sh\n"}, message="the package holds no 'hooks/b.sh'"),
    Example({".mcp.json": '{\n  "mcpServers": {"a": {"command": "node",\n    "args": ["${CLAUDE_PLUGIN_ROOT}/server/a.js"]}}' + HERE + "\n}\n"}, message="the package holds no 'server/a.js'"),
)


def check(document):
    if not document.package.is_plugin:
        return
    for command in commands(document):
        for node in (command.node, *command.args):
            for script in scripts(node.text):
                if state(document.package, script.rel) == ABSENT:
                    close = other_case(document.package, script.rel)
                    yield Problem(document.source, within(document, node, script.rel, script.at), f"the package holds no '{script.rel}'", f"Did you mean '{close}'?" if close else "Correct the path, or ship the file.")
