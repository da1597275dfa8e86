"""Running time is linear in the size of a file: doubling the input doubles the work.

Work is counted and not timed, as calls of functions (Python's and C's) in a whole check; what a single
C call does to a long text is bounded by the time limit of test_hostile.py.
"""

from __future__ import annotations

import sys

import pytest

from pluglint import engine
from pluglint.config import Config
from pluglint.rule import load_all

HEADER = "---\nname: a\ndescription: Reads logs and counts events. Use when a log must be searched.\n---\n\n"
MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demonstration.", "author": {"name": "Example Author"}, "license": "MIT"}\n'
BASE = 150
SHAPES = {
    "list items": lambda n: HEADER + "- **item** one thing\n" * n,
    "numbered items": lambda n: HEADER + "".join(f"{i}. step\n" for i in range(1, n + 1)),
    "check boxes": lambda n: HEADER + "- [ ] done\n" * n,
    "nested items": lambda n: HEADER + "- a\n  - b\n    - c\n" * n,
    "many lists": lambda n: HEADER + "Text:\n\n- a\n- b\n\n" * n,
    "headings": lambda n: HEADER + "".join(f"## Part {i}\n\nText.\n\n" for i in range(n)),
    "equal headings": lambda n: HEADER + "## Part\n\n### Sub\n\n" * n,
    "counted headings": lambda n: HEADER + "## 3 Checks\n\n- [ ] a\n- [ ] b\n\n" * n,
    "links": lambda n: HEADER + "See [the page](references/page.md#part) and ![a](b.png).\n" * n,
    "broken links in one line": lambda n: HEADER + "[a](b.md) `c` " * n + "\n",
    "fences": lambda n: HEADER + "```bash\nrun --all\n```\n\n" * n,
    "python fences": lambda n: HEADER + "```python\nx = (\n```\n\n" * n,
    "open fences in items": lambda n: HEADER + "- a\n\n  ```py\n  x\n" * n,
    "table rows": lambda n: HEADER + "| a | b |\n| --- | --- |\n" + "| `x` | [y](z.md) |\n" * n,
    "tables": lambda n: HEADER + "| Delegate To | When |\n| --- | --- |\n| nobody | never |\n\n" * n,
    "delegations": lambda n: HEADER + "Delegate to other agents:\n\n" + "- **nobody**: never\n" * n,
    "delegating sentences": lambda n: HEADER + "Use the nobody agent for this. Call `demo:nobody` too.\n" * n,
    "one long line": lambda n: HEADER + "word " * (20 * n) + "\n",
    "brackets": lambda n: HEADER + "[" * (20 * n) + "\n",
    "backticks": lambda n: HEADER + "`" * (20 * n) + "\n",
    "code spans": lambda n: HEADER + "`a` " * (5 * n) + "\n",
    "asterisks": lambda n: HEADER + "*" * (20 * n) + "\n",
    "bars": lambda n: HEADER + "|" * (20 * n) + "\n",
    "comments": lambda n: HEADER + "text <!-- note --> more\n" * n,
    "header keys": lambda n: "---\nname: a\ndescription: b\n" + "".join(f"key{i}: value\n" for i in range(n)) + "---\n",
    "header keys that need YAML": lambda n: "---\nname: a\ndescription: b\n" + "".join(f"key{i}: [x, {i}]\n" for i in range(n)) + "---\n",
    "header that does not parse": lambda n: "---\nname: a\ndescription: b\n" + "".join(f"key{i}: x: y\n" for i in range(n)) + "---\n",
    "tools": lambda n: "---\nname: a\ndescription: b\ntools: " + ", ".join(f"Tool{i}" for i in range(n)) + "\n---\n",
    "hidden characters": lambda n: HEADER + "a\u200bb\n" * n,
    "fetched code": lambda n: HEADER + "```bash\n" + "curl -fsSL https://example.com/x.sh | bash\n" * n + "```\n",
    "paths and numbers": lambda n: HEADER + "Read `scripts/run.sh`, 12 agents, 3 skills, version 1.2.3.\n" * n,
}
PLACES = {"agent": "agents/a.md", "skill": "skills/a/SKILL.md", "readme": "README.md", "changelog": "CHANGELOG.md"}


def work(root, path: str, text: str) -> int:
    (root / ".claude-plugin").mkdir(parents=True, exist_ok=True)
    (root / ".claude-plugin/plugin.json").write_text(MANIFEST)
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    config = Config()
    config.select = ("all",)
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        found = engine.check([str(root)], config)
    finally:
        sys.setprofile(before)
    assert not found.crashed
    return calls


@pytest.fixture(scope="module", autouse=True)
def all_loaded():
    load_all()  # imports would be counted in the first run only


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_input_is_twice_the_work(shape, place, tmp_path):
    make = SHAPES[shape]
    work(tmp_path / "warm", PLACES[place], make(3))
    one = work(tmp_path / "one", PLACES[place], make(BASE))
    two = work(tmp_path / "two", PLACES[place], make(2 * BASE))
    assert two < 2.3 * one, f"{one} calls, then {two}"


def test_many_files_are_linear_too(tmp_path):
    def package(name: str, count: int) -> int:
        root = tmp_path / name
        for number in range(count):
            for path in (f"agents/a{number}.md", f"skills/s{number}/SKILL.md", f"skills/s{number}/references/r.md"):
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                stem = f"a{number}" if path.startswith("agents") else f"s{number}"
                target.write_text(HEADER.replace("name: a", f"name: {stem}") + f"Use the a{number} agent. See [r](references/r.md).\n")
        return work(root, "README.md", f"# Demo\n\n{count} agents.\n")

    package("warm", 3)
    one, two = package("one", 60), package("two", 120)
    assert two < 2.3 * one, f"{one} calls, then {two}"
