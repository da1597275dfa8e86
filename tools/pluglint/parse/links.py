"""What link targets mean: a path in the package, an anchor, or something that cannot be judged here."""

from __future__ import annotations

import re

from pluglint.parse.markdown import Markdown

# Made by tools, not listed with a package: whether something is in them cannot be seen.
_UNLISTED = frozenset(".git node_modules __pycache__ .venv venv dist build site-packages target out coverage".split())
_PLACEHOLDERS = frozenset("url link href target path file src image source filename".split())
# Folders whose files are copied elsewhere: their links hold there.
_COPIED = frozenset("templates template assets fixtures testdata evals".split())


def local(target: str) -> tuple[str, str] | None:
    """(path, anchor) of a target that leads to a file or an anchor, percent escapes undone; None for addresses and placeholders."""
    if not target or any(char in target for char in "{}<>$*|\\`") or "..." in target or "…" in target or target.startswith("//"):
        return None
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", target):
        return None
    path, _, anchor = target.partition("#")
    path = path.partition("?")[0]
    if "%" in target:
        from urllib.parse import unquote

        path, anchor = unquote(path), unquote(anchor)
    if "\0" in path or path.lower() in _PLACEHOLDERS or path.lower().startswith(("path/to", "./path/to", "/path/to", "your-", "my-")):
        return None
    return path, anchor


def resolve(folder: str, path: str) -> str | None:
    """The path below the root that a relative path means, seen from a folder; None when it leaves the root."""
    parts = folder.split("/") if folder and not path.startswith("/") else []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def unlisted(rel: str) -> bool:
    """Whether a path leads through a folder that is not listed."""
    return any(part in _UNLISTED for part in rel.split("/"))


def gap(package, rel: str) -> str:
    """The first folder on a path that does not exist, or "" where only the last part is missing."""
    at = rel.find("/")
    while at >= 0:
        if not package.exists(rel[:at]):
            return rel[:at]
        at = rel.find("/", at + 1)
    return ""


def elsewhere(package, rel: str) -> bool:
    """Whether a path below a marketplace's root belongs to one of its plugins, and exists there."""
    if package.workspace is None:
        return False
    path = f"{package.path.rstrip('/')}/{rel}"
    for other in package.workspace.packages:
        if other is not package and (path == other.path or path.startswith(other.path + "/")) and other.exists(path[len(other.path) :]):
            return True
        if other is not package and other.path.startswith(path + "/"):  # a folder that holds plugins
            return True
    return False


def is_template(rel: str) -> bool:
    """Whether a file is there to be copied, so that its links hold elsewhere."""
    parts = rel.lower().split("/")
    return any(part in _COPIED for part in parts[:-1]) or "template" in parts[-1]


def name_index(package) -> dict[str, list[str]]:
    """File name in lower case -> the paths that end in it."""
    index: dict[str, list[str]] = {}
    for rel in package.entries:
        index.setdefault(rel.rpartition("/")[2].lower(), []).append(rel)
    return index


def names_by_folder(package) -> dict[str, list[str]]:
    """Folder -> names in it. Folders with very many names are left out: nobody can guess among them quickly."""
    index: dict[str, list[str]] = {}
    for rel in package.entries:
        folder, _, name = rel.rpartition("/")
        index.setdefault(folder, []).append(name)
    return {folder: names for folder, names in index.items() if len(names) <= 500}


def relative(folder: str, rel: str) -> str:
    """How a file of the package is written in a link from a folder."""
    here = folder.split("/") if folder else []
    there = rel.split("/")
    common = 0
    while common < len(here) and common < len(there) - 1 and here[common] == there[common]:
        common += 1
    return "/".join([".."] * (len(here) - common) + there[common:])


def anchors(markdown: Markdown) -> set[str]:
    """Every anchor of a file: those that GitHub gives to headings, and `id` and `name` in HTML."""
    found: set[str] = set()
    counts: dict[str, int] = {}
    for heading in markdown.headings:
        explicit = re.search(r"\{#([^\s{}]+)\}\s*\Z", heading.text) if heading.text.endswith("}") else None
        if explicit is not None:
            found.add(explicit.group(1).lower())
        slugs = {slug(heading.text), slug(heading.text, emphasis=True)}
        for one in slugs:
            seen = counts.get(one, 0)
            counts[one] = seen + 1
            found.add(one if not seen else f"{one}-{seen}")
    prose = markdown.prose
    if "id=" in prose or "name=" in prose:
        for match in re.finditer(r"<[A-Za-z][^<>\n]{0,300}?\b(?:id|name)=[\"']?([^\"'\s>]+)", prose):
            found.add(match.group(1).lower())
    return found


def slug(text: str, emphasis: bool = False) -> str:
    """The anchor that GitHub makes of a heading.

    `emphasis`: with single underscores around words taken as marks, which a slug loses.
    """
    if "](" in text:
        text = re.sub(r"!\[([^\[\]]*)\]\([^()]*\)", "", text)
        text = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    if "<" in text:
        text = re.sub(r"</?[A-Za-z][^<>]*>", "", text)
    if emphasis and "_" in text:
        text = re.sub(r"(?<!\w)_+([^_]+)_+(?!\w)", r"\1", text)
    return "".join("-" if char == " " else char for char in text.strip().lower() if char.isalnum() or char in " -_" or (ord(char) > 0x2FF and ("a" + char).isidentifier()))


def fold_anchor(anchor: str) -> str:
    """An anchor as it is compared: case and invisible marks of emojis do not count."""
    return anchor.lower().replace("\ufe0f", "").replace("\u200d", "")


def skill_folder(document) -> str | None:
    """The folder of the skill that a document belongs to, or None."""
    folder = document.folder
    while True:
        if document.package.exists(f"{folder}/SKILL.md" if folder else "SKILL.md"):
            return folder
        if not folder:
            return None
        folder = folder.rpartition("/")[0]
