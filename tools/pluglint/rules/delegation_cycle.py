"""
What it checks: three or more agents that hold `Agent` and send work around in a circle.

Why it matters: the client ends such a circle at depth three by taking the tool away, in the middle of
somebody's work; each step before that costs a full prompt.

How to fix: let one of them return its result instead of passing it on.
"""

from pluglint.finding import Location
from pluglint.rule import CLAUDE_CODE, DIRECTORY, HERE, INFO, GRAPH, Example, Problem, Rule
from pluglint.rules._chains import calls

RULE = Rule(
    title="agents send work around in a circle",
    severity=INFO,
    on=(GRAPH,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)


def _agent(name, to, here=""):
    return f"---\nname: {name}\ndescription: Does {name} work. Use when there is some.\ntools: Read, Agent\n---\n\nDelegate what is left to `demo:{to}`.{here}\n"


GOOD = (
    Example({"agents/one.md": _agent("one", "two"), "agents/two.md": _agent("two", "one")}),
    Example({"agents/one.md": _agent("one", "two"), "agents/two.md": _agent("two", "three"), "agents/three.md": _agent("three", "one").replace(", Agent", "")}),
)
BAD = (
    Example(
        {"agents/one.md": _agent("one", "two", HERE), "agents/two.md": _agent("two", "three"), "agents/three.md": _agent("three", "one")},
        message="work goes around in a circle: demo:one, demo:two, demo:three, demo:one",
    ),
)


def check(package):
    graph = calls(package)
    done = set()
    for start in sorted(graph):
        circle = _circle(graph, start, done) if start not in done else None
        if circle is None:
            continue
        done.update(circle)
        edges = [graph[sender][receiver] for sender, receiver in zip(circle, circle[1:] + circle[:1])]
        sources = [package.documents[edge.source].source for edge in edges]
        related = tuple(Location(source, edge.span, "then here") for source, edge in zip(sources[1:], edges[1:]))
        yield Problem(sources[0], edges[0].span, f"work goes around in a circle: {', '.join([*circle[:6], *(['...'] if len(circle) > 6 else []), circle[0]])}", "Let one of them return its result.", related[:6])


def _circle(graph, start, done):
    """The shortest way from an agent back to itself, if it has three agents or more."""
    before = {start: ""}
    queue = [start]
    for name in queue:
        for receiver in graph.get(name, ()):
            if receiver == start and name != start:
                path = [name]
                while before[path[-1]]:
                    path.append(before[path[-1]])
                if len(path) > 2:
                    return path[::-1]
            elif receiver not in before and receiver not in done:
                before[receiver] = name
                queue.append(receiver)
    return None
