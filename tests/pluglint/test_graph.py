"""Every way of naming who is to do something: what is found, how, and exactly where; and what is only prose."""

from __future__ import annotations

import json

import pytest
from examples import MANIFEST

from pluglint.config import Config
from pluglint.discover import discover
from pluglint.engine import _packages
from pluglint.model import Workspace

AGENT = "---\nname: {}\ndescription: Does {} work. Use when there is some.\ntools: Read\n---\nYou work.\n"
SKILL = "---\nname: {}\ndescription: Does {} work. Use when there is some.\n---\nDo it.\n"
LEAD = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"  # five lines


def package(root, files):
    base = {
        ".claude-plugin/plugin.json": MANIFEST,
        "agents/reviewer.md": AGENT.format("reviewer", "reading"),
        "agents/jax-pro.md": AGENT.format("jax-pro", "jax"),
        "agents/deep/diver.md": AGENT.format("diver", "depth"),
        "skills/data-cleaning/SKILL.md": SKILL.format("data-cleaning", "cleaning"),
        "commands/start-up.md": "---\ndescription: Starts.\n---\nStart.\n",
    }
    for path, text in {**base, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    config = Config()
    config.external_agents = {"spark-pro": "spark-suite:spark-pro", "spark-suite:spark-pro": "spark-suite:spark-pro"}
    packages = _packages(discover(str(root)), config, {})
    Workspace(packages)
    return packages


def edges(root, text, path="agents/lead.md"):
    """(target, via, status, line, column) of each edge, the lines of the lead's header left out."""
    for one in package(root, {path: text}):
        document = one.documents.get(path)
        if document is not None:
            found = [(edge.target, edge.via, edge.status, *document.source.position(edge.start)) for edge in document.edges]
            for edge in document.edges:
                assert document.text[edge.start : edge.end] == edge.target
            return found
    raise AssertionError("no such document")


TABLE = "| {} | When |\n| --- | --- |\n"
FOUND = {
    "list, a plain word beside a known name": ("Delegate to other agents:\n\n- **jax-pro**: numbers\n- **smith**: depths\n", [("jax-pro", "list", "package", 8, 5), ("smith", "list", "unknown", 9, 5)]),
    "list, plain words only": ("Delegate to other agents:\n\n- **numbers**: always\n- **depths**: never\n", []),
    "table": (TABLE.format("Delegate To") + "| jax-pro | numbers |\n", [("jax-pro", "table", "package", 8, 3)]),
    "table, qualified in code": (TABLE.format("**Delegate to**") + "| `demo:jax-pro` | numbers |\n", [("demo:jax-pro", "table", "package", 8, 4)]),
    "table, several": (TABLE.format("Hand off to") + "| jax-pro, reviewer or `demo:deep:diver` | numbers |\n", [("jax-pro", "table", "package", 8, 3), ("demo:deep:diver", "table", "package", 8, 25)]),
    "table, bold with a remark": (TABLE.format("Delegate To") + "| **jax-pro** (when numbers matter) | x |\n", [("jax-pro", "table", "package", 8, 5)]),
    "table, unknown": (TABLE.format("Delegate To") + "| torch-pro | x |\n", [("torch-pro", "table", "unknown", 8, 3)]),
    "table, weak title with a known neighbour": (TABLE.format("Escalate to") + "| jax-pro | x |\n| torch-pro | x |\n", [("jax-pro", "table", "package", 8, 3), ("torch-pro", "table", "unknown", 9, 3)]),
    "table, agent column under a delegation heading": ("## Delegation\n\n" + TABLE.format("Specialist") + "| jax-pro | x |\n", [("jax-pro", "table", "package", 10, 3)]),
    "table, declared": (TABLE.format("Subagent") + "| spark-pro | x |\n", [("spark-pro", "table", "external", 8, 3)]),
    "table, undeclared": (TABLE.format("Delegate To") + "| torch-suite:torch-pro | x |\n", [("torch-suite:torch-pro", "table", "undeclared", 8, 3)]),
    "list": ("Delegate to other agents:\n\n- **jax-pro**: numbers\n- torch-pro: nets\n", [("jax-pro", "list", "package", 8, 5), ("torch-pro", "list", "unknown", 9, 3)]),
    "list, numbered": ("Hand over to:\n\n1. `demo:jax-pro` - numbers\n2. `torch-pro` - nets\n", [("demo:jax-pro", "list", "package", 8, 5), ("torch-pro", "list", "unknown", 9, 5)]),
    "list under a heading": ("## Delegation\n\n- jax-pro: numbers\n- torch-pro: nets\n", [("jax-pro", "list", "package", 8, 3), ("torch-pro", "list", "unknown", 9, 3)]),
    "list, built in": ("Delegate to other agents:\n\n- **Explore**: reading\n", [("Explore", "list", "built-in", 8, 5)]),
    "list, nested": ("- Delegate to other agents:\n  - **jax-pro**: numbers\n", [("jax-pro", "list", "package", 7, 7)]),
    "arrow": ("Do NOT use this agent for:\n\n- numbers → use `jax-pro`\n- reading -> reviewer agent\n", [("jax-pro", "list", "package", 8, 18), ("reviewer", "list", "package", 9, 14)]),
    "arrow, unknown beside known": ("Do not use this agent for:\n\n- numbers → jax-pro\n- nets → torch-pro\n", [("jax-pro", "list", "package", 8, 13), ("torch-pro", "list", "unknown", 9, 10)]),
    "redirection in words": ("Not for:\n\n- numbers (use jax-pro)\n- nets: use `jax-pro` instead\n", [("jax-pro", "list", "package", 8, 16), ("jax-pro", "list", "package", 9, 14)]),
    "sentence": ("Use the jax-pro agent for numbers.\n", [("jax-pro", "sentence", "package", 6, 9)]),
    "sentence, plural": ("Spawn 3 `jax-pro` agents at once.\n", [("jax-pro", "sentence", "package", 6, 10)]),
    "sentence over a line break": ("Delegate the numbers to the\n`demo:jax-pro` subagent.\n", [("demo:jax-pro", "sentence", "package", 7, 2)]),
    "sentence, unknown": ("Invoke the `torch-pro` agent.\n", [("torch-pro", "sentence", "unknown", 6, 13)]),
    "hand over": ("Then hand over to `reviewer`.\n", [("reviewer", "sentence", "package", 6, 20)]),
    "hand it off": ("Hand it off to jax-pro or to `demo:deep:diver`.\n", [("jax-pro", "sentence", "package", 6, 16), ("demo:deep:diver", "sentence", "package", 6, 31)]),
    "delegate, unknown": ("Delegate numbers to `torch-pro`.\n", [("torch-pro", "sentence", "unknown", 6, 22)]),
    "defer, unknown": ("- **Schemas**: outline (defer to database-architect)\n", [("database-architect", "sentence", "unknown", 6, 34)]),
    "skill sentence": ("Load the `data-cleaning` skill first.\n", [("data-cleaning", "sentence", "package", 6, 11)]),
    "skill sentence, misspelt": ("Load the `data-cleanin` skill first.\n", [("data-cleanin", "sentence", "unknown", 6, 11)]),
    "see also": ("See also: `jax-pro`, `numpy`.\n", [("jax-pro", "see-also", "package", 6, 12)]),
    "see also heading": ("## Related agents\n\n- **jax-pro**: numbers\n", [("jax-pro", "see-also", "package", 8, 5)]),
    "mention": ("Type @agent-demo:jax-pro now.\n", [("demo:jax-pro", "mention", "package", 6, 13)]),
    "mention, unknown": ("Type @agent-demo:torch-pro now.\n", [("demo:torch-pro", "mention", "unknown", 6, 13)]),
    "qualified": ("The work of demo:jax-pro is numbers.\n", [("demo:jax-pro", "qualified", "package", 6, 13)]),
    "qualified command": ("The command demo:start-up begins.\n", [("demo:start-up", "qualified", "package", 6, 13)]),
    "qualified, misspelt": ("The work of demo:jax-prp is numbers.\n", [("demo:jax-prp", "qualified", "unknown", 6, 13)]),
    "subagent_type": ('Call Task(subagent_type="demo:jax-pro", prompt="x").\n', [("demo:jax-pro", "subagent-type", "package", 6, 26)]),
    "subagent_type in a fence": ('```\nTask:\n  subagent_type: torch-pro\n```\n', [("torch-pro", "subagent-type", "unknown", 8, 18)]),
    "subagent_type in JSON": ('```json\n{"subagent_type": "Explore"}\n```\n', [("Explore", "subagent-type", "built-in", 7, 20)]),
    "subagent_type, two colons": ('Use subagent_type="demo::jax-pro" here.\n', [("demo::jax-pro", "subagent-type", "unknown", 6, 20)]),
    "case of a call": ('Use subagent_type: "demo:JAX-Pro" here.\n', [("demo:JAX-Pro", "subagent-type", "package", 6, 21)]),
}


@pytest.mark.parametrize("body, expected", FOUND.values(), ids=FOUND)
def test_form(body, expected, tmp_path):
    assert edges(tmp_path, LEAD + body) == expected


QUIET = {
    "command line": "Type `/demo:start-up` or /demo:jax-pro to begin.\n",
    "pattern": "Use the plan-and-execute agent pattern.\n",
    "adjectives": "Use a long-running agent, call the user-facing agent, spawn a read-only agent.\n",
    "another product": "In Codex, use the `code-mapper` agent.\n",
    "an example": "Name it well, e.g. use the `code-mapper` agent.\n",
    "the past": "The `code-reviewer` agent was removed; do not call the `code-reviewer` agent.\n",
    "dialogue": 'assistant: "I\'ll use the jax-pro agent."\n\n<example>\nUse the torch-pro agent.\n</example>\n',
    "template": "Use the `your-agent` agent, or `demo:agent-name`, or `plugin:agent`.\n",
    "variable": "`subagent_type: agentType` and subagent_type=chosen\n",
    "defined in code": '```python\nagents={"torch-pro": AgentDefinition()}\nTask(subagent_type="torch-pro")\n```\n',
    "people": "| Escalate To | Contact |\n| --- | --- |\n| on-call-engineer | phone |\n\nEscalate to the on-call-engineer.\n",
    "terms under a heading": "## Delegation\n\n- **fail-fast**: stop\n- **well-known**: prefer\n",
    "tasks": "Delegate the following to agents:\n\n- **code-review**: always\n",
    "tools after an arrow": "- Formatting → use pre-commit\n- Trees → scikit-learn\n",
    "prose in a cell": "| Delegate To | When |\n| --- | --- |\n| whoever knows the well-known fall-back | x |\n",
    "comment": "<!-- Use the torch-pro agent. -->\n",
    "tag": "The image demo:latest and the value demo:true.\n",
    "address": "Write to me@agent-demo.example or see @agent-kit/core.\n",
    "path": "See agents/torch-pro.md and skills/data-cleaning/SKILL.md.\n",
    "delegation of events": "Event delegation to well-known elements, delegate to sub-components.\n",
}


@pytest.mark.parametrize("body", QUIET.values(), ids=QUIET)
def test_prose_is_no_edge(body, tmp_path):
    assert edges(tmp_path, LEAD + body) == []


HEADERS = {
    "Agent in tools": ("tools: Read, Agent(demo:jax-pro, torch-pro)\n", [("demo:jax-pro", "tool", "package", 4, 20), ("torch-pro", "tool", "unknown", 4, 34)]),
    "Agent in a list": ('tools: [Read, "Task(demo:jax-pro)"]\n', [("demo:jax-pro", "tool", "package", 4, 21)]),
    "any agent": ("tools: Agent(*)\n", []),
    "skills": ("skills: data-cleaning, trace\n", [("data-cleaning", "skills-field", "package", 4, 9), ("trace", "skills-field", "unknown", 4, 24)]),
    "skills, a list": ("skills:\n  - demo:data-cleaning\n  - other:trace\n", [("demo:data-cleaning", "skills-field", "package", 5, 5), ("other:trace", "skills-field", "undeclared", 6, 5)]),
}


@pytest.mark.parametrize("field, expected", HEADERS.values(), ids=HEADERS)
def test_header(field, expected, tmp_path):
    assert edges(tmp_path, LEAD.replace("tools: Read\n", field) + "You split.\n") == expected


def test_agent_of_a_skill(tmp_path):
    text = '---\nname: look\ndescription: Looks. Use when asked.\ncontext: fork\nagent: "torch-pro"\n---\nLook.\n'
    assert edges(tmp_path, text, "skills/look/SKILL.md") == [("torch-pro", "agent-field", "unknown", 5, 9)]


def test_another_plugin_of_the_same_marketplace(tmp_path):
    entry = {"name": "shop", "owner": {"name": "Example"}, "plugins": [{"name": one, "source": f"./plugins/{one}"} for one in ("demo", "toolbox")]}
    (tmp_path / ".claude-plugin").mkdir()
    (tmp_path / ".claude-plugin/marketplace.json").write_text(json.dumps(entry))
    for name in ("demo", "toolbox"):
        folder = tmp_path / "plugins" / name
        (folder / ".claude-plugin").mkdir(parents=True)
        (folder / ".claude-plugin/plugin.json").write_text(MANIFEST.replace('"demo"', f'"{name}"'))
        (folder / "agents").mkdir()
    (tmp_path / "plugins/toolbox/agents/jax-pro.md").write_text(AGENT.format("jax-pro", "jax"))
    (tmp_path / "plugins/demo/agents/lead.md").write_text(LEAD + "Delegate to `toolbox:jax-pro`, and hand over to `toolbox:torch-pro`.\n")
    packages = _packages(discover(str(tmp_path)), Config(), {})
    Workspace(packages)
    lead = next(agent for one in packages for agent in one.agents if agent.name == "lead")
    assert [(edge.target, edge.found, edge.status) for edge in lead.edges] == [("toolbox:jax-pro", "toolbox:jax-pro", "workspace"), ("toolbox:torch-pro", "", "unknown")]


@pytest.mark.parametrize("body", ["", "\x00\x00", "| Delegate To |\n", "Delegate to\n", "- → \n" * 500, "delegate to `" * 3000, "use the " * 3000 + "agent", "@agent-" * 3000, "[" * 5000, "See also" * 2000, "a-" * 9000 + " agent"])
def test_strange_text(body, tmp_path):
    edges(tmp_path, LEAD + body)
