"""
What it checks: no link or image in an agent, a skill, its references or a command climbs out of the plugin's folder. A
README is read in the repository, where such a link works.

Why it matters: it works with `--plugin-dir` and in the repository, and is gone after installation: only the
plugin's own folder is copied into the client's cache.

How to fix: ship the file inside the plugin, or link to its address on the web.
"""

from pluglint.parse.links import is_template, local, resolve
from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, HERE, REFERENCE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a link leads out of the package",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="plugins reference of 2026-10-03: an installed plugin cannot reach files outside its folder",
    profiles=(CLAUDE_CODE, DIRECTORY),
    needles=("](", "]:", "href=", "src=", "HREF=", "SRC="),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"agents/example.md": _HEADER + "See [the notes](../README.md).\n", "README.md": "# Demo\n"}),
    Example({".claude/agents/example.md": _HEADER + "See [the code](../../src/main.py).\n"}),
)
GOOD += (
    Example({"README.md": "# Demo\n\nSee [the other plugin](../other/) and [the license](../../LICENSE).\n", "agents/example.md": _HEADER + "Read.\n", "agents/AGENTS.md": "# Notes\n\nSee [the rules](../../AGENTS.md).\n"}),
)
BAD = (
    Example({"agents/example.md": _HEADER + f"See [the guide](../../shared/guide.md).{HERE}\n"}, message="the link to '../../shared/guide.md' leads out of the package"),
)


def check(document):
    if not document.package.is_plugin or document.kind == AGENT and document.header is None:  # notes in agents/
        return
    for link in document.markdown.links:
        if not link.target.startswith(".") and "/../" not in link.target:
            continue
        found = local(link.target)
        if found is not None and resolve(document.folder, found[0]) is None and not is_template(document.rel):
            yield Problem(
                document.source, link.target_span, f"the link to '{found[0]}' leads out of the package", "Ship the file inside the package, or link to its address on the web."
            )
