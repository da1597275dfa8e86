"""
What it checks: every JSON file that the client reads parses as strict JSON: no comments, no trailing commas, no
single quotes, not empty.

Why it matters: with a broken `plugin.json` the plugin is not loaded. With a broken `hooks.json` its hooks are
missing, with a broken `.mcp.json` no server starts, and neither says a word in the session.

How to fix: correct the file at the place shown. The first error is reported; others may follow it.
"""

from pluglint.manifest_fields import EFFECTS
from pluglint.rule import ERROR, HERE, JSON_FILES, Example, Problem, Rule

RULE = Rule(
    title="a file is not valid JSON",
    severity=ERROR,
    on=JSON_FILES,
    source="mutations of plugin.json, hooks.json and .mcp.json loaded by client 2.1.330, 2026-11-22",
)

GOOD = (Example('{"name": "demo"}\n'), Example({"hooks/hooks.json": '{"hooks": {}}\n'}))
BAD = (
    Example({"hooks/hooks.json": f'{{\n  "hooks": {{}},\n}}{HERE}\n'}, message="not valid JSON: a comma before the closing brace: JSON allows none"),
    Example({".mcp.json": f"{{\n  // servers{HERE}\n}}\n"}, message="not valid JSON: a comment: JSON allows none"),
    Example({".lsp.json": f"{HERE}"}, message="not valid JSON: the file is empty"),
    Example(f'{{{HERE}\n  "name": "demo"\n', message="not valid JSON: the file ends too early; the object opened here is not closed"),
)

def check(document):
    if document.error is not None:
        yield Problem(document.source, document.error.span, f"not valid JSON: {document.error.message}", EFFECTS[document.kind])
