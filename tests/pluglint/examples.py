"""Turns the examples of a rule into a package on disk and runs pluglint over it."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pluglint import engine
from pluglint.config import Config
from pluglint.finding import Finding
from pluglint.rule import HERE, Example, Loaded

MANIFEST = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'

# Where an example given as one text is put, by the first kind of subject of its rule.
USUAL_PLACE = {
    "agent": "agents/example.md",
    "skill": "skills/example/SKILL.md",
    "command": "commands/example.md",
    "reference": "skills/example/references/page.md",
    "readme": "README.md",
    "changelog": "CHANGELOG.md",
    "page": "docs/page.md",
    "manifest": ".claude-plugin/plugin.json",
    "portable-manifest": "plugin.json",
    "marketplace": ".claude-plugin/marketplace.json",
    "hooks": "hooks/hooks.json",
    "mcp": ".mcp.json",
    "lsp": ".lsp.json",
    "settings": "settings.json",
    "package": "agents/example.md",
    "graph": "agents/example.md",
    "workspace": "agents/example.md",
}


def write(loaded: Loaded, example: Example, root: Path) -> set[tuple[str, int]]:
    """Writes an example below `root`; returns the marked (path, line) pairs.

    A plugin manifest is added where the example brings none. A text may hold escapes for bytes that
    no source file should hold: `\\udcXX` surrogates become the raw byte XX. A path that ends in "/" is an
    empty folder, a text that starts with "-> " a symbolic link, one that starts with "+x" an executable file.
    """
    files = example.files
    if not isinstance(files, dict):
        files = {USUAL_PLACE[loaded.rule.on[0] if loaded.rule.on else "agent"]: files}
    marked = set()
    for path, text in files.items():
        text = textwrap.dedent(text).lstrip("\n") if text.startswith("\n") else text
        target = root / path
        if path.endswith("/"):  # an empty folder
            target.mkdir(parents=True)
            if HERE in text:
                marked.add((path.rstrip("/"), 1))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):  # a symbolic link
            target.symlink_to(text[3:].replace(HERE, "").strip())
            if HERE in text:
                marked.add((path, 1))
            continue
        executable = text.startswith("+x\n")
        text = text[3:] if executable else text
        lines = text.split("\n")
        for number, line in enumerate(lines, 1):
            if HERE in line:
                marked.add((path, number))
                lines[number - 1] = line.replace(" " + HERE, "").replace(HERE, "")
        target.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        if executable:
            target.chmod(0o755)
    has_root = any(path.startswith((".claude-plugin/", ".claude/", "plugin.json")) or path.count("/.claude-plugin/") for path in files)
    if not has_root:
        (root / ".claude-plugin").mkdir(exist_ok=True)
        (root / ".claude-plugin/plugin.json").write_text(MANIFEST)
    return marked


def config_for(loaded: Loaded, example: Example) -> Config:
    """All rules on, info included, under the example's profile (or the first that the rule speaks for)."""
    config = Config()
    config.profile = example.profile or loaded.rule.profiles[0]
    config.select = ("all",)
    if example.options:
        config.rules[loaded.id] = dict(example.options)
    for key, value in getattr(loaded.module, "CONFIG", {}).items():
        setattr(config, key, value)
    return config


def findings(loaded: Loaded, example: Example, root: Path, monkeypatch) -> tuple[list[Finding], set[tuple[str, int]]]:
    root.mkdir(exist_ok=True)
    marked = write(loaded, example, root)
    monkeypatch.chdir(root)
    return engine.check(["."], config_for(loaded, example)).findings, marked
