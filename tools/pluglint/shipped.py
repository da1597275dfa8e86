"""Which files of a plugin reach its users: what `pluglint pack` packs and what `pluglint release` compares.

Left out are tests, caches, version control, editors' files, virtual environments, and what git ignores. The client
itself copies whatever lies in the folder.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import NamedTuple

from pluglint.config import Config
from pluglint.git import CannotCompare, git
from pluglint.globs import matches

# Names of files and folders, anywhere in the plugin. README.md holds this list too, and a test compares the two.
LEFT_OUT = {
    "version control and its services": (
        ".git",
        ".gitignore",
        ".gitattributes",
        ".gitmodules",
        ".gitkeep",
        ".hg",
        ".hgignore",
        ".svn",
        ".jj",
        ".github",
        ".gitlab",
        ".gitlab-ci.yml",
        ".circleci",
        ".ci",
        ".pre-commit-config.yaml",
    ),
    "tests": ("tests", "test", "__tests__"),
    "caches and builds": (
        "__pycache__",
        "*.pyc",
        ".pytest_cache",
        ".hypothesis",
        ".mypy_cache",
        ".ruff_cache",
        ".coverage",
        "node_modules",
        "build",
        "dist",
        "*.egg-info",
        ".eggs",
    ),
    "virtual environments": (".venv", "venv", ".tox", ".nox", "site-packages"),
    "editors and systems": (
        ".idea",
        ".vscode",
        ".editorconfig",
        "*.swp",
        "*~",
        "*.orig",
        "*.rej",
        ".DS_Store",
        "Thumbs.db",
    ),
    "settings of one person": (".env", ".claude"),
}
_NAMES = tuple(name for names in LEFT_OUT.values() for name in names)
_NEVER = frozenset((".git", ".hg", ".svn", ".jj"))  # not even when `include` says all


class Shipped(NamedTuple):
    """The files of a plugin that reach its users.

    files    path in the plugin, forward slashes -> path to open
    left     paths that are left out; a folder ends in a slash and stands for all in it
    refused  one sentence for each link that no archive can hold
    """

    files: dict[str, str]
    left: list[str]
    refused: list[str]


def shipped(root: str, config: Config, ask_git: bool = True, skip: tuple[str, ...] = ()) -> Shipped:
    """The shipped files below a folder. `skip`: folders in it that are other plugins.

    Raises `git.CannotCompare` where git is there and fails.
    """
    known = _known_to_git(root) if ask_git else None
    result = Shipped({}, [], [])
    pending = [("", os.path.realpath(root), ())]
    while pending:
        prefix, folder, above = pending.pop()
        below = []
        for name in sorted(os.listdir(folder)):
            rel, path = f"{prefix}{name}", os.path.join(folder, name)
            link = os.path.islink(path)
            is_folder = os.path.isdir(path)
            if name in _NEVER or path in skip:
                continue
            if is_folder and not (config.pack_include and not link) and _left_out(rel, True, config):
                result.left.append(rel + "/")
                continue
            if not is_folder or link:
                if (
                    _left_out(rel, is_folder, config)
                    or known is not None
                    and not _known(rel, known)
                    and not _included(rel, config)
                ):
                    result.left.append(rel + ("/" if is_folder else ""))
                    continue
                real = os.path.realpath(path)
                if link and not (real + os.sep).startswith(os.path.realpath(root).rstrip(os.sep) + os.sep):
                    result.refused.append(
                        f"{rel} is a link to {os.readlink(path)}, outside of the plugin, and would be lost"
                    )
                    continue
                if link and not os.path.exists(real):
                    result.refused.append(f"{rel} is a link to {os.readlink(path)}, which does not exist")
                    continue
                if is_folder and (real in above or (path + os.sep).startswith(real + os.sep)):
                    result.refused.append(f"{rel} is a link to {os.readlink(path)}, a folder that holds it")
                    continue
                if not is_folder:
                    result.files[rel] = path
                    continue
            below.append((f"{rel}/", path, (*above, os.path.realpath(path))))
        pending.extend(reversed(below))
    return result._replace(files=dict(sorted(result.files.items())))


def _known(rel: str, known: set[str]) -> bool:
    """Whether git takes a file for part of the repository, or the link through which it is reached."""
    while rel and rel not in known:
        rel = rel.rpartition("/")[0]
    return bool(rel)


def _included(rel: str, config: Config) -> bool:
    return any(matches(glob, rel) for glob in config.pack_include)


def _left_out(rel: str, folder: bool, config: Config) -> bool:
    if _included(rel, config):
        return False
    if any(matches(glob, rel) for glob in config.pack_exclude):
        return True
    parts = rel.split("/")
    if parts[0] in ("agents", "commands") and (folder or rel.endswith(".md")):
        return False  # commands/test.md and agents/build/ are components, whatever they are called
    if parts[0] == "skills":
        parts = parts[2:]  # as is skills/test/
    return any(fnmatchcase(part, name) for part in parts for name in _NAMES)


def _known_to_git(root: str) -> set[str] | None:
    """Files that git has, or would take.

    None where git has no say: outside of a repository, or in a folder that it ignores as a whole.
    """
    try:
        listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    except CannotCompare as error:
        if "not a git repository" in str(error) or "no `git` on PATH" in str(error):
            return None
        raise
    found: set[str] = set()
    for name in os.fsdecode(listed).split("\0")[:-1]:
        path = os.path.join(root, name)
        if os.path.isdir(path) and not os.path.islink(path):  # a submodule, or a repository of its own
            inner = _known_to_git(path)
            found |= {name.rstrip("/")} if inner is None else {f"{name.rstrip('/')}/{one}" for one in inner}
        else:
            found.add(name)
    return found or None
