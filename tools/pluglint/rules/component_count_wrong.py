"""
What it checks: counts of agents, skills, commands, hooks and plugins that the README (badges, headings such as
"Skills (6)", count tables, sentences about the whole package) and the descriptions in plugin.json and
marketplace.json give, against what the package holds. A count of something else ("6 new skills", "up to 5 agents",
"3 of the skills", "2 agents in parallel") is no statement about the whole and is left alone; "50+" means at least 50.

Why it matters: the counts are the first thing that a reader compares with what was installed. One that is off means
that a component was lost on the way, or that the page was not kept up; the client itself never looks at it.

How to fix: write the number that is there, or ship the missing components.
"""

import re

from pluglint.claims import claims_in_readme, claims_in_text, entry_packages, span_in, tallies
from pluglint.discover import MARKETPLACE as MARKETPLACE_ROOT
from pluglint.discover import SINGLE_FILE
from pluglint.parse.node import STRING
from pluglint.rule import ERROR, HERE, MANIFEST, MARKETPLACE, PORTABLE_MANIFEST, README, Edit, Example, Fix, Problem, Rule, Span
from pluglint.words import listed

RULE = Rule(
    title="a stated count of components is wrong",
    severity=ERROR,
    on=(README, MANIFEST, PORTABLE_MANIFEST, MARKETPLACE),
    source="counts found to drift in published packages, 2026-11; the client states none of its own",
    fix="unsafe",
)

_AGENT = "---\nname: {0}\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
_SKILL = "---\nname: {0}\ndescription: Reads changes. Use when one is ready.\n---\nRead.\n"
_TWO = {"agents/a.md": _AGENT.format("a"), "agents/b.md": _AGENT.format("b"), "skills/s/SKILL.md": _SKILL.format("s"), "skills/t/SKILL.md": _SKILL.format("t")}
_MANIFEST = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "DESCRIPTION",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'

GOOD = (
    Example({**_TWO, "README.md": "# Demo\n\n![Agents: 2](https://img.shields.io/badge/agents-2-blue)\n\nThe plugin has two agents and 2 skills.\n\n## Agents (2)\n\n## 2 skills\n"}),
    Example({**_TWO, "README.md": "# Demo\n\nThis plugin runs up to 5 agents, with 6 new skills and 3 of the 7 skills of its parent. It has 4 parallel agents, each with 9 skills.\n"}),
    Example({**_TWO, "README.md": "# Demo\n\nThe plugin has over 1 skills and 2+ agents.\n\n## Roadmap\n\nThe plugin has 9 agents.\n\n## Backend\n\n### Agents (1)\n"}),
    Example({**_TWO, ".claude-plugin/plugin.json": _MANIFEST.replace("DESCRIPTION", "Two agents and 2 skills for reviews")}),
)
GOOD += (
    Example({**_TWO, "README.md": "# Demo\n\n## Other clients\n\n| Part | Count | Where |\n| --- | --- | --- |\n| Agents | 1 | `.cursor/agents/` |\n\n## 9 commands\n\nAll are words after `/s`.\n\n## News\n\n- It leads to all 5 skills.\n"}),
    Example({".claude-plugin/plugin.json": _MANIFEST.replace('"license"', '"agents": "./agents/",\n  "license"'), "agents/a.md": _AGENT.format("a"), "README.md": "# Demo\n\nA framework for reviews: 2 commands, 3 agents, and hooks.\n\n## Agents (3)\n"}),
)
BAD = (
    Example({**_TWO, "README.md": f"# Demo\n\nThe suite has 6 skills and two agents for reviews.{HERE}\n"}, message="says 6 skills, but there are 2", fixed='The suite has 2 skills and two agents for reviews.'),
    Example({**_TWO, "README.md": f"# Demo\n\n[![Agents: 3](https://img.shields.io/badge/agents-3-blue)]()\n{HERE}\n## Skills (3){HERE}\n".replace(f"]()\n{HERE}", f"](){HERE}\n")}, message="says 3 agents, but there are 2", fixed='[![Agents: 2](https://img.shields.io/badge/agents-2-blue)]()\n## Skills (2)'),
    Example({**_TWO, "README.md": f"# Demo\n\n| Part | Count |\n| --- | --- |\n| **Agents** | 4 |{HERE}\n\n## Impact\n\nAll five skills were rewritten.{HERE}\n"}, message="says 4 agents, but there are 2", fixed='| **Agents** | 2 |'),
    Example({**_TWO, ".claude-plugin/plugin.json": _MANIFEST.replace('DESCRIPTION",', f'Reviews with 3 specialized agents",{HERE}')}, message="says 3 agents, but there are 2", fixed='  "description": "Reviews with 2 specialized agents",'),
    Example(
        {
            ".claude-plugin/marketplace.json": '{\n  "name": "shop",\n  "owner": {"name": "Example"},\n  "metadata": {"description": "5 plugins for reviews"},' + HERE + '\n  "plugins": [\n    {"name": "demo", "source": "./demo", "description": "Has 2 agents"}' + HERE + "\n  ]\n}\n",
            "demo/.claude-plugin/plugin.json": _MANIFEST.replace("DESCRIPTION", "Reviews"),
            "demo/agents/a.md": _AGENT.format("a"),
        },
        message="says 5 plugins, but there is 1",
    ),
)


