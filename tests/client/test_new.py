"""What `pluglint new` writes, in the real client."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from harness import REPOSITORY, agent_call, skill_call

pytestmark = pytest.mark.client

TEXT = "Reads the log of a failed build and names the first error. Use when a build failed."


def new(folder, *words, text=TEXT):
    command = [sys.executable, "-m", "pluglint", "new", *words, "--into", str(folder), "--description", text]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tools")})


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A plugin with both parts, and one more of each."""
    folder = tmp_path_factory.mktemp("plugins")
    new(folder, "plugin", "build-logs", "--author", "Example Author", "--license", "MIT", "--with", "agent", "--with", "skill")
    new(folder / "build-logs", "agent", "log-counter", text='Counts the "lines" of a log: all of them. Use when its size matters.')
    new(folder / "build-logs", "skill", "log-drawing", text="Draws a chart of build times. Use when a report is due.")
    return folder / "build-logs"


def test_strict_validation_passes(client, plugin, tmp_path):
    status, report = client.validate(tmp_path, plugin, "--strict")
    assert (status, report["success"]) == (0, True), report
    assert not report["manifest"]["errors"] and not report["manifest"]["warnings"] and not report["contents"], report


def test_all_of_it_loads_and_works(client, plugin, tmp_path):
    calls = [agent_call("build-logs:build-logs"), skill_call("build-logs:log-drawing")]
    session = client.session(tmp_path, [plugin], main=calls, options=["--allowedTools", "Skill"])
    assert (session.errors, session.warnings("build-logs", str(plugin))) == ([], [])
    assert session.loaded_agents == ["build-logs:build-logs", "build-logs:log-counter"]
    assert session.loaded_skills == ["build-logs:build-logs", "build-logs:log-drawing"]
    assert session.skills["build-logs:build-logs"].description == TEXT
    assert session.agents["build-logs:log-counter"].description == 'Counts the "lines" of a log: all of them. Use when its size matters.'
    assert session.agents["build-logs:log-counter"].tools == "Read, Grep, Glob"
    assert not any(result.failed for result in session.results), session.results
    # the agent was given the skill that it works by
    assert "Do what was asked, in the smallest steps that can be checked one by one." in session.called()[0].text


@pytest.mark.parametrize("part", ["agent", "skill"])
def test_a_plugin_with_one_part_loads(part, client, tmp_path):
    new(tmp_path, "plugin", "one", "--author", "Example Author", "--with", part)
    status, report = client.validate(tmp_path / "v", tmp_path / "one", "--strict")
    assert (status, report["success"]) == (0, True), report
    session = client.session(tmp_path / "s", [tmp_path / "one"])
    loaded = {"agent": session.loaded_agents, "skill": session.loaded_skills}
    assert (session.errors, loaded.pop(part), *loaded.values()) == ([], ["one:one"], [])
