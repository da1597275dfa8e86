"""This repository is a package too: what pluglint asks of others holds for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import pluglint
from pluglint import changelog, config, discover, engine
from pluglint.finding import ERROR
from pluglint.rule import rule_ids

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(monkeypatch):
    monkeypatch.chdir(ROOT)


def check(profile="claude-code"):
    settings = config.load(config.find("."), rule_ids())
    settings.profile = profile
    return engine.check(["."], settings)


def manifest(path):
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


def test_no_finding():
    assert [(one.place.path, one.place.line, one.rule, one.message) for one in check().findings] == []


@pytest.mark.parametrize("profile", ["claude-code", "portable", "directory"])
def test_no_error_under_any_profile(profile):
    assert [(one.place.path, one.place.line, one.rule, one.message) for one in check(profile).findings if one.severity == ERROR] == []


def test_nothing_is_suppressed():
    assert check().suppressed == 0


def test_the_plugin_is_what_is_checked():
    """The packages below tests/ hold faults on purpose and are no part of it; all agents and skills are."""
    report = check()
    assert report.packages == [(".", "plugin", "deep-learning")]
    assert not [path for path in report.files if path.startswith("tests/")]
    agents = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("agents/*.md")}
    skills = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("skills/*/SKILL.md")}
    assert {path for path, kind in report.files.items() if kind == "agent"} == agents != set()
    assert {path for path, kind in report.files.items() if kind == "skill"} == skills != set()


def test_one_version_everywhere():
    from pluglint.load import load_package

    package = load_package(discover.discover(".").roots[0], config.Config())
    (entry,) = manifest(".claude-plugin/marketplace.json")["plugins"]
    newest = changelog.changelog_of(package).newest.version
    stated = {
        "pluglint": pluglint.__version__,
        ".claude-plugin/plugin.json": manifest(".claude-plugin/plugin.json")["version"],
        "plugin.json": manifest("plugin.json")["version"],
        "marketplace entry": entry["version"],
        "CHANGELOG.md": newest,
    }
    assert len(set(stated.values())) == 1, stated


def test_commands_of_the_readme_are_targets_of_the_makefile():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    start = readme.split("\n## Develop\n")[1].split("\n## ")[0]
    commands = re.findall(r"^make ([\w-]+)", start, re.M)
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert {"check", "test"} <= set(commands) <= set(targets)


def test_help_of_the_makefile_names_its_targets():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    assert set(phony.split()) - {"help"} == set(re.findall(r'@echo "make ([\w-]+)', text))
