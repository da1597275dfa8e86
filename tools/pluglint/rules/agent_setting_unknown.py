"""
What it checks: `effort`, `memory` and `isolation` of an agent, and `permissionMode` of a project's agent, hold a
value that the client knows. `effort` can also be a whole number.

Why it matters: another value is ignored without a word, and the setting is not made.

How to fix: use a known value, or remove the key.
"""

from pluglint.facts import FACTS
from pluglint.headers import shown
from pluglint.parse.node import STRING
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a setting of an agent has a value that the client does not know",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "effort: xhigh\nmemory: project\nisolation: worktree\n---\nYou read.\n"),
    Example(_TOP + "effort: 12\n---\nYou read.\n"),
)
BAD = (
    Example(_TOP + f"effort: gigantic{HERE}\n---\nYou read.\n", message="'effort' can be low, medium, high, xhigh and max, not 'gigantic'"),
    Example(_TOP + f"memory: global{HERE}\n---\nYou read.\n", message="'memory' can be user, project and local, not 'global'"),
    Example(_TOP + f"isolation: worktrees{HERE}\n---\nYou read.\n", message="'isolation' can be worktree, not 'worktrees'"),
    Example(
        {".claude/agents/example.md": _TOP + f"permissionMode: readonly{HERE}\n---\nYou read.\n"},
        message="'permissionMode' can be default, acceptEdits, auto, dontAsk, bypassPermissions, plan and manual, not 'readonly'",
    ),
)

_KEYS = {"effort": "efforts", "memory": "memories", "isolation": "isolations", "permissionMode": "permission_modes"}


def check(document):
    if document.header is None:
        return
    for key, value in document.header.pairs:
        if key.text not in _KEYS or value.kind != STRING or key.text == "permissionMode" and document.package.is_plugin:
            continue
        known, text = FACTS["agents"][_KEYS[key.text]], value.text.strip()
        if text in known or not text or key.text == "effort" and text.isdigit():
            continue
        close = did_you_mean(text, known)
        yield Problem(
            document.source,
            value.span,
            f"'{key.text}' can be {listed(known, 8)}, not '{shown(text, 40)}'",
            f"Did you mean '{close}'?" if close else "The client ignores it: use a known value, or remove the key.",
        )
