"""
What it checks: a plugin's `settings.json` (or `settings` in its manifest) does not set `agent`.

Why it matters: the client then replaces its own system prompt by the body of that agent, in every session of everybody who
enables the plugin. It is deprecated.

How to fix: remove it, and let people start the agent with `--agent` or by name.
"""

from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, SETTINGS, WARNING, Example, Problem, Rule

RULE = Rule(
    title="the plugin replaces the main system prompt",
    severity=WARNING,
    on=(SETTINGS, MANIFEST),
    source="a plugin's settings.json loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"subagentStatusLine": {"type": "command", "command": "true"}}\n'), Example({".claude/settings.json": '{"agent": "a"}\n', ".claude/agents/a.md": "---\nname: a\ndescription: Reads.\n---\nRead.\n"}))
BAD = (Example('{\n  "agent": "reviewer"' + HERE + "\n}\n", message="`agent` replaces the main system prompt by the body of 'reviewer'"),)


def check(document):
    holder = document.root if document.kind == "settings" else document.get("settings")
    agent = holder.get("agent") if holder is not None and document.package.is_plugin else None
    if agent is not None and agent.text:
        yield Problem(document.source, holder.key("agent").span, f"`agent` replaces the main system prompt by the body of '{agent.text}'", "Remove it: the setting is deprecated in plugins.")
