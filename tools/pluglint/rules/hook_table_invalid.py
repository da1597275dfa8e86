"""
What it checks: a hooks file has a `hooks` object at its top, each event holds a list of groups, and each group a list
`hooks` of handlers. Hooks inline in a manifest have no second `hooks` around them.

Why it matters: without the `hooks` key (or with null there) the file is refused ("hook-load-failed") and none of its
hooks runs; agents and skills load all the same, so nobody notices. With a list or a text in its place the whole plugin is
not loaded. A wrong shape below an event costs that event or group; below `PreToolUse` and `PermissionRequest`, where the
hook may have been a guard, it costs the plugin.

How to fix: the shape is

    {"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "..."}]}]}}
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import fate_of_hook, hook_tables, opening, seen_words, with_fate
from pluglint.parse.node import LIST, MAP, NULL
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, HOOKS, MANIFEST, SETTINGS, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="hooks have a shape that the client refuses",
    severity=ERROR,
    on=(HOOKS, MANIFEST, SETTINGS, SKILL),
    source="hook files of such shapes loaded by client 2.1.330, 2026-11-23; hooks page of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

GOOD = (
    Example('{"description": "Ours.", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}\n'),
    Example({"skills/t/SKILL.md": "---\nname: t\ndescription: Reads. Use when there is something to read.\nhooks:\n  Stop:\n    - hooks:\n        - type: command\n          command: 'true'\n---\nRead.\n"}),
)
BAD = (
    Example('{' + HERE + '\n  "PreToolUse": []\n}\n', message="the file has no `hooks`: none of its hooks is loaded"),
    Example('{\n  "hooks": []' + HERE + "\n}\n", message="`hooks` must be an object, not a list: the plugin is not loaded"),
    Example('{\n  "hooks": null' + HERE + "\n}\n", message="`hooks` must be an object, not null: none of the file's hooks is loaded"),
    Example('{\n  "hooks": {\n    "Stop": {"command": "true"}' + HERE + "\n  }\n}\n", message="'Stop' must hold a list of groups, not an object: the client leaves it out"),
    Example('{\n  "hooks": {\n    "Stop": [{"type": "command", "command": "true"}]' + HERE + "\n  }\n}\n", message="a group of 'Stop' has no `hooks` list: the client leaves it out"),
    Example('{\n  "hooks": {\n    "PreToolUse": [{"type": "command", "command": "true"}]' + HERE + "\n  }\n}\n", message="a group of 'PreToolUse' has no `hooks` list: the plugin is not loaded"),
)


def check(document):
    source = document.source
    if document.kind == "hooks" and document.root is not None:
        node = document.root.get("hooks")
        if node is None:
            if document.root.get("modules") is None:
                close = did_you_mean("hooks", document.root.keys())
                events = any(key in FACTS["hooks"]["events"] for key in document.root.keys())
                hint = f"Rename `{close}` to `hooks`." if close else 'Put the events inside {"hooks": {…}}.' if events else "Add `hooks`."
                yield Problem(source, opening(document.root), "the file has no `hooks`: none of its hooks is loaded", hint)
        elif node.kind != MAP:
            effect = "none of the file's hooks is loaded" if node.kind == NULL else "the plugin is not loaded"
            yield Problem(source, node.span, f"`hooks` must be an object, not {seen_words(node)}: {effect}", "")
    for table in hook_tables(document):
        if table.get("hooks") is not None and len(table.pairs) == 1 and table.get("hooks").kind == MAP:
            yield Problem(source, table.key("hooks").span, "inline hooks have a second `hooks` around them: it is taken for an event", "Put the events directly here.")
            continue
        for event, groups in table.pairs:
            fate = fate_of_hook(document, event.text)
            for span, message, hint in _event(event, groups):
                yield Problem(source, span, with_fate(message, fate), hint)


def _event(event, groups):
    if groups.kind != LIST:
        yield groups.span, f"'{event.text}' must hold a list of groups, not {seen_words(groups)}", 'Write [{"hooks": [ … ]}].'
        return
    for group in groups.items:
        if group.kind != MAP:
            yield group.span, f"a group of '{event.text}' must be an object, not {seen_words(group)}", 'Write {"hooks": [ … ]}.'
        elif group.get("hooks") is None or group.get("hooks").kind != LIST:
            span = opening(group) if group.get("hooks") is None else group.get("hooks").span
            wrap = "The handler stands one level too high: put it into a list under `hooks`." if group.get("command") is not None or group.get("type") is not None else "Add `hooks`, a list of handlers."
            yield span, f"a group of '{event.text}' has no `hooks` list", wrap
