"""The file of verdicts: what was checked, what was drawn from it, and what a reader of each finding decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from pluglint.files import write_atomic

FILE = Path(__file__).with_name("verdicts.yaml")
RIGHT, DEBATABLE, WRONG, OPEN = "right", "debatable", "wrong", "open"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Repository(_Strict):
    """A package that was checked: its name on GitHub, the commit, and the day of that commit."""

    name: str
    commit: str
    date: str


class Row(_Strict):
    """One drawn finding and what was decided about it.

    gone         the rule, changed after the judging, no longer reports it
    verdict_now  the verdict on what the changed rule says at the place, where that is another
    fresh        drawn after the change
    """

    repository: str
    path: str
    line: int
    message: str
    verdict: str
    note: str = ""
    gone: bool = False
    verdict_now: str = ""
    fresh: bool = False

    @model_validator(mode="after")
    def _known(self) -> Row:
        if self.verdict not in (RIGHT, DEBATABLE, WRONG, OPEN):
            raise ValueError(f"a verdict is right, debatable, wrong or open, not '{self.verdict}'")
        if self.verdict in (DEBATABLE, WRONG) and not self.note:
            raise ValueError(f"{self.repository} {self.path}:{self.line} is {self.verdict} without a note that says why")
        return self


class Judged(_Strict):
    """One rule: its findings when they were drawn, its findings now, what was changed in between, and the drawn ones."""

    severity: str
    severity_now: str
    found: int
    found_now: int
    changed: str = ""
    rows: list[Row]


class Verdicts(_Strict):
    """`seed` and `each` are those of the draw: at most `each` findings of a rule."""

    seed: int
    each: int
    repositories: list[Repository]
    rules: dict[str, Judged] = {}


def read(path: Path = FILE) -> Verdicts:
    return Verdicts.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def write(verdicts: Verdicts, path: Path = FILE) -> None:
    """Writes the file: one line for each drawn finding, so that a change of one verdict is a change of one line."""
    lines = [f"seed: {verdicts.seed}", f"each: {verdicts.each}", "repositories:"]
    lines += [f"- {_flow(one.model_dump())}" for one in verdicts.repositories]
    lines.append("rules:")
    for rule, judged in sorted(verdicts.rules.items()):
        lines.append(f"  {rule}:")
        for key in ("severity", "severity_now", "found", "found_now", "changed"):
            if getattr(judged, key) != "":
                lines.append(f"    {key}: {_flow(getattr(judged, key))}")
        lines.append("    rows:")
        lines += [f"    - {_flow(row.model_dump(exclude_defaults=True))}" for row in judged.rows]
    write_atomic(str(path), "\n".join(lines) + "\n")


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.strip().removesuffix("...").strip()
