"""Writes what was measured of this plugin: AGENT_ANALYSIS_SUMMARY.md, and the tables of components in README.md.

    python tests/plugin/report.py           write both
    python tests/plugin/report.py --quick   write both, and leave the section on models as it stands
    python tests/plugin/report.py --check   say what is not current; exit 1 if something is

Every figure comes from the files themselves or from a measurement that is run here. With `--check` numbers may differ
by 2 %: sums of floating-point numbers are not the same on every processor. The models are not run again then: the
tests of the corpus do that, and hold the page against what they see.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/docs"), str(ROOT / "tests/plugin")]

import blocks  # noqa: E402
import claims  # noqa: E402
import documents  # noqa: E402
import routing  # noqa: E402

from pluglint.budget import CHARACTERS_PER_TOKEN, budget, free, tokens  # noqa: E402
from pluglint.config import Config  # noqa: E402
from pluglint.discover import discover  # noqa: E402
from pluglint.files import write_atomic  # noqa: E402
from pluglint.load import load_package  # noqa: E402
from pluglint.model import MarkdownDocument, Package  # noqa: E402

SUMMARY = ROOT / "AGENT_ANALYSIS_SUMMARY.md"
README = ROOT / "README.md"
TOLERANCE = 0.02
CORPORA = ROOT / "tests/skills/training-diagnostics"


def package() -> Package:
    """This repository as pluglint reads it."""
    return load_package(discover(str(ROOT)).roots[0], Config())


def version(component: MarkdownDocument) -> str:
    """The version in a component's header."""
    node = component.field("version") or component.field("metadata").get("version")
    return node.text


def row(*cells: object) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(*rows: tuple[object, ...]) -> str:
    """A Markdown table; the first row is its head."""
    return "\n".join([row(*rows[0]), row(*("---" for _ in rows[0])), *(row(*cells) for cells in rows[1:])])


def purpose(description: str) -> str:
    """What a component is for: its description up to where it says when to use it."""
    return description.split(". Use ")[0].split(". Not for ")[0].rstrip(".")


# -- README


def agents_table() -> str:
    rows = [(f"[{one.name}]({one.rel})", purpose(one.description), version(one)) for one in package().agents]
    return table(("Agent", "What it does", "Version"), *rows)


def skills_table() -> str:
    rows = []
    for one in sorted(package().skills, key=lambda one: one.name):
        scripts = ", ".join(f"`{name}`" for name in tools_of(one)) or "none yet"
        rows.append((f"[{one.name}]({one.rel})", purpose(one.description), scripts, version(one)))
    return table(("Skill", "What it does", "Tools", "Version"), *rows)


def tools_of(skill: MarkdownDocument) -> list[str]:
    """The commands under a skill's scripts/: those with a header that names their requirements."""
    folder = ROOT / skill.folder / "scripts"
    return sorted(path.name for path in folder.glob("*.py") if path.read_text(encoding="utf-8").startswith(("# /// script", "#!")))


README_PARTS: dict[str, Callable[[], str]] = {"agents": agents_table, "skills": skills_table}


def filled(page: str) -> str:
    """The README with its tables as they are now."""
    for name, make in README_PARTS.items():
        pattern = rf"(<!-- {name}: written by `make report` -->\n).*?(<!-- end of {name} -->)"
        page, count = re.subn(pattern, lambda match: f"{match[1]}{make()}\n{match[2]}", page, flags=re.S)
        if count != 1:
            raise SystemExit(f"README.md has {count} places for the table of {name}")
    return page


# -- the summary


def components() -> str:
    root = package()
    costs = {one.path: one for one in budget([root]).costs}
    rows: list[tuple[object, ...]] = [("Component", "Version", "Listed, characters", "When used, characters", "Tools", "Pages")]
    for one in [*root.agents, *sorted(root.skills, key=lambda one: one.name)]:
        cost = costs[one.source.path]
        pages = len(list((ROOT / one.folder / "references").glob("*.md"))) if one.kind == "skill" else "-"
        rows.append((one.name, version(one), cost.listed, f"{cost.used:,}", len(tools_of(one)) if one.kind == "skill" else "-", pages))
    whole = budget([root])
    return f"""\
Every session pays for the listing, a conversation pays for an agent or a skill when it is used. A token is counted as
{CHARACTERS_PER_TOKEN} characters, as the client does.

{table(*rows)}

Every session: {whole.always:,} characters, about {tokens(whole.always):,} tokens. The six skills take {whole.skills:,} of the
{free("200K"):,} characters that a model with 200,000 tokens of context has for the skills of plugins."""


