"""Which findings a change brought: the working tree against the commit where it left another branch.

The same rules run on both trees. A finding belongs to the change when the old tree did not have it (wherever it
stands: a deleted agent breaks a link in a file that nobody touched), or when its lines are part of the change.
"""

from __future__ import annotations

import os

from pluglint import engine, fingerprint
from pluglint.config import Config
from pluglint.discover import NothingToCheck, discover
from pluglint.finding import Finding
from pluglint.git import OldTree, base_of, entered, git, inside, old_tree, renames, top_of


def changed(findings: list[Finding], targets: list[str], config: Config, ref: str) -> list[bool]:
    """For each finding of a run on the working tree, whether it belongs to what changed since `ref`.

    Raises `git.CannotCompare`.
    """
    if not findings:
        base_of(top_of(targets), ref)  # a name that is wrong is wrong on a clean day too
        return []
    with old_tree(targets, ref) as tree:
        old = _findings(tree, config)
        renamed = renames(tree.top, tree.base)

        def new_path(path: str) -> str:
            path = inside(path, tree.folder, tree.top)
            return renamed.get(path, path)

        known = set(fingerprint.keys(old, new_path))
        old_path = {new: path for path, new in renamed.items()}
        lines: dict[str, list[tuple[int, int]]] = {}
        result = []
        for one, key in zip(findings, fingerprint.keys(findings, lambda path: inside(path, tree.top))):
            path = key[1]
            if key in known and path not in lines:
                lines[path] = _changed_lines(os.path.join(tree.folder, old_path.get(path, path)), os.path.join(tree.top, path))
            place = one.place
            result.append(key not in known or any(first <= place.end_line and place.line <= last for first, last in lines[path]))
        return result


def _findings(tree: OldTree, config: Config) -> list[Finding]:
    """What the rules find in the old tree, with the targets as far as they were there."""
    with entered(tree.working_folder):
        there = [target for target in tree.targets if _was_there(target, config)]
        try:
            return engine.check(there, config).findings if there else []
        except NothingToCheck:  # the configuration leaves everything out that was there
            return []


def _was_there(target: str, config: Config) -> bool:
    try:
        return bool(discover(target, config.exclude).roots)
    except NothingToCheck:
        return False


def _changed_lines(old: str, new: str) -> list[tuple[int, int]]:
    """First and last line of each piece of a file that differs from its older self, counted from 1 in the new one."""
    if not os.path.isfile(old) or not os.path.isfile(new):
        return []
    output = git(os.path.dirname(new), "diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--text", "-U0", "--", old, new, good=(0, 1))
    pieces = []
    for line in output.split(b"\n"):
        if line.startswith(b"@@ "):
            first, _, count = line.split(b" ")[2][1:].partition(b",")
            if count != b"0":
                pieces.append((int(first), int(first) + int(count or 1) - 1))
    return pieces
