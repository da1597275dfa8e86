"""
What it checks: no two agents of a package have the same name. In a plugin, sub-folders of `agents/` are part of
the name.

Why it matters: the client loads one of the two and drops the other, with a line in its debug log only. Which one
stays depends on the order of the files.

How to fix: rename one of them.
"""

from pluglint.headers import in_project, shown
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="two agents have the same name",
    severity=ERROR,
    on=(PACKAGE,),
    source="two agents of one name loaded by client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_REST = "\ndescription: Reads changes. Use when one is ready.\n---\nYou read.\n"
GOOD = (
    Example({"agents/a.md": f"---\nname: a{_REST}", "agents/sub/a.md": f"---\nname: a{_REST}"}),
    Example({".claude/agents/a.md": f"---\nname: a{_REST}", ".claude/agents/README.md": "Ours.\n"}),
)
BAD = (
    Example(
        {"agents/a.md": f"---\nname: reviewer{_REST}", "agents/b.md": f"---\nname: reviewer{HERE}{_REST}"},
        message="two agents are called 'reviewer', the client drops one of them",
    ),
    Example(
        {"agents/a.md": f"---\nname: b{_REST}", "agents/b.md": f"---{HERE}\nmodel: opus{_REST}"},
        message="two agents are called 'b', the client drops one of them",
    ),
)


def check(package):
    project = in_project(package)
    seen = {}
    for agent in package.agents:
        value = agent.field("name")
        if project and not agent.string("name").strip():  # not loaded at all
            continue
        span = value.span if value is not None and value.text else agent.frontmatter.span._replace(end=min(3, len(agent.text)))
        key = agent.name if project else agent.qualified
        first = seen.setdefault(key, (agent, span))
        if first[0] is not agent:
            related = (first[0].at(first[1], "the other one"),)
            yield Problem(agent.source, span, f"two agents are called '{shown(agent.name)}', the client drops one of them", "Rename one of them.", related)
