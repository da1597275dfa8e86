"""Every kind of target: what is read, what each file is taken for, how its path is shown, and whose findings are reported."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from pluglint.cli import app

MANIFEST = '{{"name": "{0}", "version": "1.0.0", "description": "The plugin {0}.", "author": {{"name": "Example Author"}}}}\n'
AGENT = "---\nname: {0}\ndescription: Looks after {0}. Use when it is asked for.\ntools: Read, {1}\n---\n\nYou look after it.\n"
SKILL = "---\nname: {0}\ndescription: Tells of {0}. Use when somebody asks.\n---\n\n{1}\n"
LEAD = AGENT.format("lead", "Agent") + "\nDelegate to other agents:\n\n- **{0}hand-one**: the first half\n- **{0}hand-two**: the other half\n"
MARKET = '{"name": "market", "description": "All of it.", "owner": {"name": "Example Author"}, "plugins": [{"name": "one", "source": "./plugins/one"}, {"name": "two", "source": "./plugins/two"}]}\n'

PARTS = {
    "agents/lead.md": LEAD,
    "agents/hand-one.md": AGENT.format("hand-one", "hammer"),
    "skills/nails/SKILL.md": SKILL.format("nails", "See [the sizes](references/sizes.md) and [the colours](references/colours.md)."),
    "skills/nails/references/sizes.md": "# Sizes\n\n1. small\n3. big\n",
    "commands/go.md": "---\nargument-hint: 1\n---\n\nGo.\n",
}
KINDS = {"agents/hand-one.md": "agent", "agents/lead.md": "agent", "commands/go.md": "command", "skills/nails/SKILL.md": "skill", "skills/nails/references/sizes.md": "reference"}
FINDINGS = {
    "agents/hand-one.md": ["agent-tool-unknown"],
    "agents/lead.md": ["delegate-unknown"],
    "commands/go.md": ["command-description-missing"],
    "skills/nails/SKILL.md": ["link-target-missing"],
    "skills/nails/references/sizes.md": ["list-numbering-broken"],
}


def write(root, files):
    for name, text in files.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def parts(prefix=""):
    return {name: text.replace("{0}", prefix) for name, text in PARTS.items()}


def plugin(root, name):
    return write(root / name, {".claude-plugin/plugin.json": MANIFEST.format(name), "README.md": f"# {name}\n", **parts(f"{name}:")})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a plugin "one", and nothing above it."""
    write(tmp_path, {".git/HEAD": ""})
    plugin(tmp_path, "one")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*targets):
    result = CliRunner().invoke(app, ["check", "--config", "none", *map(str, targets)])
    assert "Traceback" not in result.output
    return result


def check(*targets):
    """(packages, files, findings) of the report for machines; the text must tell the same files."""
    report = json.loads(run("--format", "json", *targets).stdout)
    files = {one["path"]: one["kind"] for one in report["files"]}
    text = run("--show-files", *targets).stdout
    assert text.startswith("".join(f"{path}: {kind}\n" for path, kind in files.items()))
    found: dict[str, list[str]] = {}
    for one in report["findings"]:
        found.setdefault(one["path"], []).append(one["rule"])
    return [(one["path"], one["kind"], one["name"]) for one in report["packages"]], files, found


def usage(*targets):
    result = run(*targets)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr


def below(prefix, names):
    return {prefix + name: value for name, value in names.items()}


def under(folder, names):
    """What lies in a folder, as seen from inside it."""
    return {name[len(folder) + 1 :]: value for name, value in names.items() if name.startswith(folder + "/")}


WHOLE = {".claude-plugin/plugin.json": "manifest", "README.md": "readme", **KINDS}


# -- a plugin


@pytest.mark.parametrize("spelling", ["one", "one/", "./one", "one/.", "one//", "one/agents/.."])
def test_plugin_by_path(here, spelling):
    assert check(spelling) == ([("one", "plugin", "one")], below("one/", WHOLE), below("one/", FINDINGS))


def test_plugin_by_dot(here, monkeypatch):
    monkeypatch.chdir(here / "one")
    assert check(".") == check() == ([(".", "plugin", "one")], WHOLE, FINDINGS)


def test_plugin_by_absolute_path(here):
    assert check(here / "one") == ([(f"{here}/one", "plugin", "one")], below(f"{here}/one/", WHOLE), below(f"{here}/one/", FINDINGS))


