"""
What it checks: chains of agents that hold `Agent`, from those that the main session calls first: an agent that
is reached at depth three at the earliest and sends work on.

Why it matters: an agent that the main session calls runs at depth one, and at depth three the client takes the
tool for calling agents away. The last step is silently left out.

How to fix: let the first agent call the last one itself, or let the one in between return a work order.
"""

from pluglint.facts import FACTS
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, GRAPH, WARNING, Example, Problem, Rule
from pluglint.rules._chains import calls, starts

RULE = Rule(
    title="a chain of agents is too deep",
    severity=WARNING,
    on=(GRAPH,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)


def _agent(name, to, here=""):
    return f"---\nname: {name}\ndescription: Does {name} work. Use when there is some.\ntools: Read, Agent\n---\n\nDelegate what is left to `demo:{to}`.{here}\n"


_LAST = "---\nname: four\ndescription: Does the rest. Use when there is some.\ntools: Read\n---\nYou do it.\n"

GOOD = (
    Example({"agents/two.md": _agent("two", "three"), "agents/three.md": _agent("three", "four"), "agents/four.md": _LAST}),
    Example({"agents/one.md": _agent("one", "two"), "agents/two.md": _agent("two", "three"), "agents/three.md": _agent("three", "four"), "agents/four.md": _LAST, "commands/go.md": "---\ndescription: Goes.\n---\nAsk `demo:three`.\n"}),
)
BAD = (
    Example(
        {"agents/one.md": _agent("one", "two"), "agents/two.md": _agent("two", "three"), "agents/three.md": _agent("three", "four", HERE), "agents/four.md": _LAST},
        message="'demo:three' runs at depth 3 (demo:one, demo:two, demo:three) and cannot call 'demo:four'",
    ),
)


def check(package):
    graph = calls(package)
    limit = FACTS["agents"]["max_depth"]
    chains = {name: [name] for name in starts(package, graph)}
    queue = list(chains)
    for name in queue:
        for receiver, edge in graph.get(name, {}).items():
            if len(chains[name]) >= limit:
                if len(chains[name]) == limit and receiver not in chains:
                    message = f"'{name}' runs at depth {limit} ({', '.join(chains[name])}) and cannot call '{receiver}'"
                    yield Problem(package.documents[edge.source].source, edge.span, message, "Let an earlier agent call it, or let this one return a work order.")
            elif receiver not in chains:
                chains[receiver] = [*chains[name], receiver]
                queue.append(receiver)
