"""`pluglint graph`: the tree, the two drawing languages, and the JSON, over friendly and hostile names."""

from __future__ import annotations

import json
import re

import pytest
from examples import MANIFEST
from typer.testing import CliRunner

from pluglint.cli import app

AGENT = "---\nname: {}\ndescription: Does {} work. Use when there is some.\ntools: Read, Agent\n---\n"


def graph(root, files, *options):
    for path, text in {".claude-plugin/plugin.json": MANIFEST, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return CliRunner().invoke(app, ["graph", str(root), "--config", "none", *options])


FRIENDLY = {
    "agents/lead.md": AGENT.format("lead", "all") + "Delegate to other agents:\n\n- `demo:reader`: reading\n- `torch-pro`: nets\n- **Explore**: searching\n- `far:away`: the rest\n",
    "agents/reader.md": AGENT.format("reader", "reading") + "Delegate what is left to `demo:lead`.\n",
    "agents/alone.md": AGENT.format("alone", "quiet"),
    "skills/look/SKILL.md": "---\nname: look\ndescription: Looks. Use when asked.\n---\nSee the page.\n",
    "skills/look/references/page.md": "# Page\n\nThe work of demo:reader is reading.\n",
}


def test_tree(tmp_path):
    result = graph(tmp_path, FRIENDLY)
    assert result.exit_code == 0
    text = result.output.replace(str(tmp_path), "")
    assert text == (
        "skill demo:look\n"
        "  ..> agent demo:reader  qualified, /skills/look/references/page.md:3\n"
        "    -> agent demo:lead  sentence, /agents/reader.md:6\n"
        "      -> agent demo:reader [circle]  list, /agents/lead.md:8\n"
        "      -> agent torch-pro [unknown]  list, /agents/lead.md:9\n"
        "      -> agent Explore [built-in]  list, /agents/lead.md:10\n"
        "      -> agent far:away [undeclared]  list, /agents/lead.md:11\n"
        "\n"
        "1 agent without edges: demo:alone\n"
        "\n"
        "3 agents, 1 skill; 6 edges; 1 built-in; 1 undeclared; 1 unknown; 2 edges on a circle\n"
    )


def test_json(tmp_path):
    result = graph(tmp_path, FRIENDLY, "--format", "json")
    data = json.loads(result.output)
    assert data["version"] == 1
    assert {(node["kind"], node["name"], node["status"]) for node in data["nodes"]} >= {("agent", "demo:alone", "package"), ("agent", "torch-pro", "unknown"), ("skill", "demo:look", "package")}
    assert set(data["edges"][0]) >= {"source", "target", "found", "status", "via", "path", "line", "column"}
    edge = next(edge for edge in data["edges"] if edge["target"] == "torch-pro")
    assert (edge["source"], edge["found"], edge["status"], edge["via"], edge["line"], edge["column"]) == ("demo:lead", "", "unknown", "list", 9, 4)
    assert [edge["circular"] for edge in data["edges"]].count(True) == 2
    page = next(edge for edge in data["edges"] if edge["via"] == "qualified")
    assert page["source"] == "demo:look" and page["path"].endswith("references/page.md"), "a page speaks for its skill"


def test_mermaid_and_dot(tmp_path):
    mermaid = graph(tmp_path, FRIENDLY, "--format", "mermaid").output
    assert mermaid.startswith("flowchart LR\n") and "linkStyle" in mermaid and "classDef unknown" in mermaid
    ids = dict(re.findall(r'(n\d+)(?:\[|\(\[)"([^"]*)"', mermaid))
    for source, target in re.findall(r"(n\d+) (?:-->|-\.->)\|\"[a-z-]+\"\| (n\d+)", mermaid):
        assert source in ids and target in ids
    dot = graph(tmp_path, FRIENDLY, "--format", "dot").output
    assert dot.startswith("digraph delegation {") and dot.endswith("}\n") and 'label="torch-pro"' in dot and "style=dashed" in dot


HOSTILE = 'a"]; evil["`<b>\\N#quot;\x1b[31m\u202e]'


@pytest.mark.parametrize("output_format", ["tree", "mermaid", "dot", "json"])
def test_hostile_names_stay_text(output_format, tmp_path):
    name = json.dumps(HOSTILE)
    files = {"agents/x.md": f"---\nname: {name}\ndescription: Does work. Use when there is some.\nskills: [{name}]\n---\nYou work.\n"}
    result = graph(tmp_path, files, "--format", output_format)
    assert result.exit_code == 0
    assert "\x1b" not in result.output and "\u202e" not in result.output
    if output_format == "mermaid":
        assert all(line.count('"') == 2 for line in result.output.splitlines() if '"' in line)
        assert "<b>" not in result.output and "`" not in result.output
    if output_format == "dot":
        for line in result.output.splitlines():
            assert re.sub(r"\\.", "", line).count('"') % 2 == 0
        assert '\\"' in result.output and "\\\\N" in result.output
    if output_format == "json":
        data = json.loads(result.output)
        assert data["edges"][0]["target"] == HOSTILE


def test_long_chain(tmp_path):
    files = {f"agents/step-{n}.md": AGENT.format(f"step-{n}", "some") + f"Delegate the rest to `demo:step-{n + 1}`.\n" for n in range(1200)}
    for output_format in ("tree", "json"):
        assert graph(tmp_path, files, "--format", output_format).exit_code == 0


def test_agent_and_skill_of_one_name(tmp_path):
    files = {
        "agents/look.md": AGENT.format("look", "looking").replace("tools: Read, Agent", "skills: look") + "You look.\n",
        "skills/look/SKILL.md": "---\nname: look\ndescription: Looks. Use when asked.\n---\nLook.\n",
    }
    data = json.loads(graph(tmp_path, files, "--format", "json").output)
    assert [(edge["source_kind"], edge["target_kind"], edge["circular"]) for edge in data["edges"]] == [("agent", "skill", False)]


@pytest.mark.parametrize("output_format", ["tree", "mermaid", "dot", "json", "html"])
def test_empty_package(output_format, tmp_path):
    result = graph(tmp_path, {}, "--format", output_format)
    assert result.exit_code == 0 and result.output.strip()


def test_wrong_use(tmp_path):
    assert CliRunner().invoke(app, ["graph", str(tmp_path / "nowhere")]).exit_code == 2
    assert graph(tmp_path, {}, "--format", "svg").exit_code == 2
    result = graph(tmp_path, {}, "--html", "--format", "dot")
    assert (result.exit_code, result.output) == (2, "pluglint: --html is --format html, and --format says dot; give one of them\n")


def test_output_file_and_help(tmp_path):
    result = graph(tmp_path / "demo", FRIENDLY, "--format", "dot", "-o", str(tmp_path / "graph.dot"))
    assert result.exit_code == 0 and result.output == ""
    assert (tmp_path / "graph.dot").read_text().startswith("digraph")
    text = CliRunner().invoke(app, ["graph", "--help"]).output
    assert "mermaid" in text and "->" in text
