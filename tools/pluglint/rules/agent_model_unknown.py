"""
What it checks: the `model` of an agent is `inherit`, an alias (sonnet, opus, haiku, fable ...) or the id of a Claude
model, ids of cloud providers included.

Why it matters: the client sends any other name to the API as it is, where **every call of the agent fails**.

How to fix: use an alias or an id such as `claude-opus-5-5`, or leave the key out to use the caller's model.
"""

from pluglint.facts import FACTS
from pluglint.headers import shown
from pluglint.parse.node import STRING
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, ERROR, HERE, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the model of an agent does not exist",
    severity=ERROR,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22; model page of 2026-08-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "model: inherit\n---\nYou read.\n"),
    Example(_TOP + "model: claude-opus-5-5\n---\nYou read.\n"),
    Example(_TOP + "model: us.anthropic.claude-sonnet-5-v1:0\n---\nYou read.\n"),
    Example(_TOP + "model: arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/abc\n---\nYou read.\n"),
    Example(_TOP + "model: opus[1m]\n---\nYou read.\n"),
)
BAD = (
    Example(_TOP + f"model: gpt-4{HERE}\n---\nYou read.\n", message="the API knows no model 'gpt-4': every call of the agent fails"),
    Example(_TOP + f"model: sonet{HERE}\n---\nYou read.\n", message="the API knows no model 'sonet': every call of the agent fails"),
)


def check(document):
    value = document.field("model")
    if value is None or value.kind != STRING or not value.text.strip():
        return
    name = value.text.strip().lower()
    aliases = (*FACTS["agents"]["models"], *FACTS["skills"]["models"])
    if name in aliases or "claude" in name or "anthropic" in name or name.startswith(("arn:", "projects/")):
        return
    close = did_you_mean(name, aliases) or next((alias for alias in FACTS["agents"]["models"] if name.startswith(alias)), "")
    hint = f"Did you mean '{close}'?" if close else "Use inherit, sonnet, opus, haiku, fable, or the id of a Claude model."
    yield Problem(document.source, value.span, f"the API knows no model '{shown(value.text.strip())}': every call of the agent fails", hint)
