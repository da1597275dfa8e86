"""
What it checks: no agent file is larger than 1,048,576 bytes.

Why it matters: the client does not load it; the debug log alone says so.

How to fix: move what the agent does not need in every call to a skill with references, which are read when they are needed.
"""

from pluglint.facts import FACTS
from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="an agent file is too large for the client",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22",
    options={"bytes": 1048576},
)

_AGENT = "---\nname: a\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example({"agents/a.md": _AGENT}),)
BAD = (Example({"agents/a.md": _AGENT.replace("---", f"---{HERE}", 1)}, message="the file has 89 bytes; the client loads agents up to 80", options={"bytes": 80}),)


def check(package, options):
    limit = min(options["bytes"], FACTS["agents"]["max_file_bytes"])
    for rel, kind in package.taken_for.items():
        if kind == "agent" and package.entries[rel].size > limit:
            document = package.documents.get(rel)
            place = document.at(document.first_line()) if document is not None else package.place(rel)
            message = f"the file has {package.entries[rel].size:,} bytes; the client loads agents up to {limit:,}"
            yield Problem(place.source, place.span, message, "Move the details to a skill with references.")
