"""`pluglint release`: in real git repositories, from the tag to the version that has to follow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from test_since import GIT, commit, git, write
from typer.testing import CliRunner

from pluglint import schemas, semver, transaction
from pluglint.cli import app
from pluglint.release import LOCKSTEP, RULES
from pluglint.rule import rule_ids
from pluglint.text import edited

MANIFEST = '{{\n  "name": "{0}",\n  "version": "{1}",\n  "description": "A demo.",\n  "author": {{"name": "Example Author"}},\n  "license": "MIT"\n}}\n'
AGENT = "---\nname: {0}\ndescription: {1}\ntools: Read\n---\n\nYou read {0}.\n"
SKILL = "---\nname: {0}\ndescription: Cleans. Use when a table is dirty.\n---\n\nRun scripts/clean.py on it.\n"
READS = "Reads. Use when there is text."
LOG = "# Changelog\n\n## [{0}] - 2026-01-01\n\n### Added\n\n- Things.\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


def plugin(name: str = "demo", version: str = "1.0.0") -> dict[str, str]:
    return {
        ".claude-plugin/plugin.json": MANIFEST.format(name, version),
        "agents/reader.md": AGENT.format("reader", READS),
        "agents/writer.md": AGENT.format("writer", "Writes. Use when there is none."),
        "skills/cleaning/SKILL.md": SKILL.format("cleaning"),
        "skills/cleaning/scripts/clean.py": "print(1)\n",
        "skills/cleaning/scripts/inner.py": "x = 1\n",
        "hooks/hooks.json": '{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "true"}]}]}}\n',
        ".mcp.json": '{"mcpServers": {"tables": {"command": "serve"}}}\n',
        "README.md": "# Demo\n",
        "CHANGELOG.md": LOG.format(version),
        "tests/test_x.py": "assert True\n",
    }


def at(folder: Path, prefix: str, files: dict[str, str]) -> None:
    write(folder, {f"{prefix}/{name}": text for name, text in files.items()})


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A plugin that was released as 1.0.0."""
    folder = tmp_path / "demo"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, plugin())
    commit(folder)
    git(folder, "tag", "v1.0.0")
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in result.output and "internal error" not in result.output
    return result.exit_code, result.stdout, result.stderr


def judged(*arguments: str) -> dict:
    status, out, err = run("release", "check", "--json", *arguments)
    data = json.loads(out)
    Draft202012Validator(schemas.load("release")).validate(data)
    assert (status, err) == (1 if data["findings"] else 0, "")
    return data


def found(*arguments: str) -> list[tuple[str, str]]:
    return [(one["path"], one["rule"]) for one in judged(*arguments)["findings"]]


def needs(*arguments: str) -> tuple[str, str, list[str]]:
    """(part, lowest version, reasons of that weight) of the only plugin."""
    (one,) = judged(*arguments)["plugins"]
    return one["needs"], one["least"], [reason["text"] for reason in one["reasons"] if reason["part"] == one["needs"]]


def refused(*arguments: str) -> str:
    status, out, err = run("release", *arguments)
    assert (status, out) == (2, "") and err.startswith("pluglint: ") and err.count("\n") == 1, (status, out, err)
    return err.removeprefix("pluglint: ").rstrip("\n")


def version(folder: Path, to: str) -> None:
    path = folder / ".claude-plugin/plugin.json"
    data = json.loads(path.read_text())
    path.write_text(path.read_text().replace(f'"version": "{data["version"]}"', f'"version": "{to}"'))


def entry(folder: Path, of: str, text: str = "- It changed.") -> None:
    path = folder / "CHANGELOG.md"
    path.write_text(path.read_text().replace("# Changelog\n", f"# Changelog\n\n## [{of}] - 2026-02-01\n\n### Changed\n\n{text}\n", 1))


# -- what a change asks for


def remove(name):
    return lambda folder: (folder / name).unlink()


def replace(name, old, new):
    def act(folder):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return act


def add(name, text):
    return lambda folder: write(folder, {name: text})


