"""What the JSON files of a package hold: types of their keys, the paths they name, the commands they run.

The tables are data in `facts/shapes.json`; this module applies them. Rules only choose the words.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Iterator, NamedTuple

from pluglint.discover import SINGLE_FILE, SKIPPED_FOLDERS
from pluglint.globs import matches
from pluglint.model import Document, JsonDocument, MarkdownDocument, Package
from pluglint.parse.node import BOOLEAN, INTEGER, LIST, MAP, NULL, NUMBER, STRING, Node
from pluglint.text import Span
from pluglint.words import did_you_mean, listed

_SHAPES: dict[str, Any] = {}


def shapes() -> dict[str, Any]:
    """The tables, read on first use."""
    if not _SHAPES:
        with open(os.path.join(os.path.dirname(__file__), "facts", "shapes.json"), encoding="utf-8") as handle:
            _SHAPES.update(json.load(handle))
    return _SHAPES


# What an unreadable file of each kind costs.
EFFECTS = {
    "manifest": "The plugin is not loaded at all.",
    "portable-manifest": "Other clients cannot read the plugin.",
    "marketplace": "The marketplace cannot be added.",
    "hooks": "The plugin loads without the hooks of this file.",
    "mcp": "No server of this file starts, and no message says so.",
    "lsp": "No language server of this file starts.",
    "settings": "None of these settings is applied.",
}

# -- types

_KINDS = {"string": (STRING,), "boolean": (BOOLEAN,), "number": (INTEGER, NUMBER), "object": (MAP,), "list": (LIST,)}
_WORDS = {"string": "a string", "boolean": "true or false", "number": "a number", "object": "an object", "list": "a list", "strings": "a list of strings"}
_SEEN = {STRING: "a string", BOOLEAN: "a boolean", INTEGER: "a number", NUMBER: "a number", NULL: "null", LIST: "a list", MAP: "an object"}


def fits(node: Node, wanted: str) -> bool:
    """Whether a value has one of the types in `wanted`, such as `string|strings`."""
    for one in wanted.split("|"):
        if one == "any" or node.kind in _KINDS.get(one, ()):
            return True
        if one == "strings" and node.kind == LIST and all(item.kind == STRING for item in node.items):
            return True
    return False


def wanted_words(wanted: str) -> str:
    return " or ".join(_WORDS[one] for one in wanted.split("|"))


def seen_words(node: Node, wanted: str = "") -> str:
    if node.kind == LIST and "strings" in wanted:
        odd = next((item for item in node.items if item.kind != STRING), None)
        if odd is not None:
            return f"a list with {_SEEN.get(odd.kind, 'something else')} in it"
    return _SEEN.get(node.kind, "something else")


def opening(node: Node) -> Span:
    """The brace or bracket that opens a value: where to point when something in it is missing."""
    return Span(node.span.start, node.span.start + 1)


# -- objects with a fixed set of keys

MISSING, UNKNOWN_KEY, WRONG_TYPE, EMPTY = "missing", "unknown", "type", "empty"


class Fault(NamedTuple):
    """One disagreement of an object with its table."""

    what: str
    key: str
    span: Span
    message: str
    hint: str


def faults(node: Node, table: dict[str, dict[str, str]], owner: str, place: Span | None = None) -> Iterator[Fault]:
    """Compares an object with a table of its keys. `owner` names it in messages, `place` is where to point when a key is missing."""
    required, known = table["required"], {**table["required"], **table["optional"]}
    if node.kind != MAP:
        yield Fault(WRONG_TYPE, "", node.span, f"{owner} must be an object, not {seen_words(node)}", "")
        return
    for key in required:
        value = node.get(key)
        if value is None:
            others = [name for name in node.keys() if name not in known]
            close = did_you_mean(key, others)
            yield Fault(MISSING, key, place or opening(node), f"{owner} has no `{key}`", f"Rename `{close}` to `{key}`." if close else f"Add `{key}`.")
        elif value.kind == STRING and not value.text.strip():
            yield Fault(EMPTY, key, value.span, f"`{key}` of {owner} is empty", "Fill it in.")
    for name, value in node.pairs:
        if name.text not in known:
            close = did_you_mean(name.text, known)
            hint = f"Did you mean `{close}`?" if close else f"Known here: {listed(known, 20)}."
            yield Fault(UNKNOWN_KEY, name.text, name.span, f"{owner} has an unknown key '{name.text}'", hint)
        elif not fits(value, known[name.text]):
            wanted = known[name.text]
            yield Fault(WRONG_TYPE, name.text, value.span, f"`{name.text}` of {owner} must be {wanted_words(wanted)}, not {seen_words(value, wanted)}", "")


# -- paths

PRESENT, ABSENT, UNSURE = "present", "absent", "unsure"


def state(package: Package, rel: str) -> str:
    """Whether a path below the package's root exists, as far as discovery can tell.

    Below a link, a skipped folder such as `dist` or an excluded path nothing was listed, so nothing is known.
    """
    rel = tidy(rel)
    if package.exists(rel):
        return PRESENT
    parts = rel.split("/")
    if package.kind == SINGLE_FILE or ".." in parts or any(part in SKIPPED_FOLDERS for part in parts):
        return UNSURE
    if package.config is not None and any(matches(pattern, rel) for pattern in package.config.exclude):
        return UNSURE
    for count in range(1, len(parts)):
        above = package.entries.get("/".join(parts[:count]))
        if above is not None and above.link is not None:
            return UNSURE
    other, inner = package_at(package, rel)
    if other is not None:
        return PRESENT if not inner or other.exists(inner) else state(other, inner)
    return ABSENT


def package_at(package: Package, rel: str) -> tuple[Package | None, str]:
    """The package of the same target in which a path below this one lies, and the rest of the path."""
    rel = tidy(rel)
    path = package.path.rstrip("/") + "/" + rel if rel else package.path
    best: tuple[Package | None, str] = (None, "")
    for other in package.workspace.packages if package.workspace is not None else ():
        if other is package and rel:
            continue
        if path == other.path:
            return other, ""
        if path.startswith(other.path.rstrip("/") + "/") and len(other.path) > len(package.path):
            best = (other, path[len(other.path.rstrip("/")) + 1 :])
    return best


def tidy(rel: str) -> str:
    """A path without `./`, doubled and trailing slashes; `..` stays."""
    return "/".join(part for part in rel.split("/") if part not in ("", "."))


def other_case(package: Package, rel: str) -> str | None:
    """The path that exists and differs only in upper and lower case, or one that is nearly the same."""
    rel = tidy(rel)
    folder, _, name = rel.rpartition("/")
    lower = rel.lower()
    same = next((one for one in package.entries if one.lower() == lower), None)
    if same is not None:
        return same
    beside = [one.rpartition("/")[2] for one in package.entries if one.rpartition("/")[0] == folder]
    close = did_you_mean(name, beside)
    return (f"{folder}/{close}" if folder else close) if close else None


class NamedPath(NamedTuple):
    """A component path in a manifest: the key it stands under, its node, and its text."""

    key: str
    node: Node
    text: str


def named_paths(manifest: Node, keys: list[str]) -> Iterator[NamedPath]:
    """Every component path of a manifest; `experimental` is looked into, URLs and inline objects are passed over."""
    for owner in (manifest, manifest.get("experimental")):
        if owner is None or owner.kind != MAP:
            continue
        for key in keys:
            node = owner.get(key)
            if node is None:
                continue
            items = list(node.items) if node.kind == LIST else [node]
            if node.kind == MAP and key == "commands":
                items = [source for _, command in node.pairs if (source := command.get("source")) is not None]
            for item in items:
                if item.kind == STRING and "://" not in item.text:
                    yield NamedPath(key, item, item.text)


# -- hooks


class Hook(NamedTuple):
    """One handler of a hook table: the event's key, its matcher group and the handler itself."""

    event: Node
    group: Node
    handler: Node


