"""
What it checks: where an agent that can call agents, or a `subagent_type`, names an agent of a plugin without the
plugin's name in front. (The `agent:` of a forked skill is `skill-agent-not-qualified`.)

Why it matters: the client knows a plugin's agents as `plugin:agent` and does not find the bare name ("Agent
type 'x' not found"). The main session can look the name up in its list of agents; a subagent is not shown that
list and has only what its own prompt says.

How to fix: write `plugin:agent` everywhere work is sent.
"""

from pluglint.edits import replaced
from pluglint.graph import LISTED, SENTENCE, SIBLING, SUBAGENT_TYPE, TABLE
from pluglint.graph import HERE as IN_PACKAGE
from pluglint.rule import AGENT, CLAUDE_CODE, COMMAND, DIRECTORY, HERE, REFERENCE, SKILL, WARNING, Example, Fix, Problem, Rule
from pluglint.rules._delegation import holds

RULE = Rule(
    title="an agent is called by its bare name",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND, REFERENCE),
    source="calls scripted against client 2.1.330, 2026-11-22",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="unsafe",
)

_LEAD = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read, {}\n---\n"
_TABLE = "| Delegate To | When |\n| --- | --- |\n| {} | a change is ready |{}\n"
_REVIEWER = "---\nname: reviewer\ndescription: Reads changes. Use when one is ready.\ntools: Read\n---\nYou read.\n"

GOOD = (
    Example({"agents/lead.md": _LEAD.format("Agent") + _TABLE.format("demo:reviewer", ""), "agents/reviewer.md": _REVIEWER}),
    Example({"agents/lead.md": _LEAD.format("Grep") + _TABLE.format("reviewer", ""), "agents/reviewer.md": _REVIEWER}),
    Example({".claude/agents/lead.md": _LEAD.format("Agent") + _TABLE.format("reviewer", ""), ".claude/agents/reviewer.md": _REVIEWER}),
)
GOOD += (
    Example({"agents/lead.md": _LEAD.format("Agent") + _TABLE.format("`reviewer → tester`", ""), "agents/reviewer.md": _REVIEWER, "agents/tester.md": _REVIEWER.replace("reviewer", "tester")}),
    Example({".claude-plugin/marketplace.json": '{"name": "shop", "owner": {"name": "A"}, "description": "A shop.", "plugins": [{"name": "demo", "source": "./"}]}\n', "docs/de/skills/go/SKILL.md": "---\nname: go\ndescription: Geht.\n---\nCall it with `subagent_type: \"reviewer\"`.\n", "agents/reviewer.md": _REVIEWER}),
)
BAD = (
    Example({"agents/lead.md": _LEAD.format("Agent") + _TABLE.format("reviewer", HERE), "agents/reviewer.md": _REVIEWER}, message="'reviewer' is not found: the client knows it as 'demo:reviewer'", fixed='| demo:reviewer | a change is ready |'),
    Example({"commands/go.md": f"---\ndescription: Goes.\n---\nCall the Agent tool with `subagent_type: \"reviewer\"`.{HERE}\n", "agents/reviewer.md": _REVIEWER}, message="'reviewer' is not found: the client knows it as 'demo:reviewer'", fixed='Call the Agent tool with `subagent_type: "demo:reviewer"`.'),
)


def check(document):
    if document.package.namespace == "" or not document.edges or document.rel.endswith("/SKILL.md") and document.kind != "skill":  # a translation under docs/
        return
    calls = document.kind == "agent" and holds(document, "Agent")
    seen = set()
    for edge in document.edges:
        literal = edge.via == SUBAGENT_TYPE
        if not literal and not (calls and edge.via in (TABLE, LISTED, SENTENCE)) or edge.wants != "agent" or edge.status not in (IN_PACKAGE, SIBLING):
            continue
        if edge.target.lower() == edge.found.lower() or edge.target in seen or edge.found == document.qualified:
            continue
        if not literal and _in_a_chain(document.text, edge.start, edge.start + len(edge.target)):
            continue
        seen.add(edge.target)  # once a name and file: the rest is the same slip
        edit = replaced(document, edge.span, edge.target, edge.found)
        yield Problem(
            document.source, edge.span, f"'{edge.target}' is not found: the client knows it as '{edge.found}'", f"Write `{edge.found}`.",
            (), Fix(f"write {edge.found}", (edit,)) if edit else None,
        )


def _in_a_chain(text, start, end):
    """Whether an arrow stands beside a name: "a → b" tells who comes after whom, and calls nobody."""
    around = text[max(0, start - 4) : start] + text[end : end + 4]
    return "→" in around or "->" in around
