"""
What it checks: hooks hang on events that the client has, in their exact case.

Why it matters: an unknown event is accepted and never happens: `preToolUse` or `BeforeTool` guards nothing.

How to fix: correct the name.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import hook_tables
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a hook hangs on an event that never happens",
    severity=ERROR,
    on=(HOOKS, MANIFEST, MARKETPLACE, SETTINGS, SKILL),
    source="hooks of an unknown event loaded by client 2.1.330, 2026-11-22; event names of @anthropic-ai/claude-agent-sdk 0.3.330",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_GROUP = '[{"hooks": [{"type": "command", "command": "true"}]}]'

GOOD = (Example('{"hooks": {"PreToolUse": ' + _GROUP + "}}\n"),)
BAD = (
    Example('{\n  "hooks": {\n    "preToolUse": ' + _GROUP + HERE + "\n  }\n}\n", message="no event is called 'preToolUse': its hooks never run"),
    Example('{\n  "hooks": {\n    "BeforeEverything": ' + _GROUP + HERE + "\n  }\n}\n", message="no event is called 'BeforeEverything': its hooks never run"),
)


def check(document):
    events = FACTS["hooks"]["events"]
    for table in hook_tables(document):
        for event, groups in table.pairs:
            if event.text not in events and not (event.text == "hooks" and len(table.pairs) == 1 and groups.pairs):
                close = did_you_mean(event.text, events)
                yield Problem(document.source, event.span, f"no event is called '{event.text}': its hooks never run", f"Did you mean '{close}'?" if close else "The hooks page lists the events.")
