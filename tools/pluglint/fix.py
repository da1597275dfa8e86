"""Mends what rules can mend: edits in memory, checked again, and only then written.

Rounds until nothing is left to mend. In each, as many fixes as do not touch one another are applied in memory and
everything is checked again; a rule that then finds more in a file than before shows that a fix broke something. The
fixes of such a round are tried one by one, and those that break something are left out. Files are written at the end,
all or none: one that changed on disk meanwhile, or that cannot be written, stops the whole, and what was written
already is put back. Byte order marks and line ends stay as they are.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from typing import Iterable, Iterator, NamedTuple

from pluglint import engine
from pluglint.config import Config
from pluglint.engine import Report
from pluglint.finding import Finding, PlainEdit
from pluglint.load import read_all
from pluglint.text import edited
from pluglint.transaction import Change, write_all

ROUNDS = 50  # a fix whose result another fix undoes would go on for ever


class CannotFix(Exception):
    """Nothing was written; the message says why."""


class Outcome(NamedTuple):
    """What fixing comes to: `report` is that of the files as they are to be."""

    changes: list[Change]
    applied: list[Finding]
    report: Report


class _Tree:
    """The files as they are on disk, with the changes of this run over them."""

    def __init__(self, targets: list[str], config: Config) -> None:
        self.targets = targets
        self.config = config
        self.found = engine.discover_all(targets, config)
        # read once: a file that changes later must not meet findings of its older self
        self.before = read_all(self.found, config.max_file_size)
        self.after: dict[str, bytes] = {}

    def bytes_of(self, path: str) -> bytes:
        return self.after[path] if path in self.after else self.before[path]

    def check(self, over: dict[str, bytes]) -> Report:
        return engine.check(self.targets, self.config, self.found, {**self.before, **self.after, **over})


def fix(targets: list[str], config: Config, unsafe: bool = False) -> Outcome:
    """Applies fixes in memory. Raises `discover.NothingToCheck`."""
    tree = _Tree(targets, config)
    report = tree.check({})
    applied: list[Finding] = []
    refused: set[tuple] = set()
    for _ in range(ROUNDS):
        wanted = [one for one in report.findings if one.fix is not None and (one.fix.safe or unsafe) and _key(one) not in refused]
        chosen = _apart(wanted)
        if not chosen:
            break
        over, after = _try(tree, chosen, report)
        if after is None:
            for one in chosen:  # one by one: each stands on what the last one left
                over, after = _try(tree, [one], report)
                if after is None:
                    refused.add(_key(one))
                    continue
                chosen = [one]
                break
            else:
                continue
        tree.after.update(over)
        applied += chosen
        report = after
    changes = [Change(path, tree.before[path], data) for path, data in sorted(tree.after.items()) if data != tree.before[path]]
    return Outcome(changes, applied, report)


def _key(one: Finding) -> tuple:
    return (one.rule, one.place.path, one.message, one.fix)


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """As many fixes as do not touch one another, the first in a file first."""
    taken: dict[str, list[tuple[int, int]]] = {}
    chosen = []
    for one in sorted(findings, key=lambda one: one.sort_key):
        edits = one.fix.edits if one.fix is not None else ()
        if any(edit.start <= end and start <= edit.end for edit in edits for start, end in taken.get(edit.path, ())):
            continue
        for edit in edits:
            taken.setdefault(edit.path, []).append((edit.start, edit.end))
        chosen.append(one)
    return chosen


def _try(tree: _Tree, findings: list[Finding], before: Report) -> tuple[dict[str, bytes], Report | None]:
    """The changed files and the report on them; no report where something broke."""
    by_path: dict[str, list[PlainEdit]] = {}
    for one in findings:
        for edit in one.fix.edits if one.fix is not None else ():
            by_path.setdefault(os.path.realpath(edit.path), []).append(edit)
    over = {}
    for real, edits in by_path.items():
        try:
            over[real] = edited(tree.bytes_of(real), [(edit.start, edit.end, edit.text) for edit in edits])
        except UnicodeDecodeError:
            return {}, None
    after = tree.check(over)
    worse = _counts(after) - _counts(before)
    mended = Counter((one.rule, one.place.path) for one in findings)
    still = _counts(after) - (_counts(before) - mended)
    return over, None if worse or after.crashed or any(still[key] for key in mended) else after


def _counts(report: Report) -> Counter:
    return Counter((one.rule, one.place.path) for one in report.findings)


def write(changes: list[Change]) -> None:
    """Writes all changes or none. Raises `CannotFix`."""
    if not changes:
        return
    with _alone(changes):
        try:
            write_all(changes)
        except OSError as error:
            raise CannotFix(f"{error.filename}: {error.strerror}; nothing was changed") from None


@contextmanager
def _alone(changes: list[Change]) -> Iterator[None]:
    """One run at a time compares and writes: two that fix the same files would each take the other's for the old ones."""
    try:
        import fcntl
    except ImportError:  # Windows: the comparison above is all there is
        yield
        return
    folder = os.open(os.path.dirname(changes[0].path), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def diff(changes: list[Change]) -> str:
    """A unified diff, with paths as a person is shown them."""
    import difflib

    parts = []
    for one in changes:
        name = os.path.relpath(one.path).replace(os.sep, "/")
        old, new = ((data or b"").decode("utf-8", "replace").splitlines(keepends=True) for data in (one.before, one.after))
        for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)
