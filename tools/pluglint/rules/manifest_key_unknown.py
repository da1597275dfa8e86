"""
What it checks: every top-level key of `plugin.json` (and of its `author`) is one that the client knows.

Why it matters: an unknown key is dropped without a word when the plugin is loaded. A misspelt `agents` or `hooks`
then means that the components are looked for elsewhere, or not at all.

How to fix: correct the spelling, put data of your own under `metadata`, or remove the key.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import UNKNOWN_KEY, faults, shapes
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the manifest has a key that the client does not know",
    severity=WARNING,
    on=(MANIFEST,),
    source="mutations of plugin.json validated and loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"}\n}\n'

GOOD = (Example('{\n  "name": "demo",\n  "metadata": {"maturity": "beta"},\n' + _TAIL),)
BAD = (
    Example('{\n  "name": "demo",\n  "maturity": "75%",' + HERE + "\n" + _TAIL, message="unknown key 'maturity': the client drops it"),
    Example('{\n  "name": "demo",\n  "agent": ["./agents/a.md"],' + HERE + "\n" + _TAIL, message="unknown key 'agent': the client drops it"),
    Example('{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "D.",\n  "author": {"name": "A", "mail": "a@example.com"}' + HERE + "\n}\n", message="`author` has an unknown key 'mail'"),
)


def check(document):
    if document.root is None:
        return
    known = FACTS["manifest"]["keys"]
    for name, value in document.root.pairs:
        if name.text not in known:
            close = did_you_mean(name.text, known)
            hint = f"Did you mean `{close}`?" if close else "Put data of your own under `metadata`, or remove the key."
            yield Problem(document.source, name.span, f"unknown key '{name.text}': the client drops it", hint)
        elif name.text == "author" and value.kind == MAP:
            for fault in faults(value, shapes()["objects"]["author"], "`author`"):
                if fault.what == UNKNOWN_KEY:
                    yield Problem(document.source, fault.span, fault.message, fault.hint)
