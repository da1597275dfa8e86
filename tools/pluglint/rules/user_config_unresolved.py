"""
What it checks: every `${user_config.KEY}` in hooks, servers and monitors names an option that `userConfig` in the manifest
declares, and stands where it is filled in (not in a hook's shell command or a monitor's command).

Why it matters: by the documentation an undeclared one is an error when the component is loaded, and in a shell command or
a monitor's it is refused, since a value that a user typed would become part of a program. The plugin itself loads.

How to fix: declare the option. In a hook, pass it through `args`, or read `CLAUDE_PLUGIN_OPTION_KEY` from the environment.
"""

import re

from pluglint.manifest_fields import commands, within
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, LSP, MANIFEST, MCP, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a user option that is not filled in",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MCP, LSP),
    source="manifest reference of 2026-10-03; .mcp.json validated since client 2.1.281",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("${user_config.",),
)

_MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "D.", "author": {"name": "A"}, "userConfig": {"TOKEN": {"type": "string", "title": "Token", "description": "For the service."}}}\n'

GOOD = (Example({".claude-plugin/plugin.json": _MANIFEST, ".mcp.json": '{"mcpServers": {"a": {"command": "a", "env": {"TOKEN": "${user_config.TOKEN}"}}}}\n'}),)
BAD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, ".mcp.json": '{\n  "mcpServers": {"a": {"command": "a",\n    "env": {"TOKEN": "${user_config.TOKE}"}}}' + HERE + "\n}\n"}, message="`userConfig` declares no 'TOKE'"),
    Example({".claude-plugin/plugin.json": _MANIFEST, "hooks/hooks.json": '{\n  "hooks": {"Stop": [{"hooks": [\n    {"type": "command", "command": "send ${user_config.TOKEN}"}' + HERE + "\n  ]}]}\n}\n"}, message="${user_config.TOKEN} is refused in a shell command"),
    Example({".claude-plugin/plugin.json": _MANIFEST.replace(', "userConfig"', ', "experimental": {"monitors": [{"name": "m", "description": "d", "command": "tail ${user_config.TOKEN}"}]}, "userConfig"').replace("}}}\n", "}}}" + HERE + "\n")}, message="${user_config.TOKEN} is refused in a monitor's command"),
)

_HINTS = {"a shell": "Pass it through `args`, or read $CLAUDE_PLUGIN_OPTION_{}.", "a monitor's": "A monitor gets no options of the user."}


def check(document):
    if document.node is None:
        return
    manifest = document.package.manifest
    declared = manifest.get("userConfig") if manifest is not None else None
    known = declared.keys() if declared is not None and declared.kind == MAP else []
    refused = {command.node.span: "a shell" for command in commands(document) if command.shell}
    refused.update((span, "a monitor's") for span in _monitor_commands(document))
    for node in document.node.walk():
        if node.kind != STRING or "${user_config." not in node.text:
            continue
        for match in re.finditer(r"\$\{user_config\.(\w+)\}", node.text):
            span = within(document, node, match.group(), match.start())
            if node.span in refused:
                yield Problem(document.source, span, f"{match.group()} is refused in {refused[node.span]} command", _HINTS[refused[node.span]].format(match.group(1).upper()))
            elif match.group(1) not in known and manifest is not None:
                close = did_you_mean(match.group(1), known)
                yield Problem(document.source, span, f"`userConfig` declares no '{match.group(1)}'", f"Did you mean '{close}'?" if close else "Declare it in plugin.json.")


def _monitor_commands(document):
    if document.kind != MANIFEST:
        return
    for monitors in (document.get("monitors"), document.get("experimental", "monitors")):
        for monitor in monitors.items if monitors is not None else ():
            command = monitor.get("command")
            if command is not None:
                yield command.span