def hook_tables(document: Document) -> list[Node]:
    """The maps event -> groups of a file: hooks.json, inline hooks of a manifest or an entry, a skill's header."""
    found: list[Node | None] = []
    if isinstance(document, MarkdownDocument):
        found = [document.field("hooks")]
    elif isinstance(document, JsonDocument) and document.root is not None:
        node = document.root.get("hooks")
        if document.kind == "marketplace":
            plugins = document.root.get("plugins")
            found = [entry.get("hooks") for entry in plugins.items if entry.kind == MAP] if plugins is not None else []
        elif document.kind == "settings" and document.package.is_plugin:
            found = []  # a plugin's settings.json holds no hooks that count
        elif node is not None and node.kind == LIST and document.kind == "manifest":
            found = list(node.items)
        else:
            found = [node]
    return [node for node in found if node is not None and node.kind == MAP]


def hook_groups(document: Document) -> Iterator[tuple[Node, Node]]:
    """(event, matcher group) pairs of all hook tables; what has another shape is left to the rule about it."""
    for table in hook_tables(document):
        for event, groups in table.pairs:
            for group in groups.items:
                if group.kind == MAP:
                    yield event, group


# A fault in a hook that may guard a permission costs more than the hook.
_GUARDS = ("PreToolUse", "PermissionRequest")


