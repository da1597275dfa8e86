"""
What it checks: no key stands twice in one object of a JSON file.

Why it matters: the client takes the last one and says nothing about the others, and neither does its validation.
Whoever edits the first one wonders why nothing changes.

How to fix: keep one of them.
"""

from pluglint.parse.node import MAP
from pluglint.rule import HERE, JSON_FILES, WARNING, Edit, Example, Fix, Problem, Rule, Span

RULE = Rule(
    title="a key stands twice in one JSON object",
    severity=WARNING,
    on=JSON_FILES,
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22",
    fix="safe",
)

GOOD = (Example({".mcp.json": '{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}}\n'}),)
BAD = (
    Example(
        f'{{\n  "name": "demo",\n  "version": "1.0.0",{HERE}\n  "description": "A demonstration.",\n  "author": {{"name": "A"}},\n  "version": "1.1.0"\n}}\n',
        message="'version' stands again further down: this one is not read",
        fixed='',
    ),
)


def check(document):
    if document.node is None:
        return
    for node in document.node.walk():
        if node.kind != MAP or len(node.pairs) < 2:
            continue
        last = {name.text: name for name, _ in node.pairs}
        if len(last) == len(node.pairs):
            continue
        for (name, value), (following, _) in zip(node.pairs, [*node.pairs[1:], node.pairs[0]]):
            if last[name.text] is not name:
                fix = Fix("remove the first one", (Edit(document.source, Span(name.span.start, following.span.start), ""),), safe=value.plain() == node.get(name.text).plain())
                related = (document.at(last[name.text].span, "the one that counts"),)
                yield Problem(document.source, name.span, f"'{name.text}' stands again further down: this one is not read", "Keep one of them.", related, fix)
