"""What differs between two states of a plugin, as its users see it: components, what they are told of, other files."""

from __future__ import annotations

import hashlib
import os
import re
from difflib import SequenceMatcher
from typing import NamedTuple

from pluglint.manifest_fields import hook_tables, lsp_servers, mcp_servers
from pluglint.model import Document, JsonDocument, MarkdownDocument, Package
from pluglint.parse.node import STRING
from pluglint.rules.version_mismatch import header_version, version_lines
from pluglint.discover import SIZE_LIMIT
from pluglint.text import Span, decode

ADDED, REMOVED, RENAMED, CHANGED = "added", "removed", "renamed", "changed"
COMPONENTS = ("agent", "skill", "command")
OFFERED = (
    "script",
    "MCP server",
    "LSP server",
    "hook event",
)  # what people or models call by its name, beside components
_SCRIPTS = (".py", ".sh", ".bash", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".ps1", ".bat", ".cmd")
# Read by people in the repository, by no client and no model; a change there is no release.
_ABOUT = (
    r"(?i)(?:readme|changelog|history|changes|licen[cs]e|notice|contributing|code_of_conduct|security|authors|"
    r"codeowners|pluglint)(?:\.\w+)?|\.claude-plugin/marketplace\.json"
)


class State(NamedTuple):
    """A plugin at one time.

    files   path -> digest; what only states a version is not in it
    texts   path -> text, of files that are texts
    """

    package: Package
    files: dict[str, str]
    texts: dict[str, str]


class Change(NamedTuple):
    """One thing that differs.

    how        added, removed, renamed or changed
    kind       agent, skill, command, script, MCP server, LSP server, hook event or file
    name       as it is called now, or was; `was`: its former name, when renamed
    owner      of a script: (kind, name) of its skill
    described  whether what the model is told of a component differs
    plus, minus  lines, over all its files
    files      paths that differ
    document   where to point
    """

    how: str
    kind: str
    name: str
    was: str = ""
    owner: tuple[str, str] = ("", "")
    described: bool = False
    plus: int = 0
    minus: int = 0
    files: tuple[str, ...] = ()
    document: Document | None = None


def state_of(package: Package, files: dict[str, str], contents: dict[str, bytes]) -> State:
    """Reads the shipped files (path in the plugin -> path to open). `contents`: bytes that count instead of these."""
    digests, texts = {}, {}
    for rel, path in files.items():
        if re.fullmatch(_ABOUT, rel):
            continue
        document = package.documents.get(rel)
        if document is not None:
            text = _without_version(document)
        else:
            data = contents.get(path)
            if data is None:
                with open(path, "rb") as file:
                    data = file.read()
            source = decode(data, rel, rel) if len(data) <= SIZE_LIMIT and b"\0" not in data else None
            if source is None or source.bad_utf8 is not None:
                digests[rel] = hashlib.sha256(data).hexdigest()
                continue
            text = source.text
        texts[rel] = text
        runs = os.path.exists(path) and os.stat(path).st_mode & 0o100
        digests[rel] = hashlib.sha256(text.encode() + (b"\0x" if runs else b"")).hexdigest()
    return State(package, digests, texts)


def _without_version(document: Document) -> str:
    """The text without the versions that it states of itself: a release alone is no change."""
    spans: list[Span] = []
    if isinstance(document, JsonDocument):
        node = document.get("version")
        spans = (
            [node.span]
            if node is not None and node.kind == STRING and document.kind in ("manifest", "portable-manifest")
            else []
        )
    elif isinstance(document, MarkdownDocument) and document.kind in COMPONENTS:
        own = header_version(document)
        if own is not None:
            spans = [own.span, *version_lines(document.text, document.frontmatter.body, len(document.text))]
    text = document.text
    for span in sorted(spans, reverse=True):
        text = text[: span.start] + text[span.end :]
    return text


def components(package: Package) -> dict[tuple[str, str], MarkdownDocument]:
    """(kind, name in the plugin) -> document."""
    found: dict[tuple[str, str], MarkdownDocument] = {}
    for document in (*package.agents, *package.skills, *package.commands):
        name = document.name
        if document.kind == "agent" and package.agent_subfolder(document):
            name = f"{package.agent_subfolder(document).replace('/', ':')}:{name}"
        elif document.kind == "command" and document.folder.startswith("commands/"):
            name = f"{document.folder[len('commands/') :].replace('/', ':')}:{name}"
        if (document.kind, name) in found:
            name = document.rel
        found[document.kind, name] = document
    return found


def _files_of(document: MarkdownDocument, state: State) -> dict[str, str]:
    """The shipped files of a component with their digests: of a skill, its whole folder."""
    if document.kind == "skill" and document.folder:
        return {rel: digest for rel, digest in state.files.items() if rel.startswith(document.folder + "/")}
    return {rel: digest for rel, digest in state.files.items() if rel == document.rel}


def _scripts(state: State) -> dict[tuple[str, str, str], str]:
    """(kind and name of the owner, path below its `scripts/`) -> path.

    Only scripts that some text of the plugin names: the others are nobody's to call.
    """
    found = {}
    told = "\n".join(document.text for document in state.package.markdown)
    for (kind, name), document in components(state.package).items():
        lead = f"{document.folder}/scripts/" if document.folder else "scripts/"
        for rel in state.files if kind == "skill" else ():
            short = rel.rpartition("/")[2]
            if rel.startswith(lead) and rel.lower().endswith(_SCRIPTS) and short in told:
                found[kind, name, rel[len(lead) :]] = rel
    return found


