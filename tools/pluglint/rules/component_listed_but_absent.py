"""
What it checks: the tables and lists of the README that name agents, skills or commands of the package (at least half
of their names, two or more, must be components of it): each other name in them that has the form of a component must
exist too, here or in another plugin of the marketplace.

Why it matters: the reader installs the plugin for what the table promises. A name that is gone is a component that was
renamed or removed; calling it fails.

How to fix: correct the name, or take the row out.
"""

from pluglint.claims import folded, inventories, known_names
from pluglint.rule import ERROR, HERE, README, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the README lists a component that does not exist",
    severity=ERROR,
    on=(README,),
    source="calls scripted against client 2.1.330, 2026-11-22: an unknown name is not found",
)

_SKILL = "---\nname: {0}\ndescription: Reads {0}. Use when one is ready.\n---\nRead.\n"
_THREE = {f"skills/{name}/SKILL.md": _SKILL.format(name) for name in ("read-logs", "read-mail", "write-mail")}

GOOD = (
    Example({**_THREE, "README.md": "# Demo\n\n## Skills\n\n| Skill | Use |\n| --- | --- |\n| [read-logs](skills/read-logs/SKILL.md) | logs |\n| **Read mail** | mail |\n| `write-mail` | mail |\n\n- `read-logs`\n- `max-size`\n- `min-size`\n"}),
    Example({**_THREE, "README.md": "# Demo\n\n| Skill | Needs |\n| --- | --- |\n| read-logs | disk |\n| not-here | disk |\n| nor-here | disk |\n"}),
)
GOOD += (
    Example({**_THREE, "README.md": "# Demo\n\n| Tool | Purpose |\n| --- | --- |\n| `read-logs` | one |\n| `read-mail` | two |\n| `get-policy` | three |\n"}),
    Example({**_THREE, "skills/_common-parts/SKILL.md": _SKILL.format("_common-parts"), "README.md": "# Demo\n\n| Skill | Use |\n| --- | --- |\n| `/demo:read-logs on\\|off` | logs |\n| `read-mail` | mail |\n| `write-mail` | mail |\n| `_common-parts` | shared |\n"}),
)
GOOD += (
    Example({"skills/agent-memory-check/SKILL.md": "---\nname: agent-memory-check\ndescription: Reads. Use when one is ready.\n---\nRead.\n", "skills/read-logs/SKILL.md": "---\nname: read-logs\ndescription: Reads. Use when one is ready.\n---\nRead.\n", "skills/read-mail/SKILL.md": "---\nname: read-mail\ndescription: Reads. Use when one is ready.\n---\nRead.\n", "README.md": "# Demo\n\n| Skill | Description |\n| --- | --- |\n| agent-memory-check | Reads |\n| read-mail | Reads |\n| read-logs | Reads |\n"}),
)
BAD = (
    Example({**_THREE, "README.md": f"# Demo\n\n## Skills\n\n| Skill | Use |\n| --- | --- |\n| read-logs | logs |\n| read-mail | mail |\n| wirte-mail | mail |{HERE}\n"}, message="no component is called 'wirte-mail'"),
    Example({**_THREE, "README.md": f"# Demo\n\n## Skills\n\n- **read-logs**: logs\n- **read-mail**: mail\n- [send-mail](https://example.com) - mail{HERE}\n"}, message="no component is called 'send-mail'"),
)


def check(document):
    package = document.package
    known = known_names(package)
    others = [one for one in package.workspace.packages if one is not package] if package.workspace is not None else []
    for inventory in inventories(document):
        for name in inventory.gone:
            if any(folded(name.name) in known_names(one) or one.name == name.name for one in others) or package.exists(name.name):
                continue
            if any(other.endswith("-" + folded(name.name)) for other in known):  # without the prefix that all of them have
                continue
            close = did_you_mean(name.name, known)
            yield Problem(document.source, name.span, f"no component is called '{name.name}'", f"Did you mean '{close}'?" if close else f"Correct the name, or take it out of the {inventory.label}.")
