"""What a release is held against: plugins as they are, the commit that was released, plugins as they were then."""

from __future__ import annotations

import os
import re

from pluglint import engine
from pluglint.changelog import order
from pluglint.claims import entry_packages
from pluglint.config import Config
from pluglint.discover import PLUGIN, Entry, NothingToCheck, discover
from pluglint.git import CannotCompare, Tag, base_of, is_shallow
from pluglint.model import JsonDocument, Package, Workspace
from pluglint.parse.node import STRING, Node
from pluglint.semver import PATTERN


class CannotRelease(Exception):
    """There is nothing to judge; the message says why, and what to do."""


# -- the plugins


def open_packages(target: str, config: Config, contents: dict[str, bytes]) -> tuple[list[Package], list[Package]]:
    """All packages that have to agree, and those of them that the target names."""
    try:
        found = discover(target, config.exclude)
    except NothingToCheck as error:
        raise CannotRelease(str(error)) from None
    if found.only is not None:
        raise CannotRelease(f"{target}: name the folder of the plugin, not a file in it")
    paths = {root.path for root in found.roots if root.kind == PLUGIN}
    if not paths:
        raise CannotRelease(f"{target}: no plugin is here; a release is one of a plugin, or of those of a marketplace")
    holder = _marketplace_above(target)
    if holder is not None:
        wider = discover(holder, config.exclude)
        if paths <= {root.path for root in wider.roots}:
            found = wider
    for root in found.roots:
        for path, data in contents.items():
            if os.path.dirname(path) == root.path and not os.path.lexists(path):  # a changelog that is to begin
                root.entries[os.path.basename(path)] = Entry(
                    os.path.basename(path), path, len(data), None, False, 0o644
                )
    packages = engine._packages(found, config, {}, dict(contents))
    Workspace(packages)
    for package in packages:
        for document in (package.manifest, package.portable_manifest, package.marketplace):
            if document is not None and document.error is not None:
                line, column = document.source.position(document.error.span.start)
                raise CannotRelease(f"{document.source.path}:{line}:{column}: {document.error.message}; mend it first")
    return packages, [package for package in packages if package.path in paths]


def _marketplace_above(target: str) -> str | None:
    """The nearest folder above that is a marketplace, within the repository."""
    folder = os.path.realpath(target)
    while not os.path.lexists(os.path.join(folder, ".git")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        if os.path.isfile(os.path.join(folder, ".claude-plugin", "marketplace.json")):
            return os.path.relpath(folder)
    return None


def stated_version(package: Package, packages: list[Package]) -> tuple[JsonDocument | None, Node | None]:
    """The file and the place of a plugin's version: the first that states one, as the client looks for it."""
    for document in (package.manifest, package.portable_manifest):
        node = document.get("version") if document is not None else None
        if node is not None and node.kind == STRING:
            return document, node
    for shop in packages:
        for entry, target in entry_packages(shop):
            node = entry.get("version")
            if target is package and node is not None and node.kind == STRING:
                return shop.marketplace, node
    return package.manifest or package.portable_manifest, None


def _opened(path: str, config: Config) -> list[Package]:
    try:
        packages = engine._packages(discover(path, config.exclude), config, {}, {})
    except NothingToCheck:
        return []
    Workspace(packages)
    return packages


def plugin_at(path: str, config: Config) -> Package | None:
    """The plugin whose folder this is."""
    if not os.path.isdir(path):
        return None
    real = os.path.realpath(path)
    return next((one for one in _opened(path, config) if one.kind == PLUGIN and one.path == real), None)


def old_package(tree: str, rel: str, package: Package, wanted: list[Package], config: Config) -> Package | None:
    """The plugin as it was: in the same folder, else wherever one of its name was; None when it was not there."""
    there = [one for one in _opened(tree, config) if one.kind == PLUGIN]
    here = os.path.realpath(os.path.join(tree, rel))
    same = next((one for one in there if one.path == here), None) or plugin_at(here, config)
    if same is not None and same.name == package.name:
        return same
    by_name = next((one for one in there if one.name == package.name), None)
    if by_name is not None:
        return by_name
    if same is not None and all(one.name != same.name for one in wanted):
        return same  # renamed
    return None


# -- the reference


def tagged_version(tag: str, name: str) -> tuple[str, bool] | None:
    """The version in a tag's name, and whether the tag is of this plugin alone."""
    own = re.fullmatch(rf"{re.escape(name)}(?:--?|[@/_])v?({PATTERN})", tag)
    if own is not None:
        return own.group(1), True
    general = re.fullmatch(rf"v?({PATTERN})", tag)
    return (general.group(1), False) if general is not None else None


def around(package: Package) -> list[Package]:
    """The plugin, and what was opened with it."""
    return package.workspace.packages if package.workspace is not None else [package]


def version_tags(known: list[Tag], package: Package) -> list[tuple[str, bool, Tag]]:
    """(version, whether the tag is of this plugin alone, tag). Bare ones count where the plugin has none of its own."""
    found = []
    for tag in known:
        version = tagged_version(tag.name, package.name)
        if version is not None:
            found.append((*version, tag))
    alone = sum(one.kind == PLUGIN for one in around(package)) == 1
    return [one for one in found if one[1] or alone or not any(own for _, own, _ in found)]


def reference_of(top: str, since: str | None, package: Package, known: list[Tag]) -> tuple[str, str]:
    """(name, commit) to compare with. Raises `CannotCompare`."""
    if since is not None:
        tag = next((tag for tag in known if since in (tag.name, f"refs/tags/{tag.name}", f"tags/{tag.name}")), None)
        return since, tag.commit if tag is not None else base_of(top, since)
    behind = [(version, tag) for version, _, tag in version_tags(known, package) if tag.behind]
    if behind:
        _, tag = max(behind, key=lambda one: order(one[0]))
        return tag.name, tag.commit
    others = next(
        (
            tag
            for tag in known
            if tag.behind and any(tagged_version(tag.name, one.name) for one in around(package) if one.kind == PLUGIN)
        ),
        None,
    )
    if others is not None:  # it was never released alone; the others were
        return others.name, others.commit
    forms = f"{package.name}--v1.2.3, {package.name}@1.2.3, v1.2.3 or 1.2.3"
    if is_shallow(top):
        raise CannotCompare(
            "this clone is shallow and has no tag of a version; fetch them with `git fetch --unshallow --tags` "
            "(with actions/checkout: `fetch-depth: 0`)"
        )
    elsewhere = [tag.name for _, _, tag in version_tags(known, package)]
    if elsewhere:
        raise CannotCompare(
            f"no tag of a version comes before the present commit, but {elsewhere[0]} is elsewhere; "
            f"`--since {elsewhere[0]}` compares with it"
        )
    more = "; `git fetch --tags` brings those of the remote" if not known else ""
    raise CannotCompare(
        f"no tag names a released version ({forms}); say with `--since REF` which commit was released last{more}"
    )
