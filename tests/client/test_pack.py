"""The zip that `pluglint pack` makes, in the real client."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import pytest
from harness import REPOSITORY, skill_call

pytestmark = pytest.mark.client

NAME = "deep-learning"


def pack(*words):
    done = subprocess.run(
        [sys.executable, "-m", "pluglint", "pack", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "tools")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archive(clone, tmp_path_factory):
    """The zip of a copy of this repository; in the checkout itself there may be anything."""
    path = tmp_path_factory.mktemp("zip") / f"{NAME}.zip"
    pack(clone, "--output", path)
    return path


def test_zip_loads_with_the_same_agents_and_skills(client, clone, archive, tmp_path):
    folder = client.session(tmp_path / "folder", [clone])
    zipped = client.session(tmp_path / "zip", [archive])
    assert (zipped.status, zipped.plugins, zipped.errors) == (0, [NAME], [])
    assert zipped.loaded_agents == folder.loaded_agents != []
    assert zipped.loaded_skills == folder.loaded_skills != []
    assert {name: one.line for name, one in zipped.agents.items()} == {
        name: one.line for name, one in folder.agents.items()
    }
    assert {name: one.line for name, one in zipped.skills.items()} == {
        name: one.line for name, one in folder.skills.items()
    }
    # the house key of the agents, and nothing else
    assert [line for line in zipped.warnings(NAME, str(archive)) if not line.endswith('apply: "version"')] == []


def test_zip_has_no_tests_and_no_caches(archive):
    with zipfile.ZipFile(archive) as packed:
        names = packed.namelist()
    assert not [name for name in names if {"tests", "__pycache__", ".git", ".github"} & set(name.split("/"))]
    assert {".claude-plugin/plugin.json", "plugin.json", "README.md", "LICENSE"} <= set(names)


def test_a_link_arrives_as_what_it_leads_to(client, tmp_path):
    """The client takes a link in a zip for a file that holds the link's target; so a copy is packed."""
    plugin = tmp_path / "demo"
    (plugin / ".claude-plugin").mkdir(parents=True)
    (plugin / ".claude-plugin/plugin.json").write_text(
        '{"name": "demo", "version": "1.0.0", "description": "A demo."}\n'
    )
    (plugin / "skills/linked").mkdir(parents=True)
    (plugin / "shared.md").write_text(
        "---\nname: linked\ndescription: Reads a log. Use when there is one.\n---\n\nRead the log.\n"
    )
    (plugin / "skills/linked/SKILL.md").symlink_to("../../shared.md")
    pack(plugin, "--no-check", "--output", tmp_path / "demo.zip")
    session = client.session(
        tmp_path / "run", [tmp_path / "demo.zip"], main=[skill_call("demo:linked")], options=["--allowedTools", "Skill"]
    )
    assert session.loaded_skills == ["demo:linked"] and "Read the log." in session.requests[-1].text
