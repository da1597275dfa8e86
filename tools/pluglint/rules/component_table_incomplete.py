"""
What it checks: where tables or lists of the README, under a heading or a column title that says "Agents", "Skills" or
"Commands", name components of the package and cover at least half of that kind, they name all of that kind: in these tables and lists taken together, or elsewhere in the README. A README that
calls its table a choice ("key skills", "examples") is left alone.

Why it matters: a component that the inventory leaves out is not found by the people it was written for.

How to fix: add the missing row.
"""

import re

from pluglint.claims import folded, inventories
from pluglint.rule import HERE, README, WARNING, Example, Location, Problem, Rule
from pluglint.words import listed

RULE = Rule(
    title="the README's list of components leaves one out",
    severity=WARNING,
    on=(README,),
    source="list of the components in the package",
)

_SKILL = "---\nname: {0}\ndescription: Reads {0}. Use when one is ready.\n---\nRead.\n"
_THREE = {f"skills/{name}/SKILL.md": _SKILL.format(name) for name in ("read-logs", "read-mail", "write-mail")}

GOOD = (
    Example({**_THREE, "README.md": "# Demo\n\n## Reading skills\n\n| Skill | Use |\n| --- | --- |\n| read-logs | logs |\n| read-mail | mail |\n\n## write-mail\n"}),
    Example({**_THREE, "README.md": "# Demo\n\n## Development\n\n- **read-logs** for logs\n- **read-mail** for mail\n"}),
    Example({**_THREE, "README.md": "# Demo\n\n## Key skills\n\n- read-logs\n- read-mail\n"}),
)
GOOD += (
    Example({**_THREE, "README.md": "# Demo\n\n## Skills\n\n| Skill | Use |\n| --- | --- |\n| read-logs | logs |\n| read-mail | mail |\n\nFor the rest there is Write Mail.\n"}),
)
BAD = (
    Example({**_THREE, "README.md": f"# Demo\n\n## Skills\n\n| Skill | Use |\n| --- | --- |{HERE}\n| read-logs | logs |\n| read-mail | mail |\n".replace(f"|{HERE}", "|").replace("| Skill | Use |", f"| Skill | Use |{HERE}")}, message="the table leaves out the skill write-mail"),
)


def check(document):
    package = document.package
    markdown = document.markdown
    found = inventories(document)
    flat = _flat(document.text)
    headings = {folded(re.sub(r"[^\w -]|\(.*", "", heading.text).strip()) for heading in markdown.headings}
    for kind, present in (("agent", package.agents), ("skill", package.skills), ("command", package.commands)):
        tables = [one for one in found if one.kind == kind and one.about == kind]
        named = {target.rel for one in found for _, _, target in one.known}
        if not tables or any(_a_choice(markdown, one) for one in tables):
            continue
        covered = [one for one in present if one.rel in named]
        missing = [one for one in present if one.rel not in named and folded(one.name) not in headings and not _beside(package, one) and _flat(one.name) not in flat]
        if missing and len(covered) * 2 >= len(present):
            largest = max(tables, key=lambda one: len(one.known))
            related = tuple(Location(one.source, one.first_line(), "left out") for one in missing[:3])
            names = listed([one.name for one in missing])
            yield Problem(document.source, largest.head, f"the {largest.label} leaves out the {kind}{'s' if len(missing) > 1 else ''} {names}", "Add what is missing.", related)


def _flat(text):
    """A text in which `read-mail` and "Read Mail" are one."""
    return text.lower().replace("-", " ")


def _beside(package, document):
    """Notes in a component folder, and the component that carries the plugin's own name, need no row."""
    return document.rel.lower().endswith(("readme.md", "claude.md")) or document.name in (package.name, package.path.rstrip("/").rpartition("/")[2])


def _a_choice(markdown, inventory):
    words = r"(?i)\b(?:key|main|some|select\w*|featured|examples?|popular|notable|highlights?|core|top|most|new|what.?s new|like|such as|include|including|usage|quick|getting|tips|recommended|when to|require\w*|depend\w*|related|v?\d+\.\d+)\b"
    return re.search(words, markdown.heading_above(inventory.head.start)) is not None or inventory.label == "list" and re.search(words, markdown.intro(inventory.head.start - 2)) is not None
