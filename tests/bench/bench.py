#!/usr/bin/env python3
"""Times pluglint against its peers and the bare interpreter, side by side in one run, and prints ratios.

    python tests/bench/bench.py [--tree DIR] [--runs N] [--peers DIR] [--json] [--write README.md]

The commands take turns, so that a change of load hits all of them alike; the ratio of medians is what
counts, never a time alone. Cold means an empty cache, warm one that holds the report. Peak memory is
the sum over a command's processes of their proportional set size, sampled every few milliseconds (Linux),
in runs of their own. `--write` puts the table between the markers of a page.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from make_tree import make_tree

TINY = {
    ".claude-plugin/plugin.json": '{"name": "tiny", "version": "1.0.0", "description": "One skill.", "author": {"name": "Example Author"}}\n',
    "skills/hello/SKILL.md": "---\nname: hello\ndescription: Greets a person by name. Use when someone asks for a greeting.\n---\n\n# Hello\n\nSay hello to the person by name.\n",
}
# Peers on PyPI that read a whole plugin, and how they are called. The slow ones get fewer runs.
PEERS = {"agnix": ["agnix"], "skilllint": ["skilllint", "check"], "skillsaw": ["skillsaw", "lint"]}
SLOW = {"skilllint", "skillsaw"}
START, END = "<!-- speed: written by `make bench` -->", "<!-- end of speed -->"
# Byte code is kept between runs wherever people use the tool; a machine that forbids it would time the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Command(NamedTuple):
    """One thing to time. `cache` is its cache folder; it is emptied before each run where `cold`."""

    arguments: list[str]
    cache: str = ""
    cold: bool = False

    def environment(self) -> dict[str, str]:
        if self.cold:
            shutil.rmtree(self.cache, ignore_errors=True)
        return {**ENVIRONMENT, "PLUGLINT_CACHE_DIR": self.cache}


def wall(command: Command) -> float:
    """Seconds that a command takes; its output is thrown away and its exit status must be 0 or 1."""
    environment = command.environment()
    start = time.perf_counter()
    status = subprocess.run(command.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=environment).returncode
    took = time.perf_counter() - start
    if status not in (0, 1):
        raise SystemExit(f"{' '.join(command.arguments)} ended with status {status}")
    return took


def side_by_side(commands: dict[str, Command], runs: int) -> dict[str, float]:
    """Median seconds of each command, run in turns after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            if name in SLOW and turn > 3:
                continue
            took = wall(command)
            if turn:
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_mib(command: Command) -> float | None:
    """Largest sum of proportional set sizes over a command and its children, in MiB; None where /proc has none."""
    process = subprocess.Popen(command.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=command.environment())
    peak = 0
    while process.poll() is None:
        total = 0
        for pid in [process.pid, *_children(process.pid)]:
            try:
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
            except (OSError, ValueError):
                continue
        peak = max(peak, total)
        time.sleep(0.003)
    return peak / 1024 if peak else None


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


class Row(NamedTuple):
    """One line of the table: seconds on the large tree and on one skill, and MiB on the large tree."""

    tool: str
    large: float | None
    tiny: float | None
    peak: float | None


def measure(tree: Path, tiny: Path, scratch: Path, peers: Path, runs: int) -> list[Row]:
    """Seconds on both trees and peak memory, for pluglint (cold, warm), the peers that are there, and the bare interpreter."""
    here = Path(sys.executable).parent
    pluglint = [str(here / "pluglint"), "check"]

    def commands(target: Path) -> dict[str, Command]:
        cold, warm = str(scratch / "cold"), str(scratch / f"warm-{target.name}")
        found = {
            "pluglint, cold": Command([*pluglint, str(target)], cold, True),
            "pluglint, warm": Command([*pluglint, str(target)], warm),
        }
        for name, (program, *rest) in PEERS.items():
            path = shutil.which(program, path=str(peers))
            if path:
                found[name] = Command([path, *rest, str(target)])
        return found

    bare = {"python -c pass": Command([sys.executable, "-c", "pass"])}
    large = side_by_side(commands(tree), runs)
    small = side_by_side({**bare, **commands(tiny)}, runs * 2)
    peaks = {name: peak_mib(command) for name, command in commands(tree).items()}
    return [Row(name, large.get(name), small[name], peaks.get(name)) for name in small]


def table(rows: list[Row]) -> str:
    """The rows as Markdown, as ratios: to agnix on the large tree, to the bare interpreter on one skill."""
    by_name = {row.tool: row for row in rows}
    agnix, bare = by_name.get("agnix"), by_name["python -c pass"]

    def ratio(value: float | None, base: float | None) -> str:
        return f"{value / base:.2f}" if value and base else "-"

    lines = ["| Command | Large tree, time / agnix | One skill, time / bare interpreter | Large tree, peak memory |", "| --- | --- | --- | --- |"]
    for row in rows:
        peak = f"{row.peak:.0f} MiB" if row.peak else "-"
        lines.append(f"| {row.tool} | {ratio(row.large, agnix.large if agnix else None)} | {ratio(row.tiny, bare.tiny)} | {peak} |")
    return "\n".join(lines)


def fill(page: str, text: str) -> str:
    """The page with `text` between its markers."""
    if START not in page or END not in page:
        raise SystemExit(f"the page has no place for the table: {START} … {END}")
    return re.sub(re.escape(START) + ".*?" + re.escape(END), lambda _: f"{START}\n\n{text}\n\n{END}", page, flags=re.S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tree", type=Path, help="a plugin to time on; default: one of 1,000 skills and 500 agents made for the purpose")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--peers", type=Path, default=Path(sys.executable).parent, help="the folder with the peers' programs; default: beside this interpreter")
    parser.add_argument("--json", action="store_true", help="print seconds and MiB")
    parser.add_argument("--write", type=Path, help="a page whose marked section gets the table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        tree = options.tree
        if tree is None:
            tree = Path(scratch) / "tree"
            make_tree(tree)
        tiny = Path(scratch) / "tiny"
        for rel, text in TINY.items():
            (tiny / rel).parent.mkdir(parents=True, exist_ok=True)
            (tiny / rel).write_text(text)
        rows = measure(tree, tiny, Path(scratch), options.peers, options.runs)
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return
    print(table(rows))
    if options.write:
        from pluglint import __version__
        from pluglint.files import write_atomic

        told = f"Measured on {datetime.date.today()} with pluglint {__version__} on {os.cpu_count()} cores, medians of runs that took turns:"
        write_atomic(str(options.write), fill(options.write.read_text(encoding="utf-8"), f"{told}\n\n{table(rows)}"))


if __name__ == "__main__":
    main()
