"""
What it checks: `hooks` in `plugin.json` does not name `./hooks/hooks.json`.

Why it matters: hardly. The client reads that file by itself and once only; it was seen to run the hooks once, to note
"loaded once" in its debug log, and its validation passes, with the directory profile too. The checklist of the plugin
directory asks for the key to be left out, and older releases took it for an error ("Duplicate hooks file detected").

How to fix: remove the key. It is only for further hook files.
"""

from pluglint.manifest_fields import named_paths, tidy
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the manifest names the hooks file that is read anyway",
    severity=INFO,
    on=(MANIFEST,),
    source="client 2.1.330, observed 2026-11-23; manifest reference of 2026-10-03; affaan-m/ECC issue 103",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_HOOKS = '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}\n'

GOOD = (Example({".claude-plugin/plugin.json": _HEAD + '  "hooks": "./hooks/more.json"\n}\n', "hooks/hooks.json": _HOOKS, "hooks/more.json": _HOOKS}),)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "hooks": "./hooks/hooks.json"' + HERE + "\n}\n", "hooks/hooks.json": _HOOKS}, message="`hooks` names './hooks/hooks.json', which the client reads anyway"),
)


def check(document):
    for key, node, text in named_paths(document.root, ["hooks"]) if document.root is not None else ():
        if tidy(text) == "hooks/hooks.json" and document.package.exists(tidy(text)):
            yield Problem(document.source, node.span, f"`hooks` names '{text}', which the client reads anyway", "Remove the key.")
