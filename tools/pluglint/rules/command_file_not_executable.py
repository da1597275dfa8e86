"""
What it checks: a script that a hook or a server starts by itself, without `sh` or `python` in front, has its executable
bit set.

Why it matters: the command fails with "permission denied" each time. The bit is often lost on Windows, in an archive, or
when a file is made through a web page.

How to fix: `git update-index --chmod=+x FILE`, or put the interpreter in front.
"""

import sys

from pluglint.manifest_fields import commands, scripts, within
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, LSP, MANIFEST, MCP, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a script that is started by itself is not executable",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MCP, LSP, SKILL),
    source="manifest reference of 2026-10-03; anthropics/claude-plugins-official issue 1088",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("ommand",),
)

_HEAD = '{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": '

GOOD = (Example({"hooks/hooks.json": _HEAD + '"sh \\"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh\\""}\n  ]}]}\n}\n', "hooks/a.sh": "#!/bin/sh\n"}),)
BAD = (Example({"hooks/hooks.json": _HEAD + '"\\"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh\\" --all"}' + HERE + "\n  ]}]}\n}\n", "hooks/a.sh": "#!/bin/sh\n"}, message="'hooks/a.sh' is not executable"),)


def check(document):
    if not document.package.is_plugin or sys.platform == "win32":  # Windows keeps no such bit
        return
    for command in commands(document):
        for script in scripts(command.node.text):
            entry = document.package.entries.get(script.rel) if script.runs else None
            # The bit means nothing for what Windows runs by its ending.
            if entry is None or entry.folder or entry.link is not None or entry.mode & 0o111 or script.rel.endswith((".cmd", ".bat", ".ps1", ".exe")):
                continue
            yield Problem(document.source, within(document, command.node, script.rel, script.at), f"'{script.rel}' is not executable", "Set the bit (`git update-index --chmod=+x`), or put the interpreter in front.")
