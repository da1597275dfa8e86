"""
What it checks: a manifest or configuration file holds one JSON object, not a list, a string or a number.

Why it matters: a `plugin.json` that holds a list is refused: the plugin is not loaded. The other files are passed
over in the same way.

How to fix: start the file with `{` and put the keys directly below it.
"""

from pluglint.manifest_fields import EFFECTS, opening, seen_words
from pluglint.parse.node import LIST
from pluglint.rule import ERROR, HERE, JSON_FILES, Example, Problem, Rule

RULE = Rule(
    title="a JSON file does not hold an object",
    severity=ERROR,
    on=JSON_FILES,
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22",
)

GOOD = (Example({".lsp.json": "{}\n"}),)
BAD = (
    Example(f'[{HERE}\n  {{"name": "demo"}}\n]\n', message="the file must hold an object, not a list"),
    Example({"settings.json": f"null{HERE}\n"}, message="the file must hold an object, not null"),
)


def check(document):
    if document.node is not None and document.root is None:
        span = opening(document.node) if document.node.kind == LIST else document.node.span
        yield Problem(document.source, span, f"the file must hold an object, not {seen_words(document.node)}", EFFECTS[document.kind])
