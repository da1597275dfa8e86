"""
What it checks: in a table of the README that names components and has a column "Description", a description that
shares most of its words with the first sentence of the component's own says the same, but for marks, case and the full
stop. A summary in other words is left alone.

Why it matters: the header's description is what the client acts on. A table that says something else describes what
the component once did.

How to fix: copy the first sentence of the header's description into the table.
"""

import re

from pluglint.claims import folded, inventories, known_names
from pluglint.rule import HERE, INFO, README, Example, Location, Problem, Rule

RULE = Rule(
    title="a table describes a component differently than its header",
    severity=INFO,
    on=(README,),
    source="descriptions in the headers of the components",
)

_SKILL = "---\nname: {0}\ndescription: Reads {0}. Use when one is ready.\n---\nRead.\n"
_TWO = {f"skills/{name}/SKILL.md": _SKILL.format(name) for name in ("read-logs", "read-mail")}

GOOD = (Example({**_TWO, "README.md": "# Demo\n\n| Skill | Description |\n| --- | --- |\n| read-logs | Reads `read-logs` |\n| read-mail | reads read-mail. |\n"}),)
GOOD += (
    Example({**_TWO, "README.md": "# Demo\n\n| Skill | Description |\n| --- | --- |\n| read-logs | Logs, line by line |\n| read-mail | Reads read-mail. |\n"}),
)
BAD = (
    Example({**_TWO, "README.md": f"# Demo\n\n| Skill | Description |\n| --- | --- |\n| read-logs | Reads read-logs and prints |{HERE}\n| read-mail | Reads read-mail. |\n"}, message="'read-logs' is described differently in its header"),
)


def check(document):
    known = known_names(document.package)
    for inventory in inventories(document):
        for name, text, span in inventory.texts:
            hit = known.get(folded(name.name))
            if hit is None or not text.strip() or not hit[1].description:
                continue
            here, there = _plain(text), _plain(hit[1].description)
            if here not in there and there not in here and _alike(here, _plain(re.split(r"(?<=[.!?])\s", hit[1].description)[0])):
                node = hit[1].field("description")
                yield Problem(document.source, span, f"'{name.name}' is described differently in its header", "Copy the first sentence of its description.", (Location(hit[1].source, node.span, "the header"),))


def _alike(here, there):
    """Whether two sentences share most words: then one was the other once, and is no summary of its own."""
    ours, theirs = set(here.split()), set(there.split())
    return len(ours & theirs) >= max(2, 0.6 * max(len(ours), len(theirs)))


def _plain(text):
    return re.sub(r"[^\w]+", " ", text.lower()).strip()