@pytest.mark.parametrize(
    "act, part, least, reason",
    [
        (remove("agents/reader.md"), "major", "2.0.0", "agent reader was removed"),
        (lambda folder: git(folder, "mv", "agents/reader.md", "agents/r.md"), "patch", "1.0.1", "agent reader changed"),  # its name is in the header
        (replace("agents/reader.md", "reader", "reviewer"), "major", "2.0.0", "agent reader was renamed to reviewer"),
        (lambda folder: git(folder, "mv", "skills/cleaning", "skills/washing"), "major", "2.0.0", "skill cleaning was renamed to washing"),
        (remove("skills/cleaning/scripts/clean.py"), "major", "2.0.0", "script clean.py of skill cleaning was removed"),
        (remove("skills/cleaning/scripts/inner.py"), "patch", "1.0.1", "skill cleaning changed"),  # nobody was told of it
        (replace(".mcp.json", "tables", "columns"), "major", "2.0.0", "MCP server tables was removed"),
        (replace("hooks/hooks.json", "SessionStart", "SessionEnd"), "major", "2.0.0", "hook event SessionStart was removed"),
        (replace(".claude-plugin/plugin.json", '"demo"', '"other"'), "major", "2.0.0", "the plugin is called other and was demo"),
        (add("agents/more.md", AGENT.format("more", "Does more. Use when there is more.").replace("You read", "You do")), "minor", "1.1.0", "agent more was added"),
        (add("commands/test.md", "---\ndescription: Tests.\n---\n\nTest.\n"), "minor", "1.1.0", "command test was added"),
        (replace("agents/reader.md", READS, "Reads texts. Use when there is one."), "minor", "1.1.0", "the description of agent reader changed"),
        (add(".lsp.json", '{"go": {"command": "gopls", "extensionToLanguage": {".go": "go"}}}\n'), "minor", "1.1.0", "LSP server go was added"),
        (replace("agents/reader.md", "You read", "Please read"), "patch", "1.0.1", "agent reader changed"),
        (add("skills/cleaning/references/a.md", "# A\n"), "patch", "1.0.1", "skill cleaning changed"),
        (replace("hooks/hooks.json", '"true"', '"false"'), "patch", "1.0.1", "hooks/hooks.json changed"),
        (add("lib/x.txt", "x\n"), "patch", "1.0.1", "lib/x.txt was added"),
        (lambda folder: (folder / "lib").mkdir() or (folder / "lib/x.bin").write_bytes(b"\0\xff"), "patch", "1.0.1", "lib/x.bin was added"),
        (lambda folder: (folder / "skills/cleaning/scripts/clean.py").chmod(0o755), "patch", "1.0.1", "skill cleaning changed"),
    ],
)
def test_what_a_change_asks_for(repository, act, part, least, reason):
    act(repository)
    assert needs()[:2] == (part, least) and reason in needs()[2]
    assert found() == [(".claude-plugin/plugin.json", "version-not-raised")]
    version(repository, least)
    entry(repository, least)
    assert found() == []


