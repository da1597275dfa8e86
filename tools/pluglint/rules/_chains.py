"""Chains of agents that can call each other, for the rules about cycles and depth."""

from pluglint.rules._delegation import lists


def calls(package):
    """sender -> {receiver: edge}: agents that list the tool for it and send work to agents of the package."""
    able = {agent.qualified for agent in package.agents if lists(agent, "Agent")}
    agents = {agent.qualified for agent in package.agents}
    kinds = {document.rel for document in package.agents}
    result: dict[str, dict] = {}
    for edge in package.edges:
        if edge.sends and edge.source in kinds and edge.sender in able and edge.found in agents and edge.found != edge.sender:
            result.setdefault(edge.sender, {}).setdefault(edge.found, edge)
    return result


def starts(package, graph):
    """Agents that the main session calls first: those that a skill or command names, and those that no agent calls."""
    called = {receiver for receivers in graph.values() for receiver in receivers}
    kinds = {document.rel for document in package.agents}
    named = {edge.found for edge in package.edges if edge.source not in kinds and edge.found}
    return [name for name in sorted(graph) if name not in called or name in named]
