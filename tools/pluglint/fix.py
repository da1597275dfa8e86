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
from pluglint.files import write_atomic
from pluglint.finding import Finding, PlainEdit
from pluglint.load import read_all, read_bytes
from pluglint.text import decode

ROUNDS = 50  # a fix whose result another fix undoes would go on for ever


class CannotFix(Exception):
    """Nothing was written; the message says why."""


class Change(NamedTuple):
    """A file before and after."""

    path: str
    before: bytes
    after: bytes


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
        data = edited(tree.bytes_of(real), edits)
        if data is None:
            return {}, None
        over[real] = data
    after = tree.check(over)
    worse = _counts(after) - _counts(before)
    mended = Counter((one.rule, one.place.path) for one in findings)
    still = _counts(after) - (_counts(before) - mended)
    return over, None if worse or after.crashed or any(still[key] for key in mended) else after


def _counts(report: Report) -> Counter:
    return Counter((one.rule, one.place.path) for one in report.findings)


def edited(data: bytes, edits: list[PlainEdit]) -> bytes | None:
    """The bytes of a file after some edits; None for a file that is not UTF-8, which cannot be written back as it was."""
    source = decode(data, "", "")
    if source.bad_utf8 is not None:
        return None
    raw = (data[3:] if source.bom else data).decode()
    # `decode` turns CR LF into LF: each one before an offset moves it by one
    pairs = _pairs(raw)
    newline = "\r\n" if source.newline == "\r\n" else "\n"
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        start, end = (offset + _before(pairs, offset) for offset in (edit.start, edit.end))
        raw = raw[:start] + edit.text.replace("\n", newline) + raw[end:]
    return (b"\xef\xbb\xbf" if source.bom else b"") + raw.encode()


def _pairs(raw: str) -> list[int]:
    """Offsets in the normalised text of the line ends that were CR LF."""
    found, at = [], raw.find("\r\n")
    while at >= 0:
        found.append(at - len(found))
        at = raw.find("\r\n", at + 2)
    return found


def _before(pairs: list[int], offset: int) -> int:
    from bisect import bisect_left

    return bisect_left(pairs, offset)


def write(changes: list[Change]) -> None:
    """Writes all changes or none. Raises `CannotFix`."""
    if not changes:
        return
    with _alone(changes):
        for one in changes:
            try:
                now = read_bytes(one.path, os.stat(one.path).st_size)
            except OSError as error:
                raise CannotFix(f"{one.path}: {error.strerror}; nothing was written") from None
            if now != one.before:
                raise CannotFix(f"{one.path} changed while it was checked; nothing was written, run it again")
        done: list[Change] = []
        try:
            for one in changes:
                write_atomic(one.path, one.after)
                done.append(one)
        except OSError as error:
            for one in done:
                write_atomic(one.path, one.before)
            raise CannotFix(f"{error.filename}: cannot be written ({error.strerror}); nothing was changed") from None


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
        old, new = (data.decode("utf-8", "replace").splitlines(keepends=True) for data in (one.before, one.after))
        for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)
