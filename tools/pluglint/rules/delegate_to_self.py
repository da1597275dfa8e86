"""
What it checks: a delegation table, list or sentence of an agent that names the agent itself.

Why it matters: the agent would start a copy of itself with the same prompt; at depth three the client takes
the tool away. Such a row is usually left over from a copied table, and hides who was meant.

How to fix: name the agent that was meant, or take the row out.
"""

from pluglint.graph import LISTED, SENTENCE, SUBAGENT_TYPE, TABLE
from pluglint.rule import AGENT, CLAUDE_CODE, DIRECTORY, HERE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="an agent delegates to itself",
    severity=WARNING,
    on=(AGENT,),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_LEAD = "---\nname: tech-lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"

GOOD = (
    Example({"agents/tech-lead.md": _LEAD + "Use the tech-lead agent when a request spans several fields.\n"}),
    Example({"agents/tech-lead.md": _LEAD + "## Related agents\n\n- `tech-lead`: this one\n"}),
)
GOOD += (
    Example({"agents/tech-lead.md": _LEAD + "Others call you so:\n\n```python\nTask(subagent_type=\"demo:tech-lead\", prompt=\"Split it\")\n```\n"}),
)
BAD = (
    Example({"agents/tech-lead.md": _LEAD + f"| Delegate To | When |\n| --- | --- |\n| `demo:tech-lead` | a request is large |{HERE}\n"}, message="'demo:tech-lead' is this agent itself"),
    Example({"agents/tech-lead.md": _LEAD + f"Delegate every plan to `tech-lead`.{HERE}\n"}, message="'tech-lead' is this agent itself"),
)


def check(document):
    for edge in document.edges:
        if edge.found != document.qualified or edge.wants != "agent" or edge.via not in (TABLE, LISTED, SENTENCE, SUBAGENT_TYPE):
            continue
        if any(fence.content.start <= edge.start < fence.content.end for fence in document.markdown.fences):
            continue  # an example of how others call it
        if edge.via == SENTENCE:
            # "Use the x agent when ..." in x's own prompt says when x is used, and sends nothing.
            before = document.text[max(0, edge.start - 60) : edge.start].lower()
            if not any(word in before for word in ("delegat", "hand over", "hand off", "hand it", "defer to", "escalate to")):
                continue
        if edge.via == LISTED and "use" in document.text[max(0, edge.start - 12) : edge.start].lower():
            continue
        yield Problem(document.source, edge.span, f"'{edge.target}' is this agent itself", "Name the agent that was meant, or leave this out.")
