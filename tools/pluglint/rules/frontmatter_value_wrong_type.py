"""
What it checks: the kind of each value in a header: `model` and `color` are text, `maxTurns` is a whole number above 0,
`background` and `user-invocable` are true or false, `skills`, `paths` and `arguments` are text or a list of texts, `hooks`
and `metadata` are maps. What the client's validation refuses (`name`, `allowed-tools`, `shell`) is another rule's.

Why it matters: the client ignores a value of the wrong kind, or turns it into a text that was not meant (a model `4.5`),
without a message. Its validation lets it pass; `--strict` refuses `metadata` that is no map. Hooks of a skill that are no
map also cost the skill its `allowed-tools`.

How to fix: write the value in the form that the key takes; put a text that looks like a number in quotes.
"""

from pluglint.headers import shown
from pluglint.parse.node import ALIAS, BOOLEAN, INTEGER, LIST, MAP, NULL, NUMBER, STRING
from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a value of the header is of the wrong kind",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="agents and skills with such values loaded by client 2.1.330, 2026-11-23; sub-agents page of 2026-10-07, skills page of 2026-10-03",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "maxTurns: 5\nbackground: true\neffort: 3\nskills: [notes]\nmodel:\n---\nYou read.\n", also=("delegate-unknown",)),
    Example({"skills/example/SKILL.md": _TOP + "user-invocable: no\nmetadata:\n  version: 1\nargument-hint: [file]\npaths: '*.py'\n---\nRead.\n"}),
)
BAD = (
    Example(_TOP + f"maxTurns: many{HERE}\n---\nYou read.\n", message="'maxTurns' takes a whole number above 0, not 'many'"),
    Example(_TOP + f"maxTurns: 0{HERE}\n---\nYou read.\n", message="'maxTurns' takes a whole number above 0, not '0'"),
    Example(_TOP + f"background: often{HERE}\n---\nYou read.\n", message="'background' takes true or false, not 'often'"),
    Example(_TOP + f"model: 4.5{HERE}\n---\nYou read.\n", message="'model' takes text, not the number '4.5'"),
    Example(_TOP + f"color: [red]{HERE}\n---\nYou read.\n", message="'color' takes text, not a list"),
    Example({"skills/example/SKILL.md": _TOP + f"paths:\n  - src: '*.py'{HERE}\n---\nRead.\n"}, message="'paths' takes a list or text, not a list with a map in it"),
    Example({"skills/example/SKILL.md": _TOP + f"metadata: draft{HERE}\n---\nRead.\n"}, message="'metadata' takes a map, not 'draft'"),
)

_TEXT, _COUNT, _SWITCH, _NAMES, _TABLE = "text", "a whole number above 0", "true or false", "a list or text", "a map"
_AGENT = {
    "model": _TEXT, "color": _TEXT, "memory": _TEXT, "isolation": _TEXT, "permissionMode": _TEXT, "initialPrompt": _TEXT,
    "maxTurns": _COUNT, "background": _SWITCH, "omitClaudeMd": _SWITCH, "disallowedTools": _NAMES, "skills": _NAMES, "experimental": _TABLE, "hooks": _TABLE,
}
_SKILL = {
    "model": _TEXT, "context": _TEXT, "agent": _TEXT, "when_to_use": _TEXT, "license": _TEXT, "compatibility": _TEXT,
    "disable-model-invocation": _SWITCH, "user-invocable": _SWITCH, "background": _SWITCH, "disallowed-tools": _NAMES,
    "arguments": _NAMES, "paths": _NAMES, "hooks": _TABLE, "metadata": _TABLE,
}
_INNER = {LIST: "a list with a list in it", MAP: "a list with a map in it"}
_SAID = {LIST: "a list", MAP: "a map"}


def check(document):
    header = document.header
    if header is None:
        return
    wanted = _AGENT if document.kind == AGENT else _SKILL
    for key, value in header.pairs:
        want = wanted.get(key.text)
        if want is None or value.kind in (NULL, ALIAS) or _fits(value, want):
            continue
        inner = next((item for item in value.items if item.kind in _INNER), None) if want == _NAMES else None
        said = _INNER[inner.kind] if inner is not None else _SAID.get(value.kind) or (f"the number '{shown(value.text)}'" if value.kind in (INTEGER, NUMBER) and want != _COUNT else f"'{shown(value.text, 40)}'")
        hint = "Put it in quotes." if want == _TEXT and value.kind not in _SAID else f"Write it as {want}."
        yield Problem(document.source, (inner or value).span, f"'{key.text}' takes {want}, not {said}", hint)


def _fits(value, want):
    kind = value.kind
    if want == _TEXT:
        return kind == STRING
    if want == _COUNT:  # in quotes it may be read too
        return kind == INTEGER and value.value > 0 or kind == STRING and value.style and value.text.isdigit()
    if want == _SWITCH:
        return kind == BOOLEAN or value.text.lower() in ("true", "false", "yes", "no", "on", "off", "1", "0")
    if want == _TABLE:
        return kind == MAP
    return kind == STRING or kind == LIST and not any(item.kind in (LIST, MAP) for item in value.items)
