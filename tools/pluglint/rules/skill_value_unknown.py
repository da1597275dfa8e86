'''
What it checks: `context`, `effort` and `model` of a skill or command hold a value that the client knows, and
`disable-model-invocation`, `user-invocable` and `background` a yes or a no.

Why it matters: the component is listed as if nothing were wrong, and the setting is not applied: a `context` other than `fork` runs
the skill in the main conversation. A model is passed on as written, and the API refuses one that it does not know.

How to fix: use one of the values in the hint.
'''

import re

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, COMMAND, DIRECTORY, HERE, SKILL, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a setting of a skill has a value that the client does not know",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="skills page of 2026-10-03; client 2.1.330, observed 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (
    Example(_SKILL.format("context: fork\neffort: high\nmodel: opus[1m]\nuser-invocable: off")),
    Example(_SKILL.format("model: claude-sonnet-5")),
)
BAD = (
    Example(_SKILL.format(f"context: forked{HERE}"), message="the client does not know `context: forked`"),
    Example(_SKILL.format(f"effort: extreme{HERE}"), message="the client does not know `effort: extreme`"),
    Example(_SKILL.format(f"model: gpt-9{HERE}"), message="the client does not know `model: gpt-9`"),
    Example(_SKILL.format(f"user-invocable: never{HERE}"), message="`user-invocable: never` is neither yes nor no"),
)


_FLAGS = ("disable-model-invocation", "user-invocable", "background")


def check(document):
    skills = FACTS["skills"]
    for key in document.header.keys() if document.header is not None else ():
        if key in _FLAGS:
            node = document.field(key)
            if node.kind not in ("null", "alias") and document.flag(key) is None:
                yield Problem(document.source, node.span, f"`{key}: {node.text or node.kind}` is neither yes nor no", "Write true or false.")
            continue
        known = {"context": skills["contexts"], "effort": FACTS["agents"]["efforts"], "model": skills["models"]}.get(key) if key in ("context", "effort", "model") else None
        value = document.string(key).strip() if known else ""
        # Providers have model names of their own: paths, ARNs, ids with the vendor in them.
        if not value or value in known or key == "effort" and value.isdigit() or key == "model" and re.search(r"claude|anthropic|[:/$]", value):
            continue
        close = did_you_mean(value, known)
        yield Problem(document.source, document.field(key).span, f"the client does not know `{key}: {value}`", f"Did you mean '{close}'?" if close else f"It knows {listed(known, 12)}.")
