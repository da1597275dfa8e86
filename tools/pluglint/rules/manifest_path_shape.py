"""
What it checks: component paths in `plugin.json` start with `./`, stay inside the plugin, and are of the right sort:
`agents` names Markdown files (no folder), `skills` names folders (no file).

Why it matters: one path without `./`, with `..`, or a folder under `agents` keeps the whole plugin from loading, all
other components included.

How to fix: write paths from the plugin's root, as `./agents/reviewer.md`. To load a whole folder of agents, call it
`agents/` and leave the key out.
"""

from pluglint.edits import revalued
from pluglint.facts import FACTS
from pluglint.manifest_fields import named_paths, tidy
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Fix, Problem, Rule

RULE = Rule(
    title="a path of the manifest has a form that the client refuses",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22; manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="safe",
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"
_SKILL = "---\nname: t\ndescription: Reads. Use when there is something to read.\n---\nRead.\n"

GOOD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/a.md"]\n}\n', "extra/a.md": _AGENT}),
    Example({".claude-plugin/plugin.json": _HEAD + '  "skills": ["./extra/", "."]\n}\n', "extra/t/SKILL.md": _SKILL}),
    Example({".claude-plugin/plugin.json": _HEAD + '  "mcpServers": "https://example.com/servers.mcpb"\n}\n'}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["extra/a.md"]' + HERE + "\n}\n", "extra/a.md": _AGENT}, message="`agents` path 'extra/a.md' does not start with './': the plugin is not loaded", fixed='  "agents": ["./extra/a.md"]'),
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": "./extra/"' + HERE + "\n}\n", "extra/a.md": _AGENT}, message="`agents` names the folder './extra/', and takes files only: the plugin is not loaded"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "skills": "./../shared"' + HERE + "\n}\n"}, message="`skills` path './../shared' leaves the plugin: the plugin is not loaded"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "skills": "./extra/SKILL.md"' + HERE + "\n}\n", "extra/SKILL.md": _SKILL}, message="`skills` names the file './extra/SKILL.md', and takes folders only"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "hooks": "/opt/hooks.json"' + HERE + "\n}\n"}, message="`hooks` path '/opt/hooks.json' is absolute: the plugin is not loaded"),
)


def check(document):
    if document.root is None:
        return
    for key, node, text in named_paths(document.root, FACTS["manifest"]["path_keys"]):
        if key == "skills" and text == ".":
            continue
        entry = document.package.entries.get(tidy(text))
        parts = text.replace("\\", "/").split("/")
        if text.startswith(("/", "~", "\\")) or text[1:2] == ":":
            message, hint = f"`{key}` path '{text}' is absolute", "Write it from the plugin's root, starting with './'."
        elif ".." in parts:
            message, hint = f"`{key}` path '{text}' leaves the plugin", "Copy what it names into the plugin: an installed plugin holds nothing above its root."
        elif not text.startswith("./"):
            message, hint = f"`{key}` path '{text}' does not start with './'", f"Write './{text}'." if not text.startswith("$") else "Write it from the plugin's root, starting with './'."
        elif key == "agents" and (text.endswith("/") or (entry is not None and entry.folder)):
            message, hint = f"`agents` names the folder '{text}', and takes files only", "Name each file, or put them into agents/ and leave the key out."
        elif key == "skills" and entry is not None and not entry.folder:
            yield Problem(document.source, node.span, f"`skills` names the file '{text}', and takes folders only", f"Write '{text.rpartition('/')[0]}'.")
            continue
        else:
            continue
        edit = revalued(document, node, f"./{text}") if "does not start" in message and document.package.exists(tidy(text)) else None
        yield Problem(document.source, node.span, f"{message}: the plugin is not loaded", hint, (), Fix(f"write './{text}'", (edit,), safe=True) if edit else None)
