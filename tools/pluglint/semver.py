"""Versions as Semantic Versioning 2.0.0 has them: what is one, by which part it rose, what comes next."""

from __future__ import annotations

import re
from typing import NamedTuple

PATCH, MINOR, MAJOR = "patch", "minor", "major"
PARTS = (PATCH, MINOR, MAJOR)  # from the smallest to the largest

# semver.org, "Is there a suggested regular expression to check a SemVer string?"
_NUMBER = r"(0|[1-9]\d*)"
_PRE = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
PATTERN = rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_PRE}(?:\.{_PRE})*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"


class Version(NamedTuple):
    """The numbers of a version; `pre` is what stands after the hyphen, "" for a release."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


def parse(text: str) -> Version | None:
    """A version, or None for what Semantic Versioning does not take (`v1.2.3`, `1.2`)."""
    match = re.fullmatch(PATTERN, text, re.ASCII)
    return Version(int(match[1]), int(match[2]), int(match[3]), match[4] or "") if match is not None else None


def needed(old: Version, part: str) -> str:
    """The part that has to rise for a change of this weight. Before 1.0.0 the minor number carries breaks.

    Semantic Versioning leaves 0.y.z open (point 4); that the minor number rises is what its FAQ advises and what
    package managers take a caret range to mean.
    """
    return MINOR if part == MAJOR and old.major == 0 else part


def rose(old: Version, new: Version) -> str:
    """The largest part that differs; "" where only what stands after the hyphen does."""
    return next(
        (
            part
            for part, one, other in (
                (MAJOR, old.major, new.major),
                (MINOR, old.minor, new.minor),
                (PATCH, old.patch, new.patch),
            )
            if one != other
        ),
        "",
    )


def enough(old: Version, new: Version, part: str) -> bool:
    """Whether a higher version tells of a change of this weight; any step from a pre-release does."""
    step = rose(old, new)
    return bool(old.pre) or bool(step) and PARTS.index(step) >= PARTS.index(needed(old, part))


def following(old: Version, part: str) -> Version:
    """The version after a change: the part rises, those behind it fall to zero; a pre-release becomes its release."""
    if old.pre:
        return Version(old.major, old.minor, old.patch)
    if part == MAJOR:
        return Version(old.major + 1, 0, 0)
    return Version(old.major, old.minor + 1, 0) if part == MINOR else Version(old.major, old.minor, old.patch + 1)