def fate_of_hook(document: Document, event: str) -> str:
    """What the client does about a hook of this event that it cannot read; "" where that was not observed."""
    guard = event in _GUARDS
    if document.kind in ("hooks", "manifest"):
        return "the plugin is not loaded" if guard else "the client leaves it out"
    if document.kind == "skill":
        return "the skill loads without its hooks and its `allowed-tools`" if guard else "the client leaves it out"
    return ""


def with_fate(message: str, fate: str) -> str:
    return f"{message}: {fate}" if fate else message


def hooks(document: Document) -> Iterator[Hook]:
    for event, group in hook_groups(document):
        handlers = group.get("hooks")
        for handler in handlers.items if handlers is not None else ():
            if handler.kind == MAP:
                yield Hook(event, group, handler)


# -- servers


def mcp_servers(document: Document) -> list[tuple[Node, Node]]:
    """(name, server) pairs of `.mcp.json` (with or without its wrapper) or of a manifest."""
    root = document.root if isinstance(document, JsonDocument) else None
    if root is None:
        return []
    if document.kind in ("manifest", "mcp") and (inner := root.get("mcpServers")) is not None:
        maps = [inner] if inner.kind == MAP else [item for item in inner.items if item.kind == MAP]
        return [pair for one in maps for pair in one.pairs]
    if document.kind == "mcp":
        return [(name, server) for name, server in root.pairs if not name.text.startswith("$")]
    return []


def lsp_servers(document: Document) -> list[tuple[Node, Node]]:
    root = document.root if isinstance(document, JsonDocument) else None
    if root is None:
        return []
    if document.kind == "lsp":
        return [(name, server) for name, server in root.pairs if not name.text.startswith("$")]
    inner = root.get("lspServers")
    maps = [] if inner is None else [inner] if inner.kind == MAP else [item for item in inner.items if item.kind == MAP]
    return [pair for one in maps for pair in one.pairs]


# -- texts inside values


def within(document: Document, node: Node, piece: str, at: int = 0) -> Span:
    """Where a piece of a string value stands. `at` is its offset in the value, to tell equal pieces apart.

    Escapes in the file shift offsets: the n-th occurrence is looked for, and the whole value is the fallback.
    """
    text = document.source.text
    before = node.text[:at].count(piece)
    start = node.span.start
    for _ in range(before + 1):
        start = text.find(piece, start, node.span.end)
        if start < 0:
            return node.span
        start += len(piece)
    return Span(start - len(piece), start)


class Script(NamedTuple):
    """A file under the plugin's root that a command names.

    runs   it is the command itself, started without an interpreter
    """

    rel: str
    at: int
    runs: bool


