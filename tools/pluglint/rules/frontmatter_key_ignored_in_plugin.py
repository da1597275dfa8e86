"""
What it checks: `permissionMode`, `hooks`, `mcpServers`, `initialPrompt` and `observer` in the header of a plugin's
agent.

Why it matters: the client reads these keys in a project's or user's own agents only. In a plugin they are ignored,
with a line in the debug log. Where one was meant to protect (`permissionMode: plan`, a hook that guards a tool),
the protection is not there.

How to fix: remove the key. Hooks and servers of a plugin belong in `hooks/hooks.json` and `.mcp.json`; an agent
that must not write names its `tools`.
"""

from pluglint.facts import FACTS
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a key that is ignored in the agents of a plugin",
    severity=WARNING,
    on=(AGENT,),
    source="plugin agents with these keys loaded by client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (Example(_TOP + "tools: Read\n---\nYou read.\n"), Example({".claude/agents/example.md": _TOP + "permissionMode: plan\n---\nYou read.\n"}))
BAD = (
    Example(_TOP + f"permissionMode: plan{HERE}\n---\nYou read.\n", message="the client ignores 'permissionMode' in a plugin's agent: it restricts and permits nothing"),
    Example(_TOP + f"initialPrompt: Begin.{HERE}\n---\nYou read.\n", message="the client ignores 'initialPrompt' in a plugin's agent"),
)

_EFFECTS = {"permissionMode": ": it restricts and permits nothing", "hooks": ": none of these hooks runs", "mcpServers": ": none of these servers starts"}
_HINTS = {
    "permissionMode": "Remove it; limit the agent with `tools` instead.",
    "hooks": "Move the hooks to `hooks/hooks.json`.",
    "mcpServers": "Move the servers to `.mcp.json`.",
}


def check(document):
    if document.header is None or not document.package.is_plugin:
        return
    ignored = FACTS["agents"]["ignored_in_plugins"]
    for key, _ in document.header.pairs:
        if key.text in ignored:
            message = f"the client ignores '{key.text}' in a plugin's agent{_EFFECTS.get(key.text, '')}"
            yield Problem(document.source, key.span, message, _HINTS.get(key.text, "Remove it."))
