"""The descriptions keep to their budgets and stay as far apart as they were; the prompts that measure it are sound."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import routing
import torch
import yaml
from routing import AGENTS, FAMILIES, HALVES, METHODS, NONE, REPOSITORY, SKILLS, Prompt, PromptFile
from typer.testing import CliRunner

FILES = routing.read_prompts()
PROMPTS = [one for file in FILES.values() for one in file.prompts]
BARS = json.loads(Path(__file__).with_name("routing_bars.json").read_text())
CASES = sorted(path.parent for path in (REPOSITORY / "evals").glob("*/prompt.md"))


def prompt(**changed):
    return Prompt.model_validate(
        {"id": "one", "kind": "positive", "language": "en", "expect": SKILLS[0], "prompt": "Why?", **changed}
    )


# -- budgets


def test_names_are_those_of_the_files():
    assert {file.stem for file in (REPOSITORY / "agents").glob("*.md")} == set(AGENTS)
    assert {file.parent.name for file in (REPOSITORY / "skills").glob("*/SKILL.md")} == set(SKILLS)


def test_listing_fits_the_budget():
    lines = routing.listing_lines()
    assert sum(len(lines[name]) for name in SKILLS) <= 1700
    for name in AGENTS:
        assert len(lines[name].split(": ", 1)[1].strip()) <= 600, name


@pytest.mark.parametrize("name", AGENTS + SKILLS)
def test_description_names_the_sibling_that_takes_what_it_refuses(name):
    """A sibling of its own kind, and as the reader of the listing would have to call it."""
    refused = re.search(r"\bNot for .*\((?:deep-learning:)?([a-z-]+)\)", routing.listing_lines()[name])
    assert refused, "no `Not for ... (sibling)`"
    family = AGENTS if name in AGENTS else SKILLS
    assert refused.group(1) in set(family) - {name}


# -- prompts


def test_every_component_has_its_file_and_enough_prompts():
    assert set(FILES) == {*AGENTS, *SKILLS, "nobody"}
    for stem, file in FILES.items():
        kinds = Counter(one.kind for one in file.prompts)
        if stem == "nobody":
            assert file.component is None and kinds == {"nobody": len(file.prompts)} and len(file.prompts) >= 40
        else:
            assert file.component == stem
            assert kinds["positive"] >= 20 and kinds["near-miss"] >= 5 and not kinds["nobody"], (stem, kinds)
            assert len({one.language for one in file.prompts}) >= 5, stem


def test_near_misses_belong_to_every_component():
    assert {one.expect for one in PROMPTS if one.kind == "near-miss"} == {*AGENTS, *SKILLS}


def test_prompts_are_unique():
    """By id, and by the share of three-letter pieces that two prompts have in common, which works in every script."""
    assert len({one.id for one in PROMPTS}) == len(PROMPTS)
    pieces = {}
    for one in PROMPTS:
        text = " ".join(re.findall(r"\w+", one.prompt.lower()))
        pieces[one.id] = {text[at : at + 3] for at in range(len(text) - 2)}
    close = [(a, b) for (a, x), (b, y) in combinations(pieces.items(), 2) if len(x & y) > 0.5 * len(x | y)]
    assert close == []


def test_halves_depend_on_the_id_alone():
    known = {
        "nan-after-300-steps": "development",
        "rmsnorm-backward": "development",
        "center-a-div": "development",
        "seeds-needed": "development",
    }
    assert {one.id: one.half for one in PROMPTS if one.id in known} == known
    assert prompt(id="seeds-needed", prompt="Quite another text.").half == known["seeds-needed"]
    development = sum(one.half == HALVES[0] for one in PROMPTS) / len(PROMPTS)
    assert 0.55 < development < 0.65
    for name in (*AGENTS, *SKILLS, None):
        assert {one.half for one in PROMPTS if one.expect == name} == set(HALVES), name


@pytest.mark.parametrize(
    "changed, reason",
    [
        ({"expect": None}, "kind `nobody`"),
        ({"kind": "nobody"}, "kind `nobody`"),
        ({"also": SKILLS[1]}, "a skill beside an agent"),
        ({"expect": "jax-pro"}, "expect"),
        ({"id": "Two Words"}, "id"),
        ({"language": "English"}, "language"),
        ({"prompts": "extra"}, "Extra inputs"),
    ],
)
def test_form_refuses(changed, reason):
    with pytest.raises(ValueError, match=reason):
        prompt(**changed)


def test_file_refuses_prompts_of_others():
    with pytest.raises(ValueError, match="expects the component of its file"):
        PromptFile(component=SKILLS[1], prompts=[prompt()])
    with pytest.raises(ValueError, match="belongs to somebody else"):
        PromptFile(component=SKILLS[0], prompts=[prompt(kind="near-miss")])


def test_unusable_file_is_named(tmp_path):
    (tmp_path / "broken.yaml").write_text("component: null\nprompts: [{id: a}]\n")
    with pytest.raises(ValueError, match="broken.yaml"):
        routing.read_prompts(tmp_path)


# -- cases for `claude plugin eval`


def front(path):
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(head), body.strip()


def test_every_component_has_two_cases():
    by_id = {one.id: one for one in PROMPTS}
    expected = Counter(by_id[case.name].expect for case in CASES)
    assert all(expected[name] >= 2 for name in (*AGENTS, *SKILLS, None)), expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_asks_and_grades_what_the_trigger_prompt_says(case):
    stem, one = next((stem, one) for stem, file in FILES.items() for one in file.prompts if one.id == case.name)
    head, body = front(case / "prompt.md")
    assert body == one.prompt
    assert head["tags"] == [one.kind, *([one.expect] if one.expect else [])]
    graders = {path.stem: front(path) for path in (case / "graders").glob("*.md")}
    calls = {name: f'{{"skill": "deep-learning:{name}"}}' for name in SKILLS} | {
        name: f'{{"subagent_type": "deep-learning:{name}"}}' for name in AGENTS
    }

    def caught(grader):
        head = graders[grader][0]
        assert head["type"] == "tool_used" and head["tool"] in {*("Skill", "Agent")} & set(
            front(case / "prompt.md")[0]["allowed_tools"]
        )
        return {
            name
            for name, call in calls.items()
            if head["tool"] == ("Agent" if name in AGENTS else "Skill") and re.search(head["input_match"], call)
        }

    if one.expect is None:
        assert set(graders) == {"no-skill", "no-agent"}
        assert (caught("no-skill"), caught("no-agent")) == (set(SKILLS), set(AGENTS))
        return
    assert caught("routed") == {one.expect}
    assert graders["answer"][0]["type"] == "llm" and graders["answer"][1].startswith("- ")
    if one.kind == "near-miss":
        assert caught("not-the-sibling") == {stem}


# -- figures


@pytest.fixture(scope="module")
def printed():
    """What the command prints; in this process, because loading the libraries costs more than embedding the prompts."""
    torch.set_num_threads(1)
    done = CliRunner().invoke(routing.app, ["--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def results(printed):
    return {(one["method"], one["family"]): one for one in printed["results"]}


def test_command_says_what_it_measured_and_what_it_is_not(printed, results):
    assert "stand in for a model" in printed["note"]
    assert set(results) == {(method, family) for method in METHODS for family in FAMILIES}
    for half in HALVES:
        nobody = sum(one.kind == "nobody" and one.half == half and one.language == "en" for one in PROMPTS)
        assert all(sum(one[half]["matrix"][NONE].values()) == nobody for one in results.values())
    assert set(results["bm25", "all"]["languages"]) == {one.language for one in PROMPTS}


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", METHODS)
def test_figures_are_no_worse_than_the_bars(method, family, half, results):
    got, bar = results[method, family][half], BARS[method][family][half]
    assert got["macro_f1"] >= bar["macro_f1"]
    assert got["sorted_right"] >= bar["sorted_right"]
    assert got["false_triggers"] <= bar["false_triggers"]
    assert got["missed"] <= bar["missed"]


@pytest.mark.parametrize("method", METHODS)
def test_descriptions_that_are_swapped_are_found_out(method):
    """The measure itself: give two skills each other's name and text, and their prompts go wrong."""
    texts = routing.documents()
    a, b = (FAMILIES["all"].index(name) for name in (SKILLS[3], SKILLS[5]))
    texts[a], texts[b] = texts[b], texts[a]
    some = [one for one in PROMPTS if one.expect in (SKILLS[3], SKILLS[5]) and one.language == "en"][::2]
    choices = routing.choose(METHODS[method]([one.prompt for one in some], texts), "skills", -np.inf)
    other = {SKILLS[3]: SKILLS[5], SKILLS[5]: SKILLS[3]}
    assert sum(choice == one.expect for one, choice in zip(some, choices, strict=True)) < len(some) / 4
    assert sum(choice == other[one.expect] for one, choice in zip(some, choices, strict=True)) > len(some) / 2


