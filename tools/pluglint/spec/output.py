"""What `--format json` prints: version 1. Fields may be added within a version, never changed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pluglint.rule import ALL_PROFILES
from pluglint.spec import Open, one_of

Severity = Literal["error", "warning", "info"]
Count = Annotated[int, Field(ge=0)]
FromOne = Annotated[int, Field(ge=1)]


class Place(Open):
    """Lines and columns count from 1, columns in code points; the end is exclusive."""

    path: str = Field(description="With forward slashes, as the target was written.")
    line: FromOne
    column: FromOne
    end_line: FromOne
    end_column: FromOne


class Related(Place):
    """Another place that the finding speaks of."""

    label: str


class Fix(Open):
    """What `--fix` would do."""

    title: str
    safe: bool = Field(description="Whether what a model or a person reads keeps its meaning; others need --unsafe-fixes.")


class Finding(Place):
    """One fault."""

    rule: str = Field(description="Id of the rule; `pluglint explain` says more.", examples=["delegate-unknown"])
    severity: Severity
    message: str = Field(description="What is wrong.")
    hint: str = Field(description="What to do; may be empty.")
    related: list[Related]
    fix: Fix | None = Field(None, description="null where there is none.")


class Summary(Open):
    """Counts."""

    error: Count
    warning: Count
    info: Count
    suppressed: Count
    known: Count = Field(0, description="Findings left out because they were there before (`--since`, `--baseline`).")
    files: Count
    rules: dict[str, Count] = Field(description="Rule id to number of findings.")


class Package(Open):
    """One package root."""

    path: str
    kind: str = Field(description="What the root was taken for.", examples=["plugin", "marketplace"])
    name: str


class File(Open):
    """One file and what it was taken for."""

    path: str
    kind: str = Field(examples=["agent", "skill"])


class Output(Open):
    """The report of one run."""

    version: Literal[1]
    profile: one_of(list(ALL_PROFILES))  # type: ignore[valid-type]
    summary: Summary
    packages: list[Package]
    files: list[File]
    findings: list[Finding]
