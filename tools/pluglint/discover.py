"""Finds what there is to check, and says what each file was taken for.

Roots: a marketplace with its plugins, a plugin, a `.claude` folder, a bare `agents/`, `skills/` or
`commands/` folder, one skill, one file. Links are listed, never followed; nothing outside the root is
opened. A file target is checked inside the package that holds it (so that its delegations resolve),
and only its own findings are shown.
"""

from __future__ import annotations

import os
import stat
from itertools import islice
from typing import Iterable, NamedTuple

# What a root is taken for.
PLUGIN, MARKETPLACE, CLAUDE_FOLDER, AGENTS_FOLDER, SKILLS_FOLDER, COMMANDS_FOLDER, SKILL_FOLDER, SINGLE_FILE = (
    "plugin", "marketplace", "claude-folder", "agents-folder", "skills-folder", "commands-folder", "skill", "file",
)

SIZE_LIMIT = 1_048_576  # bytes; the client drops an agent file above this (2.1.330)
DEPTH_LIMIT = 40
FILE_LIMIT = 200_000
SKIPPED_FOLDERS = frozenset(
    ".git .hg .svn .jj node_modules __pycache__ .venv venv .tox .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis .idea .vscode dist build site-packages .eggs".split()
)
_PLUGIN_PARTS = ("agents", "skills", "commands", "hooks")
_PAGES = frozenset("docs doc documentation website".split())  # pages about plugins are sorted like plugins
_NOT_SHIPPED = frozenset("test tests fixtures testdata templates".split())  # what is sorted like a plugin there is an input or a pattern
_FOLDER_KINDS = {"agents": AGENTS_FOLDER, "skills": SKILLS_FOLDER, "commands": COMMANDS_FOLDER, ".claude": CLAUDE_FOLDER}


class Entry(NamedTuple):
    """One directory entry below a root.

    rel     path below the root, forward slashes
    path    path to open
    size    bytes (0 for folders and links)
    link    None, or where a symbolic link leads: "inside", "outside", "dangling" or "loop"
    folder  whether it is a folder (for links: whether it leads to one)
    mode    permission bits
    """

    rel: str
    path: str
    size: int
    link: str | None
    folder: bool
    mode: int

    @property
    def name(self) -> str:
        return self.rel.rpartition("/")[2]


class Trouble(NamedTuple):
    """A part of the tree that was not looked at: its path below the root (empty for the root) and why."""

    rel: str
    message: str


class Root(NamedTuple):
    """One package root: what it was taken for and all that is below it."""

    kind: str
    path: str
    shown: str  # how the root is written in front of every path that a person sees
    entries: dict[str, Entry]
    problems: tuple[Trouble, ...] = ()  # folders that could not be read, limits that were met
    excluded: frozenset[str] = frozenset()  # paths that the configuration leaves out: not checked, but there


class Discovery(NamedTuple):
    roots: list[Root]
    only: str | None  # with a single-file target: the file, as shown


class NothingToCheck(Exception):
    """The target does not exist or holds no package; the message says what was looked for."""


def discover(target: str, exclude: tuple[str, ...] = ()) -> Discovery:
    """The package roots of one command line argument. Nothing below it that `exclude` matches is a root.

    Raises `NothingToCheck`.
    """
    if "\0" in target or not os.path.lexists(target):
        raise NothingToCheck(f"{target}: no such file or folder")
    if os.path.isdir(target):
        roots = _roots(os.path.realpath(target), _shown(target), exclude)
        if not roots:
            raise NothingToCheck(
                f"{target}: nothing to check here. Looked for .claude-plugin/, plugin.json, agents/, skills/, commands/, hooks/, "
                "SKILL.md, and for such folders further down"
            )
        return Discovery(roots, None)
    if not os.path.isfile(target):
        raise NothingToCheck(f"{target}: neither a file nor a folder")
    return _file_target(target, exclude)


def _shown(target: str) -> str:
    shown = os.path.normpath(target).replace(os.sep, "/")
    return "" if shown == "." else shown


