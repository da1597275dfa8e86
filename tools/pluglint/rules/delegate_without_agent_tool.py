"""
What it checks: an agent that sends work to other agents although its `tools` list leaves out `Agent` (formerly
`Task`). Silent where the text speaks of a work order, of handing back, or of the caller.

Why it matters: without the tool the agent cannot call anybody. That is a good design where it returns, in
writing, what somebody else should do; where it expects to call, the work is silently left undone.

How to fix: add `Agent` to `tools`, or say that the agent ends with a work order for its caller.
"""

from pluglint.graph import UNKNOWN
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, INFO, Example, Problem, Rule
from pluglint.rules._delegation import holds
from pluglint.words import listed

RULE = Rule(
    title="an agent sends work but cannot call agents",
    severity=INFO,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_LEAD = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: {}\n---\n"
_REVIEWER = "---\nname: reviewer\ndescription: Reads changes. Use when one is ready.\ntools: Read\n---\nYou read.\n"

GOOD = (
    Example({"agents/lead.md": _LEAD.format("Read, Agent") + "Delegate the reading to `demo:reviewer`.\n", "agents/reviewer.md": _REVIEWER}),
    Example({"agents/lead.md": _LEAD.format("Read") + "End with a work order: delegate the reading to `demo:reviewer`.\n", "agents/reviewer.md": _REVIEWER}),
    Example({"agents/lead.md": _LEAD.format("Read") + "The `demo:reviewer` agent reads changes.\n", "agents/reviewer.md": _REVIEWER}),
)
BAD = (
    Example(
        {"agents/lead.md": _LEAD.format("Read").replace("tools: Read", f"tools: Read{HERE}") + "Delegate the reading to `demo:reviewer`.\n", "agents/reviewer.md": _REVIEWER},
        message="the agent sends work to 'demo:reviewer', but its tools lack Agent",
    ),
)

# Words of an agent that gives its result back, and lets its caller send the work.
_RETURNS = ("work order", "work-order", " back", "return", "recommend", "suggest", "caller", "parent", "main session", "main agent", "main conversation", "main thread", "the user")


def check(document):
    if document.header is None or document.field("tools") is None or holds(document, "Agent"):
        return
    me = document.qualified
    sent = [edge for edge in document.edges if edge.sends and edge.status != UNKNOWN and edge.found != me]
    body = document.body.lower() if sent else ""
    if not sent or any(word in body for word in _RETURNS):
        return
    names = list(dict.fromkeys(f"'{edge.target}'" for edge in sent))
    related = (document.at(sent[0].span, "sent here"),)
    yield Problem(document.source, document.field("tools").span, f"the agent sends work to {listed(names, 3)}, but its tools lack Agent", "Add `Agent` to `tools`, or let the agent return a written work order.", related)
