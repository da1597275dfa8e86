"""The plugin of this repository, in the real client."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness import REPOSITORY, Listed, agent_call, skill_call

from pluglint import discover, load
from pluglint.config import Config
from pluglint.headers import listing_line

pytestmark = pytest.mark.client

NAME = "deep-learning"
AGENTS = sorted(file.stem for file in (REPOSITORY / "agents").glob("*.md"))
SKILLS = sorted(file.parent.name for file in (REPOSITORY / "skills").glob("*/SKILL.md"))
BUDGET = json.loads(Path(__file__).with_name("budget.json").read_text())


def qualified(names):
    return [f"{NAME}:{name}" for name in names]


@pytest.fixture(scope="module")
def package(clone):
    return load.load_package(discover.discover(str(clone)).roots[0], Config())


@pytest.fixture(scope="module")
def session(client, clone, tmp_path_factory):
    """One session in which each agent and then each skill is called once."""
    calls = [agent_call(name) for name in qualified(AGENTS)] + [skill_call(name, "one two") for name in qualified(SKILLS)]
    # A skill that brings its own permissions asks first, and nobody is there to answer.
    return client.session(tmp_path_factory.mktemp("session"), [clone], main=calls, options=["--allowedTools", "Skill"])


# -- what loads


def test_client_finds_nothing_wrong(client, clone, tmp_path):
    status, report = client.validate(tmp_path, clone, "--strict")
    assert (status, report["success"]) == (0, True), report
    assert not report["manifest"]["errors"] and not report["manifest"]["warnings"] and not report["contents"], report


def test_all_agents_and_skills_load_and_nothing_else(session):
    assert session.status == 0, session.stderr
    assert session.plugins == [NAME]
    assert session.loaded_agents == qualified(AGENTS)
    assert session.loaded_skills == session.commands == qualified(SKILLS)
    assert sorted(session.agents) == qualified(AGENTS)
    assert sorted(session.skills) == qualified(SKILLS)


def test_client_complains_of_nothing_but_the_house_keys(session, clone):
    assert session.errors == []
    schema = json.loads((REPOSITORY / "schemas/agent.schema.json").read_text())
    keys = ", ".join(f'"{key}"' for key in schema["properties"])
    ignored = "has a frontmatter key Claude Code does not recognize or apply"
    expected = [f"Plugin agent file {clone}/agents/{name}.md {ignored}: {keys}" for name in AGENTS]
    assert sorted(line.partition("[WARN] ")[2] for line in session.warnings(NAME, str(clone))) == expected
    assert session.others == [], "the client asked for something besides answers"


# -- calls


def filled_in(text, clone, skill=None):
    text = text.replace("${CLAUDE_PLUGIN_ROOT}", str(clone))
    return text.replace("${CLAUDE_SKILL_DIR}", f"{clone}/skills/{skill}") if skill else text


@pytest.mark.parametrize("name", AGENTS)
def test_agent_gets_its_tools_and_its_prompt(name, session, package, clone):
    agent = next(one for one in package.agents if one.name == name)
    assert not session.results[AGENTS.index(name)].failed, session.results
    request = session.called()[AGENTS.index(name)]
    assert sorted(request.tools) == sorted(tool.text for tool in agent.names("tools"))
    assert request.system[1].startswith(filled_in(agent.body.strip(), clone))
    assert "Do the task." in request.messages[0][1]


@pytest.mark.parametrize("name", SKILLS)
def test_skill_is_injected_whole(name, session, package, clone):
    skill = next(one for one in package.skills if one.name == name)
    place = len(AGENTS) + SKILLS.index(name)
    assert session.results[place].text == f"Launching skill: {NAME}:{name}"
    # Word for word but for the paths: whatever looks like `$1` or a command to run would have been replaced.
    body = filled_in(skill.body.strip(), clone, name)
    assert f"Base directory for this skill: {clone}/skills/{name}\n\n{body}\n" in session.requests[-1].text
    assert "${CLAUDE_" not in body


@pytest.mark.parametrize("name", AGENTS)
def test_mention_of_an_agent_is_recognised(name, client, clone, tmp_path):
    def asked(prompt):
        text = client.session(tmp_path, [clone], prompt=prompt).requests[0].text
        return re.findall(r'invoke the agent "([^"]*)"', text)

    assert asked(f"Please @agent-{NAME}:{name} look at this") == [f"{NAME}:{name}"]
    assert asked(f"Please @agent-{name} look at this") == []


# -- installing


def test_plugin_installs_from_its_own_folder(client, clone, tmp_path):
    """With a folder as the marketplace the client goes on loading from that folder, and keeps a copy as well."""
    for words in (("marketplace", "add", str(clone)), ("install", f"{NAME}@{NAME}")):
        done = client.run(tmp_path, "plugin", *words)
        assert done.returncode == 0, done.stdout + done.stderr
    session = client.session(tmp_path, [])
    assert session.errors == []
    assert session.loaded_agents == qualified(AGENTS)
    assert session.loaded_skills == qualified(SKILLS)
    (copy,) = (tmp_path / "home/.claude/plugins/cache").glob(f"{NAME}/{NAME}/*")
    again = client.session(tmp_path / "other", [copy])
    assert (again.errors, again.loaded_agents, again.loaded_skills) == ([], session.loaded_agents, session.loaded_skills)


# -- what it costs


def test_listing_is_what_pluglint_expects(session, package):
    told: dict[str, Listed] = session.agents | session.skills
    assert {one.qualified: listing_line(one) for one in (*package.agents, *package.skills)} == {name: one.line for name, one in told.items()}


def test_every_session_pays_no_more_than_the_budget(client, clone, session, package, tmp_path):
    """By the whole first request, with and without the plugin, so that nothing else creeps in beside the listing."""
    sizes = [len(client.session(tmp_path, plugins).requests[0].text) for plugins in ([clone], [])]
    cost = sizes[0] - sizes[1]
    assert cost == sum(len(listing_line(one)) + 1 for one in (*package.agents, *package.skills))
    assert cost <= BUDGET["always_on_characters"], "raise the number in budget.json only on purpose"
