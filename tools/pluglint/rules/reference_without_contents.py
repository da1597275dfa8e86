'''
What it checks: a Markdown file of more than 100 lines below a skill (option `lines`) has a table of contents near its
start: a heading such as "Contents", or links to its own headings.

Why it matters: the model often reads only the beginning of a long file, and does not learn what else is in it.

How to fix: list the headings at the top.
'''

from pluglint.rule import HERE, INFO, REFERENCE, Example, Problem, Rule

RULE = Rule(
    title="a long reference file has no table of contents",
    severity=INFO,
    on=(REFERENCE,),
    source="skill authoring guide of 2026-08-22",
    options={"lines": 100},
)

_SKILL = "---\nname: example\ndescription: Reads logs. Use when a build failed.\n---\nSee [forms](references/page.md).\n"
_LINES = "One form.\n\n" * 60

GOOD = (
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": "# Forms\n\n## Contents\n\n- Old forms\n\n" + _LINES}),
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": "# Forms\n\n- [Old](#old)\n- [New](#new)\n\n" + _LINES}),
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": "# Forms\n\nOne form.\n"}),
)
GOOD += (
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": "# Forms\n", "skills/example/README.md": "# About\n\n" + _LINES}),
)
BAD = (
    Example({"skills/example/SKILL.md": _SKILL, "skills/example/references/page.md": f"# Forms{HERE}\n\n" + _LINES}, message="the file has 122 lines and no table of contents"),
)


def check(page, options):
    if page.rel.rpartition("/")[2].lower().startswith(("skill.md", "readme")):  # a skill that is not loaded; what the model is not sent to
        return
    text = page.text
    lines = text.count("\n") + (not text.endswith("\n"))
    if lines <= options["lines"] or text[:3000].count("](#") > 1:
        return
    head = text[:3000].lower()
    if any(word in head for word in ("contents", "# toc", "# index", "# overview", "# in this")) and any(
        title in heading.text.lower() for heading in page.markdown.headings[:6] for title in ("content", "toc", "index", "overview", "in this")
    ):
        return
    yield Problem(page.source, page.first_line(), f"the file has {lines:,} lines and no table of contents", "List the headings at the top.")
