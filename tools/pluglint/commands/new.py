"""`pluglint new`: a plugin, an agent or a skill that passes every rule, written all or none.

The rules themselves decide whether it may be written: it is checked in the package in which it is to stand, with all
rules on, before the first file is there.
"""

from __future__ import annotations

import datetime
import os
import re
import tempfile
from typing import NamedTuple

from pluglint import discover, engine, scaffold
from pluglint.commands import UsageError
from pluglint.commands.check import settings
from pluglint.config import Config
from pluglint.discover import AGENTS_FOLDER, CLAUDE_FOLDER, MARKETPLACE, PLUGIN, SKILLS_FOLDER, Discovery, Entry
from pluglint.finding import Finding
from pluglint.load import load_package
from pluglint.report import printable
from pluglint.scaffold import AGENT, SKILL

KINDS = ("plugin", AGENT, SKILL)
# What a package asks of its own: it cannot be filled in for the author, and is said instead.
OF_THE_HOUSE = ("header-violates-house-schema", "section-missing")


class Home(NamedTuple):
    """The package that a new component goes into. `under` is the folder of its kind below it, empty where the package is that folder."""

    path: str
    under: str


def run(kind: str, name: str, into: str, description: str | None, author: str | None = None, license_id: str = "", parts: list[str] | None = None) -> int:
    _check_name(kind, name)
    text = _described(kind, name, description)
    if not os.path.isdir(into):
        raise UsageError(f"--into {into}: no such folder")
    if kind == "plugin":
        author = _line("--author", author) if author is not None else _author(into)
        return _plugin(name, into, text, author, _line("--license", license_id) if license_id else "", parts or [SKILL])
    return _component(kind, name, into, text)


def _check_name(kind: str, name: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name):
        close = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        raise UsageError(f"'{printable(name)}' cannot be the name of a {kind}: it takes lower-case letters, digits and single hyphens" + (f", as in '{close}'" if close else ""))
    if len(name) > scaffold.MAX_NAME:
        raise UsageError(f"the name has {len(name)} characters, {scaffold.MAX_NAME} are allowed")


def _described(kind: str, name: str, description: str | None) -> str:
    if description is None or not description.strip():
        raise UsageError(
            f"give --description: what the {kind} does and when to use it, on one line. The model goes by nothing else when it chooses. "
            f'As in: pluglint new {kind} {name} --description "Reads the log of a failed build and names the first error. Use when a build failed. Not for slow builds."'
        )
    return _line("--description", description)


def _line(option: str, text: str) -> str:
    text = text.strip()
    if not text:
        raise UsageError(f"{option} is empty")
    bad = next((char for char in text if not char.isprintable()), None)
    if bad is not None:
        raise UsageError(f"{option} holds the character U+{ord(bad):04X}; it takes one line of plain text")
    return text


