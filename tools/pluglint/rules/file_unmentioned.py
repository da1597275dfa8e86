"""
What it checks: every Markdown file and script below a skill's folder is named in its SKILL.md or in a file that this leads to: by its
name, by its path, or by the folder that holds it. Scripts beside one that is named are left alone: they may call each other.
So are tests, evaluations, notes for maintainers, and the source of a program with a `package.json`.

Why it matters: the model does not list the folder of a skill. What no text leads to is shipped and never read.

How to fix: name the file in SKILL.md, with a word on when to read it, or delete it.
"""

import re

from pluglint.rule import HERE, INFO, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a file of a skill is named nowhere",
    severity=INFO,
    on=(PACKAGE,),
    source="skills page of 2026-10-03",
)

_SKILL = "---\nname: x\ndescription: Reads logs. Use when a log must be searched.\n---\n"

GOOD = (
    Example({"skills/x/SKILL.md": _SKILL + "Read [a](references/a.md).\n", "skills/x/references/a.md": "Then b.md.\n", "skills/x/references/b.md": "# B\n"}),
    Example({"skills/x/SKILL.md": _SKILL + "Run `scripts/*.py`.\n", "skills/x/scripts/one.py": "pass\n", "skills/x/scripts/two.py": "pass\n"}),
    Example({"skills/x/SKILL.md": _SKILL + "Pick a file in `templates/`.\n", "skills/x/templates/t.md": "# T\n", "skills/x/LICENSE.md": "MIT\n"}),
)
GOOD += (
    Example({"skills/x/SKILL.md": _SKILL + "Run `python -m tools.run`.\n", "skills/x/tools/run.py": "from . import parse\n", "skills/x/tools/parse.py": "pass\n", "skills/x/tests/test_run.py": "pass\n", "skills/x/SPEC.md": "# Why\n"}),
    Example({"skills/x/SKILL.md": _SKILL + "Run `npm start`.\n", "skills/x/package.json": "{}\n", "skills/x/src/index.ts": "run();\n"}),
)
BAD = (
    Example({"skills/x/SKILL.md": _SKILL + "Read the log.\n", "skills/x/references/a.md": f"# A{HERE}\n"}, message="no text of the skill leads to 'references/a.md'"),
    Example({"skills/x/SKILL.md": _SKILL + "Read references/a.md.\n", "skills/x/references/a.md": "# A\n", "skills/x/references/b.md": f"# B{HERE}\n"}, message="no text of the skill leads to 'references/b.md'"),
)

_ENDINGS = (".md", ".sh", ".py", ".js", ".mjs", ".ts", ".rb", ".pl", ".ps1")
_ALWAYS = frozenset(("license.md", "readme.md", "changelog.md", "notice.md", "__init__.py", "agents.md", "claude.md", "spec.md", "eval.md"))
_UNREAD = frozenset(("test", "tests", "__tests__", "evals"))  # for those who maintain the skill


def check(package):
    skills = {skill.folder: skill for skill in package.skills if skill.folder}
    below = {}
    for rel, entry in package.entries.items():
        if entry.folder or not rel.endswith(_ENDINGS) or entry.name == "SKILL.md" or not _UNREAD.isdisjoint(rel.split("/")) or re.match(r"test_|.*_test\.", entry.name):
            continue
        folder = rel.rpartition("/")[0]
        while folder and folder not in skills:
            folder = folder.rpartition("/")[0]
        if folder:
            below.setdefault(folder, []).append(rel)
    for folder, files in below.items():
        yield from _of_skill(package, skills[folder], folder, files)


def _of_skill(package, skill, folder, files):
    """Follows names from SKILL.md through the files that it leads to; each text is cut into words once."""
    by_word = {}
    for rel in files:
        name = rel.rpartition("/")[2]
        parents = rel[len(folder) + 1 :].split("/")[:-1]
        stem = name.rsplit(".", 1)[0]
        for word in {name, *parents, *([stem] if len(stem) > 3 else [])}:  # a stem such as "a" stands in every text
            by_word.setdefault(word, []).append(rel)
    reached = set()
    queue = [skill]
    while queue:
        # Only the last part of a path counts: `references/a.md` names the file, `references/` all that is in the folder.
        for path in set(re.findall(r"[\w.-]+(?:/[\w.-]+)*", queue.pop().text)):
            last = path.rpartition("/")[2].rstrip(".")
            module = last.partition(".")[0] if "/" not in path else ""  # `python -m scripts.run`
            for rel in (*by_word.pop(last, ()), *(by_word.pop(module, ()) if f"{folder}/{module}" in package.entries else ())):
                if rel not in reached:
                    reached.add(rel)
                    if rel in package.documents:
                        queue.append(package.documents[rel])
    program = f"{folder}/package.json" in package.entries  # what it starts is not named in texts
    called = {rel.rpartition("/")[0] for rel in reached if not rel.endswith(".md")}
    for rel in files:
        parent, _, name = rel.rpartition("/")
        if rel in reached or name.lower() in _ALWAYS or not rel.endswith(".md") and (program or parent in called):
            continue
        document = package.documents.get(rel)
        place = document.at(document.first_line()) if document is not None else package.place(rel)
        yield Problem(place.source, place.span, f"no text of the skill leads to '{rel[len(folder) + 1:]}'", "Name it in SKILL.md, with a word on when to read it, or delete it.")
