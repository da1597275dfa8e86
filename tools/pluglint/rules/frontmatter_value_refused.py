"""
What it checks: the values of a header whose kind the client's own validation looks at: `name` is text; in skills and
commands `allowed-tools` is text or a list of texts, and `shell` is `bash` or `powershell`.

Why it matters: `claude plugin validate` refuses the package. A session loads it and says nothing: the name becomes
`3000` or `[object Object]`, and the commands of a skill run in bash.

How to fix: write the value in the form that the message names; put a text that looks like a number in quotes.
"""

from pluglint.facts import FACTS
from pluglint.headers import shown
from pluglint.parse.node import ALIAS, INTEGER, LIST, MAP, NULL, NUMBER, STRING
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a value of the header is refused by the client's validation",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="each key with values of seven kinds validated and loaded by client 2.1.330, 2026-11-23",
)

_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example({"skills/example/SKILL.md": _TOP + "allowed-tools: [Read, Grep]\nshell: Bash\n---\nRead.\n"}),
    Example({"commands/example.md": "---\ndescription: Reads changes. Use when one is ready.\nallowed-tools: Read, Grep\nshell:\n---\nRead.\n"}),
)
BAD = (
    Example({"agents/example.md": f"---\nname: 3000{HERE}\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"}, message="'name' takes text, not the number '3000': validation refuses it"),
    Example({"skills/example/SKILL.md": _TOP + f"allowed-tools: {{Read: yes}}{HERE}\n---\nRead.\n"}, message="'allowed-tools' takes text or a list of texts, not a map: validation refuses it"),
    Example({"skills/example/SKILL.md": _TOP + f"allowed-tools: [Read, 3]{HERE}\n---\nRead.\n"}, message="'allowed-tools' takes text or a list of texts, not a list with the number '3' in it: validation refuses it"),
    Example({"skills/example/SKILL.md": _TOP + f"shell: zsh{HERE}\n---\nRead.\n"}, message="'shell' takes bash or powershell, not 'zsh': validation refuses it"),
)


def check(document):
    if document.header is None:
        return
    for key, form, find in (("name", "text", _no_text), ("allowed-tools", "text or a list of texts", _no_names), ("shell", "bash or powershell", _no_shell)):
        value = document.field(key)
        if value is None or value.kind in (NULL, ALIAS) or key != "name" and document.kind == AGENT:
            continue
        odd = find(value)
        if odd is not None:
            said = _said(odd) if odd is value else f"a list with {_said(odd)} in it"
            close = did_you_mean(odd.text, FACTS["skills"]["shells"]) if key == "shell" and odd.kind == STRING else None
            hint = f"Did you mean '{close}'?" if close else "Put it in quotes." if key == "name" and odd.kind not in (LIST, MAP) else f"Write {form}."
            yield Problem(document.source, odd.span, f"'{key}' takes {form}, not {said}: validation refuses it", hint)


def _no_text(value):
    return None if value.kind == STRING else value


def _no_names(value):
    if value.kind != LIST:
        return _no_text(value)
    return next((item for item in value.items if item.kind not in (STRING, ALIAS)), None)


def _no_shell(value):
    return None if value.kind == STRING and value.text.strip().lower() in FACTS["skills"]["shells"] else value


def _said(value):
    if value.kind in (LIST, MAP):
        return f"a {value.kind}"
    if value.kind == NULL:
        return "null"
    return f"the number '{shown(value.text)}'" if value.kind in (INTEGER, NUMBER) else f"'{shown(value.text, 40)}'"