def _author(folder: str) -> str:
    """Whom git knows as the author of commits here."""
    import subprocess

    try:
        done = subprocess.run(["git", "-C", folder, "config", "user.name"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    except OSError:
        done = None
    if done is None or not done.stdout.strip():
        raise UsageError("give --author: git has no `user.name` here, and a plugin names its author")
    return _line("git's `user.name`", done.stdout)


# -- a plugin


def _plugin(name: str, into: str, description: str, author: str, license_id: str, parts: list[str]) -> int:
    top = os.path.join(into, name)
    _must_be_free(into, name)
    files = scaffold.plugin(name, description, author, license_id, parts, datetime.date.today().isoformat())
    with tempfile.TemporaryDirectory(prefix="pluglint-new-") as temporary:  # checked where nothing else is around it
        trial = os.path.join(temporary, name)
        scaffold.create(trial, files)
        config = Config()
        config.select = ("all",)
        _refuse(engine.check([trial], config).findings, trial)
    scaffold.create(top, files)
    _say([os.path.join(top, rel) for rel in files])
    where = [os.path.join(top, rel) for rel in files if rel.endswith("SKILL.md") or rel.startswith("agents/")]
    print(f"\nNext: write down in {_shown(where[0])} how the work is done, then")
    print(f"  pluglint check {_quoted(top)}\n  claude --plugin-dir {_quoted(top)}")
    return 0


# -- an agent or a skill

def _component(kind: str, name: str, into: str, description: str) -> int:
    home = _home(kind, into)
    config = settings([home.path], None)
    config.select, config.ignore = ("all",), ()
    config.severity = {}
    rel = "/".join(part for part in (home.under, f"{name}.md" if kind == AGENT else f"{name}/SKILL.md") if part)
    text = (scaffold.agent if kind == AGENT else scaffold.skill)(name, description)
    found = discover.discover(home.path, config.exclude)
    folder = os.path.join(home.path, home.under)
    if os.path.islink(folder):
        raise UsageError(f"{_shown(folder)}: a symbolic link, which would lead the {kind} out of its package; make it a folder")
    _must_be_free(folder, f"{name}.md" if kind == AGENT else name)
    _must_be_new(kind, name, found, config)
    before = set(engine.check([home.path], config, [found]).findings)
    report = engine.check([home.path], config, [_with(found, rel, text)], {os.path.join(found.roots[0].path, *rel.split("/")): text.encode()})
    fresh = [one for one in report.findings if one not in before]
    path = os.path.join(home.path, *rel.split("/"))
    shown = discover.shown_path(found.roots[0].shown, rel)
    if shown not in report.files:
        raise UsageError(f"{shown}: `exclude` in the configuration leaves it out; nothing was written")
    if report.files[shown] != kind:
        raise UsageError(f"{shown}: would be no {kind} for the client: .claude-plugin/plugin.json names its {kind}s one by one; nothing was written")
    _refuse([one for one in fresh if one.place.path == shown and one.rule not in OF_THE_HOUSE], home.path)
    scaffold.create(*((path, {"": text}) if kind == AGENT else (os.path.dirname(path), {"SKILL.md": text})))
    _say([path])
    left = [one for one in fresh if one.place.path != shown or one.rule in OF_THE_HOUSE]
    if left:
        print("\nThis is left to you:")
        for one in left:
            print(f"  {printable(_shown(one.place.path))}:{one.place.line}:{one.place.column} {printable(one.message)} [{one.rule}]")
    print(f"\nNext: write down in {_shown(path)} how the work is done, then\n  pluglint check {_quoted(home.path)}")
    return 0


def _home(kind: str, into: str) -> Home:
    """Where a component belongs that is asked for in some folder."""
    above = _package_above(into)
    if above is None:
        inner = os.path.join(into, ".claude")
        if os.path.isdir(inner):
            return Home(inner, f"{kind}s")
        raise UsageError(f"{_shown(into)}: no plugin and no .claude folder here or above; `pluglint new plugin` makes one, --into names the folder of one")
    found, path = above
    if found == MARKETPLACE:
        raise UsageError(f"{_shown(path)}: a marketplace; name the folder of one of its plugins with --into")
    if found in (AGENTS_FOLDER, SKILLS_FOLDER):
        if found != f"{kind}s-folder":
            raise UsageError(f"{_shown(path)}: holds {found.split('-')[0]}, and the {kind} would go elsewhere; name the folder of a plugin with --into")
        return Home(path, "")
    return Home(path, f"{kind}s")


def _package_above(folder: str) -> tuple[str, str] | None:
    """(kind, path) of the package that holds a folder; the path is relative if `folder` is and the package is not above the working folder."""
    climb, path, lone = os.path.abspath(folder), folder, None
    while True:
        kind = CLAUDE_FOLDER if os.path.basename(climb) == ".claude" else discover.looks_like(climb)
        if kind in (PLUGIN, MARKETPLACE, CLAUDE_FOLDER):
            return kind, path
        if kind in (AGENTS_FOLDER, SKILLS_FOLDER) and lone is None:
            lone = kind, path
        parent = os.path.dirname(climb)
        if parent == climb or os.path.lexists(os.path.join(climb, ".git")):
            return lone
        climb, path = parent, os.path.relpath(parent)


def _must_be_free(folder: str, name: str) -> None:
    """Nothing is overwritten, nor put beside a name that macOS and Windows take for the same."""
    try:
        there = os.listdir(folder)
    except FileNotFoundError:
        return
    for other in there:
        if other.casefold() == name.casefold():
            path = _shown(os.path.join(folder, other))
            raise UsageError(f"{path}: is there already, nothing was written" if other == name else f"{path}: differs from '{name}' by upper and lower case only; macOS and Windows hold them for one")


def _must_be_new(kind: str, name: str, found: Discovery, config: Config) -> None:
    package = load_package(found.roots[0], config)
    taken = [one for one in package.agents if one.name == name and not package.agent_subfolder(one)] if kind == AGENT else [one for one in (*package.skills, *package.commands) if name in (one.name, one.string("name").strip())]
    if taken:
        raise UsageError(f"{_shown(taken[0].source.path)}: a{'n' if taken[0].kind == AGENT else ''} {taken[0].kind} called '{name}' is there already, nothing was written")


def _with(found: Discovery, rel: str, text: str) -> Discovery:
    """A package with one more file."""
    root = found.roots[0]
    entries = dict(root.entries)
    parts = rel.split("/")
    for count in range(1, len(parts)):
        folder = "/".join(parts[:count])
        entries.setdefault(folder, Entry(folder, os.path.join(root.path, *parts[:count]), 0, None, True, 0))
    entries[rel] = Entry(rel, os.path.join(root.path, *parts), len(text.encode()), None, False, 0o644)
    return found._replace(roots=[root._replace(entries=entries), *found.roots[1:]])


# -- words


def _refuse(findings: list[Finding], folder: str) -> None:
    """Raises `UsageError` with what the rules have against the new text."""
    if findings:
        told = "; ".join(f"{printable(one.message)}{f' ({printable(one.hint)})' if one.hint else ''} [{one.rule}]" for one in findings)
        raise UsageError(f"nothing was written: {told}".replace(folder + os.sep, ""))


def _say(paths: list[str]) -> None:
    for path in paths:
        print(f"wrote {printable(_shown(path))}")


def _shown(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(_shown(path))
