"""Every agent and skill carries its version, and the changelog knows it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from pluglint import config, engine
from pluglint.rule import rule_ids

ROOT = Path(__file__).parents[2]
AGENT_FILES = sorted(ROOT.glob("agents/*.md"))
SKILL_FILES = sorted(ROOT.glob("skills/*/SKILL.md"))


def header(file: Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8").split("---\n", 2)[1])


def versions() -> dict[str, str]:
    """component -> version in its header"""
    found = {file.stem: header(file)["version"] for file in AGENT_FILES}
    return found | {file.parent.name: header(file)["metadata"]["version"] for file in SKILL_FILES}


def listed(changelog: str) -> list[tuple[str, str]]:
    """(component, version) of all Components lists of a changelog, newest release first"""
    found = []
    for part in re.findall(r"^### Components\n(.*?)(?=^#|\Z)", changelog, re.M | re.S):
        found += re.findall(r"^- ([a-z-]+) (\S+)$", part, re.M)
    return found


def test_components_list_is_read_from_every_release():
    newer = "## [0.2.0] - 2027-01-01\n\n### Components\n\nWords.\n\n- a-b 0.3.0\n\n"
    text = newer + "## [0.1.0] - 2026-01-01\n\n### Components\n\n- a-b 0.1.0\n- c 0.1.0\n"
    assert listed(text) == [("a-b", "0.3.0"), ("a-b", "0.1.0"), ("c", "0.1.0")]


def test_each_version_is_the_newest_of_the_changelog():
    newest = dict(reversed(listed((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))))
    assert newest == versions()


def check(folder: Path, monkeypatch) -> list[tuple[str, str]]:
    monkeypatch.chdir(folder)
    settings = config.load(config.find("."), rule_ids())
    settings.select = ["all"]
    rules = ("header-violates-house-schema", "agent-key-unknown", "skill-key-unknown")
    return [(one.place.path, one.message) for one in engine.check(["."], settings).findings if one.rule in rules]


@pytest.fixture
def copy(tmp_path):
    """The plugin's headers with the configuration that this repository uses."""
    for folder in ("agents", "skills", "schemas", ".claude-plugin"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # the configuration names it
    (tmp_path / "tools/pluglint").mkdir(parents=True)
    shutil.copy(ROOT / "tools/pluglint/__init__.py", tmp_path / "tools/pluglint")
    return tmp_path


def test_pluglint_accepts_the_version_and_knows_the_key(copy, monkeypatch):
    assert check(copy, monkeypatch) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"version: .*\n", "", "`version` is missing"),
        (r"version: .*", "version: '1.0'", "`version` is '1.0'"),
        (r"version: .*", "version: v1.0.0", "`version` is 'v1.0.0'"),
        (r"version: .*", "version: 1.0", "`version` is 1.0"),
    ],
)
def test_pluglint_refuses_a_wrong_version_of_an_agent(copy, monkeypatch, old, new, message):
    file = copy / "agents" / AGENT_FILES[0].name
    file.write_text(re.sub(old, new, file.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    found = check(copy, monkeypatch)
    assert [path for path, _ in found] == [f"agents/{file.name}"] * len(found)
    assert any(text.startswith(message) for _, text in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"metadata:\n  version: .*\n", ""),
        (r"  version: .*", "  owner: a"),
        (r"  version: .*", '  version: "01.0.0"'),
    ],
)
def test_pluglint_refuses_a_wrong_version_of_a_skill(copy, monkeypatch, old, new):
    file = copy / "skills" / SKILL_FILES[0].parent.name / "SKILL.md"
    before = file.read_text(encoding="utf-8")
    after = re.sub(old, new, before, count=1)
    assert after != before
    file.write_text(after, encoding="utf-8")
    found = check(copy, monkeypatch)
    assert found and {path for path, _ in found} == {file.relative_to(copy).as_posix()}


@pytest.mark.parametrize("kind", ["agent", "skill"])
def test_schema_alone_judges_alike(kind):
    schema = json.loads((ROOT / "schemas" / f"{kind}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    verdicts = {"0.1.0": True, "1.2.3-rc.1+b7": True, "1.2": False, "v1.2.3": False, "1.2.03": False, "": False}
    for version, good in verdicts.items():
        value = {"version": version} if kind == "agent" else {"metadata": {"version": version}}
        assert Draft202012Validator(schema).is_valid(value) is good, version
    assert not Draft202012Validator(schema).is_valid({})
