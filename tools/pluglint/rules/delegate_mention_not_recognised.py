"""
What it checks: `@name`, `@plugin:name` or `@agent-name` with the name of one of the package's agents, where only
`@agent-plugin:name` is recognised.

Why it matters: the client was seen to take the short forms for plain text: nobody is told that an agent is
meant, and the request is answered without it. Prefix and case must be exact.

How to fix: write `@agent-plugin:name` in what users are told to type, and `plugin:name` in a prompt.
"""

import re

from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, HERE, README, REFERENCE, SKILL, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="a mention of an agent that the client does not recognise",
    severity=WARNING,
    on=(README, SKILL, COMMAND, AGENT, REFERENCE),
    source="prompts typed into client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_MASTER = {"agents/net-master.md": "---\nname: net-master\ndescription: Explains networks. Use when one misbehaves.\ntools: Read\n---\nYou explain.\n"}

GOOD = (
    Example({"README.md": "# Demo\n\n    @agent-demo:net-master Explain this loss curve.\n", **_MASTER}),
    Example({"README.md": "# Demo\n\nWrite to someone@net-master.example or install @net-master/core.\n", **_MASTER}),
    Example({"README.md": "# Demo\n\nAsk @somebody for a review.\n", **_MASTER}),
)
BAD = (
    Example({"README.md": f"# Demo\n\n```\n@net-master Explain this loss curve.{HERE}\n```\n", **_MASTER}, message="'@net-master' is plain text to the client"),
    Example({"README.md": f"# Demo\n\nType `@demo:net-master` or{HERE}\n`@agent-net-master`.{HERE}\n", **_MASTER}, message="'@demo:net-master' is plain text to the client"),
    Example({"README.md": f"# Demo\n\nType `@agent-demo:Net-Master`.{HERE}\n", **_MASTER}, message="'@agent-demo:Net-Master' is plain text to the client"),
)


def check(document):
    text, package = document.text, document.package
    if "@" not in text or not package.namespace or not package.agents:
        return
    agents = package.memo("agents-in-lower-case", lambda one: {name.lower(): agent for name, agent in one.agents_by_name.items()})
    pattern = re.compile(r"(?<![\w/.@+-])@(agent-)?([A-Za-z][\w-]*(?::[A-Za-z][\w-]*)*)(?![\w/@-]|[.:]\w)")
    at = text.find("@", document.frontmatter.body)
    while at >= 0:
        match = pattern.match(text, at)
        at = text.find("@", at + 1)
        if match is None:
            continue
        name = match.group(2)
        agent = agents.get(name.lower()) or agents.get(match.group()[1:].lower())
        if agent is None or match.group() == f"@agent-{agent.qualified}" or not _meant(document, match, name):
            continue
        hint = f"Write `@agent-{agent.qualified}`." if document.kind == README else f"Write `{agent.qualified}` in a prompt; users type `@agent-{agent.qualified}`."
        yield Problem(document.source, Span(match.start(), match.end()), f"'{match.group()}' is plain text to the client", hint)


def _meant(document, match, name):
    """Whether the word is used as a mention: no heading, no decorator or person that bears a common name."""
    line_start = document.text.rfind("\n", 0, match.start()) + 1
    before = document.text[line_start : match.start()]
    if before.lstrip().startswith("#"):
        return False
    return "-" in name or ":" in name or match.group(1) is not None or document.kind == README and before.strip(" \t>`*-") == ""
