"""
What it checks: the `name` of an agent is its file name without `.md`.

Why it matters: the name in the header counts, the file name means nothing. Somebody who looks for the agent, or
writes its name from the file list, finds the wrong one.

How to fix: rename the file or the agent.
"""

from pluglint.headers import shown
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="the name of an agent differs from its file",
    severity=INFO,
    on=(AGENT,),
    source="an agent with another name loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_REST = "\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
GOOD = (Example({"agents/reviewer.md": f"---\nname: reviewer{_REST}"}), Example({"agents/reader.md": f"---\nmodel: opus{_REST}"}))
GOOD += (
    Example({"agents/reader/AGENT.md": f"---\nname: reader{_REST}", "agents/writer.agent.md": f"---\nname: writer{_REST}"}),
)
BAD = (Example({"agents/reviewer.md": f"---\nname: code-reviewer{HERE}{_REST}"}, message="the agent is called 'code-reviewer', its file 'reviewer.md'"),)


def check(document):
    name = document.string("name").strip()
    file = document.rel.rpartition("/")[2]
    if name and name != document.stem.removesuffix(".agent") and file != "AGENT.md":  # the usual name of the only one in a folder
        yield Problem(document.source, document.field("name").span, f"the agent is called '{shown(name)}', its file '{shown(file)}'", "Rename one of them.")
