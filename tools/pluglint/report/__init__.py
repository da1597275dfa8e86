"""Reports: one module a format, each with `render(report) -> str`. Looked up by name, imported on demand."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pluglint.engine import Report

FORMATS = {
    "text": "pluglint.report.text",
    "json": "pluglint.report.json",
    "sarif": "pluglint.report.sarif",
    "github": "pluglint.report.github",
    "gitlab": "pluglint.report.gitlab",
    "junit": "pluglint.report.junit",
    "markdown": "pluglint.report.markdown",
}
# Read by services that know the files of a repository by their paths in it, wherever the run was started.
FROM_REPOSITORY = ("sarif", "github", "gitlab", "junit", "markdown")


def renderer(name: str) -> Any:
    return import_module(FORMATS[name])


def printable(text: str) -> str:
    """Text that cannot drive a terminal: control, hidden and bidirectional characters become visible escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\t" else f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}" if ord(char) > 255 else f"\\x{ord(char):02x}" for char in text)


def from_repository(report: Report) -> Report:
    """A report whose paths begin at the repository around the working folder, or at that folder where there is none.

    Paths of other places become absolute.
    """
    here = root = os.path.realpath(os.getcwd())
    while not os.path.lexists(os.path.join(root, ".git")):
        if os.path.dirname(root) == root:
            root = here
            break
        root = os.path.dirname(root)
    known: dict[str, str] = {}

    def path_of(path: str) -> str:
        if path not in known:
            head, tail = os.path.split(os.path.abspath(path))
            real = os.path.join(os.path.realpath(head), tail)
            below = real == root or real.startswith(root.rstrip(os.sep) + os.sep)
            known[path] = (os.path.relpath(real, root) if below else real).replace(os.sep, "/")
        return known[path]

    return report._replace(
        findings=[
            one._replace(
                place=one.place._replace(path=path_of(one.place.path)),
                related=tuple(place._replace(path=path_of(place.path)) for place in one.related),
            )
            for one in report.findings
        ],
        files={path_of(path): kind for path, kind in report.files.items()},
        packages=[(path_of(path), kind, name) for path, kind, name in report.packages],
    )
