"""Small text helpers that several rules need: did you mean, numbers in words, plurals, near duplicates."""

from __future__ import annotations

import re
from typing import Iterable

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
}


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a misspelt one, or None when none is close.

    Equal but for case, hyphens and underscores wins; then at most one edit for short names, two for longer ones.
    """
    folded = _fold(name)
    best: tuple[int, str] | None = None
    limit = 1 if len(name) < 5 else 2
    for candidate in known:
        if _fold(candidate) == folded:
            return candidate
        if abs(len(candidate) - len(name)) <= limit:
            distance = edit_distance(name.lower(), candidate.lower(), limit)
            if distance <= limit and (best is None or (distance, candidate) < best):
                best = (distance, candidate)
    return best[1] if best else None


def _fold(name: str) -> str:
    return name.replace("-", "").replace("_", "").replace(" ", "").lower()


def edit_distance(left: str, right: str, limit: int) -> int:
    """Damerau-Levenshtein distance (adjacent swaps count one), or limit + 1 once it must be more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        fresh = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, fresh[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            fresh.append(cost)
        if min(fresh) > limit:
            return limit + 1
        before, row = row, fresh
    return row[-1]


def number(text: str) -> int | None:
    """The value of "12", "1,024", "five"; None for anything else."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+|\d{1,9}", text):
        return int(text.replace(",", ""))
    return NUMBER_WORDS.get(text.lower())


def plural(count: int, noun: str) -> str:
    """`1 item`, `2 items`, `2 entries`, `2 boxes`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def listed(names: Iterable[str], limit: int = 6) -> str:
    """`a, b and c`; past the limit the rest is counted."""
    names = list(names)
    if len(names) > limit:
        return f"{', '.join(names[:limit])} and {len(names) - limit} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
