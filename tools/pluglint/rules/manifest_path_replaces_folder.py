"""
What it checks: a manifest that gives `agents`, `commands`, `outputStyles` or `workflows` names every file of the
default folder too, READMEs aside.

Why it matters: these keys replace the default folder: what is in it and not named is not loaded, and nothing says so
when the plugin is loaded (`skills` is different: it adds to its folder).

How to fix: remove the key, when the default folder holds everything, or name the missing files as well.
"""

from pluglint.facts import FACTS
from pluglint.manifest_fields import ABSENT, state, tidy
from pluglint.parse.node import LIST, MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, MANIFEST, WARNING, Example, Problem, Rule
from pluglint.words import listed, plural

RULE = Rule(
    title="the manifest leaves files of a default folder out",
    severity=WARNING,
    on=(MANIFEST,),
    source="mutations of plugin.json loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'
_AGENT = "---\nname: a\ndescription: Reads. Use when there is something to read.\n---\nYou read.\n"

GOOD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./agents/a.md"]\n}\n', "agents/a.md": _AGENT}),
    Example({".claude-plugin/plugin.json": _HEAD + '  "commands": "./commands/"\n}\n', "commands/c.md": "---\ndescription: Runs.\n---\nRun.\n"}),
)
GOOD += (
    Example({".claude-plugin/plugin.json": _HEAD + '  "commands": ["./commands/c/c.md"]\n}\n', "commands/c/c.md": "---\ndescription: Runs.\n---\nRun.\n", "commands/c/README.md": "# c\n"}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": ["./extra/a.md"]' + HERE + "\n}\n", "extra/a.md": _AGENT, "agents/b.md": _AGENT.replace("name: a", "name: b")}, message="`agents` replaces the folder agents/: 1 file in it is not loaded (b.md)"),
    Example({".claude-plugin/plugin.json": _HEAD + '  "agents": []' + HERE + "\n}\n", "agents/b.md": _AGENT.replace("name: a", "name: b"), "agents/c.md": _AGENT.replace("name: a", "name: c")}, message="`agents` replaces the folder agents/: 2 files in it are not loaded (b.md and c.md)"),
)


def check(document):
    root = document.root
    for key, folder in FACTS["manifest"]["replacing_keys"].items() if root is not None else ():
        node = root.get(key)
        if node is None or node.kind not in (STRING, LIST, MAP):
            continue
        if node.kind == MAP:
            items = [source for _, value in node.pairs if (source := value.get("source")) is not None]
        else:
            items = list(node.items) if node.kind == LIST else [node]
        if any(item.kind == STRING and not item.text.startswith("./") for item in items) or (node.kind == STRING and state(document.package, node.text) == ABSENT) or (node.kind == MAP and key != "commands"):
            continue  # refused for another reason: said by the rule about that
        named = [tidy(item.text) for item in items if item.kind == STRING]
        ending = ".js" if key == "workflows" else ".md"
        lost = [
            rel[len(folder) + 1 :]
            for rel, entry in document.package.entries.items()
            if rel.startswith(folder + "/") and rel.endswith(ending) and rel.rpartition("/")[2].lower() not in ("readme.md", "agents.md", "claude.md") and not entry.folder and entry.link is None
            and not any(rel == path or rel.startswith(path + "/") or not path for path in named)
        ]
        if lost:
            verb = "is" if len(lost) == 1 else "are"
            yield Problem(document.source, node.span, f"`{key}` replaces the folder {folder}/: {plural(len(lost), 'file')} in it {verb} not loaded ({listed(lost)})", "Name them as well, or remove the key.")