def test_figures_are_counted_as_they_say():
    some = [
        prompt(id="a"),
        prompt(id="b", expect=SKILLS[1], also=AGENTS[0]),
        prompt(id="c", kind="nobody", expect=None),
        prompt(id="d", kind="nobody", expect=None),
    ]
    every = FAMILIES["all"]
    scores = np.zeros((4, len(every)))
    scores[0, every.index(SKILLS[0])] = 3
    scores[1, every.index(AGENTS[0])] = 3
    scores[1, every.index(SKILLS[1])] = 1
    scores[2, every.index(SKILLS[0])] = 2
    threshold = routing.best_threshold(some, scores)
    assert 2 < threshold < 3
    got = routing.figures(some, scores, "all", threshold)
    assert (got.macro_f1, got.sorted_right, got.false_triggers, got.missed) == (pytest.approx(3 / 9), 1, 0, 0)
    assert got.matrix[SKILLS[1]][AGENTS[0]] == 1, "the matrix shows the choice where it fell"
    low = routing.figures(some, scores, "skills", 1.5)
    assert (low.false_triggers, low.missed, low.matrix[NONE][SKILLS[0]]) == (0.5, 0, 1)
    high = routing.figures(some, scores, "skills", 4)
    assert (high.false_triggers, high.missed, high.sorted_right) == (0, 1, 1)