def shown_path(root_shown: str, rel: str) -> str:
    """How a person is shown a file: as the root was written, or relative to the working folder when the root is above it."""
    shown = join(root_shown, rel)
    if shown.startswith(".."):
        return os.path.relpath(os.path.abspath(shown)).replace(os.sep, "/")
    return shown


def excluded(entries: Iterable[str], shown: str, exclude: tuple[str, ...]) -> frozenset[str]:
    """The paths below a root that the configuration leaves out: matched from the root, or as a person is shown them."""
    if not exclude:
        return frozenset()
    from pluglint.globs import matches

    return frozenset(rel for rel in entries if any(matches(glob, rel) or matches(glob, shown_path(shown, rel)) for glob in exclude))


def real_path(path: str) -> str:
    """A path without links in its folders: one file may be shown by several paths."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def join(base: str, rel: str) -> str:
    return f"{base}/{rel}" if base and rel else base or rel


def _has(folder: str, *names: str) -> bool:
    return any(os.path.lexists(os.path.join(folder, name)) for name in names)


def looks_like(folder: str) -> str | None:
    """What a folder is taken for, or None."""
    if _has(folder, ".claude-plugin/marketplace.json") and not _has(folder, ".claude-plugin/plugin.json"):
        return MARKETPLACE
    if _has(folder, ".claude-plugin/plugin.json", ".claude-plugin"):
        return PLUGIN
    name = os.path.basename(folder)
    if name in _FOLDER_KINDS and not _has(folder, "plugin.json"):
        if name == ".claude" and not _has(folder, *_PLUGIN_PARTS):
            return None
        return _FOLDER_KINDS[name]
    if _has(folder, "SKILL.md") and not _has(folder, "plugin.json", "skills"):
        return SKILL_FOLDER
    if _portable(folder) or any(os.path.isdir(os.path.join(folder, part)) and _plugin_part(folder, part) for part in _PLUGIN_PARTS):
        return PLUGIN
    return None


def _portable(folder: str) -> bool:
    """A root plugin.json counts when it says that it is a portable manifest, or lies beside a component folder."""
    path = os.path.join(folder, "plugin.json")
    if not os.path.isfile(path) or os.path.islink(path):
        return False
    if any(os.path.isdir(os.path.join(folder, part)) for part in _PLUGIN_PARTS):
        return True
    try:
        with open(path, "rb") as handle:
            return b"agent-plugins.org" in handle.read(4096)
    except OSError:
        return False


def _plugin_part(folder: str, part: str) -> bool:
    """Whether a folder called `agents` and so on holds what its name says; many projects have an unrelated `commands/`."""
    path = os.path.join(folder, part)
    if os.path.islink(path):  # it may lead anywhere: nothing outside the target is listed
        return False
    try:
        with os.scandir(path) as entries:
            for count, entry in enumerate(entries):
                if count > 500:
                    break
                if part == "skills":
                    if entry.name == "SKILL.md" or os.path.lexists(os.path.join(entry.path, "SKILL.md")) or os.path.lexists(os.path.join(entry.path, "skill.md")):
                        return True
                elif part == "hooks":
                    if entry.name == "hooks.json":
                        return True
                elif entry.name.lower().endswith(".md"):
                    return True
    except OSError:
        return False
    return False


def _roots(path: str, shown: str, exclude: tuple[str, ...]) -> list[Root]:
    """The root at `path` and all package roots below it, outermost first."""
    kind = looks_like(path)
    entries, problems = _walk(path)
    out = excluded(entries, shown, exclude)
    inner = _inner_roots(path, {rel: entry for rel, entry in entries.items() if rel not in out} if out else entries) if kind in (None, PLUGIN, MARKETPLACE) else {}
    # Every entry belongs to the innermost root that holds it; one pass over all of them.
    owned: dict[str, dict[str, Entry]] = {rel: {} for rel in ("", *sorted(inner))}
    troubles: dict[str, list[Trouble]] = {rel: [] for rel in owned}
    if not inner:
        owned[""] = entries
    else:
        for rel, entry in entries.items():
            owner = _owner(rel, inner)
            if not owner:
                owned[""][rel] = entry
            elif rel != owner:
                name = rel[len(owner) + 1 :]
                owned[owner][name] = entry._replace(rel=name)
    for trouble in problems:
        owner = _owner(trouble.rel, inner)
        troubles[owner].append(trouble._replace(rel=trouble.rel[len(owner) + 1 :] if owner else trouble.rel))
    if kind is None and inner:  # no root at the top: what happened there is told with the first one
        first = next(iter(sorted(inner)))
        troubles[first].extend(Trouble("", f"{one.rel or 'the target'}: {one.message}") for one in troubles[""])
    roots = []
    if kind is not None:
        roots.append(Root(kind, path, shown, owned[""], tuple(troubles[""])))
    for rel, inner_kind in sorted(inner.items()):
        roots.append(Root(inner_kind, os.path.join(path, *rel.split("/")), join(shown, rel), owned[rel], tuple(troubles[rel])))
    return roots


def _owner(rel: str, inner: dict[str, str]) -> str:
    """The innermost root that a path belongs to, itself included; empty for the outermost."""
    if not inner:
        return ""
    while rel and rel not in inner:
        rel = rel.rpartition("/")[0]
    return rel


def _below(rel: str, inner: dict[str, str]) -> bool:
    if not inner:
        return False
    at = rel.find("/")
    while at >= 0:
        if rel[:at] in inner:
            return True
        at = rel.find("/", at + 1)
    return rel in inner


def _inner_roots(path: str, entries: dict[str, Entry]) -> dict[str, str]:
    """Package roots strictly below `path`: folders with a manifest, `.claude` folders, and plugins without a manifest.

    Inputs of tests, templates and plugins of another client are none.
    """
    found: dict[str, str] = {}
    for rel, entry in entries.items():
        parent, _, name = rel.rpartition("/")
        if not _NOT_SHIPPED.isdisjoint(rel.split("/")):
            continue
        if name == ".claude-plugin" and entry.folder and parent and entry.link is None:
            if _for_copilot(entries, parent):
                continue
            found[parent] = looks_like(entry.path[: -len("/.claude-plugin")]) or PLUGIN
        elif name == ".claude" and entry.folder and entry.link is None and looks_like(entry.path):
            found[rel] = CLAUDE_FOLDER
    if looks_like(path) in (None, MARKETPLACE):
        for rel, entry in entries.items():
            if entry.folder and entry.link is None and rel not in found and not _below(rel, found):
                name = entry.name
                if name in _PLUGIN_PARTS or name.startswith(".") or not (_PAGES | _NOT_SHIPPED).isdisjoint(rel.split("/")):
                    continue
                kind = looks_like(entry.path)
                if kind == PLUGIN and not _for_copilot(entries, rel):
                    found[rel] = kind
        if not found and looks_like(path) is None:
            for rel, entry in entries.items():
                if entry.folder and entry.link is None and not _below(rel, found):
                    kind = looks_like(entry.path)
                    if kind is not None and (kind not in (AGENTS_FOLDER, SKILLS_FOLDER, COMMANDS_FOLDER) or _plugin_part(*os.path.split(entry.path))):
                        found[rel] = kind
    return found


def _for_copilot(entries: dict[str, Entry], folder: str) -> bool:
    """Whether all agents of a folder are `*.agent.md`: Copilot CLI reads the same manifest, and its tools have other names."""
    start = folder + "/agents/"
    agents = [rel for rel in entries if rel.startswith(start) and rel.endswith(".md")]
    return bool(agents) and all(rel.endswith(".agent.md") for rel in agents)


def _walk(root: str) -> tuple[dict[str, Entry], list[Trouble]]:
    """All entries below a root in sorted order. Links are listed and not followed."""
    entries: dict[str, Entry] = {}
    problems: list[Trouble] = []
    stack = [("", root, 0)]
    while stack:
        prefix, folder, depth = stack.pop()
        try:
            with os.scandir(folder) as listing:
                found = sorted(islice(listing, FILE_LIMIT + 1), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(Trouble(prefix, f"the folder cannot be listed ({error.strerror or error})"))
            continue
        below = []
        for entry in found:
            name = entry.name
            rel = f"{prefix}/{name}" if prefix else name
            try:
                if entry.is_symlink():
                    link, is_folder = _lead(entry.path, root)
                    entries[rel] = Entry(rel, entry.path, 0, link, is_folder, 0)
                elif entry.is_dir(follow_symlinks=False):
                    if name in SKIPPED_FOLDERS:
                        continue
                    entries[rel] = Entry(rel, entry.path, 0, None, True, 0)
                    if depth >= DEPTH_LIMIT:
                        problems.append(Trouble(rel, f"the folder lies deeper than {DEPTH_LIMIT} levels and was not opened"))
                    else:
                        below.append((rel, entry.path, depth + 1))
                else:
                    info = entry.stat(follow_symlinks=False)
                    regular = stat.S_ISREG(info.st_mode)
                    entries[rel] = Entry(rel, entry.path, info.st_size if regular else -1, None, False, stat.S_IMODE(info.st_mode))
            except OSError as error:
                problems.append(Trouble(rel, f"the file cannot be looked at ({error.strerror or error})"))
        stack.extend(reversed(below))
        if len(entries) > FILE_LIMIT:
            problems.append(Trouble("", f"there are more than {FILE_LIMIT:,} files, and the rest was not looked at"))
            break
    return entries, problems


def _lead(path: str, root: str) -> tuple[str, bool]:
    """Where a link leads, without opening what it leads to."""
    try:
        real = os.path.realpath(path, strict=True)
    except FileNotFoundError:
        return "dangling", False
    except OSError:
        return "loop", False
    inside = real == root or real.startswith(root.rstrip(os.sep) + os.sep)
    return ("inside" if inside else "outside"), os.path.isdir(real)


def _file_target(target: str, exclude: tuple[str, ...]) -> Discovery:
    """A single file: inside its package when there is one above it, else alone."""
    path = os.path.abspath(target)
    shown = _shown(target)
    folder = os.path.dirname(path)
    up = os.path.dirname(shown)
    best: tuple[str, str] | None = None
    climb, climb_shown = folder, up
    for _ in range(8):
        kind = looks_like(climb)
        if kind in (PLUGIN, MARKETPLACE, CLAUDE_FOLDER):
            best = (climb, climb_shown)
            break
        if kind is not None and best is None:
            best = (climb, climb_shown)
        if os.path.lexists(os.path.join(climb, ".git")) or os.path.dirname(climb) == climb:
            break
        climb, climb_shown = os.path.dirname(climb), _parent(climb_shown)
    if best is not None:
        root, root_shown = os.path.realpath(best[0]), best[1]
        roots = _roots(root, root_shown, exclude)
        real = os.path.join(os.path.realpath(folder), os.path.basename(path))
        for one in roots:
            for rel, entry in one.entries.items():
                if entry.path == real:
                    return Discovery(roots, shown_path(one.shown, rel))
    name = os.path.basename(path)
    try:
        info = os.lstat(path)
    except OSError as error:
        raise NothingToCheck(f"{target}: cannot be read ({error.strerror})") from None
    if stat.S_ISLNK(info.st_mode):
        raise NothingToCheck(f"{target}: a symbolic link; name the file that it leads to")
    rel = os.path.basename(folder) + "/" + name if name == "SKILL.md" else name
    entry = Entry(rel, path, info.st_size, None, False, stat.S_IMODE(info.st_mode))
    base = _parent(up) if name == "SKILL.md" else up
    return Discovery([Root(SINGLE_FILE, folder, base, {rel: entry})], shown)


def _parent(shown: str) -> str:
    """The folder above a shown path; of the empty path (the working folder), `..`."""
    if not shown:
        return ".."
    if shown == ".." or shown.endswith("/.."):
        return shown + "/.."
    return os.path.dirname(shown)