def _offered(package: Package) -> dict[tuple[str, str], Document]:
    """(kind, name) of servers and hook events."""
    found: dict[tuple[str, str], Document] = {}
    for document in package.json:
        if document.kind == "portable-manifest":
            continue
        for kind, pairs in (("MCP server", mcp_servers(document)), ("LSP server", lsp_servers(document))):
            found.update({(kind, name.text): document for name, _ in pairs})
        if document.kind in ("hooks", "manifest"):
            found.update(
                {
                    ("hook event", event.text): document
                    for table in hook_tables(document)
                    for event, groups in table.pairs
                    if groups.items
                }
            )
    return found


def differences(old: State, new: State) -> list[Change]:
    """What differs, components first. A plugin that only moved does not differ."""
    found: list[Change] = []
    before, after = components(old.package), components(new.package)
    gone = {key: document for key, document in before.items() if key not in after}
    fresh = {key: document for key, document in after.items() if key not in before}
    seen: set[str] = set()  # files that some change below speaks of, or that are the same
    for key, document in after.items():
        files = _files_of(document, new)
        seen |= files.keys()
        if key in fresh:
            was = next(
                (
                    other
                    for other, one in gone.items()
                    if other[0] == key[0] and _same_text(one, other[1], document, key[1])
                ),
                None,
            )
            if was is not None:
                seen |= _files_of(gone.pop(was), old).keys()
            found.append(
                Change(
                    RENAMED if was else ADDED, *key, was=was[1] if was else "", document=document, files=tuple(files)
                )
            )
            continue
        earlier = _files_of(before[key], old)
        seen |= earlier.keys()
        moved = {}  # a component that lies elsewhere is still the same
        base, there = (
            (before[key].folder, document.folder)
            if document.kind == "skill" and document.folder
            else (before[key].rel, document.rel)
        )
        for rel, digest in earlier.items():
            moved[there + rel[len(base) :] if rel.startswith(base) else rel] = rel
        differ = sorted(rel for rel in files.keys() | moved.keys() if files.get(rel) != earlier.get(moved.get(rel, "")))
        if not differ and document.rel != before[key].rel:
            differ = [document.rel]
        if differ:
            plus, minus = _lines(differ, moved, old, new)
            described = before[key].listing != document.listing
            found.append(
                Change(
                    CHANGED, *key, described=described, plus=plus, minus=minus, files=tuple(differ), document=document
                )
            )
    for key, document in gone.items():
        found.append(Change(REMOVED, *key, files=tuple(_files_of(document, old))))
        seen |= _files_of(document, old).keys()
    found += _named(_scripts(old), _scripts(new), before.keys() & after.keys(), after)
    was_there, is_there = _offered(old.package), _offered(new.package)
    found += [Change(ADDED, *key, document=document) for key, document in is_there.items() if key not in was_there]
    found += [Change(REMOVED, *key) for key in was_there if key not in is_there]
    for rel in sorted((old.files.keys() | new.files.keys()) - seen):
        if old.files.get(rel) != new.files.get(rel):
            how = ADDED if rel not in old.files else REMOVED if rel not in new.files else CHANGED
            plus, minus = _lines([rel], {rel: rel}, old, new)
            found.append(
                Change(how, "file", rel, plus=plus, minus=minus, files=(rel,), document=new.package.documents.get(rel))
            )
    return found


def _named(
    before: dict[tuple[str, str, str], str],
    after: dict[tuple[str, str, str], str],
    kept: set[tuple[str, str]],
    documents: dict[tuple[str, str], MarkdownDocument],
) -> list[Change]:
    """Scripts that came or went in skills that are still there."""
    found = []
    for how, here, there in ((ADDED, after, before), (REMOVED, before, after)):
        for kind, name, script in here:
            if (kind, name, script) not in there and (kind, name) in kept:
                found.append(
                    Change(
                        how,
                        "script",
                        script,
                        owner=(kind, name),
                        files=(here[kind, name, script],),
                        document=documents[kind, name],
                    )
                )
    return found


def _same_text(one: MarkdownDocument, old_name: str, other: MarkdownDocument, new_name: str) -> bool:
    """Whether two components have the same body, but for the name in it."""
    old_name, new_name = old_name.rpartition(":")[2], new_name.rpartition(":")[2]
    return one.body.strip() != "" and one.body.strip().replace(old_name, new_name) == other.body.strip().replace(
        old_name, new_name
    )


def _lines(paths: list[str], moved: dict[str, str], old: State, new: State) -> tuple[int, int]:
    """Lines that came and that went, over some files."""
    plus = minus = 0
    for rel in paths:
        before, after = old.texts.get(moved.get(rel, ""), "").splitlines(), new.texts.get(rel, "").splitlines()
        for how, start, end, first, last in SequenceMatcher(
            None, before, after, autojunk=len(before) > 5000
        ).get_opcodes():
            if how != "equal":
                plus, minus = plus + last - first, minus + end - start
    return plus, minus
