"""
What it checks: no key stands twice in a header, nor in a map inside it.

Why it matters: the client takes the last one and drops the others without a word; strict YAML parsers refuse the
whole header.

How to fix: keep one of them.
"""

from pluglint.headers import shown
from pluglint.parse.node import LIST, MAP
from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule

RULE = Rule(
    title="a key stands twice in the header",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="a repeated key loaded by client 2.1.330, 2026-11-22; YAML 1.2.2, section 3.2.1.3",
)

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\nmodel: opus\n---\nYou read.\n"),
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\nexperimental:\n  name: x\n---\nYou read.\n"),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\nmodel: opus\nmodel: haiku{HERE}\n---\nYou read.\n",
        message="the key 'model' stands twice, the client takes 'haiku' and drops 'opus'",
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\nexperimental:\n  cacheTtl: 5m\n  cacheTtl: 1h{HERE}\n---\nYou read.\n",
        message="the key 'cacheTtl' stands twice, the client takes '1h' and drops '5m'",
    ),
)


def check(document):
    header = document.header
    if header is None:
        return
    nested = any(value.pairs or value.items for _, value in header.pairs)
    for node in header.walk() if nested else (header,):
        if len(node.pairs) < 2:
            continue
        seen = {}
        for key, value in node.pairs:
            if key.kind in (LIST, MAP):
                continue
            before = seen.get(key.text)
            if before is not None:
                related = (document.at(before[0].span, "the one that is dropped"),)
                yield Problem(document.source, key.span, _message(key, before[1], value), "Keep one of them.", related)
            seen[key.text] = (key, value)


def _message(key, before, after):
    if before.text and after.text and before.text != after.text and max(len(before.text), len(after.text)) < 40:
        return f"the key '{shown(key.text)}' stands twice, the client takes '{shown(after.text)}' and drops '{shown(before.text)}'"
    return f"the key '{shown(key.text)}' stands twice, the client takes the last one"
