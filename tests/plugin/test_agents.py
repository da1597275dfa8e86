"""The two agents hold what they promise: counts, budgets, paths, tools, and each other's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pluglint import config, engine
from pluglint.facts import FACTS
from pluglint.rule import rule_ids

ROOT = Path(__file__).parents[2]
MASTER, ENGINEER = "neural-network-master", "neural-architecture-engineer"
AGENTS = (MASTER, ENGINEER)
SKILLS = {file.parent.name for file in ROOT.glob("skills/*/SKILL.md")}

# Measured in the client: a body costs its characters on every call. A token is about four characters of English.
LARGEST_BODY = 10_000

ITEM = r"^- \[ \] (.+)$"
QUESTION = r"^(\d+)\. (.+)$"


def parts(agent: str) -> tuple[dict, str]:
    """(header, body) of an agent."""
    _, header, body = (ROOT / "agents" / f"{agent}.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(header), body.strip()


def sections(text: str, level: int) -> dict[str, str]:
    """heading -> text below it, up to the next heading of the same or a higher level."""
    found, name = {}, None
    for line in re.sub(r"(?ms)^```.*?^```$", "", text).splitlines():
        match = re.match(r"(#+) (.+)", line)
        if match and len(match[1]) <= level:
            name = match[2] if len(match[1]) == level else None
        elif name is not None:
            found[name] = found.get(name, "") + line + "\n"
    return found


def steps(text: str) -> dict[str, str]:
    return {name: body for name, body in sections(text, 3).items() if name.startswith("Step ")}


def check_groups(body: str) -> dict[str, list[str]]:
    found = {name: re.findall(ITEM, text, re.M) for name, text in sections(body, 3).items()}
    return {name: items for name, items in found.items() if items}


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (MASTER, ["Symptoms", "Hypotheses", "Mathematical analysis", "Solution design"]),
        (ENGINEER, ["Requirements", "Selection", "Implementation", "Training", "Validation"]),
    ],
)
def test_every_step_has_six_questions_and_an_exit(agent, names):
    found = steps(parts(agent)[1])
    assert list(found) == [f"Step {number}: {name}" for number, name in enumerate(names, 1)]
    for name, text in found.items():
        questions = re.findall(QUESTION, text, re.M)
        assert [int(number) for number, _ in questions] == [1, 2, 3, 4, 5, 6], name
        assert all("?" in question for _, question in questions), name
        assert re.search(r"^Exit: .+\.$", text, re.M), name


def test_each_diagnostic_question_names_its_evidence():
    for name, text in steps(parts(MASTER)[1]).items():
        for number, question in re.findall(QUESTION, text, re.M):
            assert re.search(r"\? \([^()]+\)$", question), f"{name}, question {number}"


@pytest.mark.parametrize(
    ("agent", "groups"),
    [
        (MASTER, ["Rigour", "Teaching", "Usability"]),
        (
            ENGINEER,
            ["Framework idiom", "Suitability of the architecture", "Training soundness", "Readiness to hand over"],
        ),
    ],
)
def test_quality_checks_stand_in_groups_of_eight(agent, groups):
    found = check_groups(parts(agent)[1])
    assert {name: len(items) for name, items in found.items()} == dict.fromkeys(groups, 8)
    items = [item for group in found.values() for item in group]
    assert len(set(items)) == len(items)


def test_reference_explains_the_very_questions_of_the_engineer():
    path = ROOT / "skills/neural-architecture-patterns/references/design-questions.md"
    reference = path.read_text(encoding="utf-8")
    for name, text in steps(parts(ENGINEER)[1]).items():
        explained = sections(reference, 2)[name]
        asked = [_words(question) for _, question in re.findall(QUESTION, text, re.M)]
        rows = re.findall(r"^\| \d\. (.+?) \|", explained, re.M)
        assert [_words(row) for row in rows] == asked, name
        assert re.search(r"^Exit: .+$", explained, re.M)[0] == re.search(r"^Exit: .+$", text, re.M)[0]


def _words(question: str) -> str:
    """Without brackets: the body names a script there, the reference has a column for it."""
    return re.sub(r" \([^)]*\)", "", question)


@pytest.mark.parametrize("agent", AGENTS)
def test_body_is_within_its_budget_and_has_one_title(agent):
    _, body = parts(agent)
    assert len(body) <= LARGEST_BODY
    assert len(re.findall(r"^# ", re.sub(r"(?ms)^```.*?^```$", "", body), re.M)) == 1


@pytest.mark.parametrize("agent", AGENTS)
def test_every_path_into_the_plugin_exists(agent):
    named = re.findall(r"\$\{CLAUDE_PLUGIN_ROOT\}/([\w./-]+)(?![\w./-]*[*<])", parts(agent)[1])
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("agent", AGENTS)
def test_every_script_that_is_named_exists(agent):
    there = {path.name for path in ROOT.glob("skills/*/scripts/*.py")}
    named = set(re.findall(r"\b[a-z_]+\.py\b", parts(agent)[1]))
    assert named and named <= there


@pytest.mark.parametrize("agent", AGENTS)
def test_both_sides_name_the_other(agent):
    header, body = parts(agent)
    sibling = next(name for name in AGENTS if name != agent)
    assert f"deep-learning:{sibling}" in header["description"]
    assert f"deep-learning:{sibling}" in body
    # a bare name fails in the client
    assert not re.search(rf"(?<!deep-learning:){sibling}", header["description"] + body)


@pytest.mark.parametrize("agent", AGENTS)
def test_hand_over_says_what_happens_without_the_other(agent):
    _, body = parts(agent)
    assert "work order" in body
    assert re.search(r"if it is not installed, for the caller", body)


@pytest.mark.parametrize("agent", AGENTS)
def test_only_what_the_plugin_holds_is_named(agent):
    header, body = parts(agent)
    named = set(re.findall(r"deep-learning:([\w-]+)", header["description"] + body))
    assert named <= {*AGENTS, *SKILLS}


@pytest.mark.parametrize("agent", AGENTS)
def test_tools_are_known_and_none_is_withdrawn(agent):
    tools = [tool.strip() for tool in parts(agent)[0]["tools"].split(",")]
    assert len(set(tools)) == len(tools)
    assert set(tools) <= set(FACTS["tools"]["known"])
    assert not {"Grep", "Glob"} & set(tools)  # the client takes them away beside Bash
    needed = {"Read", "Bash", "Skill", "WebFetch", "WebSearch"}
    assert set(tools) == (needed if agent == MASTER else needed | {"Write", "Edit", "NotebookEdit"})


@pytest.mark.parametrize("agent", AGENTS)
def test_pluglint_finds_nothing_with_every_rule_on(agent, monkeypatch):
    monkeypatch.chdir(ROOT)
    settings = config.load(config.find("."), rule_ids())
    settings.select = ["all"]
    found = engine.check(["."], settings).findings
    assert [(one.rule, one.place.line, one.message) for one in found if one.place.path == f"agents/{agent}.md"] == []
