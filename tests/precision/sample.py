"""Draws findings over public packages for a person to judge, and shows each with the lines around it.

    python tests/precision/sample.py run SOURCES REPORTS     check SOURCES/OWNER/NAME for each repository of verdicts.yaml
    python tests/precision/sample.py draw REPORTS            add the drawn findings to verdicts.yaml, as `open`
    python tests/precision/sample.py show SOURCES [RULE...]  print what is open, with context
    python tests/precision/sample.py again REPORTS           after a change of rules: note what is no longer found
    python tests/precision/sample.py fill REPORTS            then draw as many new ones of each rule, as `open` again

The repositories are not kept here: verdicts.yaml names each with its commit. The draw depends on the seed and the
reports alone. It goes round the repositories, and within one takes a message that it has not yet taken before one that it has.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from verdicts import OPEN, Judged, Row, read, write

from pluglint.rule import INFO, load

TOOLS = Path(__file__).resolve().parents[2] / "tools"
app = typer.Typer(add_completion=False, help=__doc__)
Finding = dict[str, Any]


@app.command()
def run(sources: Path, reports: Path) -> None:
    """Check every repository with every rule, its own suppressions and configuration left aside."""
    reports.mkdir(parents=True, exist_ok=True)
    asked = ["check", "--config", "none", "--no-cache", "--no-inline", "--select", "all", "--format", "json"]
    for one in read().repositories:
        made = subprocess.run(
            [sys.executable, "-m", "pluglint", *asked, one.name], cwd=sources, env={"PYTHONPATH": str(TOOLS)}, capture_output=True, text=True
        )
        if made.returncode not in (0, 1):
            raise typer.BadParameter(f"{one.name} cannot be checked: {made.stderr.strip() or made.stdout[-300:]}")
        _report(reports, one.name).write_text(made.stdout, encoding="utf-8")


@app.command()
def draw(reports: Path) -> None:
    """Draw at most `each` findings of every rule that is not in verdicts.yaml yet."""
    verdicts = read()
    by_rule = _by_rule(reports, [one.name for one in verdicts.repositories])
    for rule, found in sorted(by_rule.items()):
        if rule not in verdicts.rules:
            chosen = drawn(found, verdicts.each, f"{verdicts.seed}:{rule}")
            rows = [Row(repository=one["repository"], path=one["path"], line=one["line"], message=one["message"], verdict=OPEN) for one in chosen]
            verdicts.rules[rule] = Judged(severity=found[0]["severity"], severity_now=found[0]["severity"], found=len(found), found_now=len(found), rows=rows)
    write(verdicts)


@app.command()
def show(sources: Path, rules: Annotated[list[str] | None, typer.Argument()] = None, around: int = 2) -> None:
    """Print the open findings, numbered within their rule, with the lines around each."""
    for rule, judged in read().rules.items():
        if rules and rule not in rules:
            continue
        for number, row in enumerate(judged.rows, 1):
            if row.verdict == OPEN:
                print(f"\n## {rule} {number}  {row.repository} {row.path}:{row.line}\n>> {row.message}")
                file = sources / row.repository / row.path
                lines = file.read_text(encoding="utf-8", errors="replace").split("\n") if file.is_file() else []
                first = max(0, row.line - 1 - around)
                for at, line in enumerate(lines[first : row.line + around], first + 1):
                    print(f"{'*' if at == row.line else ' '}{at}: {line[:200]}")


@app.command()
def again(reports: Path) -> None:
    """Compare with new reports: count the findings anew, and mark the drawn ones that are no longer found."""
    verdicts = read()
    by_rule = _by_rule(reports, [one.name for one in verdicts.repositories])
    for rule, judged in verdicts.rules.items():
        found = by_rule.get(rule, [])
        judged.found_now = len(found)
        judged.severity_now = load(rule).rule.severity
        there = {(one["repository"], one["path"], one["line"]) for one in found}  # the words may have changed
        for row in judged.rows:
            row.gone = (row.repository, row.path, row.line) not in there
    write(verdicts)
    for rule in sorted(by_rule.keys() - verdicts.rules.keys()):
        print(f"{rule} fires now and was not drawn from: use draw")


@app.command()
def fill(reports: Path) -> None:
    """Draw findings that nobody has judged, until each error and warning has `each` again, or all that there are."""
    verdicts = read()
    by_rule = _by_rule(reports, [one.name for one in verdicts.repositories])
    for rule, judged in verdicts.rules.items():
        taken = {(row.repository, row.path, row.line) for row in judged.rows}
        left = [one for one in by_rule.get(rule, []) if (one["repository"], one["path"], one["line"]) not in taken]
        missing = verdicts.each - sum(not row.gone for row in judged.rows)
        if judged.severity_now != INFO and any(row.gone for row in judged.rows):
            judged.rows += [
                Row(repository=one["repository"], path=one["path"], line=one["line"], message=one["message"], verdict=OPEN, fresh=True)
                for one in drawn(left, missing, f"{verdicts.seed}:{rule}:again")
            ]
    write(verdicts)


def drawn(found: list[Finding], each: int, seed: str) -> list[Finding]:
    """A sample of one rule's findings: round the repositories, new messages before repeated ones, else by chance."""
    chance = random.Random(seed)
    waiting: dict[str, list[Finding]] = {}
    for one in sorted(found, key=lambda one: (one["repository"], one["path"], one["line"], one["message"])):
        waiting.setdefault(one["repository"], []).append(one)
    for repository, ones in waiting.items():
        chance.shuffle(ones)
        said: set[str] = set()
        first, repeated = [], []
        for one in ones:
            (repeated if one["message"] in said else first).append(one)
            said.add(one["message"])
        waiting[repository] = (first + repeated)[::-1]
    chosen: list[Finding] = []
    while len(chosen) < each and any(waiting.values()):
        turn = [ones for ones in waiting.values() if ones]
        chance.shuffle(turn)
        chosen += [ones.pop() for ones in turn[: each - len(chosen)]]
    return sorted(chosen, key=lambda one: (one["repository"], one["path"], one["line"]))


def _by_rule(reports: Path, repositories: list[str]) -> dict[str, list[Finding]]:
    by_rule: dict[str, list[Finding]] = {}
    for name in repositories:
        for one in json.loads(_report(reports, name).read_text(encoding="utf-8"))["findings"]:
            one.update(repository=name, path=one["path"].removeprefix(name + "/"))
            by_rule.setdefault(one["rule"], []).append(one)
    return by_rule


def _report(reports: Path, repository: str) -> Path:
    return reports / (repository.replace("/", "+") + ".json")


if __name__ == "__main__":
    app()
