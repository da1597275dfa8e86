"""
What it checks: every known key of `plugin.json` holds a value of the type that the client expects: a version is a
string, keywords are a list of strings, an author is an object with a name.

Why it matters: a version that is a number, or `agents` as an object, keeps the whole plugin from loading. A wrong
author, homepage, repository or keywords are ignored (before 2.1.330 they too stopped the plugin).

How to fix: write the value as the message says.
"""

from pluglint.manifest_fields import EMPTY, MISSING, WRONG_TYPE, faults, fits, seen_words, shapes, wanted_words
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="a value of the manifest has the wrong type",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22; manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "description": "A demonstration.",\n'

GOOD = (Example(_HEAD + '  "version": "1.0.0",\n  "author": {"name": "A"},\n  "keywords": ["a", "b"],\n  "dependencies": ["other", {"name": "third"}]\n}\n'),)
BAD = (
    Example(_HEAD + '  "author": {"name": "A"},\n  "version": 1.0' + HERE + "\n}\n", message="`version` must be a string, not a number: the plugin is not loaded"),
    Example(_HEAD + '  "version": "1.0.0",\n  "author": "A"' + HERE + "\n}\n", message="`author` must be an object, not a string: the client ignores it"),
    Example(_HEAD + '  "version": "1.0.0",\n  "author": {"email": "a@example.com"}' + HERE + "\n}\n", message="`author` has no `name`: the client ignores it"),
    Example(_HEAD + '  "version": "1.0.0",\n  "author": {"name": "A"},\n  "keywords": ["a", 1]' + HERE + "\n}\n", message="`keywords` must be a list of strings, not a list with a number in it: the client ignores it"),
    Example(_HEAD + '  "version": "1.0.0",\n  "author": {"name": "A"},\n  "agents": {"a": "./a.md"}' + HERE + "\n}\n", message="`agents` must be a string or a list of strings, not an object: the plugin is not loaded"),
    Example(_HEAD + '  "version": "1.0.0",\n  "author": {"name": "A"},\n  "dependencies": [{"marketplace": "m"}]' + HERE + "\n}\n", message="a dependency has no `name`: the plugin is not loaded"),
)


def check(document):
    root = document.root
    if root is None:
        return
    table = shapes()["manifest"]
    for name, value in root.pairs:
        key = name.text
        effect = "the client ignores it" if key in table["ignored_when_wrong"] else "the plugin is not loaded"
        wanted = table["types"].get(key, "any")
        if not fits(value, wanted):
            hint = 'Write {"name": "…"}.' if key == "author" and value.kind == STRING else "Put it in quotes." if wanted == "string" and value.text else ""
            yield Problem(document.source, value.span, f"`{key}` must be {wanted_words(wanted)}, not {seen_words(value, wanted)}: {effect}", hint)
            continue
        for fault in _inner(key, value):
            yield Problem(document.source, fault.span, f"{fault.message}: {effect}", fault.hint)


def _inner(key, value):
    """Faults inside `author`, `dependencies` and a map of `commands`."""
    objects = shapes()["objects"]
    if key == "author":
        found = faults(value, objects["author"], "`author`")
    elif key == "dependencies":
        found = (fault for item in value.items if item.kind != STRING for fault in faults(item, objects["dependency"], "a dependency"))
    elif key == "commands" and value.kind == MAP:
        found = (fault for name, item in value.pairs for fault in faults(item, objects["command"], f"command '{name.text}'"))
    else:
        return
    for fault in found:
        if fault.what in (MISSING, WRONG_TYPE, EMPTY):
            yield fault
