"""
What it checks: every key in the header of an agent is one that the client reads, or that the package's own schema
declares (`header-schemas` in the configuration). A key that more than three agents have is reported once.

Why it matters: the client ignores other keys, with one line in its debug log. What they say (a version, a rating,
a list of triggers) reaches neither the model nor the user.

How to fix: remove the key, move what it says into the description or the body, or declare it:

    [header-schemas]
    agent = "schemas/agent.json"
"""

from pluglint.headers import foreign_keys, shown
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule

RULE = Rule(
    title="the header of an agent has a key that means nothing",
    severity=INFO,
    on=(AGENT,),
    source="agents with other keys loaded by client 2.1.330, 2026-11-22; sub-agents page of 2026-10-07",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

CONFIG = {"house_keys": {"agent": frozenset({"owner"})}}
_TOP = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n"
GOOD = (
    Example(_TOP + "skills: notes\nomitClaudeMd: true\n---\nYou read.\n"),
    Example(_TOP + "owner: platform team\n---\nYou read.\n"),
)
BAD = (
    Example(
        {f"agents/{name}.md": _TOP.replace("example", name) + f"rating: 5{HERE if name == 'a' else ''}\n---\nYou read.\n" for name in "abcd"},
        message="the client ignores the key 'rating' of an agent, here and in 3 other agents",
        also=("descriptions-nearly-equal",),
    ),
    Example(_TOP + f"maturity: 75%{HERE}\n---\nYou read.\n", message="the client ignores the key 'maturity' of an agent"),
    Example(_TOP + f"tools: Read\nallowed-tools: Bash{HERE}\n---\nYou read.\n", message="the client ignores the key 'allowed-tools' of an agent"),
)

_CUSTOM = 3  # above this a key is a custom of the package, not a slip


def check(document):
    strange, holders = document.package.memo("strange-agent-keys", _strange)
    seen = set()
    for key in strange[document.rel]:
        if key.text in seen:  # a key that stands twice has a rule of its own
            continue
        seen.add(key.text)
        others = holders[key.text]
        if len(others) <= _CUSTOM or document.rel == others[0]:
            more = f", here and in {len(others) - 1} other agents" if len(others) > _CUSTOM else ""
            yield Problem(
                document.source,
                key.span,
                f"the client ignores the key '{shown(key.text)}' of an agent{more}",
                "Remove it, or declare it in a schema of your own under `header-schemas`.",
            )


def _strange(package):
    """({path: its strange keys}, {strange key: the paths that have it}) of all agents."""
    strange, holders = {}, {}
    for agent in package.agents:
        strange[agent.rel] = [key for key, _, which in foreign_keys(agent) if not which]
        for text in {key.text: None for key in strange[agent.rel]}:
            holders.setdefault(text, []).append(agent.rel)
    return strange, holders
