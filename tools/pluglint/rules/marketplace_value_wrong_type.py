"""
What it checks: the keys of a marketplace and of its entries hold values of the type that the client expects: the owner
is an object, `plugins` a list of objects, keywords a list of strings.

Why it matters: the client refuses the marketplace, or the entry.

How to fix: write the value as the message says.
"""

from pluglint.manifest_fields import WRONG_TYPE, faults, fits, seen_words, shapes, wanted_words
from pluglint.parse.node import LIST, MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule

RULE = Rule(
    title="a value of a marketplace has the wrong type",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22; marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (Example('{"name": "m", "owner": {"name": "A"}, "description": "Ours.", "plugins": []}\n'),)
BAD = (
    Example('{\n  "name": "m",\n  "owner": "A",' + HERE + '\n  "description": "Ours.",\n  "plugins": []\n}\n', message="`owner` of the marketplace must be an object, not a string"),
    Example('{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": ["x"]' + HERE + "\n}\n", message="an entry must be an object, not a string"),
    Example('{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n    {"name": "x", "source": "./", "keywords": "a, b"}' + HERE + "\n  ]\n}\n", message="`keywords` of the entry 'x' must be a list of strings, not a string"),
)


def check(document):
    root = document.root
    if root is None:
        return
    for fault in faults(root, shapes()["objects"]["marketplace"], "the marketplace"):
        if fault.what == WRONG_TYPE:
            yield Problem(document.source, fault.span, fault.message, 'Write {"name": "…"}.' if fault.key == "owner" else fault.hint)
    plugins = root.get("plugins")
    for entry in plugins.items if plugins is not None and plugins.kind == LIST else ():
        if entry.kind != MAP:
            yield Problem(document.source, entry.span, f"an entry must be an object, not {seen_words(entry)}", 'Write {"name": "…", "source": "./…"}.')
            continue
        types = {**shapes()["manifest"]["types"], **shapes()["objects"]["entry"]["required"], **shapes()["objects"]["entry"]["optional"]}
        for name, value in entry.pairs:
            wanted = types.get(name.text, "any")
            if not fits(value, wanted):
                yield Problem(document.source, value.span, f"`{name.text}` of the entry '{entry.string('name')}' must be {wanted_words(wanted)}, not {seen_words(value, wanted)}")
