'''
What it checks: keys of a skill or command hold the kind of value that the client reads: a map in `metadata`, text or a list
of texts in `allowed-tools`, `disallowed-tools`, `arguments` and `paths`.

Why it matters: the value is dropped without a word.

How to fix: write the value in the form that the message names.
'''

from pluglint.rule import COMMAND, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a key of a skill holds the wrong kind of value",
    severity=WARNING,
    on=(SKILL, COMMAND),
    source="skills page of 2026-10-03",
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n{}\n---\nRead on.\n"

GOOD = (Example(_SKILL.format("metadata:\n  owner: team\npaths: src/**\nallowed-tools: [Read, Grep]")),)
BAD = (
    Example(_SKILL.format(f"metadata: team{HERE}"), message="`metadata` is a string and must be a map"),
    Example(_SKILL.format(f"allowed-tools: {{Read: yes}}{HERE}"), message="`allowed-tools` is a map and must be a text or a list of texts"),
)


def check(document):
    if document.header is None:
        return
    for key, kinds, form in (("metadata", ("map",), "a map"), *((key, ("string", "list"), "a text or a list of texts") for key in ("allowed-tools", "disallowed-tools", "arguments", "paths"))):
        node = document.field(key)
        if node is None or node.kind in ("null", "alias"):
            continue
        inner = next((item for item in node.items if item.kind in ("list", "map")), None) if node.kind == "list" else None
        if node.kind not in kinds:
            yield Problem(document.source, node.span, f"`{key}` is a{'n' if node.kind == 'integer' else ''} {node.kind} and must be {form}", f"Write {form}.")
        elif inner is not None:
            yield Problem(document.source, inner.span, f"`{key}` holds a {inner.kind} and must be {form}", f"Write {form}.")
