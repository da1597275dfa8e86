"""`pluglint new`: what it writes passes every rule, nothing is overwritten, and what cannot pass is not written."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import yaml
from examples import MANIFEST
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pluglint import scaffold
from pluglint.cli import app

TEXT = "Reads the log of a failed build and names the first error. Use when a build failed."


def new(*arguments, text=TEXT):
    words = [*arguments, *(["--description", text] if text is not None else [])]
    result = CliRunner().invoke(app, ["new", *words])
    assert "Traceback" not in result.output and "internal error" not in result.output, result.output
    return result.exit_code, result.stdout, result.stderr


def plugin(name="logs", *arguments, text=TEXT):
    return new("plugin", name, "--author", "Example Author", *arguments, text=text)


def check(target=".", *options):
    result = CliRunner().invoke(app, ["check", "--select", "all", "--fail-on", "info", "--no-cache", *options, str(target)])
    return result.exit_code, result.output


def tree(folder="."):
    return sorted(os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names)


def contents(folder="."):
    return {path: Path(folder, path).read_bytes() for path in tree(folder)}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def package(place):
    (place / ".claude-plugin").mkdir()
    (place / ".claude-plugin/plugin.json").write_text(MANIFEST)
    return place


# -- what is written passes


@pytest.mark.parametrize("profile", ["claude-code", "portable", "directory"])
@pytest.mark.parametrize("parts", [(), ("agent",), ("skill",), ("agent", "skill")])
def test_a_plugin_passes_every_rule(profile, parts):
    status, out, err = plugin("logs", "--license", "MIT", *(word for part in parts for word in ("--with", part)))
    assert (status, err) == (0, "")
    expected = {".claude-plugin/plugin.json", "README.md", "CHANGELOG.md"}
    expected |= {"agents/logs.md"} if "agent" in parts else set()
    expected |= {"skills/logs/SKILL.md"} if "skill" in parts or not parts else set()
    assert set(tree("logs")) == expected
    assert check("logs", "--profile", profile)[0] == 0, check("logs", "--profile", profile)[1]
    for path in expected:
        assert f"wrote logs/{path}\n" in out
    assert out.endswith("  pluglint check logs\n  claude --plugin-dir logs\n")


def test_the_manifest_says_what_was_given():
    plugin("logs", "--license", "MIT")
    manifest = json.loads(Path("logs/.claude-plugin/plugin.json").read_text())
    assert manifest == {"name": "logs", "version": "0.1.0", "description": TEXT, "author": {"name": "Example Author"}, "license": "MIT"}


def test_the_agent_works_by_the_skill():
    plugin("logs", "--with", "agent", "--with", "skill")
    result = CliRunner().invoke(app, ["graph", "--format", "json", "logs"])
    edges = [(edge["source_kind"], edge["target_kind"], edge["found"], edge["via"]) for edge in json.loads(result.output)["edges"]]
    assert ("agent", "skill", "logs:logs", "skills-field") in edges


@pytest.mark.parametrize("kind, path", [("agent", "agents/log-reader.md"), ("skill", "skills/log-reader/SKILL.md")])
def test_a_component_passes_every_rule(kind, path, package):
    assert check()[0] == 0
    status, out, err = new(kind, "log-reader")
    assert (status, err) == (0, "")
    assert out == f"wrote {path}\n\nNext: write down in {path} how the work is done, then\n  pluglint check .\n"
    assert check()[0] == 0, check()[1]
    assert tree() == sorted([".claude-plugin/plugin.json", path])


@pytest.mark.parametrize("into", [".", ".claude", ".claude/agents"])
def test_an_agent_of_a_project(into, place):
    (place / ".claude/agents").mkdir(parents=True)
    assert new("agent", "log-reader", "--into", into)[0] == 0
    assert tree() == [".claude/agents/log-reader.md"]
    assert check(".claude")[0] == 0


@pytest.mark.parametrize("into", ["skills", "skills/other", "agents"])
def test_a_folder_inside_the_package_is_enough(into, package):
    (package / into).mkdir(parents=True)
    (package / "agents").mkdir(exist_ok=True)
    status, out, _ = new("skill", "log-reader", "--into", into)
    assert status == 0 and (package / "skills/log-reader/SKILL.md").is_file()


def test_from_below_the_package(package, monkeypatch):
    (package / "docs").mkdir()
    monkeypatch.chdir(package / "docs")
    status, out, _ = new("agent", "log-reader")
    assert status == 0 and out.startswith("wrote ../agents/log-reader.md\n")
    assert (package / "agents/log-reader.md").is_file()


def test_a_bare_folder_of_skills(place):
    (place / "skills/one").mkdir(parents=True)
    (place / "skills/one/SKILL.md").write_text("---\nname: one\ndescription: Draws a chart. Use when one is due.\n---\nDraw it.\n")
    (place / "skills/.git").mkdir()
    assert new("skill", "two", "--into", "skills")[0] == 0
    assert "skills/two/SKILL.md" in tree()
    status, _, err = new("agent", "three", "--into", "skills")
    assert status == 2 and "the agent would go elsewhere" in err


def test_mode_and_line_ends_are_the_usual_ones(package):
    new("skill", "log-reader")
    new("agent", "log-reading", text="Counts the lines of a log. Use when its size matters.")
    mask = os.umask(0)
    os.umask(mask)
    for path in ("skills/log-reader/SKILL.md", "agents/log-reading.md"):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o666 & ~mask
        assert b"\r" not in Path(path).read_bytes()
    assert stat.S_IMODE(os.stat("skills/log-reader").st_mode) == 0o777 & ~mask


# -- what is left to the author


def test_what_the_rest_of_the_package_needs_is_said(package):
    (package / "README.md").write_text("# Demo\n\n## Skills\n\n| Skill | For |\n| --- | --- |\n| one | charts |\n| three | dates |\n")
    for name, text in (("one", "Draws a chart. Use when one is due."), ("three", "Counts days. Use when dates matter.")):
        (package / "skills" / name).mkdir(parents=True)
        (package / "skills" / name / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {text}\n---\nDo it.\n")
    assert check()[0] == 0, check()[1]
    status, out, _ = new("skill", "two")
    assert status == 0
    assert "This is left to you:\n  README.md:" in out and "[component-table-incomplete]" in out


def test_what_the_house_asks_for_is_said(package):
    (package / "house.json").write_text('{"type": "object", "required": ["version"], "properties": {"version": {"type": "string"}}}')
    (package / "pluglint.toml").write_text('[header-schemas]\nagent = "house.json"\n[sections]\nagent = ["Output"]\n')
    status, out, _ = new("agent", "log-reader")
    assert status == 0
    assert "[header-violates-house-schema]" in out and "[section-missing]" in out


# -- nothing is overwritten


def refused(*arguments, text=TEXT):
    before = contents()
    status, out, err = new(*arguments, text=text)
    assert (status, out) == (2, "") and err.startswith("pluglint: ") and err.count("\n") == 1
    assert contents() == before
    assert not [name for _, folders, names in os.walk(".") for name in (*folders, *names) if name.startswith(".pluglint-")]
    return err.removeprefix("pluglint: ").rstrip("\n")


def test_a_plugin_that_is_there(place):
    (place / "logs").mkdir()
    assert refused("plugin", "logs", "--author", "A") == "logs: is there already, nothing was written"
    (place / "Books").write_text("x")
    assert refused("plugin", "books", "--author", "A") == "Books: differs from 'books' by upper and lower case only; macOS and Windows hold them for one"


@pytest.mark.parametrize("kind, there, message", [
    ("agent", "agents/log-reader.md", "agents/log-reader.md: is there already, nothing was written"),
    ("agent", "agents/Log-Reader.md", "agents/Log-Reader.md: differs from 'log-reader.md' by upper and lower case only; macOS and Windows hold them for one"),
    ("agent", "agents/a.md", "agents/a.md: an agent called 'log-reader' is there already, nothing was written"),
    ("agent", "agents/z.md", "agents/z.md: an agent called 'log-reader' is there already, nothing was written"),
    ("skill", "skills/log-reader/notes.txt", "skills/log-reader: is there already, nothing was written"),
    ("skill", "skills/a/SKILL.md", "skills/a/SKILL.md: a skill called 'log-reader' is there already, nothing was written"),
    ("skill", "commands/log-reader.md", "commands/log-reader.md: a command called 'log-reader' is there already, nothing was written"),
])
def test_a_component_that_is_there(kind, there, message, package):
    (package / there).parent.mkdir(parents=True)
    (package / there).write_text("---\nname: log-reader\ndescription: Draws a chart. Use when one is due.\n---\nDraw it.\n")
    assert refused(kind, "log-reader") == message


def test_a_file_that_appears_meanwhile(package):
    (package / "agents").mkdir()
    (package / "agents/a.md").write_text("first")
    with pytest.raises(FileExistsError):
        scaffold.create("agents/a.md", {"": "second"})
    (package / "skills/a").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        scaffold.create("skills/a", {"SKILL.md": "second"})
    assert contents("agents") == {"a.md": b"first"} and tree("skills") == []


def test_all_or_none(place, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(scaffold.os, "rename", full)
    with pytest.raises(OSError):
        scaffold.create("a/b/logs", {"x": "1", "y/z": "2"})
    assert os.listdir(".") == [], "the folders above go as well"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(place):
    (place / "closed").mkdir(mode=0o500)
    assert "Permission denied" in refused("plugin", "logs", "--author", "A", "--into", "closed")


def test_a_link_out_of_the_package(package, tmp_path_factory):
    (package / "agents").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    assert refused("agent", "log-reader").startswith("agents: a symbolic link")


# -- what cannot pass


@pytest.mark.parametrize("name, said", [
    ("LogReader", "as in 'log-reader'"),
    ("log reader", "as in 'log-reader'"),
    ("log--reader", "as in 'log-reader'"),
    ("a-", "as in 'a'"),
    ("", "single hyphens"),
    ("../logs", "as in 'logs'"),
    ("lögs\x1b[31m", "cannot be the name of"),
    ("a" * 65, "65 characters, 64 are allowed"),
])
@pytest.mark.parametrize("kind", ["plugin", "agent", "skill"])
def test_names_of_a_wrong_form(kind, name, said, package):
    message = refused(kind, name)
    assert said in message and "\x1b" not in message


@pytest.mark.parametrize("kind, name, rule", [
    ("plugin", "claude-logs", "manifest-name-reserved"),
    ("plugin", "anthropic", "manifest-name-reserved"),
    ("agent", "explore", "agent-name-built-in"),
    ("agent", "con", "path-name-unsafe"),
    ("skill", "synced", "skill-folder-reserved"),
])
def test_names_that_a_rule_refuses(kind, name, rule, place):
    if kind != "plugin":
        (place / ".claude-plugin").mkdir()
        (place / ".claude-plugin/plugin.json").write_text(MANIFEST)
    message = refused(kind, name, *(["--author", "A"] if kind == "plugin" else []))
    assert message.startswith("nothing was written: ") and f"[{rule}]" in message


@pytest.mark.parametrize("text, rule", [
    ("Helps with stuff.", "description-without-trigger"),
    ("TODO: say what it does", "description-placeholder"),
    ("Reads logs. Use when needed. " + "x" * 1600, "skill-description"),
])
def test_descriptions_that_a_rule_refuses(text, rule, package):
    assert f"[{rule}" in refused("skill", "log-reader", text=text)


def test_a_description_that_is_another_ones(package):
    new("skill", "log-reader")
    assert "[descriptions-nearly-equal]" in refused("skill", "log-finder")


def test_an_agent_that_the_manifest_would_leave_out(package):
    (package / ".claude-plugin/plugin.json").write_text(MANIFEST.replace('"license"', '"agents": ["./agents/one.md"],\n  "license"'))
    (package / "agents").mkdir()
    (package / "agents/one.md").write_text("---\nname: one\ndescription: Draws a chart. Use when one is due.\ntools: Read\n---\nDraw it.\n")
    assert refused("agent", "two") == "agents/two.md: would be no agent for the client: .claude-plugin/plugin.json names its agents one by one; nothing was written"


def test_the_configuration_does_not_hide_what_is_wrong(package):
    (package / "pluglint.toml").write_text("ignore = ['description-without-trigger']\n[severity]\n'description-without-trigger' = 'info'\n")
    assert "[description-without-trigger]" in refused("skill", "log-reader", text="Helps with stuff.")


@pytest.mark.parametrize("text, said", [
    (None, "give --description: what the skill does and when to use it"),
    ("  ", "give --description"),
    ("Reads logs.\nUse when asked.", "U+000A"),
    ("Reads logs.\u202e Use when asked.", "U+202E"),
    ("Reads \udce4 logs. Use when asked.", "U+DCE4"),
])
def test_descriptions_of_a_wrong_form(text, said, package):
    assert said in refused("skill", "log-reader", text=text)


def test_wrong_places(place, monkeypatch):
    assert refused("agent", "log-reader", "--into", "nowhere") == "--into nowhere: no such folder"
    (place / ".git").mkdir()
    assert "no plugin and no .claude folder here or above" in refused("agent", "log-reader")
    (place / ".claude-plugin").mkdir()
    (place / ".claude-plugin/marketplace.json").write_text('{"name": "m", "owner": {"name": "A"}, "plugins": []}')
    assert "a marketplace" in refused("agent", "log-reader")
    assert plugin("logs")[0] == 0, "a plugin may lie in a marketplace"
    assert new("agent", "log-reader", "--into", "logs", text="Counts lines. Use when a log is long.")[0] == 0


def test_wrong_use(package):
    assert refused("agnet", "x") == "KIND is 'agnet'; it can be plugin, agent, skill. Did you mean 'agent'?"
    assert refused("agent", "x", "--license", "MIT") == "--license goes with `new plugin` only"


def test_a_licence_that_is_not_written_so(place):
    assert "[manifest-license-not-spdx]" in refused("plugin", "logs", "--author", "A", "--license", "mit")


def test_a_plugin_below_another_is_one_of_its_own(package):
    (package / "plugins").mkdir()
    assert plugin("logs", "--into", "plugins")[0] == 0
    assert check("plugins/logs")[0] == 0 and check(".")[0] == 0


def test_the_author_comes_from_git(place, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(place / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    assert "give --author" in refused("plugin", "logs")
    (place / "gitconfig").write_text("[user]\n\tname = Example Author\n")
    assert new("plugin", "logs")[0] == 0
    assert json.loads(Path("logs/.claude-plugin/plugin.json").read_text())["author"] == {"name": "Example Author"}


# -- any text


@given(st.text(st.characters(blacklist_categories=("C", "Zl", "Zp")), min_size=1, max_size=60).map(str.strip).filter(bool))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_description_is_read_back_as_given(text):
    header = scaffold.skill("logs", text).split("---\n")[1] if "---\n" not in text else scaffold.skill("logs", text)[4:].rsplit("\n---\n", 1)[0]
    assert yaml.safe_load(header)["description"] == text


@pytest.mark.parametrize("text", ['Says "no": # often. Use when asked.', "# Reads *logs*. Use when asked.", "1. Reads [a](b) `c` ~d~. Use when asked.", "Liest Protokolle (für Züge). Use when asked.", "- Reads \\n logs. Use when asked."])
def test_a_plugin_with_any_description_passes(text):
    from markdown_it import MarkdownIt

    assert plugin("logs", text=text)[::2] == (0, "")
    assert check("logs")[0] == 0
    tokens = MarkdownIt().parse(Path("logs/README.md").read_text())
    paragraph = tokens[4]
    assert tokens[3].type == "paragraph_open"
    assert "".join(child.content for child in paragraph.children) == text