def check(document):
    package = document.package
    if package.kind == SINGLE_FILE:
        return
    if document.kind == README:
        yield from _compare(document, package, claims_in_readme(document), None)
        return
    for node, target, whole in _descriptions(document, package):
        yield from _compare(document, target, claims_in_text(node.text, 0, len(node.text), True), node, whole)


def _descriptions(document, package):
    """(description, the package that it speaks of, whether of all plugins) of a JSON file."""
    own = document.get("description")
    if document.kind != MARKETPLACE:
        nodes = [(own, package, False)]
    else:
        nodes = [(own, package, True), (document.get("metadata", "description"), package, True)]
        nodes += [(entry.get("description"), target, target is package and package.kind == MARKETPLACE_ROOT) for entry, target in entry_packages(package)]
    return [(node, target, whole) for node, target, whole in nodes if node is not None and node.kind == STRING]


def _compare(document, package, claims, node, whole=True):
    counts = tallies(package)
    claims = list(claims)
    seen = set()
    for claim in sorted(claims, key=lambda claim: claim.span):
        tally = counts.get(claim.kind)
        line = document.source.position(claim.span.start)[0] if node is None else claim.span.start
        if tally is None or (claim.kind, claim.value, line) in seen:
            continue
        seen.add((claim.kind, claim.value, line))  # a badge says it twice: in its address and in its text
        if claim.kind == "plugin" and not whole:
            continue
        if claim.value in tally.accepted or tally.open and claim.value > tally.count or claim.at_least and claim.value <= max(tally.accepted):
            continue
        if not tally.count and not claim.strict:  # "three commands" of a package without commands speaks of others
            continue
        if not tally.count and (any(rel.startswith(f"{claim.kind}s/") and rel.endswith(".md") for rel in package.entries) or claim.kind == "command" and counts["skill"].count):
            continue  # they are there and not loaded, which is another finding; or a skill has commands of its own
        span = span_in(document.source, node, *claim.span) if node is not None else claim.span
        names = listed(_names(package, claim.kind))
        hint = "Ship them, or take the statement out." if not tally.count else f"Write {tally.count}, or add what is missing" + (f"; there: {names}." if names else ".")
        said = f"{claim.value}{'+' if claim.at_least else ''} {claim.kind}{'' if claim.value == 1 else 's'}"
        there = "there is 1" if tally.count == 1 else f"there are {tally.count}" if tally.count else "there is none"
        same = [one for one in claims if (one.kind, one.value) == (claim.kind, claim.value) and (node is not None or document.source.position(one.span.start)[0] == line)]
        edits = [_edit(document, span_in(document.source, node, *one.span) if node is not None else one.span, claim.value, tally.count) for one in same]
        fix = Fix(f"write {tally.count}", tuple(edits)) if all(edits) and tally.count > 1 and claim.value > 1 and not claim.at_least else None
        yield Problem(document.source, span, f"says {said}, but {there}", hint, tally.places, fix)


def _edit(document, span, said, count):
    """Another number in the place of digits; None for a number in words."""
    number = re.match(r"\d+(?![\d.,])", document.source.slice(span))
    if number is None or int(number.group()) != said:
        return None
    return Edit(document.source, Span(span.start, span.start + number.end()), str(count))


def _names(package, kind):
    return [one.name for one in {"agent": package.agents, "skill": package.skills, "command": package.commands}.get(kind, ())]


