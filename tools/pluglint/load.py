"""Opens a package: what each file is taken for, and the documents made of those that are read."""

from __future__ import annotations

import os
from typing import Any

from pluglint import discover as d
from pluglint.model import NOT_A_FILE, TOO_LARGE, UNREADABLE, Document, JsonDocument, MarkdownDocument, Package, Unread
from pluglint.parse.node import LIST, STRING, Node
from pluglint.text import Source, decode

def load_package(root: d.Root, config: Any = None, contents: dict[str, bytes] | None = None) -> Package:
    """Opens every file that the client would open, and the Markdown beside them. `contents`: files that were read already; they are taken out of it."""
    contents = {} if contents is None else contents
    package = Package(root)
    package.config = config
    for rel in (".claude-plugin/plugin.json", ".claude-plugin/marketplace.json", "plugin.json"):
        entry = root.entries.get(rel)
        if entry is not None and not entry.folder and root.kind in (d.PLUGIN, d.MARKETPLACE):
            kind = {".claude-plugin/plugin.json": "manifest", "plugin.json": "portable-manifest"}.get(rel, "marketplace")
            document = _read(package, entry, kind, contents)
            if document is not None:
                setattr(package, kind.replace("-", "_"), document)
    kinds = _Kinds(package)
    for rel, entry in root.entries.items():
        if entry.folder or rel in package.documents:
            continue
        kind = kinds.of(rel, entry)
        if kind is None:
            continue
        package.taken_for[rel] = kind
        if entry.link is not None:
            continue
        document = _read(package, entry, kind, contents)
        if isinstance(document, MarkdownDocument):
            if root.kind == d.SINGLE_FILE and kind == "page":
                document.kind = package.taken_for[rel] = kind = _by_header(document)
            package.markdown.append(document)
            if kind == "agent":
                package.agents.append(document)
            elif kind == "skill":
                package.skills.append(document)
            elif kind == "command":
                package.commands.append(document)
            elif kind == "readme":
                package.readme = document
            elif kind == "changelog":
                package.changelog = document
    return package


class _Kinds:
    """What each path is taken for, given the package's kind and its manifest."""

    def __init__(self, package: Package) -> None:
        self.kind = package.kind
        manifest = package.manifest.root if package.manifest is not None else None
        # Sets: a manifest may name thousands of paths, and every file is looked up in them.
        self.agents = _paths(manifest, "agents")
        self.commands = _paths(manifest, "commands")
        self.skills = _paths(manifest, "skills") or frozenset()
        if package.marketplace is not None and package.marketplace.root is not None:
            plugins = package.marketplace.get("plugins")
            for entry in plugins.items if plugins is not None else ():  # a plugin without a folder of its own
                if entry.string("source") in ("./", "."):
                    self.skills |= _paths(entry, "skills") or frozenset()
        self.hooks = _paths(manifest, "hooks") or frozenset()
        self.mcp = _paths(manifest, "mcpServers") or frozenset()
        self.lsp = _paths(manifest, "lspServers") or frozenset()
        self.has_skills = any(rel.startswith("skills/") for rel in package.entries)
        # A skill's folder holds all its Markdown, wherever in it: references, assets, examples.
        self.skill_folders = frozenset(rel[: -len("/SKILL.md")] for rel in package.entries if rel.endswith("/SKILL.md"))

    def of(self, rel: str, entry: d.Entry) -> str | None:
        name = entry.name
        lower = name.lower()
        if self.kind == d.SINGLE_FILE:
            return _single(rel, entry)
        if lower.endswith(".json"):
            return self._json(rel, lower)
        if not lower.endswith((".md", ".markdown")):
            return None
        folder, _, _ = rel.rpartition("/")
        if self._is_skill(rel, name, folder):
            return "skill"
        if self.agents is not None:
            if rel in self.agents:
                return "agent"
        elif lower.endswith(".md") and (self.kind == d.AGENTS_FOLDER or folder == "agents" or folder.startswith("agents/")):
            return "agent"
        if self.kind == d.COMMANDS_FOLDER or self._is_command(rel, lower):
            return "command" if lower.endswith(".md") else "page"
        if not folder and lower in ("readme.md", "readme.markdown"):
            return "readme"
        if not folder and lower in ("changelog.md", "changelog.markdown", "history.md", "changes.md"):
            return "changelog"
        if self.kind == d.SKILL_FOLDER or self.skill_folders and _within(folder, self.skill_folders):
            return "reference"
        return "page"

    def _json(self, rel: str, lower: str) -> str | None:
        if rel in ("hooks/hooks.json",) or rel in self.hooks:
            return "hooks"
        if rel == ".mcp.json" or rel in self.mcp:
            return "mcp"
        if rel == ".lsp.json" or rel in self.lsp:
            return "lsp"
        if rel == "settings.json" and self.kind in (d.PLUGIN, d.CLAUDE_FOLDER):
            return "settings"
        return None

    def _is_skill(self, rel: str, name: str, folder: str) -> bool:
        if name != "SKILL.md":
            return False
        if self.kind == d.SKILL_FOLDER:
            return not folder
        if self.kind == d.SKILLS_FOLDER:
            return folder != "" and "/" not in folder
        if not folder:
            return not self.has_skills
        parent, _, _ = folder.rpartition("/")
        if parent == "skills":
            return True
        return folder in self.skills or parent in self.skills

    def _is_command(self, rel: str, lower: str) -> bool:
        if self.commands is None:
            return rel.startswith("commands/")
        return _within(rel, self.commands)


