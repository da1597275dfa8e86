"""What several rules about delegation and tools ask of an agent."""

from pluglint.model import MarkdownDocument


def tools_of(agent: MarkdownDocument) -> frozenset[str] | None:
    """The tools that an agent lists, without patterns in parentheses and under today's names; None when it lists none and so holds all."""
    node = agent.field("tools")
    if node is None:
        return None
    return frozenset("Agent" if name == "Task" else name for name in (value.text.partition("(")[0] for value in agent.names("tools")))


def disallowed(agent: MarkdownDocument) -> frozenset[str]:
    return frozenset("Agent" if name == "Task" else name for name in (value.text.partition("(")[0] for value in agent.names("disallowedTools")))


def holds(agent: MarkdownDocument, tool: str) -> bool:
    """Whether an agent can use a tool, by its own list or because it has no list."""
    if agent.header is None or tool in disallowed(agent):
        return agent.header is None
    tools = tools_of(agent)
    return tools is None or "*" in tools or tool in tools


def lists(agent: MarkdownDocument, tool: str) -> bool:
    """Whether an agent names a tool itself."""
    tools = tools_of(agent) if agent.header is not None else None
    return tools is not None and tool in tools and tool not in disallowed(agent)
