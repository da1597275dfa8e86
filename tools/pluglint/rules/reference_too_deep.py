'''
What it checks: a Markdown file below a skill that another reference file links to is also named in SKILL.md.

Why it matters: the model follows links from SKILL.md; of a file that it reaches only through another one it often reads
the first lines alone, or never hears.

How to fix: link to the file from SKILL.md too.
'''

import re
from posixpath import join, normpath

from pluglint.rule import HERE, INFO, REFERENCE, Example, Problem, Rule

RULE = Rule(
    title="a reference file is reached only through another one",
    severity=INFO,
    on=(REFERENCE,),
    source="skill authoring guide of 2026-08-22",
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nSee [forms](references/page.md).\n"

GOOD = (
    Example({"skills/example/SKILL.md": _SKILL + "And references/more.md.\n", "skills/example/references/page.md": "See [more](more.md).\n", "skills/example/references/more.md": "More.\n"}),
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": "See [the skill](../SKILL.md).\n"}),
)
GOOD += (
    Example({"skills/example/SKILL.md": _SKILL + "- `more`: the rest\n", "skills/example/references/page.md": "See [more](more.md).\n", "skills/example/references/more.md": "More.\n"}),
)
BAD = (
    Example(
        {"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": f"See [more](more.md).{HERE}\n", "skills/example/references/more.md": "More.\n"},
        message="'more.md' is linked from here and not named in SKILL.md",
    ),
)


def check(page):
    if ".md" not in page.text or "](" not in page.text:
        return
    documents = page.package.documents
    folder = page.folder
    while folder and f"{folder}/SKILL.md" not in documents:
        folder = folder.rpartition("/")[0]
    skill = documents.get(f"{folder}/SKILL.md" if folder else "SKILL.md")
    if skill is None:
        return
    for link in page.markdown.links:
        target = link.target.partition("#")[0]
        if not target.endswith(".md") or ":" in target:
            continue
        found = documents.get(normpath(join(page.folder, target)))
        name = target.rpartition("/")[2]
        if found is not None and found.kind == "reference" and found is not page and found.rel.startswith(folder) and name != "SKILL.md" and (len(name) < 7 or not re.search(rf"\b{re.escape(name[:-3])}\b", skill.text)):
            yield Problem(page.source, link.target_span, f"'{name}' is linked from here and not named in SKILL.md", "Link to it from SKILL.md too.")