def _within(rel: str, paths: frozenset[str]) -> bool:
    """Whether a path is one of `paths` or lies below one."""
    while rel and rel not in paths:
        rel = rel.rpartition("/")[0]
    return bool(rel)


def _single(rel: str, entry: d.Entry) -> str | None:
    """What a file on its own is taken for: by its name, its folder, and at last its header."""
    name = entry.name
    folder = entry.path.replace("\\", "/").rpartition("/")[0].rpartition("/")[2]
    lower = name.lower()
    if lower == "plugin.json":
        return "manifest" if folder == ".claude-plugin" else "portable-manifest"
    if lower == "marketplace.json":
        return "marketplace"
    named = {"hooks.json": "hooks", ".mcp.json": "mcp", ".lsp.json": "lsp", "settings.json": "settings"}.get(lower)
    if named or not lower.endswith((".md", ".markdown")):
        return named
    if name == "SKILL.md":
        return "skill"
    if folder == "agents":
        return "agent"
    if folder == "commands":
        return "command"
    if lower == "readme.md":
        return "readme"
    if lower == "changelog.md":
        return "changelog"
    return "page"


def _by_header(document: MarkdownDocument) -> str:
    """What a page on its own is, going by the keys of its header."""
    keys = set(document.header.keys()) if document.header is not None else set()
    if "description" in keys and keys & {"argument-hint", "allowed-tools"}:
        return "command"
    return "agent" if keys >= {"name", "description"} else "page"


def _paths(manifest: Node | None, key: str) -> frozenset[str] | None:
    """The component paths under a manifest key, without `./`; None when the key is absent."""
    node = manifest.get(key) if manifest is not None else None
    if node is None:
        return None
    items = node.items if node.kind == LIST else (node,)
    found = []
    for item in items:
        if item.kind == STRING:
            path = item.text[2:] if item.text.startswith("./") else item.text
            found.append(path.strip("/") if path != "." else "")
    return frozenset(found)


def read_bytes(path: str, size: int) -> bytes:
    """The first `size` bytes of a file. Plain system calls: on a thousand small files `open` costs as much as all the rest of loading."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0))
    try:
        data = os.read(handle, size)
        while len(data) < size:
            more = os.read(handle, size - len(data))
            if not more:
                break
            data += more
        return data
    finally:
        os.close(handle)


def may_read(entry: d.Entry, limit: int) -> bool:
    """Whether loading may open a file: all that it opens are such."""
    return not entry.folder and entry.link is None and 0 <= entry.size <= limit and entry.rel.lower().endswith((".md", ".markdown", ".json"))


def read_all(found: list[d.Discovery], limit: int) -> dict[str, bytes]:
    """path -> bytes of every file that loading may open and that can be read, as they are at this moment."""
    contents: dict[str, bytes] = {}
    for one in found:
        for root in one.roots:
            for entry in root.entries.values():
                if may_read(entry, limit) and entry.path not in contents:
                    try:
                        contents[entry.path] = read_bytes(entry.path, entry.size)
                    except OSError:
                        continue  # loading meets the same error and tells it
    return contents


def _read(package: Package, entry: d.Entry, kind: str, contents: dict[str, bytes]) -> Document | None:
    """Opens one file. What cannot be read is remembered in `package.unread`."""
    shown = d.shown_path(package.shown, entry.rel)
    package.taken_for[entry.rel] = kind
    empty = Source(shown, entry.rel, "")
    if entry.link is not None:
        return None
    if entry.size < 0:
        package.unread.append(Unread(entry, kind, NOT_A_FILE, empty))
        return None
    limit = package.config.max_file_size if package.config is not None else d.SIZE_LIMIT
    if entry.size > limit:
        package.unread.append(Unread(entry, kind, TOO_LARGE, empty, str(limit)))
        return None
    try:
        data = contents.pop(entry.path, None)
        if data is None:
            data = read_bytes(entry.path, entry.size)
    except OSError as error:
        package.unread.append(Unread(entry, kind, UNREADABLE, empty, error.strerror or str(error)))
        return None
    source = decode(data, shown, entry.rel)
    document: Document
    if kind in ("manifest", "portable-manifest", "marketplace", "hooks", "mcp", "lsp", "settings"):
        document = JsonDocument(kind, source, package)
        package.json.append(document)
    else:
        document = MarkdownDocument(kind, source, package)
    package.documents[entry.rel] = document
    return document