@pytest.mark.parametrize(
    "act",
    [
        replace("README.md", "Demo", "The demo"),
        replace("CHANGELOG.md", "Things", "Many things"),
        add("LICENSE", "MIT\n"),
        add("tests/test_y.py", "assert 1\n"),
        add("skills/cleaning/scripts/__pycache__/clean.cpython-311.pyc", "x"),
        add(".github/workflows/ci.yml", "on: push\n"),
        lambda folder: (write(folder, {".gitignore": "*.log\n", "skills/cleaning/run.log": "x\n"})),
        lambda folder: [path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")) for path in [folder / "agents/reader.md", folder / "skills/cleaning/scripts/clean.py"]],
    ],
    ids=["readme", "changelog", "licence", "tests", "cache", "ci", "ignored", "line ends and byte order mark"],
)
def test_what_asks_for_nothing(repository, act):
    act(repository)
    assert needs() == ("", "", []) and found() == []


@pytest.mark.parametrize("state", ["untracked", "staged", "committed"])
def test_working_tree_counts(repository, state):
    write(repository, {"agents/more.md": AGENT.format("more", "x").replace("You read", "You do")})
    if state != "untracked":
        git(repository, "add", ".")
    if state == "committed":
        commit(repository)
    assert needs()[0] == "minor"


def test_nothing_in_the_repository_is_touched(repository):
    replace("agents/reader.md", "You", "Please")(repository)
    everything = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    for words in (("check",), ("notes",), ("bump", "--dry-run")):
        run("release", *words)
    assert {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()} == everything


def test_configuration_says_what_is_shipped(repository):
    write(repository, {"pluglint.toml": "[pack]\nexclude = ['docs/**']\ninclude = ['tests/data/**']\n", "docs/a.txt": "x\n"})
    assert needs()[0] == ""
    write(repository, {"tests/data/a.txt": "x\n"})
    assert needs()[2] == ["tests/data/a.txt was added"]


# -- versions


@pytest.mark.parametrize(
    "to, rule",
    [
        ("1.0.0", "version-not-raised"),
        ("1.0.0+build.2", "version-not-raised"),
        ("1.0.1", "version-raised-too-little"),
        ("1.99.0", "version-raised-too-little"),
        ("2.0.0-rc.1", None),
        ("2.0.0", None),
        ("3.1.4", None),
        ("0.9.0", "version-lowered"),
        ("1.0.0-rc.1", "version-lowered"),
        ("v2.0.0", "version-not-semver"),
        ("2.0", "version-not-semver"),
        ("02.0.0", "version-not-semver"),
    ],
)
def test_versions_after_a_break(repository, to, rule):
    remove("agents/reader.md")(repository)
    version(repository, to)
    entry(repository, to)
    others = ["version-mismatch"] if rule == "version-lowered" else []  # the changelog has a higher one
    assert [rule for _, rule in found()] == ([rule] if rule else []) + others


def test_before_one_a_minor_step_is_enough_for_a_break(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    write(tmp_path, plugin(version="0.3.1"))
    commit(tmp_path)
    git(tmp_path, "tag", "0.3.1")
    monkeypatch.chdir(tmp_path)
    remove("agents/reader.md")(tmp_path)
    assert needs()[:2] == ("major", "0.4.0")
    version(tmp_path, "0.3.2")
    entry(tmp_path, "0.3.2")
    assert [rule for _, rule in found()] == ["version-raised-too-little"]


def test_a_prerelease_promised_nothing(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    write(tmp_path, plugin(version="1.0.0-rc.1"))
    commit(tmp_path)
    git(tmp_path, "tag", "v1.0.0-rc.1")
    monkeypatch.chdir(tmp_path)
    remove("agents/reader.md")(tmp_path)
    for to in ("1.0.0-rc.2", "1.0.0"):
        version(tmp_path, to)
        entry(tmp_path, to)
        assert found() == []


def test_version_with_a_tag_elsewhere(repository):
    git(repository, "switch", "--quiet", "--create", "other")
    version(repository, "1.0.1")
    commit(repository)
    git(repository, "tag", "demo--v1.0.1")
    git(repository, "switch", "--quiet", "main")
    replace("agents/reader.md", "You read", "Please read")(repository)
    version(repository, "1.0.1")
    entry(repository, "1.0.1")
    (one,) = judged()["findings"]
    assert one["rule"] == "version-already-tagged" and one["message"].startswith("1.0.1 was released: demo--v1.0.1 is at ")


def test_release_commit_with_its_tag(repository):
    """On the tag itself nothing changed; against the one before, its own tag is no objection."""
    replace("agents/reader.md", "You read", "Please read")(repository)
    version(repository, "1.0.1")
    entry(repository, "1.0.1")
    commit(repository)
    git(repository, "tag", "v1.0.1")
    assert found() == [] and judged()["plugins"][0]["since"] == "v1.0.1"
    assert found("--since", "v1.0.0") == [] and needs("--since", "v1.0.0")[0] == "patch"


def test_version_that_is_gone(repository):
    replace(".claude-plugin/plugin.json", '  "version": "1.0.0",\n', "")(repository)
    assert found() == [(".claude-plugin/plugin.json", "version-missing")]


def test_finding_says_where_and_why(repository):
    remove("agents/reader.md")(repository)
    replace("agents/writer.md", "You read", "Please read")(repository)
    (one,) = judged()["findings"]
    assert (one["path"], one["line"], one["column"], one["end_column"]) == (".claude-plugin/plugin.json", 3, 14, 21)
    assert one["message"] == "demo is still 1.0.0, as in v1.0.0, but 2 shipped files changed; it must be 2.0.0 or higher"
    assert one["hint"] == "Agent reader was removed, beside 1 smaller change."


def test_formats(repository):
    remove("agents/reader.md")(repository)
    status, out, _ = run("release", "check")
    assert status == 1 and out.startswith("demo 1.0.0, since v1.0.0 (") and "\n  major  agent reader was removed\n" in out and "[version-not-raised]" in out
    status, out, _ = run("release", "check", "--format", "github")
    assert status == 1 and out.startswith("::error file=.claude-plugin/plugin.json,line=3,")
    assert refused("check", "--format", "github", "--json") == "--json and --format github exclude each other"


# -- changelog and lockstep


def test_changelog(repository):
    replace("agents/reader.md", "You read", "Please read")(repository)
    version(repository, "1.0.1")
    assert found() == [(".claude-plugin/plugin.json", "changelog-entry-missing")]
    entry(repository, "1.0.1", "<!-- later -->")
    assert found() == [("CHANGELOG.md", "changelog-entry-empty")]
    (repository / "CHANGELOG.md").unlink()
    assert [one["message"] for one in judged()["findings"]] == ["there is no CHANGELOG.md to say what 1.0.1 changes"]


def test_places_that_must_agree(repository):
    write(
        repository,
        {
            "plugin.json": MANIFEST.format("demo", "1.0.0").replace("{\n", '{\n  "$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",\n', 1),
            ".claude-plugin/marketplace.json": '{"name": "shelf", "owner": {"name": "A"}, "description": "x", "plugins": [{"name": "demo", "source": "./", "version": "0.9.0"}]}\n',
            "README.md": "# Demo\n\n![version](https://img.shields.io/badge/version-0.9.9-blue)\n\n**Version:** 0.9.8\n",
        },
    )
    commit(repository)
    git(repository, "tag", "-f", "v1.0.0")
    assert found() == [(".claude-plugin/marketplace.json", "version-mismatch"), ("README.md", "version-mismatch"), ("README.md", "version-mismatch")]


# -- components with versions of their own


OWN = "---\nname: cleaning\ndescription: Cleans. Use when a table is dirty.\nmetadata:\n  version: '2.3.1'\n---\n\n**Version:** 2.3.1\n\nRun scripts/clean.py on it.\n"


@pytest.fixture
def versioned(repository):
    write(repository, {"skills/cleaning/SKILL.md": OWN, "agents/reader.md": AGENT.format("reader", READS).replace("tools:", "version: 1.4.0\ntools:")})
    remove("agents/writer.md")(repository)
    commit(repository)
    git(repository, "tag", "-f", "v1.0.0")
    return repository


@pytest.mark.parametrize(
    "act, path, least",
    [
        (replace("skills/cleaning/SKILL.md", "Run", "Start"), "skills/cleaning/SKILL.md", "2.3.2"),
        (replace("skills/cleaning/scripts/inner.py", "1", "2"), "skills/cleaning/SKILL.md", "2.3.2"),
        (replace("skills/cleaning/SKILL.md", "Cleans.", "Cleans tables."), "skills/cleaning/SKILL.md", "2.4.0"),
        (replace("skills/cleaning/SKILL.md", "Run", "Run scripts/inner.py and"), "skills/cleaning/SKILL.md", "2.4.0"),
        (remove("skills/cleaning/scripts/clean.py"), "skills/cleaning/SKILL.md", "3.0.0"),
        (replace("agents/reader.md", "You", "Please"), "agents/reader.md", "1.4.1"),
    ],
)
def test_component_that_carries_a_version(versioned, act, path, least):
    act(versioned)
    version(versioned, "2.0.0")
    entry(versioned, "2.0.0")
    (one,) = judged()["findings"]
    assert (one["path"], one["rule"]) == (path, "version-not-raised") and one["message"].endswith(f"it must be {least} or higher")
    text = (versioned / path).read_text()
    was = "2.3.1" if "skills" in path else "1.4.0"
    (versioned / path).write_text(text.replace(was, "0.0.1"))
    assert [rule for _, rule in found()] == ["version-lowered"]
    (versioned / path).write_text(text.replace(was, least))
    assert found() == []


def test_component_that_lost_or_lacks_its_version(versioned):
    replace("agents/reader.md", "version: 1.4.0\n", "")(versioned)
    version(versioned, "2.0.0")
    entry(versioned, "2.0.0")
    assert found() == [("agents/reader.md", "version-missing")]
    git(versioned, "checkout", "--quiet", "agents")
    write(versioned, {"agents/more.md": AGENT.format("more", "x").replace("You read", "You do")})
    (one,) = judged()["findings"]
    assert (one["path"], one["message"]) == ("agents/more.md", "agent more is new and states no version, as every other agent here does")


# -- marketplaces


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A marketplace of two plugins, released each on its own."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    git(folder, "init", "--quiet")
    entries = [{"name": name, "source": f"./plugins/{name}", "version": "1.0.0", "description": "x"} for name in ("one", "two")]
    write(folder, {".claude-plugin/marketplace.json": json.dumps({"name": "shelf", "description": "x", "owner": {"name": "A"}, "plugins": entries}, indent=2) + "\n"})
    for name in ("one", "two"):
        at(folder, f"plugins/{name}", plugin(name))
    commit(folder)
    git(folder, "tag", "one--v1.0.0")
    git(folder, "tag", "two@1.0.0")
    monkeypatch.chdir(folder)
    return folder


def parts(*arguments: str) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["since"], one["needs"]) for one in judged(*arguments)["plugins"]}


def test_each_plugin_has_its_own_tag(shelf):
    replace("plugins/one/agents/reader.md", "You", "Please")(shelf)
    assert parts() == {"one": ("one--v1.0.0", "patch"), "two": ("two@1.0.0", "")}
    assert found() == [("plugins/one/.claude-plugin/plugin.json", "version-not-raised")]
    version(shelf / "plugins/one", "1.0.1")
    entry(shelf / "plugins/one", "1.0.1")
    assert found() == [(".claude-plugin/marketplace.json", "version-mismatch")]
    assert found("plugins/one") == [(".claude-plugin/marketplace.json", "version-mismatch")] and found("plugins/two") == []
    replace(".claude-plugin/marketplace.json", '"./plugins/one",\n      "version": "1.0.0"', '"./plugins/one",\n      "version": "1.0.1"')(shelf)
    commit(shelf)
    git(shelf, "tag", "one--v1.0.1")
    git(shelf, "tag", "v1.0.2")  # of the whole; it is no plugin's version
    assert found() == [] and parts()["one"] == ("one--v1.0.1", "")


def test_plugin_that_was_added(shelf):
    at(shelf, "plugins/three", plugin("three", "0.1.0"))
    assert found() == [] and {one["name"]: one["new"] for one in judged()["plugins"]} == {"one": False, "two": False, "three": True}


def test_plugin_that_moved_did_not_change(shelf):
    (shelf / "more").mkdir()
    git(shelf, "mv", "plugins/one", "more/one")
    replace(".claude-plugin/marketplace.json", "./plugins/one", "./more/one")(shelf)
    assert parts() == {"one": ("one--v1.0.0", ""), "two": ("two@1.0.0", "")} and found() == []


def test_plugin_that_was_renamed(shelf):
    git(shelf, "mv", "plugins/one/.claude-plugin/plugin.json", "plugins/one/.claude-plugin/x.json")
    write(shelf, {"plugins/one/.claude-plugin/plugin.json": MANIFEST.format("uno", "1.0.0")})
    (shelf / "plugins/one/.claude-plugin/x.json").unlink()
    replace(".claude-plugin/marketplace.json", '"name": "one"', '"name": "uno"')(shelf)
    (one,) = [one for one in judged("--since", "one--v1.0.0")["plugins"] if one["name"] == "uno"]
    assert one["reasons"][0]["text"] == "the plugin is called uno and was one" and one["least"] == "2.0.0"


def test_changelog_of_the_marketplace(shelf):
    (shelf / "plugins/one/CHANGELOG.md").unlink()
    (shelf / "plugins/two/CHANGELOG.md").unlink()
    write(shelf, {"CHANGELOG.md": "# Changelog\n\n## two 1.0.1 - 2026-02-01\n\n- x\n"})
    replace("plugins/one/agents/reader.md", "You", "Please")(shelf)
    assert run("release", "bump", "plugins/one")[0] == 0
    assert (shelf / "CHANGELOG.md").read_text().startswith("# Changelog\n\n## one 1.0.1 - ")
    assert found() == [] and not (shelf / "plugins/one/CHANGELOG.md").exists()


def test_bump_of_a_plugin_writes_its_entry_and_leaves_the_others(shelf):
    replace("plugins/one/agents/reader.md", "You", "Please")(shelf)
    status, out, _ = run("release", "bump", "plugins/one")
    assert status == 0 and "one 1.0.0 -> 1.0.1" in out
    data = json.loads((shelf / ".claude-plugin/marketplace.json").read_text())
    assert [one["version"] for one in data["plugins"]] == ["1.0.1", "1.0.0"]
    assert git(shelf, "status", "--short", "plugins/two") == "" and found() == []


def test_version_that_only_the_marketplace_states(shelf):
    for name in ("one", "two"):
        replace(f"plugins/{name}/.claude-plugin/plugin.json", '  "version": "1.0.0",\n', "")(shelf)
    commit(shelf)
    git(shelf, "tag", "-f", "one--v1.0.0")
    replace("plugins/one/agents/reader.md", "You", "Please")(shelf)
    assert (".claude-plugin/marketplace.json", "version-not-raised") in found("plugins/one")
    assert run("release", "bump", "plugins/one")[0] == 0 and found("plugins/one") == []
    assert [one["version"] for one in json.loads((shelf / ".claude-plugin/marketplace.json").read_text())["plugins"]] == ["1.0.1", "1.0.0"]


def test_plugins_that_swapped_their_folders(shelf):
    for old, new in (("plugins/one", "x"), ("plugins/two", "plugins/one"), ("x", "plugins/two")):
        git(shelf, "mv", old, new)
    text = (shelf / ".claude-plugin/marketplace.json").read_text()
    (shelf / ".claude-plugin/marketplace.json").write_text(text.replace("plugins/one", "X").replace("plugins/two", "plugins/one").replace("X", "plugins/two"))
    assert {name: part for name, (_, part) in parts().items()} == {"one": "", "two": ""} and found() == []


def test_bump_of_a_marketplace(shelf):
    remove("plugins/one/agents/reader.md")(shelf)
    replace("plugins/two/agents/reader.md", "You", "Please")(shelf)
    assert run("release", "bump")[0] == 0 and found() == []
    assert [one["version"] for one in json.loads((shelf / ".claude-plugin/marketplace.json").read_text())["plugins"]] == ["2.0.0", "1.0.1"]
    assert refused("bump", "--to", "9.0.0").startswith("--to 9.0.0: there are 2 plugins here")


# -- references


@pytest.mark.parametrize("tag", ["v1.1.0", "1.1.0", "demo--v1.1.0", "demo@1.1.0", "demo-v1.1.0", "demo/v1.1.0"])
def test_forms_of_tags(repository, tag):
    commit_of = git(repository, "commit", "--quiet", "--allow-empty", "--message", "x")
    assert commit_of == ""
    git(repository, "tag", "--annotate", "--message", "x", tag)
    git(repository, "tag", "nightly-2.0.0")
    git(repository, "tag", "other--v3.0.0")
    assert judged()["plugins"][0]["since"] == tag


def test_newest_is_the_highest_and_not_the_latest(repository):
    for tag in ("v1.10.0", "v1.9.0", "v1.10.0-rc.1"):
        git(repository, "tag", tag)
    assert judged()["plugins"][0]["since"] == "v1.10.0"


def test_branch_counts_from_where_it_was_left(repository):
    git(repository, "switch", "--quiet", "--create", "work")
    remove("agents/reader.md")(repository)
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    write(repository, {"agents/more.md": AGENT.format("more", "x")})
    commit(repository)
    git(repository, "switch", "--quiet", "work")
    assert needs("--since", "main")[2] == ["agent reader was removed"]


def test_tag_that_is_no_ancestor_is_compared_as_it_is(repository):
    git(repository, "switch", "--quiet", "--create", "side")
    remove("agents/reader.md")(repository)
    version(repository, "2.0.0")
    commit(repository)
    git(repository, "tag", "v2.0.0")
    git(repository, "switch", "--quiet", "main")
    assert found() == []  # not a tag to compare with by itself
    assert [rule for _, rule in found("--since", "v2.0.0")] == ["version-lowered"]
    git(repository, "tag", "--delete", "v1.0.0")
    assert refused("check") == "no tag of a version comes before the present commit, but v2.0.0 is elsewhere; `--since v2.0.0` compares with it"


def test_no_tags(repository):
    git(repository, "tag", "--delete", "v1.0.0")
    said = "no tag names a released version (demo--v1.2.3, demo@1.2.3, v1.2.3 or 1.2.3); say with `--since REF` which commit was released last; `git fetch --tags` brings those of the remote"
    for command in ("check", "bump", "notes"):
        assert refused(command) == said
    assert found("--since", "HEAD") == []


def test_no_commits(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    write(tmp_path, plugin())
    monkeypatch.chdir(tmp_path)
    assert refused("check") == "the repository has no commits yet, so there is nothing to compare with"


def test_no_repository(tmp_path, monkeypatch):
    write(tmp_path, plugin())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert refused("check") == ". is in no git repository, so nothing says what changed"


def test_unknown_reference(repository):
    assert refused("check", "--since", "v1.0.1") == "--since: no commit, branch or tag is called 'v1.0.1'; did you mean 'v1.0.0'?"


def test_shallow_clone(repository, tmp_path, monkeypatch):
    commit_more(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert refused("check").startswith("this clone is shallow and has no tag of a version; fetch them with `git fetch --unshallow --tags`")
    git(tmp_path / "shallow", "fetch", "--quiet", "--unshallow", "--tags")
    assert needs()[0] == "patch"


def commit_more(folder: Path) -> None:
    replace("agents/reader.md", "You", "Please")(folder)
    commit(folder)


def test_detached_head(repository):
    git(repository, "switch", "--quiet", "--detach")
    commit_more(repository)
    assert needs()[0] == "patch"


def test_worktree(repository, tmp_path, monkeypatch):
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "work")
    monkeypatch.chdir(tmp_path / "other")
    commit_more(tmp_path / "other")
    assert needs()[0] == "patch" and run("release", "bump")[0] == 0 and found() == []


def test_submodule(repository, tmp_path, monkeypatch):
    """The plugin as a submodule of another repository, whose own tags count there."""
    holder = tmp_path / "holder"
    holder.mkdir()
    git(holder, "init", "--quiet")
    git(holder, "submodule", "--quiet", "add", str(repository), "plugins/demo")
    commit(holder)
    git(holder, "tag", "v0.0.1")
    monkeypatch.chdir(holder)
    assert parts() == {"demo": ("v0.0.1", "")}
    replace("plugins/demo/agents/reader.md", "You", "Please")(holder)
    assert parts() == {"demo": ("v0.0.1", "patch")}
    git(holder / "plugins/demo", "fetch", "--quiet", "--tags")
    assert parts("plugins/demo") == {"demo": ("v1.0.0", "patch")}  # in itself it is a repository too


def test_manifest_that_cannot_be_read(repository):
    manifest = repository / ".claude-plugin/plugin.json"
    manifest.write_text('{"name": "demo", "version": 1.0.0}\n')
    assert refused("check").startswith(".claude-plugin/plugin.json:1:") and "mend it first" in refused("bump")
    commit(repository)
    git(repository, "tag", "v1.0.1")
    git(repository, "tag", "broken")
    manifest.write_text(MANIFEST.format("demo", "1.0.1"))
    assert judged()["plugins"][0]["released"] == "1.0.1"  # what the tag says
    assert refused("check", "--since", "broken") == ".claude-plugin/plugin.json in broken is no valid JSON, so nothing says what the version must rise from; name another commit with --since"


def test_no_manifest_then(repository):
    manifest = repository / ".claude-plugin/plugin.json"
    text = manifest.read_text()
    manifest.unlink()
    commit(repository)
    git(repository, "tag", "--delete", "v1.0.0")
    manifest.write_text(text)
    assert found("--since", "HEAD") == [] and judged("--since", "HEAD")["plugins"][0]["released"] == ""


def test_no_manifest_now(repository):
    (repository / ".claude-plugin/plugin.json").unlink()
    assert [rule for _, rule in found()] == ["version-missing"]
    assert refused("bump").endswith("demo states no version; write the first one yourself")


def test_targets_that_are_no_plugin(repository, tmp_path):
    assert refused("check", "nowhere") == "nowhere: no such file or folder"
    assert "not a file in it" in refused("check", "agents/reader.md")
    assert "no plugin is here" in refused("check", "skills/cleaning")


# -- bump


def everywhere(folder: Path) -> None:
    """A plugin that states its version in every place, in files of every kind of line end."""
    write(
        folder,
        {
            "plugin.json": MANIFEST.format("demo", "1.0.0").replace("{\n", '{\n  "$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json",\n', 1).replace("\n", "\r\n"),
            ".claude-plugin/marketplace.json": '{"name": "shelf", "owner": {"name": "A"}, "description": "x",\n\t"plugins": [ {"version":"1.0.0", "name": "demo", "source": "./"} ]}',
            "README.md": "\ufeff# Demo v1.0.0\r\n\r\n![version 1.0.0](https://img.shields.io/badge/version-1.0.0-blue)\r\n\r\n**Version:** 1.0.0 | MIT\r\n\r\n## Skills\r\n\r\n| Skill | Version |\r\n| --- | --- |\r\n| cleaning | v2.3.1 |\r\n\r\nSince 1.0.0 it reads.\r\n",
            "skills/cleaning/SKILL.md": OWN,
            "lib/about.py": '__version__ = "1.0.0"  # not 11.0.0\n',
            "pluglint.toml": "[release]\nalso = ['lib/about.py']\n",
            "CHANGELOG.md": "# Changelog\r\n\r\n## [Unreleased]\r\n\r\n### Changed\r\n\r\n- Cleans more.\r\n\r\n## [1.0.0] - 2026-01-01\r\n\r\n- First.\r\n\r\n[Unreleased]: https://example.com/compare/v1.0.0...HEAD\r\n[1.0.0]: https://example.com/tag/v1.0.0\r\n",
        },
    )
    commit(folder)
    git(folder, "tag", "-f", "v1.0.0")
    replace("skills/cleaning/SKILL.md", "Cleans.", "Cleans tables.")(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


def test_bump_writes_every_place_and_nothing_else(repository):
    everywhere(repository)
    before = contents(repository)
    status, out, err = run("release", "bump")
    assert (status, err) == (0, "") and out.endswith("demo 1.0.0 -> 1.1.0\n7 files written\n")
    after = contents(repository)
    assert after.keys() == before.keys()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {".claude-plugin/plugin.json", ".claude-plugin/marketplace.json", "plugin.json", "README.md", "CHANGELOG.md", "skills/cleaning/SKILL.md", "lib/about.py"}
    for name in (".claude-plugin/plugin.json", "plugin.json", ".claude-plugin/marketplace.json"):
        assert after[name] == before[name].replace(b'"1.0.0"', b'"1.1.0"')
    assert after["README.md"].decode() == before["README.md"].decode().replace("v1.0.0", "v1.1.0").replace("version 1.0.0", "version 1.1.0").replace("version-1.0.0", "version-1.1.0").replace("**Version:** 1.0.0", "**Version:** 1.1.0").replace("2.3.1", "2.4.0")
    assert after["skills/cleaning/SKILL.md"] == before["skills/cleaning/SKILL.md"].replace(b"2.3.1", b"2.4.0")
    assert after["lib/about.py"] == b'__version__ = "1.1.0"  # not 11.0.0\n'
    log = after["CHANGELOG.md"].decode()
    day = subprocess.run(["date", "+%Y-%m-%d"], capture_output=True, text=True).stdout.strip()
    assert f"## [1.1.0] - {day}\r\n\r\n### Changed\r\n\r\n- Cleans more.\r\n" in log and "## [Unreleased]" not in log and log.count("\n") == log.count("\r\n")
    assert "[Unreleased]: https://example.com/compare/v1.1.0...HEAD\r\n[1.1.0]: https://example.com/compare/v1.0.0...v1.1.0\r\n[1.0.0]" in log
    assert found() == []
    assert run("release", "bump")[1] == "Nothing to do: nothing shipped changed, or the versions tell of it already.\n"


def test_dry_run(repository):
    everywhere(repository)
    before = contents(repository)
    status, out, _ = run("release", "bump", "--dry-run")
    assert status == 0 and contents(repository) == before
    assert '--- a/plugin.json\n+++ b/plugin.json\n' in out and '-  "version": "1.0.0",\n+  "version": "1.1.0",\n' in out and out.endswith("7 files would be written\n")
    patch = out[: out.rindex("demo 1.0.0 -> ")]
    assert "\\ No newline at end of file" in patch and "+- Cleans" not in patch


@pytest.mark.parametrize("arguments, to", [((), "1.1.0"), (("--part", "minor"), "1.1.0"), (("--part", "major"), "2.0.0"), (("--to", "1.7.0-rc.1"), "1.7.0-rc.1")])
def test_how_far(repository, arguments, to):
    everywhere(repository)
    assert run("release", "bump", *arguments)[0] == 0
    assert judged()["plugins"][0]["version"] == to and found() == []


def test_too_small_a_step_is_not_written(repository):
    everywhere(repository)
    before = contents(repository)
    for arguments in (("--part", "patch"), ("--to", "1.0.7")):
        status, out, _ = run("release", "bump", *arguments)
        assert status == 1 and "[version-raised-too-little]" in out and out.endswith("Nothing was written: this would still be wrong afterwards.\n")
    assert refused("bump", "--to", "1.0.0") == "--to 1.0.0: v1.0.0 has 1.0.0 already; it must be higher"
    assert refused("bump", "--to", "v2").startswith("--to v2: write three numbers")
    assert refused("bump", "--to", "2.0.0", "--part", "major") == "--to and --part exclude each other"
    assert contents(repository) == before


def test_present_version_that_is_high_enough_stays(repository):
    everywhere(repository)
    version(repository, "1.4.0")
    replace("lib/about.py", '"1.0.0"', '"1.4.0"')(repository)
    assert run("release", "bump")[0] == 0
    assert judged()["plugins"][0]["version"] == "1.4.0" and found() == [] and '"1.4.0"' in (repository / "plugin.json").read_text()


@pytest.mark.parametrize(
    "log, start",
    [
        (None, "# Changelog\n\nThe format is that of"),
        ("# Changelog\n\n## v1.0.0 (2026-01-01)\n\n- x\n", "# Changelog\n\n## v1.0.1 ("),
        ("# Changelog\n\n## 1.0.0\n\n- x\n", "# Changelog\n\n## 1.0.1 - "),
        ("# Changelog\n\n## [Unreleased]\n\n## [1.0.0] - 2026-01-01\n\n- x\n", "# Changelog\n\n## [1.0.1] - "),
        ("# Changelog\n\nNothing yet.\n", "# Changelog\n\nNothing yet.\n\n## [1.0.1] - "),
        ("# Changelog\n\n## [0.9.0] - 2025-01-01\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n- x\n", "# Changelog\n\n## [0.9.0] - 2025-01-01\n\n- x\n\n## [1.0.0] - 2026-01-01\n\n- x\n\n## [1.0.1] - "),
        ("# Changelog\n\n## [1.0.1] - 2026-03-01\n\n## [1.0.0] - 2026-01-01\n\n- x\n", "# Changelog\n\n## [1.0.1] - 2026-03-01\n\n### Changed\n\n- Agent `reader`"),
    ],
    ids=["none", "other marks", "no dates", "empty unreleased", "no releases", "oldest first", "empty entry"],
)
def test_drafted_entry(repository, log, start):
    (repository / "CHANGELOG.md").unlink()
    if log is not None:
        write(repository, {"CHANGELOG.md": log})
    replace("agents/reader.md", "You", "Please")(repository)
    status, out, _ = run("release", "bump")
    assert status == 0 and "its changelog entry is a draft, edit it" in out
    text = (repository / "CHANGELOG.md").read_text()
    assert text.startswith(start) and "- Agent `reader`: +1/-1 lines.\n" in text and found() == []


def test_read_only_file_stops_the_whole(repository):
    everywhere(repository)
    (repository / "README.md").chmod(0o444)
    before = contents(repository)
    assert refused("bump").endswith("README.md: the file is read-only")
    assert contents(repository) == before


def test_failure_in_the_middle_puts_everything_back(tmp_path, monkeypatch):
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths[:2]:
        Path(path).write_bytes(b"old\r\n")
    real = os.replace
    calls = []

    def full(source, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    changes = [transaction.Change(paths[0], b"old\r\n", b"new"), transaction.Change(paths[2], None, b"new"), transaction.Change(paths[1], b"old\r\n", b"new")]
    with pytest.raises(OSError) as failed:
        transaction.write_all(changes)
    assert failed.value.filename == paths[1]
    assert contents(tmp_path) == {"a": b"old\r\n", "b": b"old\r\n"}


def test_file_that_was_changed_meanwhile(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"old")
    changes = [transaction.Change(str(tmp_path / "a"), b"old", b"new"), transaction.Change(str(tmp_path / "b"), b"other", b"new")]
    with pytest.raises(OSError, match="the file was changed meanwhile"):
        transaction.write_all(changes)
    assert contents(tmp_path) == {"a": b"old", "b": b"old"}


def test_file_of_also_without_the_version(repository):
    everywhere(repository)
    replace("lib/about.py", '"1.0.0"', '"0.9"')(repository)
    assert ("lib/about.py", "version-not-in-file") in found()
    assert refused("bump") == "lib/about.py: 1.0.0 does not stand in this file of `release.also`; correct the file or the list"
    write(repository, {"pluglint.toml": "[release]\nalso = ['lib/gone.py']\n"})
    assert refused("check") == "pluglint.toml:2:9: no such file: 'lib/gone.py' (paths are relative to this file)"


def test_dry_run_is_a_patch(repository):
    replace("agents/reader.md", "You", "Please")(repository)
    _, out, _ = run("release", "bump", "--dry-run")
    patch = out[: out.rindex("demo 1.0.0 -> ")]
    assert subprocess.run(["git", "apply"], input=patch, text=True, capture_output=True).returncode == 0
    assert found() == [] and judged()["plugins"][0]["version"] == "1.0.1"


def test_file_that_is_not_utf8(repository):
    everywhere(repository)
    path = repository / "README.md"
    path.write_bytes(path.read_bytes() + b"\xff\n")
    before = contents(repository)
    assert refused("bump").startswith("README.md:14:1: not UTF-8") and contents(repository) == before


@pytest.mark.parametrize("data, span, text, result", [(b"\xef\xbb\xbfa\r\nb\r\nc", (2, 3), "x\ny", b"\xef\xbb\xbfa\r\nx\r\ny\r\nc"), (b"a\nb\r\nc\n", (4, 5), "x", b"a\nb\r\nx\n"), ("é\r\n1".encode(), (2, 3), "2", "é\r\n2".encode()), (b"a\r\n", (2, 2), "b", b"a\r\nb")])
def test_edits_keep_bytes(data, span, text, result):
    assert edited(data, [(*span, text)]) == result


# -- notes


def test_notes(repository):
    remove("agents/writer.md")(repository)
    write(repository, {"agents/more.md": AGENT.format("more", "Does more. Use when there is more.").replace("You read", "You do"), "lib/x.txt": "x\n"})
    replace("agents/reader.md", "reader", "reviewer")(repository)
    replace("skills/cleaning/SKILL.md", "Cleans.", "Cleans tables.")(repository)
    replace("skills/cleaning/scripts/clean.py", "print(1)", "print(1)\nprint(2)")(repository)
    status, out, err = run("release", "notes")
    assert status == 0 and err.startswith("pluglint: a draft")
    (budget,) = [line for line in out.splitlines() if line.startswith("- Every session")]
    assert out == (
        "## [Unreleased]\n\n### Added\n\n- Agent `more`: Does more. Use when there is more.\n\n"
        "### Changed\n\n- Agent `reader` is now called `reviewer`.\n- Skill `cleaning`: description changed, +2/-1 lines in 2 files.\n- 1 other file: `lib/x.txt` (added).\n"
        f"{budget}\n\n### Removed\n\n- Agent `writer`.\n"
    )
    now = json.loads(run("budget", "--json")[1])["always"]["characters"]
    then = json.loads(run("budget", "--json", "--since", "v1.0.0")[1])["before"]["characters"]
    assert budget == f"- Every session: {now} characters ({now - then:+}), about {-(-now // 4)} tokens."


def test_notes_without_changes(repository):
    assert run("release", "notes") == (0, "", "pluglint: nothing shipped changed since v1.0.0\n")


# -- the rest


def test_findings_are_explained_and_listed():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert not RULES.keys() & set(rule_ids()) and set(LOCKSTEP) <= set(rule_ids())
    for rule, text in RULES.items():
        assert run("explain", rule)[1].startswith(f"`{rule}`: {text}. ") and f"| `{rule}` | {text} |" in readme


@pytest.mark.parametrize("text", ["1.2.3", "0.0.0", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85", "1.0.0--"])
def test_versions(text):
    assert semver.parse(text) is not None


@pytest.mark.parametrize("text", ["1", "1.2", "v1.2.3", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3.4", "١.2.3", "1.2.3\n", ""])
def test_no_versions(text):
    assert semver.parse(text) is None


def test_a_check_loads_nothing_of_it(repository):
    code = "import sys\nfrom pluglint.cli import app\ntry:\n    app(['check'], standalone_mode=False)\nexcept SystemExit:\n    pass\nprint([name for name in sys.modules if name.startswith('pluglint.') and name.split('.')[1] in ('release', 'bump', 'notes', 'differences', 'shipped', 'archive', 'semver', 'git', 'transaction')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path(transaction.__file__).parents[1])})
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize("command", ["check", "bump", "notes"])
def test_help_teaches(command):
    status, out, err = run("release", command, "--help")
    assert (status, err) == (0, "") and "--since" in out and "[TARGET]" in out