_ROOT = "CLAUDE_PLUGIN_ROOT"
_INTERPRETERS = r"(?:bash|sh|zsh|dash|ksh|python[\d.]*|py|node|deno|bun|ruby|perl|php|pwsh|powershell|tsx|ts-node|source|\.|uv run|uv run python|deno run|bun run|npx tsx)"
_ENDINGS = (".sh", ".bash", ".zsh", ".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".rb", ".pl", ".ps1", ".cmd", ".bat", ".php")


def scripts(command: str) -> Iterator[Script]:
    """The plugin's own files that a shell command (or one argument) runs; paths with further variables are passed over."""
    if _ROOT not in command or re.search(r"\[ -[efxrs] |\btest -[efxrs] |\[\[ -", command):
        return  # a command that tests for a file knows that it may be absent
    for match in re.finditer(r"(\"?)\$(?:\{CLAUDE_PLUGIN_ROOT\}|CLAUDE_PLUGIN_ROOT\b)(\"?)/", command):
        quoted = bool(match.group(1)) and not match.group(2)
        rest = command[match.end() :]
        path = re.match(r"[^\"$`*?{}\n]*" if quoted else r"[^\s\"'`$*?{}();|&<>]*", rest).group()
        after = rest[len(path) : len(path) + 1]
        if not path.strip("/") or (after and after in "$`*?{}"):
            continue
        before = command[: match.start()].rstrip()
        first = not before or before.endswith(("&&", "||", ";", "|", "("))
        ran = re.search(rf"(?:^|[\s;&|(/]){_INTERPRETERS}(?:\s+-[\w-]+)*\Z", before)
        if first or ran or path.endswith(_ENDINGS):
            yield Script(tidy(path), match.end(), first)


class Command(NamedTuple):
    """A command that the client starts: its text node, its arguments, and whether a shell reads it."""

    node: Node
    args: tuple[Node, ...]
    shell: bool


def commands(document: Document) -> Iterator[Command]:
    """Every command of hooks, MCP servers and LSP servers in a file."""
    for hook in hooks(document):
        node, args = hook.handler.get("command"), hook.handler.get("args")
        if node is not None and node.kind == STRING:
            yield Command(node, _strings(args), args is None)
    for _, server in (*mcp_servers(document), *(lsp_servers(document) if document.kind in ("manifest", "lsp") else ())):
        node, args = (server.get("command"), server.get("args")) if server.kind == MAP else (None, None)
        if node is not None and node.kind == STRING:
            yield Command(node, _strings(args), False)


def _strings(node: Node | None) -> tuple[Node, ...]:
    return tuple(item for item in node.items if item.kind == STRING) if node is not None else ()


# -- marketplace


class Listed(NamedTuple):
    """An entry of a marketplace: its node, its source as a path below the marketplace ("" when it is none), and the package there."""

    node: Node
    path: str
    package: Package | None


def listed_plugins(document: Document) -> list[Listed]:
    """The entries of a marketplace, each with the package that its source names."""
    plugins = document.root.get("plugins") if isinstance(document, JsonDocument) and document.root is not None else None
    base = document.get("metadata", "pluginRoot") if isinstance(document, JsonDocument) else None
    root = tidy(base.text) if base is not None and base.kind == STRING else ""
    packages = document.package.workspace.packages if document.package.workspace is not None else ()
    by_path = {one.path.rstrip("/"): one for one in packages}
    found = []
    for entry in plugins.items if plugins is not None else ():
        source = entry.get("source") if entry.kind == MAP else None
        if source is None or source.kind != STRING or "://" in source.text or ".." in source.text.split("/") or source.text.startswith("/"):
            if entry.kind == MAP:
                found.append(Listed(entry, "", None))
            continue
        path = tidy(source.text)
        if root and not source.text.startswith("."):
            path = f"{root}/{path}"
        found.append(Listed(entry, path or ".", by_path.get(f"{document.package.path.rstrip('/')}/{path}".rstrip("/"))))
    return found
