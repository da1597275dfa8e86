#!/usr/bin/env python3
"""Writes a large valid plugin for timing: by default 1,000 skills and 500 agents of about 150 lines.

    python tests/bench/make_tree.py OUT_DIR [--skills N] [--agents N] [--lines N]

Names match their places, links resolve, delegations name agents that exist, counts in the README are
true and code blocks parse, so a linter has nothing to report and everything to read. The same
arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path

THINGS = "account batch branch cache chart column deadline diagram dataset event folder graph header index invoice journal kernel label ledger matrix merge metric notebook order packet page payload query record release report sample schedule sensor session shard signal snapshot table token trace tree value vector".split()
ACTIONS = "audits balances checks cleans compares converts counts describes exports filters groups imports joins maps measures merges orders parses plans ranks repairs resolves routes samples scores sorts splits tests translates validates".split()


class Writer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def sentence(self) -> str:
        pick = self.random.choice
        return f"The {pick(THINGS)} stage {pick(ACTIONS)} each {pick(THINGS)} and {pick(ACTIONS)} the {pick(THINGS)} of the {pick(THINGS)}."

    def description(self) -> str:
        pick = self.random.choice
        return f"{pick(ACTIONS).capitalize()} a {pick(THINGS)} and {pick(ACTIONS)} every {pick(THINGS)} of the {pick(THINGS)}. Use when a {pick(THINGS)} {pick(THINGS)} lacks its {pick(THINGS)} or {pick(THINGS)}."

    def part(self, number: int, agents: list[str]) -> list[str]:
        pick = self.random.choice
        lines = [f"## {pick(THINGS).capitalize()} and {pick(THINGS)} {number}", "", self.sentence(), ""]
        kind = number % 6
        if kind == 0:
            lines += [f"{step}. {self.sentence()}" for step in range(1, 6)]
        elif kind == 1:
            lines += [f"- [ ] {self.sentence()}" for _ in range(4)]
        elif kind == 2:
            name = pick(THINGS)
            lines += ["```python", f"def {name}_{number}(values: list[int], limit: int = {number}) -> int:", "    total = 0", "    for value in values:", "        if value > limit:", "            total += value", "    return total", "```"]
        elif kind == 3:
            lines += ["| Field | Meaning |", "| --- | --- |"] + [f"| {pick(THINGS)} | {pick(THINGS)} |" for _ in range(5)]
        elif kind == 4 and agents:
            lines += ["| Delegate To | When |", "| --- | --- |"] + [f"| {agent} | {self.sentence()} |" for agent in self.random.sample(agents, 3)]
        else:
            lines += [self.sentence() for _ in range(3)]
        return [*lines, ""]

    def body(self, title: str, length: int, agents: list[str]) -> str:
        lines = [f"# {title}", "", self.sentence(), ""]
        number = 0
        while len(lines) < length:
            lines += self.part(number, agents)
            number += 1
        return "\n".join(lines).rstrip() + "\n"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def make_tree(out: Path, skills: int = 1000, agents: int = 500, lines: int = 150, seed: int = 1) -> None:
    """Writes the plugin to an empty or absent folder `out` (an existing one is replaced)."""
    writer = Writer(seed)
    shutil.rmtree(out, ignore_errors=True)
    agent_names = [f"{writer.random.choice(THINGS)}-{writer.random.choice(THINGS)}-a{n}" for n in range(agents)]
    for n in range(skills):
        name = f"{writer.random.choice(THINGS)}-{writer.random.choice(THINGS)}-s{n}"
        body = writer.body(name, lines - 5, [])
        if n % 10 == 0:
            body += "\nThe [details](references/details.md) say more.\n"
            put(out / f"skills/{name}/references/details.md", writer.body("Details", 40, []))
        put(out / f"skills/{name}/SKILL.md", f"---\nname: {name}\ndescription: {writer.description()}\n---\n\n{body}")
    for name in agent_names:
        others = [other for other in agent_names if other != name]
        head = f"---\nname: {name}\ndescription: {writer.description()}\ntools: Read, Write, Edit, Bash\nmodel: sonnet\ncolor: blue\n---\n\n"
        put(out / f"agents/{name}.md", head + writer.body(name, lines - 8, others if len(others) > 2 else []))
    manifest = {"name": "large-tree", "version": "1.0.0", "description": "A large valid plugin.", "author": {"name": "Example Author"}, "license": "MIT"}
    put(out / ".claude-plugin/plugin.json", json.dumps(manifest, indent=2) + "\n")
    put(out / "README.md", f"# Large tree\n\nThe plugin has {skills} skills and {agents} agents.\n")
    put(out / "CHANGELOG.md", "# Changelog\n\n## [1.0.0] - 2026-01-01\n\n- First.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--skills", type=int, default=1000)
    parser.add_argument("--agents", type=int, default=500)
    parser.add_argument("--lines", type=int, default=150)
    options = parser.parse_args()
    make_tree(options.out, options.skills, options.agents, options.lines)


if __name__ == "__main__":
    main()
