"""
What it checks: every agent, skill and command has the headings that the configuration requires under
`[sections]`. Case, numbers and symbols around the words do not count; the level is free.

Why it matters: where a package promises that every agent states, say, its output and its limits, an agent
without that section breaks the promise, and the sessions that rely on it get a differing answer.

How to fix: add the section, or change the requirement:

    [sections]
    agent = ["Output", "Limits"]
"""

from pluglint.rule import AGENT, COMMAND, ERROR, HERE, SKILL, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a section that the configuration requires is missing",
    severity=ERROR,
    on=(AGENT, SKILL, COMMAND),
    source="the package's own configuration",
)

CONFIG = {"sections": {"agent": ("Output",)}}  # what the examples run under

GOOD = (
    Example("---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n# Reader\n\n## 3. Output\n\nA list.\n"),
    Example({"skills/example/SKILL.md": "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n# Reader\n"}),
)
BAD = (
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n# Reader{HERE}\n\n## Input\n",
        message="the section 'Output' is missing",
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n\nYou read changes.{HERE}\n",
        message="the section 'Output' is missing",
    ),
    Example(
        f"---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n# Reader{HERE}\n\n## Outputs\n\nA list.\n",
        message="the section 'Output' is missing",
    ),
)


def check(document):
    config = document.package.config
    wanted = config.sections.get(document.kind, ()) if config is not None else ()
    if not wanted:
        return
    headings = document.markdown.headings
    present = {_plain(heading.text): heading for heading in headings}
    place = headings[0].span if headings else _first_line(document)
    for name in wanted:
        if _plain(name) not in present:
            close = did_you_mean(_plain(name), present)
            hint = f"Is it the section '{present[close].text}'? Rename it." if close else f"Add a heading '{name}' with its text."
            related = (document.at(present[close].span, "a heading much like it"),) if close else ()
            yield Problem(document.source, place, f"the section '{name}' is missing", hint, related)


def _plain(text):
    return " ".join("".join(char if char.isalpha() or char == "-" else " " for char in text.lower()).split())


def _first_line(document):
    """The first line of the body that holds something."""
    start = document.frontmatter.body
    rest = document.text[start:]
    return document.source.line_span(start + len(rest) - len(rest.lstrip()) if rest.strip() else max(0, start - 1))
