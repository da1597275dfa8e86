"""Findings that a package already had: a file that names them, so that a run reports only what is new.

The file shrinks by itself: a finding that is gone leaves it at the next run. It grows only by `--write-baseline`.
One line a finding, sorted, and the version last, so that every finding's line ends in a comma and two branches
merge line by line.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from pluglint import fingerprint
from pluglint.discover import real_path
from pluglint.engine import INTERNAL_ERROR, Report
from pluglint.files import write_atomic

VERSION = 1


class BaselineError(Exception):
    """The file cannot be used; the message begins with its path."""


class Outcome(NamedTuple):
    """What a baseline says of a report.

    fresh   for each finding, whether it is new
    gone    entries whose finding is no more, among those that the run could have found
    others  all other entries of the file
    """

    fresh: list[bool]
    gone: dict[str, str]
    others: dict[str, str]


def read(path: str) -> dict[str, str]:
    """The entries of a baseline: `path: rule: fingerprint` -> message. Raises `BaselineError`."""
    from pluglint import shapes
    from pluglint.parse.json import parse_json
    from pluglint.schemas import load
    from pluglint.text import decode

    shown = path.replace(os.sep, "/")
    try:
        with open(path, "rb") as handle:
            source = decode(handle.read(), shown, os.path.basename(path))
    except FileNotFoundError:
        raise BaselineError(f"{shown}: no such file; `pluglint check --write-baseline {shown}` makes it") from None
    except OSError as error:
        raise BaselineError(f"{shown}: cannot be read: {error.strerror or error}") from None

    def fault(message: str, at: int) -> BaselineError:
        line, column = source.position(at)
        return BaselineError(f"{shown}:{line}:{column}: {message}")

    if source.bad_utf8 is not None:
        raise fault("not UTF-8", source.bad_utf8)
    node, error = parse_json(source.text)
    if error is not None or node is None:
        raise fault(f"not valid JSON: {error.message if error else 'empty'}", error.span.start if error else 0)
    found = shapes.check(node, load("baseline"))
    if found:
        version = node.get("version") if node.kind == "map" else None
        if found[0].keyword == "const" and version is not None and version.kind == "integer":
            raise fault(
                f"a baseline of version {version.plain()}, and this pluglint reads version {VERSION}: update pluglint",
                version.span.start,
            )
        raise fault(f"not a baseline: {found[0].sentence}", found[0].span.start)
    entries = {key: value for key, value in node.plain().items() if key != "version"}
    for key in entries:
        if key.count(": ") < 2:
            name = node.key(key)
            raise fault(f"'{key}' is not `path: rule: fingerprint`", name.span.start if name else 0)
    return entries


def compare(report: Report, path: str, entries: dict[str, str], targets: list[str]) -> Outcome:
    """Holds a report against the entries of the baseline at `path`."""
    present = _entries(report, path)
    fresh = [key is None or key not in entries for key in present]
    found = {key for key in present if key is not None}
    gone = {
        key: text
        for key, text in entries.items()
        if key not in found and not report.crashed and _looked_at(key, report, path, targets)
    }
    return Outcome(fresh, gone, {key: text for key, text in entries.items() if key not in gone})


def write(path: str, entries: dict[str, str]) -> None:
    """Raises OSError."""
    import json

    write_atomic(
        path, json.dumps({**dict(sorted(entries.items())), "version": VERSION}, indent=2, ensure_ascii=True) + "\n"
    )


def record(report: Report, path: str, targets: list[str]) -> tuple[int, int, int]:
    """Writes all findings of a report into a baseline; entries that the run could not see stay.

    Returns how many entries it holds, came and went. Raises `BaselineError`, OSError.
    """
    before = read(path) if os.path.lexists(path) else {}
    now = {key: one.message for key, one in zip(_entries(report, path), report.findings) if key is not None}
    after = {**compare(report, path, before, targets).others, **now}
    write(path, after)
    return len(after), len(after.keys() - before.keys()), len(before.keys() - after.keys())


def _entries(report: Report, path: str) -> list[str | None]:
    """The key of each finding in a baseline; None for a crash of pluglint, which no file may hide."""
    folder = os.path.dirname(os.path.realpath(path))

    def path_of(shown: str) -> str:
        return os.path.relpath(real_path(shown), folder).replace(os.sep, "/")

    return [
        None if key[0] == INTERNAL_ERROR else f"{key[1]}: {key[0]}: {fingerprint.digest(key)}"
        for key in fingerprint.keys(report.findings, path_of)
    ]


def _looked_at(key: str, report: Report, path: str, targets: list[str]) -> bool:
    """Whether a run could have found an entry: its rule ran, and its file was looked at or is gone from a target."""
    shown, rule, _ = key.rsplit(": ", 2)
    if rule not in report.rules:
        return False
    real = real_path(os.path.join(os.path.dirname(os.path.realpath(path)), shown))
    roots = [os.path.realpath(target) if os.path.isdir(target) else real_path(target) for target in targets]
    return any(real == root or os.path.isdir(root) and real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
