"""
What it checks: an agent, skill, command, manifest or other JSON file that the client reads does not start with a byte order mark.

Why it matters: clients before 2.1.239 ignored such an agent, skill or command file without a word, and other programs that read the
same formats still find no header in it. The plugin directory refuses a plugin.json that has one.

How to fix: save the file as "UTF-8", not as "UTF-8 with BOM".
"""

from pluglint.rule import AGENT, COMMAND, HERE, JSON_FILES, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a file starts with a byte order mark",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND, *JSON_FILES),
    source="client changelog, 2.1.239; validate --profile directory of client 2.1.330, 2026-11-22",
)

_AGENT = "---\nname: example\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example(_AGENT),)
BAD = (
    Example("\ufeff" + _AGENT.replace("---", f"---{HERE}", 1), message="the file starts with a byte order mark (the bytes EF BB BF)"),
    Example(
        {".claude-plugin/plugin.json": f'\ufeff{{ {HERE}\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {{"name": "Example Author"}},\n  "license": "MIT"\n}}\n'},
        message="the file starts with a byte order mark (the bytes EF BB BF)",
    ),
)


def check(document):
    if document.source.bom:
        yield Problem(document.source, Span(0, min(1, len(document.text))), "the file starts with a byte order mark (the bytes EF BB BF)", "Save it as UTF-8 without a byte order mark.")
