"""
What it checks: a header key that resembles one the client reads, but differs in a letter, in case, or in hyphens
and underscores (`Description`, `max_turns`, `argument_hint`, `allowedTools` in a skill).

Why it matters: keys are matched exactly. A misspelt one is ignored, at most with a line in the debug log, and the
setting it was meant to make is not made.

How to fix: use the spelling of the client. A key of your own that happens to resemble one belongs in the schema
that the configuration names under `header-schemas`.
"""

from pluglint.edits import replaced
from pluglint.headers import foreign_keys, shown
from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Fix, Problem, Rule

RULE = Rule(
    title="a header key is misspelt",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="misspelt keys loaded by client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07, skills page of 2026-10-03",
    fix="unsafe",
)

CONFIG = {"house_keys": {"agent": frozenset({"models"})}}
_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "maxTurns: 3\ndisallowedTools: Bash\n---\nYou read.\n"),
    Example(_TOP + "mode: fast\nscope: wide\n---\nYou read.\n"),
    Example(_TOP + "models: opus, haiku\n---\nYou read.\n"),
    Example(_TOP + "color: red\ncolour: red\n---\nYou read.\n"),
    Example({"commands/example.md": "---\ndescription: Runs the checks.\nargument-hint: <file>\n---\nRun.\n"}),
    Example({"skills/example/SKILL.md": _TOP + "agents:\n  - one\n  - two\n---\nRead.\n"}),
)
GOOD += (
    Example({"commands/example.md": "---\ndescription: Runs the checks.\nargument-hint: \"[area]\"\nargument: area\n---\nRun.\n"}),
)
BAD = (
    Example(_TOP + f"max_turns: 3{HERE}\n---\nYou read.\n", message="the client does not read 'max_turns' in an agent", fixed='maxTurns: 3'),
    Example(_TOP + f"colour: red{HERE}\n---\nYou read.\n", message="the client does not read 'colour' in an agent", fixed='color: red'),
    Example({"skills/example/SKILL.md": _TOP + f"allowedTools: Read{HERE}\n---\nRead.\n"}, message="the client does not read 'allowedTools' in a skill", fixed='allowed-tools: Read'),
)


def check(document):
    for key, meant, which in foreign_keys(document):
        if which == "misspelled" and not any(one.startswith(key.text + "-") for one in document.header.keys()):  # beside `argument-hint`, `argument` is one of their own
            edit = replaced(document, key.span, key.text, meant)
            article = "an" if document.kind == AGENT else "a"
            yield Problem(document.source, key.span, f"the client does not read '{shown(key.text)}' in {article} {document.kind}", f"Did you mean `{meant}`?", (), Fix(f"write {meant}", (edit,)) if edit else None)
