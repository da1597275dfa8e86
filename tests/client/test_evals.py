"""The cases under evals/ in the real client's `plugin eval`, answered by a script: whether it accepts and grades them.

Nothing here says how well the plugin does; for that a model has to answer.
"""

from __future__ import annotations

import json
import shutil

import pytest
import yaml
from harness import REPOSITORY, FakeApi, agent_call, skill_call

pytestmark = pytest.mark.client

NAME = "deep-learning"
AGENTS = {file.stem for file in (REPOSITORY / "agents").glob("*.md")}
CASES = sorted(path.parent.name for path in (REPOSITORY / "evals").glob("*/prompt.md"))


def front(path):
    return yaml.safe_load(path.read_text("utf-8").split("---\n", 2)[1])


def expected(case):
    """Who ought to be called, by the last tag; nobody in a case of that kind."""
    tags = front(REPOSITORY / "evals" / case / "prompt.md")["tags"]
    return None if tags == ["nobody"] else tags[-1]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A copy, because the client writes its reports into the plugin."""
    to = tmp_path_factory.mktemp("evals") / NAME
    for part in (".claude-plugin", "agents", "skills", "evals"):
        shutil.copytree(REPOSITORY / part, to / part, ignore=shutil.ignore_patterns("results"))
    return to


def evaluated(client, folder, plugin, main, *options):
    """What the client reports, case by case. Without a bar for the score, its status is 0 unless it could not run."""
    words = [
        "plugin",
        "eval",
        str(plugin),
        "--trust-plugin",
        "--no-publish",
        "--ablation",
        "none",
        "--runs",
        "1",
        "--threshold",
        "0",
        "--json",
    ]
    with FakeApi(main) as api:
        done = client.run(folder, *words, *options, port=api.port, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    return {case["name"]: case for case in json.loads(done.stdout)["cases"]}


def verdicts(case):
    """Grader by grader, those left out that ask a model to judge."""
    (run,) = case["arms"]["with"]
    assert run["error"] is None
    judged = {grader["name"] for grader in case["graders"] if grader["type"] == "llm"}
    return {grader["name"]: grader["passed"] for grader in run["graders"] if grader["name"] not in judged}


@pytest.fixture(scope="module")
def idle(client, plugin, tmp_path_factory):
    """All cases at once, and nobody is ever called."""
    return evaluated(client, tmp_path_factory.mktemp("idle"), plugin, [])


def test_client_takes_every_case_as_it_is_written(idle):
    assert sorted(idle) == CASES
    for name, case in idle.items():
        files = {path.stem: front(path) for path in (REPOSITORY / "evals" / name / "graders").glob("*.md")}
        assert {grader["name"]: grader["type"] for grader in case["graders"]} == {
            stem: head["type"] for stem, head in files.items()
        }
        for grader in case["graders"]:
            given = {key: value for key, value in files[grader["name"]].items() if key not in ("type", "weight")}
            assert given.items() <= grader["config"].items(), name


def test_calling_nobody_is_right_only_where_nobody_is_meant(idle):
    for name, case in idle.items():
        assert all(verdicts(case).values()) == (expected(name) is None), name


@pytest.mark.parametrize("case", CASES)
def test_calling_the_right_one_passes_and_is_wrong_for_nobody(case, client, plugin, tmp_path):
    """For cases that mean nobody a skill is called all the same, and then an agent."""
    name = expected(case)
    call = agent_call if name in AGENTS else skill_call
    steps = (
        [call(f"{NAME}:{name}")]
        if name
        else [skill_call(f"{NAME}:training-diagnostics"), agent_call(f"{NAME}:neural-network-master")]
    )
    got = verdicts(evaluated(client, tmp_path, plugin, steps, "--case", case)[case])
    assert got and set(got.values()) == {name is not None}, got


@pytest.mark.parametrize(
    "case", [case for case in CASES if (REPOSITORY / "evals" / case / "graders/not-the-sibling.md").is_file()]
)
def test_calling_the_sibling_fails_both_graders(case, client, plugin, tmp_path):
    pattern = front(REPOSITORY / "evals" / case / "graders/not-the-sibling.md")["input_match"]
    sibling = next(one.parent.name for one in (REPOSITORY / "skills").glob("*/SKILL.md") if one.parent.name in pattern)
    got = verdicts(evaluated(client, tmp_path, plugin, [skill_call(f"{NAME}:{sibling}")], "--case", case)[case])
    assert got == {"routed": False, "not-the-sibling": False}
