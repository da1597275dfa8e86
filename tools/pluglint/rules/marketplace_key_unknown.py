"""
What it checks: every key of a marketplace, of its `metadata` and of its entries is one that the client knows.

Why it matters: the client drops an unknown key, and strict validation fails.

How to fix: correct the spelling, or put data of your own under an entry's `metadata`.
"""

from pluglint.facts import FACTS
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MARKETPLACE, WARNING, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a marketplace has a key that the client does not know",
    severity=WARNING,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n'

GOOD = (Example(_HEAD + '  "metadata": {"description": "Ours.", "version": "1.0.0"},\n  "plugins": []\n}\n'),)
BAD = (
    Example(_HEAD + '  "description": "Ours.",\n  "homepage": "https://example.com",' + HERE + '\n  "plugins": []\n}\n', message="unknown key 'homepage': the client drops it"),
    Example(_HEAD + '  "metadata": {"description": "Ours.", "root": "./plugins"},' + HERE + '\n  "plugins": []\n}\n', message="unknown key 'root' in `metadata`: the client drops it"),
    Example(_HEAD + '  "description": "Ours.",\n  "plugins": [\n    {"name": "x", "source": "./", "catgory": "tools"}' + HERE + "\n  ]\n}\n", message="unknown key 'catgory' in the entry 'x': the client drops it"),
)


def check(document):
    root = document.root
    if root is None:
        return
    facts = FACTS["marketplace"]
    groups = [(root, "", facts["keys"])]
    metadata, plugins = root.get("metadata"), root.get("plugins")
    if metadata is not None and metadata.kind == MAP:
        groups.append((metadata, " in `metadata`", facts["metadata_keys"]))
    for entry in plugins.items if plugins is not None else ():
        if entry.kind == MAP:
            groups.append((entry, f" in the entry '{entry.string('name')}'", facts["entry_keys"]))
    for node, where, known in groups:
        for name, _ in node.pairs:
            if name.text not in known:
                close = did_you_mean(name.text, known)
                yield Problem(document.source, name.span, f"unknown key '{name.text}'{where}: the client drops it", f"Did you mean `{close}`?" if close else "Remove it.")
