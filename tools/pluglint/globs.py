"""Globs of the configuration."""

from __future__ import annotations

import re


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches a glob: `*` within a folder, `**` across folders; a pattern without a slash matches a name anywhere, a folder everything in it."""
    regex = _glob(pattern.strip("/"))
    return re.match(regex, path) is not None


def _glob(pattern: str) -> str:
    out = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            out.append(".*")
            at += 2
        elif pattern[at] == "*":
            out.append("[^/]*")
            at += 1
        elif pattern[at] == "?":
            out.append("[^/]")
            at += 1
        else:
            out.append(re.escape(pattern[at]))
            at += 1
    lead = "(?:.*/)?" if "/" not in pattern else ""
    return f"{lead}{''.join(out)}(?:/.*)?\\Z"