def documentation() -> str:
    kinds: Counter[str] = Counter()
    skipped = 0
    for name in documents.with_blocks():
        for example in blocks.parse(ROOT / name):
            block = example.region.lexemes["block"]
            kinds[block.kind] += 1
            skipped += bool(block.skip)
    rows, _ = claims.load()
    origin = Counter(one.kind for given in rows.values() for _, one in given)
    return f"""\
{len(documents.with_blocks())} documents are run by the tests from top to bottom.

{table(("What", "Count"), ("Python blocks executed", kinds["python"]), ("Shell blocks executed", kinds["shell"]),
       ("Outputs compared", kinds["output"]), ("Blocks skipped, with a reason", skipped),
       ("Numbers computed by a test", origin["computed"]), ("Numbers measured by a command", origin["measured"]),
       ("Numbers cited", origin["cited"]))}"""


def route() -> str:
    prompts = [one for file in routing.read_prompts().values() for one in file.prompts]
    results = list(routing.measure(prompts, routing.documents()))
    rows: list[tuple[object, ...]] = [("Method", "Among", "Prompts", "Macro-F1", "Sorted right", "False triggers", "Missed")]
    for one in results:
        got = one.halves["held-out"]
        rows.append((one.method, one.family, got.prompts, f"{got.macro_f1:.2f}", *(f"{share:.0%}" for share in (got.sorted_right, got.false_triggers, got.missed))))
    kinds = Counter(one.kind for one in prompts)
    return f"""\
{len(prompts)} prompts in `evals/trigger-prompts/`: {kinds["positive"]} that call for a component, {kinds["near-miss"]} near misses that belong to a
sibling, {kinds["nobody"]} that belong to nobody. The figures are those of the held-out half, English prompts; the descriptions
were tuned on the other half. Two stand-ins read what a model reads, BM25 and a small sentence-embedding model. They show
which descriptions collide, not how often the client chooses rightly. "Sorted right" leaves out the question whether
anybody is meant; "false triggers" are prompts for nobody that somebody would have taken.

{table(*rows)}"""


def logs() -> str:
    return f"""\
`diagnose_run.py` on logs of small real trainings, the half of the corpus that no threshold was tuned on:

```text
{printed("fault_corpus.py")}
```"""


def models() -> str:
    return f"""\
`probe_model.py` and `sanity_suite.py` on models with one planted fault each, and on healthy ones:

```text
{printed("model_corpus.py")}
```"""


def printed(script: str) -> str:
    """The table that a corpus prints."""
    done = subprocess.run([sys.executable, str(CORPORA / script), "--table"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{script} --table ended with status {done.returncode}:\n{done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


LIMITS = """\
- No model was in the loop of any figure here. `claude plugin eval` runs the cases in `evals/` with one; its results
  depend on the model and on the day.
- The corpora hold small networks that train on a processor in seconds. How often the tools are right on your runs is
  not known; their "cannot decide" is meant to be taken at its word.
- Every planted fault stands alone. Two faults at once are found less surely."""

SECTIONS: dict[str, Callable[[], str]] = {
    "Size and cost": components,
    "Documentation": documentation,
    "Routing of prompts": route,
    "Training logs": logs,
    "Models": models,
    "Limits": lambda: LIMITS,
}


# sections that `--check` takes as they stand; tests/skills/training-diagnostics/test_model_corpus.py checks them
CHECKED_ELSEWHERE = ("Models",)


def section(title: str, page: str) -> str:
    """The text below a heading of a page."""
    found = re.search(rf"^## {title}\n\n(.*?)\n(?=\n## )", page, re.M | re.S)
    return found[1] if found else ""


def summary(kept: str = "") -> str:
    """The whole page. With `kept`, the page as it is, slow sections are taken from there."""
    parts = ["# What was measured of agents, skills and tools", "", "<!-- summary: written by `make report` -->", ""]
    for title, make in SECTIONS.items():
        text = section(title, kept) if kept and title in CHECKED_ELSEWHERE else make()
        parts += [f"## {title}", "", text, ""]
    return "\n".join([*parts, "<!-- end of summary -->", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is not current")
    parser.add_argument("--quick", action="store_true", help="leave the section on models as it stands; its tests hold it")
    options = parser.parse_args()
    kept = SUMMARY.read_text(encoding="utf-8") if (options.check or options.quick) and SUMMARY.exists() else ""
    wanted = {README: filled(README.read_text(encoding="utf-8")), SUMMARY: summary(kept)}
    stale = 0
    for path, text in wanted.items():
        now = path.read_text(encoding="utf-8") if path.exists() else ""
        if not options.check:
            write_atomic(str(path), text)
            print(f"{path.name}: {'written' if text != now else 'current'}")
        elif wrong := blocks.difference(now, text, TOLERANCE):
            stale += 1
            print(f"{path.name} is not current; run `make report`\n{wrong}", file=sys.stderr)
    if not options.check:
        print()
        print(wanted[SUMMARY])
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
