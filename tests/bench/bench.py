#!/usr/bin/env python3
"""Times pluglint against agnix and the bare interpreter, side by side in one run, and prints ratios.

    python tests/bench/bench.py [--tree DIR] [--runs N] [--json]

The commands take turns, so that a change of load hits all of them alike; the ratio of medians is what
counts, never a time alone. Peak memory is the sum over a command's processes of their proportional
set size, sampled every few milliseconds (Linux), in runs of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from make_tree import make_tree

TINY = {
    ".claude-plugin/plugin.json": '{"name": "tiny", "version": "1.0.0", "description": "One skill.", "author": {"name": "Example Author"}}\n',
    "skills/hello/SKILL.md": "---\nname: hello\ndescription: Greets a person by name. Use when someone asks for a greeting.\n---\n\n# Hello\n\nSay hello to the person by name.\n",
}


# Byte code is kept between runs wherever people use the tool; a machine that forbids it would time the compiler.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def wall(command: list[str]) -> float:
    """Seconds that a command takes; its output is thrown away and its exit status must be 0 or 1."""
    start = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=ENVIRONMENT).returncode
    took = time.perf_counter() - start
    if status not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with status {status}")
    return took


def side_by_side(commands: dict[str, list[str]], runs: int) -> dict[str, float]:
    """Median seconds of each command, run in turns after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            took = wall(command)
            if turn:
                times[name].append(took)
    return {name: statistics.median(values) for name, values in times.items()}


def peak_mib(command: list[str]) -> float | None:
    """Largest sum of proportional set sizes over a command and its children, in MiB; None where /proc has none."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tree", type=Path, help="a plugin to time on; default: one of 1,000 skills and 500 agents made for the purpose")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    here = Path(sys.executable).parent
    pluglint = str(here / "pluglint")
    agnix = shutil.which("agnix", path=str(here))
    with tempfile.TemporaryDirectory() as scratch:
        tree = options.tree
        if tree is None:
            tree = Path(scratch) / "tree"
            make_tree(tree)
        tiny = Path(scratch) / "tiny"
        for rel, text in TINY.items():
            (tiny / rel).parent.mkdir(parents=True, exist_ok=True)
            (tiny / rel).write_text(text)
        large = {"pluglint": [pluglint, "check", str(tree)]}
        small = {"python -c pass": [sys.executable, "-c", "pass"], "pluglint": [pluglint, "check", str(tiny)]}
        if agnix:
            large["agnix"] = [agnix, str(tree)]
            small["agnix"] = [agnix, str(tiny)]
        big_times, tiny_times = side_by_side(large, options.runs), side_by_side(small, options.runs * 2)
        peak = max((p for p in (peak_mib(large["pluglint"]) for _ in range(3)) if p), default=None)
    rows = {
        "large tree, cold, seconds": big_times,
        "large tree, pluglint / agnix": round(big_times["pluglint"] / big_times["agnix"], 2) if agnix else None,
        "large tree, peak memory of pluglint, MiB": round(peak, 1) if peak else None,
        "one skill, seconds": tiny_times,
        "one skill, pluglint / bare interpreter": round(tiny_times["pluglint"] / tiny_times["python -c pass"], 1),
    }
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for name, value in rows.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {seconds:.3f}" for key, seconds in value.items())
        print(f"{name:<42} {value if value is not None else 'not measured'}")


if __name__ == "__main__":
    main()
