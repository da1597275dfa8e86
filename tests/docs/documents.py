"""Which documents are shipped, and how they are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pluglint.parse.frontmatter import cut
from pluglint.parse.markdown import Markdown

ROOT = Path(__file__).resolve().parents[2]

_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
_WITH_BLOCKS = ("agents/*.md", "skills/*/SKILL.md", "skills/*/references/*.md", *_PAGES)
_WITH_CLAIMS = (*_WITH_BLOCKS, "AGENT_ANALYSIS_SUMMARY.md", "plugin.json", ".claude-plugin/*.json")


def with_blocks(root: Path = ROOT) -> list[str]:
    """The Markdown documents whose blocks are run, as paths relative to the repository, sorted."""
    return _found(root, _WITH_BLOCKS)


def with_claims(root: Path = ROOT) -> list[str]:
    """The documents whose numbers need a row, as paths relative to the repository, sorted."""
    return _found(root, _WITH_CLAIMS)


def _found(root: Path, patterns: tuple[str, ...]) -> list[str]:
    return sorted({path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)})


def read(path: Path) -> Markdown:
    """The structure of a document's body; offsets count from the start of the file."""
    text = path.read_text(encoding="utf-8")
    return Markdown(text, cut(text).body)


class Written(NamedTuple):
    """A part of a document that a command writes: from the start of its first comment to the end of its last."""

    start: int
    end: int
    command: str


_OPENING = re.compile(r"<!-- (?:generated: [\w-]+|([\w-]+): written by `([^`]+)`) -->")
_CLOSING = re.compile(r"<!-- end(?: of ([\w-]+))? -->")


def written(markdown: Markdown) -> tuple[list[Written], list[int]]:
    """(parts, strays): the parts that commands write, and the offsets of their comments that have no partner.

    They are `<!-- generated: NAME -->` to `<!-- end -->`, which `make gen` writes, and
    ``<!-- NAME: written by `COMMAND` -->`` to `<!-- end of NAME -->`.
    """
    parts: list[Written] = []
    strays: list[int] = []
    opened: tuple[int, re.Match[str]] | None = None
    for span in markdown.comments:
        comment = markdown.slice(span)
        if opening := _OPENING.fullmatch(comment):
            if opened is not None:
                strays.append(opened[0])
            opened = span.start, opening
        elif closing := _CLOSING.fullmatch(comment):
            if opened is None or opened[1].group(1) != closing.group(1):
                strays.append(span.start)
            else:
                parts.append(Written(opened[0], span.end, opened[1].group(2) or "make gen"))
                opened = None
    return parts, strays if opened is None else [*strays, opened[0]]


def shown(path: Path | str) -> str:
    """A path for messages: relative to the repository where it lies in it."""
    path = Path(path)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def line_of(text: str, offset: int) -> int:
    """The number of the line, from 1, that an offset stands in."""
    return text.count("\n", 0, offset) + 1
