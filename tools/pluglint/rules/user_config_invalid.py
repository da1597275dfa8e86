"""
What it checks: every option under `userConfig` has a usable key, a known type, a title and a description, values of the
right type, and no other keys.

Why it matters: these objects are strict: one unknown key or a missing title keeps the whole plugin from loading.

How to fix: {"TOKEN": {"type": "string", "title": "Token", "description": "For the service.", "sensitive": true}}
"""

import re

from pluglint.manifest_fields import faults, shapes
from pluglint.parse.node import LIST, MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="a user option keeps the plugin from loading",
    severity=ERROR,
    on=(MANIFEST,),
    source="manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n  "userConfig": {\n    '
_TAIL = "\n  }\n}\n"
_TEXT = '"title": "Token", "description": "For the service."'

GOOD = (Example(_HEAD + '"TOKEN": {"type": "string", ' + _TEXT + ', "sensitive": true}' + _TAIL),)
BAD = (
    Example(_HEAD + '"TOKEN": {"type": "string", ' + _TEXT + ', "secret": true}' + HERE + _TAIL, message="the option 'TOKEN' has an unknown key 'secret': the plugin is not loaded"),
    Example(_HEAD + '"TOKEN": {"type": "string", "title": "Token"}' + HERE + _TAIL, message="the option 'TOKEN' has no `description`: the plugin is not loaded"),
    Example(_HEAD + '"TOKEN": {"type": "text", ' + _TEXT + "}" + HERE + _TAIL, message="unknown type 'text' of the option 'TOKEN': the plugin is not loaded"),
    Example(_HEAD + '"my-token": {"type": "string", ' + _TEXT + "}" + HERE + _TAIL, message="the key 'my-token' is no identifier: the plugin is not loaded"),
    Example(_HEAD + '"MODE": {"type": "string", ' + _TEXT + ', "options": ["a", "b"]}' + HERE + _TAIL, message="`options` of the option 'MODE' need a `default` among them, or `required`: the plugin is not loaded"),
)


def check(document):
    options = document.get("userConfig")
    if options is None or options.kind != MAP:
        return
    for name, option in options.pairs:
        for span, message, hint in _option(name, option):
            yield Problem(document.source, span, f"{message}: the plugin is not loaded", hint)


def _option(name, option):
    if not re.fullmatch(r"[A-Za-z_]\w*", name.text, re.A):
        yield name.span, f"the key '{name.text}' is no identifier", f"Write '{re.sub(r'[^A-Za-z0-9_]+', '_', name.text)}'."
    owner = f"the option '{name.text}'"
    for fault in faults(option, shapes()["objects"]["userConfig"], owner):
        yield fault.span, fault.message, fault.hint
    kind = option.get("type")
    types = shapes()["options"]["types"]
    if kind is not None and kind.kind == STRING and kind.text and kind.text not in types:
        close = did_you_mean(kind.text, types)
        yield kind.span, f"unknown type '{kind.text}' of {owner}", f"Did you mean '{close}'?" if close else f"One of {listed(types)}."
    choices, default, required = option.get("options"), option.get("default"), option.get("required")
    if choices is not None and choices.kind == LIST:
        if kind is not None and kind.text in types and kind.text != "string":
            yield choices.span, f"`options` of {owner} go with the type string only", ""
        elif (default is None or default.text not in [item.text for item in choices.items]) and (required is None or required.value is not True):
            yield choices.span, f"`options` of {owner} need a `default` among them, or `required`", ""