def test_paths_are_relative_to_the_working_folder_when_the_root_is_above_it(here, monkeypatch):
    monkeypatch.chdir(here / "one/agents")
    packages, files, found = check("..")
    assert packages == [("..", "plugin", "one")]
    assert files["lead.md"] == "agent" and files["../skills/nails/SKILL.md"] == "skill"
    assert found == {"lead.md": FINDINGS["agents/lead.md"], "hand-one.md": FINDINGS["agents/hand-one.md"], **below("../", {name: rules for name, rules in FINDINGS.items() if not name.startswith("agents/")})}


def test_link_as_target(here):
    (here / "link").symlink_to("one")
    assert check("link") == ([("link", "plugin", "one")], below("link/", WHOLE), below("link/", FINDINGS))


def test_plugin_without_a_manifest(tmp_path, monkeypatch):
    write(tmp_path / "loose", parts())
    monkeypatch.chdir(tmp_path)
    assert check("loose")[:2] == ([("loose", "plugin", "loose")], below("loose/", KINDS))


def test_plugin_with_a_portable_manifest_only(tmp_path, monkeypatch):
    write(tmp_path / "p", {"plugin.json": '{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "loose", "version": "1.0.0"}\n'})
    monkeypatch.chdir(tmp_path)
    assert check("p")[:2] == ([("p", "plugin", "loose")], {"p/plugin.json": "portable-manifest"})


def test_plugin_inside_a_plugin(here):
    """Its files are its own: they are no part of the outer one, and each is checked once."""
    plugin(here / "one/vendor", "two")
    assert check("one") == (
        [("one", "plugin", "one"), ("one/vendor/two", "plugin", "two")],
        {**below("one/", WHOLE), **below("one/vendor/two/", WHOLE)},
        {**below("one/", FINDINGS), **below("one/vendor/two/", FINDINGS)},
    )
    assert check("one/vendor/two/agents/hand-one.md")[0] == [("one/vendor/two", "plugin", "two")]


def test_names_with_blanks_and_beyond_ascii(here, monkeypatch):
    write(here / "große Dinge/das Werkzeug", {".claude-plugin/plugin.json": MANIFEST.format("tools"), **parts("tools:")})
    kinds = {".claude-plugin/plugin.json": "manifest", **KINDS}
    assert check("große Dinge") == ([("große Dinge/das Werkzeug", "plugin", "tools")], below("große Dinge/das Werkzeug/", kinds), below("große Dinge/das Werkzeug/", FINDINGS))
    monkeypatch.chdir(here / "große Dinge/das Werkzeug/agents")
    assert check("../../das Werkzeug/agents/hand-one.md")[1:] == ({"hand-one.md": "agent"}, {"hand-one.md": ["agent-tool-unknown"]})


# -- several plugins


