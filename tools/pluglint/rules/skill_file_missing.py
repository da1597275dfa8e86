"""
What it checks: a file of a skill's own folders (`scripts/`, `references/`, `assets/`) that its text names in
back-ticks is there. Folders that the skill does not ship are taken for folders of the user's project.

Why it matters: the model tries to read or run the file, does not find it, and goes on without it.

How to fix: correct the path, or ship the file.
"""

import re

from pluglint.parse.links import is_template, name_index, resolve, skill_folder
from pluglint.rule import HERE, INFO, REFERENCE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a skill names a file of its own that does not exist",
    severity=INFO,
    on=(SKILL, REFERENCE),
    source="agentskills.io specification of 2026-10: files are named by their path below the skill's folder",
    needles=("scripts/", "references/", "assets/"),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"skills/example/SKILL.md": _HEADER + "See `references/rules.md`; the project's tests start with `scripts/test.sh`.\n", "skills/example/references/rules.md": "# Rules\n"}),
    Example({"skills/example/SKILL.md": _HEADER + "See `helper`'s `references/other.md`.\n\nLong examples → `references/examples.md`\n", "skills/example/references/rules.md": "# Rules\n"}),
    Example({"skills/example/SKILL.md": _HEADER + "Put each page into `references/<name>.md`, as in `references/*.md`.\n", "skills/example/references/rules.md": "See `references/rules.md`.\n"}),
)
BAD = (
    Example(
        {"skills/example/SKILL.md": _HEADER + f"See `references/rule.md`.{HERE}\n", "skills/example/references/rules.md": "# Rules\n"},
        message="the skill has no file 'references/rule.md'",
    ),
)


def check(document):
    text = document.text
    package = document.package
    base = skill_folder(document)
    if base is None or is_template(document.rel):
        return
    for start, end in document.markdown.code_spans:
        word = text[start:end].strip("`").strip()
        match = re.fullmatch(r"(?:\./)?((scripts|references|assets)/[\w./-]*\.[A-Za-z]\w{0,4})", word, re.A)
        if match is None:
            continue
        rel, folder = match.groups()
        if not package.exists(f"{base}/{folder}".strip("/")) or ".." in rel:
            continue
        if any(package.exists(path) for path in (f"{base}/{rel}".strip("/"), rel, resolve(document.folder, rel) or "-")) or any(one.exists(rel) for one in _around(package)):
            continue
        # "`other-skill`'s `references/x.md`", or a file that is to be written: not this skill's.
        before = text[max(0, start - 160) : start]
        line = before[before.rfind("\n") + 1 :] + " " + text[end : end + 120].partition("\n")[0]
        if re.search(r"(?:[`*]['’]s?|\bits|\bskill['’]s|→|->)\s*\Z", before) or re.search(r"\b(?:create|move|write|save|put|generate|add|e\.g|examples?|would|extract|split|into|coming soon|planned|future|your|projects?|repo|repository|whether|registered)\b", line, re.I):
            continue
        name = rel.rpartition("/")[2].lower()
        if any(other.endswith("/" + rel) for other in package.memo("links_by_name", name_index).get(name, ())):
            continue
        prefix = f"{base}/{folder}/".lstrip("/")
        close = did_you_mean(rel, [f"{folder}/{other[len(prefix):]}" for other in package.entries if other.startswith(prefix)])
        at = text.find(rel, start, end)
        yield Problem(
            document.source, document.markdown.code_spans[0]._replace(start=at, end=at + len(rel)), f"the skill has no file '{rel}'",
            f"Did you mean '{close}'?" if close else "Correct the path, or ship the file.",
        )


def _around(package):
    """The packages that this one lies in: a script may be run from the root of the repository."""
    return [one for one in package.workspace.packages if package.path.startswith(one.path.rstrip("/") + "/")] if package.workspace is not None else []
