"""What makes two findings the same one: for baselines, for `--since`, and for tools that follow a finding over time.

No line or column goes in, so a finding stays itself when text above it comes or goes. What goes in is the rule,
the path, the text of the line, and the message without its numbers (many state a count or a line that drifts).
"""

from __future__ import annotations

import re
from typing import Callable, Iterable

from pluglint.finding import Finding

Key = tuple[str, str, str, str, int]


def keys(findings: Iterable[Finding], path_of: Callable[[str], str] = str) -> list[Key]:
    """One key a finding, in their order: rule, path, line, message, and which of its equals it is, counted from 0.

    `path_of` turns a path as it is shown into the one that is compared.
    """
    seen: dict[tuple[str, str, str, str], int] = {}
    result = []
    for one in findings:
        key = (one.rule, path_of(one.place.path), " ".join(one.snippet.split()), re.sub(r"\d+", "#", one.message))
        number = seen[key] = seen.get(key, -1) + 1
        result.append((*key, number))
    return result


def digest(key: Key) -> str:
    """A key as 16 hexadecimal digits."""
    from hashlib import blake2b

    return blake2b("\0".join(map(str, key)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