@pytest.fixture
def market(tmp_path, monkeypatch):
    write(tmp_path, {".git/HEAD": "", ".claude-plugin/marketplace.json": MARKET})
    plugin(tmp_path / "plugins", "one")
    plugin(tmp_path / "plugins", "two")
    write(tmp_path, {"plugins/one/agents/hand-two.md": AGENT.format("hand-two", "Agent") + "\nDelegate to other agents:\n\n- **two:hand-one**: the rest\n"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_marketplace(market):
    packages, files, found = check(".")
    assert packages == [(".", "marketplace", market.name), ("plugins/one", "plugin", "one"), ("plugins/two", "plugin", "two")]
    assert files[".claude-plugin/marketplace.json"] == "marketplace" and files["plugins/two/agents/lead.md"] == "agent"
    assert [path for path, rules in found.items() if "delegate-unknown" in rules] == ["plugins/two/agents/lead.md"]
    assert "plugins/one/agents/hand-two.md" not in found  # it sends work to the other plugin, which is there


def test_one_plugin_of_a_marketplace(market):
    """It is checked as if it were installed alone: what it sends to the other plugin needs a declaration."""
    packages, files, found = check("plugins/one")
    assert packages == [("plugins/one", "plugin", "one")]
    assert all(path.startswith("plugins/one/") for path in files)
    assert found["plugins/one/agents/hand-two.md"] == ["delegate-undeclared-external"]


@pytest.mark.parametrize("again", ["plugins/one", "plugins/one/agents/hand-two.md", "."])
def test_marketplace_and_a_part_of_it(market, again):
    """Naming a part as well changes nothing, in either order."""
    packages, files, found = check(".")
    for targets in ((".", again), (again, ".")):
        report = check(*targets)
        assert (sorted(report[0]), report[1:]) == (sorted(packages), (files, found))


def test_folder_of_plugins(market):
    assert [path for path, _, _ in check("plugins")[0]] == ["plugins/one", "plugins/two"]
    assert check("plugins")[2].get("plugins/one/agents/hand-two.md") is None


def test_two_targets(here):
    plugin(here, "two")
    assert check("two", "one") == (
        [("two", "plugin", "two"), ("one", "plugin", "one")],
        {**below("one/", WHOLE), **below("two/", WHOLE)},
        {**below("one/", FINDINGS), **below("two/", FINDINGS)},
    )


@pytest.mark.parametrize("again", ["one", "./one", "one/agents", "one/skills/nails", "one/agents/lead.md"])
def test_same_target_twice(here, again):
    assert check("one") == check("one", again) == check(again, "one")


def test_file_and_folder(here):
    """Of the file's package only the file is shown."""
    plugin(here, "two")
    _, files, found = check("one/agents/lead.md", "two")
    assert files == {"one/agents/lead.md": "agent", **below("two/", WHOLE)}
    assert found == {"one/agents/lead.md": ["delegate-unknown"], **below("two/", FINDINGS)}


# -- folders


def test_claude_folder_of_a_project(tmp_path, monkeypatch):
    write(tmp_path, {".git/HEAD": "", "README.md": "# Project\n", "src/commands/run.py": "", **below(".claude/", parts()), ".claude/settings.json": "{}\n"})
    monkeypatch.chdir(tmp_path)
    kinds = {**KINDS, "settings.json": "settings"}
    project = ([(".claude", "claude-folder", ".claude")], below(".claude/", kinds), below(".claude/", FINDINGS))
    assert check(".") == check(".claude") == check(".claude/") == project
    monkeypatch.chdir(tmp_path / ".claude")
    assert check(".") == ([(".", "claude-folder", ".claude")], kinds, FINDINGS)
    monkeypatch.chdir(tmp_path / ".claude/agents")
    assert check("../../.claude")[1]["lead.md"] == "agent"
    assert check("../..")[0] == [("..", "claude-folder", ".claude")]


@pytest.mark.parametrize("folder", ["agents", "skills", "commands"])
def test_bare_component_folder(tmp_path, monkeypatch, folder):
    write(tmp_path, {".git/HEAD": "", **parts()})
    kinds, findings = under(folder, KINDS), under(folder, FINDINGS)
    package = f"{folder}-folder", folder
    monkeypatch.chdir(tmp_path)
    assert check(folder) == ([(folder, *package)], below(f"{folder}/", kinds), below(f"{folder}/", findings))
    monkeypatch.chdir(tmp_path / folder)
    assert check(".") == check() == ([(".", *package)], kinds, findings)
    other = "skills" if folder == "agents" else "agents"
    monkeypatch.chdir(tmp_path / other)
    assert check(f"../{folder}") == ([(f"../{folder}", *package)], below(f"../{folder}/", kinds), below(f"../{folder}/", findings))


def test_parts_of_a_package_do_not_complain_of_the_rest(tmp_path, monkeypatch):
    """An agent named in a skill may well be there, if only the skill is looked at."""
    text = SKILL.format("nails", "Delegate to other agents:\n\n- **hand-nine**: nails\n")
    write(tmp_path, {".git/HEAD": "", "skills/nails/SKILL.md": text, "one.md": LEAD.replace("{0}", "")})
    monkeypatch.chdir(tmp_path)
    assert check("skills")[2] == check("skills/nails")[2] == check("one.md")[2] == {}


def test_one_skill(tmp_path, monkeypatch):
    write(tmp_path, {".git/HEAD": "", **parts()})
    monkeypatch.chdir(tmp_path)
    kinds, findings = under("skills/nails", KINDS), under("skills/nails", FINDINGS)
    assert check("skills/nails") == ([("skills/nails", "skill", "nails")], below("skills/nails/", kinds), below("skills/nails/", findings))
    monkeypatch.chdir(tmp_path / "skills/nails")
    assert check(".") == ([(".", "skill", "nails")], kinds, findings)


def test_folder_without_a_package(here):
    write(here, {"docs/a.md": "# A\n", "docs/commands/run.py": ""})
    (here / "empty").mkdir()
    for folder in ("docs", "empty", "docs/commands/.."):
        assert usage(folder).startswith(f"pluglint: {folder}: nothing to check here. Looked for .claude-plugin/")


def test_missing_path(here):
    assert usage("nowhere") == "pluglint: nowhere: no such file or folder\n"
    assert usage("one", "nowhere") == "pluglint: nowhere: no such file or folder\n"
    (here / "dangling").symlink_to("nowhere")
    assert usage("dangling") == "pluglint: dangling: neither a file nor a folder\n"


# -- files


@pytest.mark.parametrize("name", WHOLE)
def test_file_of_a_plugin(here, monkeypatch, name):
    """Its own findings alone, with its package known: `hand-one` is found, and only `hand-two` is not."""
    expected = FINDINGS.get(name, [])
    packages, files, found = check(f"one/{name}")
    assert (packages, files) == ([("one", "plugin", "one")], {f"one/{name}": WHOLE[name]})
    assert found == ({f"one/{name}": expected} if expected else {})
    monkeypatch.chdir((here / "one" / name).parent)
    assert check(os.path.basename(name))[1] == {os.path.basename(name): WHOLE[name]}


def test_file_through_a_link_above_it(here):
    (here / "link").symlink_to("one")
    assert check("link/agents/lead.md")[1:] == ({"link/agents/lead.md": "agent"}, {"link/agents/lead.md": ["delegate-unknown"]})
    assert check("one/agents/lead.md", "link/agents/hand-one.md")[1] == {"one/agents/lead.md": "agent", "one/agents/hand-one.md": "agent"}


def test_link_to_a_file(here):
    (here / "link.md").symlink_to("one/agents/lead.md")
    assert usage("link.md") == "pluglint: link.md: a symbolic link; name the file that it leads to\n"


ALONE = {
    "lead.md": (LEAD, "agent"),
    "AGENT.md": (AGENT.format("helper", "Read"), "agent"),
    "go.md": ("---\ndescription: Goes.\nargument-hint: '[where]'\n---\n\nGo to $ARGUMENTS.\n", "command"),
    "notes.md": ("# Notes\n", "page"),
    "page.md": ("---\ntitle: Page\ndescription: A page.\n---\n\n# Page\n", "page"),
    "README.md": ("# Read me\n", "readme"),
    "CHANGELOG.md": ("# Changelog\n", "changelog"),
    "plugin.json": (MANIFEST.format("x"), "portable-manifest"),
    "marketplace.json": (MARKET, "marketplace"),
    "hooks.json": ('{"hooks": {}}\n', "hooks"),
}


@pytest.mark.parametrize("name", ALONE)
def test_file_on_its_own(tmp_path, monkeypatch, name):
    text, kind = ALONE[name]
    write(tmp_path, {".git/HEAD": "", f"stuff/{name}": text})
    monkeypatch.chdir(tmp_path)
    assert check(f"stuff/{name}")[:2] == ([(f"stuff/{name}", "file", name)], {f"stuff/{name}": kind})
    monkeypatch.chdir(tmp_path / "stuff")
    assert check(name)[:2] == ([(name, "file", name)], {name: kind})


def test_skill_file_on_its_own(tmp_path, monkeypatch):
    """The folder is the skill: what it links to is looked for, the name is compared."""
    write(tmp_path, {".git/HEAD": "", "nails/SKILL.md": parts()["skills/nails/SKILL.md"], "nails/references/sizes.md": "# Sizes\n\n1. small\n3. big\n"})
    monkeypatch.chdir(tmp_path)
    assert check("nails/SKILL.md") == ([("nails", "skill", "nails")], {"nails/SKILL.md": "skill"}, {"nails/SKILL.md": ["link-target-missing"]})


def test_two_files_of_one_folder(tmp_path, monkeypatch):
    write(tmp_path, {".git/HEAD": "", "stuff/a.md": AGENT.format("a", "hammer"), "stuff/b.md": AGENT.format("b", "nail"), "stuff/c.md": AGENT.format("c", "saw")})
    monkeypatch.chdir(tmp_path)
    both = {"stuff/a.md": ["agent-tool-unknown"], "stuff/b.md": ["agent-tool-unknown"]}
    assert check("stuff/a.md", "stuff/b.md")[2] == check("stuff/a.md", tmp_path / "stuff/b.md")[2] == both
    assert check("stuff/a.md", "stuff/a.md")[0] == [("stuff/a.md", "file", "a.md")]


def test_file_that_is_not_read(here):
    """Outside of packages that is wrong use: "no findings" would be taken for an answer. Inside, the package was checked."""
    write(here, {"app.py": "", "one/LICENSE": "", "data.json": "{}"})
    for name in ("app.py", "data.json"):
        assert usage(name).startswith(f"pluglint: {name}: pluglint does not read such a file. ")
    assert check("one/LICENSE") == ([("one", "plugin", "one")], {}, {})
