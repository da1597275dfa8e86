"""Configuration: where it is found, what it sets, and how it says what is wrong with it."""

from __future__ import annotations

import pytest

from pluglint import config as configuration
from pluglint import engine
from pluglint.config import Config, ConfigError
from pluglint.discover import NothingToCheck
from pluglint.globs import matches
from pluglint.rule import rule_ids

IDS = [*rule_ids()]


def load(tmp_path, monkeypatch, text: str | bytes, name: str = "pluglint.toml") -> Config:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return configuration.load(name, IDS)


def error(tmp_path, monkeypatch, text: str | bytes, name: str = "pluglint.toml") -> str:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, monkeypatch, text, name)
    return str(caught.value)


# -- what it sets


def test_no_file_is_the_defaults():
    config = configuration.load(None, IDS)
    assert (config.profile, config.select, config.fail_on, config.path) == ("claude-code", (), "warning", None)


def test_every_setting(tmp_path, monkeypatch):
    (tmp_path / "agent.json").write_text('{"properties": {"version": {}}}')
    config = load(
        tmp_path,
        monkeypatch,
        """
        profile = "portable"
        select = ["all"]
        ignore = ["delegate-unknown"]
        fail-on = "never"
        exclude = ["drafts/**"]
        max-file-size = 2000
        sections.agent = ["Limits"]
        severity = { delegate-unknown = "info" }
        external-agents.other = ["jax-pro", "spark-pro"]
        header-schemas.agent = "agent.json"

        [rules.delegate-unknown]

        [[suppress]]
        rule = "delegate-unknown"
        reason = "it is optional"

        [[suppress]]
        rules = ["delegate-unknown", "suppression-unused"]
        path = "agents/*"
        reason = "until the next release"
        until = 2999-01-31
        """,
    )
    assert (config.profile, config.select, config.ignore, config.fail_on) == ("portable", ("all",), ("delegate-unknown",), "never")
    assert (config.exclude, config.max_file_size, config.sections) == (("drafts/**",), 2000, {"agent": ("Limits",)})
    assert config.severity == {"delegate-unknown": "info"}
    assert config.external_agents == {name: f"other:{name.removeprefix('other:')}" for name in ("jax-pro", "other:jax-pro", "spark-pro", "other:spark-pro")}
    assert config.header_schemas == {"agent": str(tmp_path / "agent.json")} and config.house_keys == {"agent": frozenset({"version"})}
    assert config.rules == {"delegate-unknown": {}}
    first, second = config.suppress
    assert first == (("delegate-unknown",), "**", "it is optional", "", 15)
    assert second == (("delegate-unknown", "suppression-unused"), "agents/*", "until the next release", "2999-01-31", 19)


@pytest.mark.parametrize("text", ["\ufeffselect = []\n", "select = []\r\n", "", "# nothing\n"])
def test_harmless_forms(tmp_path, monkeypatch, text):
    assert load(tmp_path, monkeypatch, text).select == ()


def test_in_pyproject(tmp_path, monkeypatch):
    text = '[project]\nname = "x"\n[tool.pluglint]\nprofile = "portable"\n[tool.pluglint.severity]\ndelegate-unknown = "info"\n'
    config = load(tmp_path, monkeypatch, text, "pyproject.toml")
    assert (config.profile, config.severity) == ("portable", {"delegate-unknown": "info"})


@pytest.mark.parametrize("text", ["tool = 3 # [tool.pluglint]", "[project]\n", '[tool.other]\nx = "[tool.pluglint]"\n'])
def test_pyproject_without_the_table(tmp_path, monkeypatch, text):
    assert load(tmp_path, monkeypatch, text, "pyproject.toml").profile == "claude-code"


def test_own_file_may_carry_the_prefix(tmp_path, monkeypatch):
    assert load(tmp_path, monkeypatch, '[tool.pluglint]\nprofile = "portable"\n').profile == "portable"


# -- where it is found


def test_nearest_file_wins(tmp_path):
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "pluglint.toml").write_text("")
    (tmp_path / "a/b/pluglint.toml").write_text("")
    (tmp_path / "a/b/c/file.md").write_text("")
    assert configuration.find(str(tmp_path / "a/b/c")) == str(tmp_path / "a/b/pluglint.toml")
    assert configuration.find(str(tmp_path / "a/b/c/file.md")) == str(tmp_path / "a/b/pluglint.toml")
    assert configuration.find(str(tmp_path / "a")) == str(tmp_path / "pluglint.toml")


def test_own_file_wins_over_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pluglint]\n")
    assert configuration.find(str(tmp_path)) == str(tmp_path / "pyproject.toml")
    (tmp_path / "pluglint.toml").write_text("")
    assert configuration.find(str(tmp_path)) == str(tmp_path / "pluglint.toml")


def test_pyproject_of_something_else_is_passed_over(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/pyproject.toml").write_text("[project]\n")
    (tmp_path / "pluglint.toml").write_text("")
    assert configuration.find(str(tmp_path / "a")) == str(tmp_path / "pluglint.toml")


def test_search_ends_at_the_repository(tmp_path):
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "pluglint.toml").write_text("")
    assert configuration.find(str(tmp_path / "repo")) is None


# -- what is wrong with it


@pytest.mark.parametrize(
    "text, message",
    [
        ("selct = []\n", "pluglint.toml:1:1: unknown setting `selct`; did you mean 'select'?"),
        ("# x\n  zebra = 1\n", "pluglint.toml:2:3: unknown setting `zebra`; known are profile, select, ignore, severity, fail-on, exclude, suppress, external-agents, header-schemas, sections, budget, pack, release, max-file-size, rules"),
        ("[tables.zebra]\nx = 1\n", "pluglint.toml:1:2: unknown setting `tables`; known are profile, select, ignore, severity, fail-on, exclude, suppress, external-agents, header-schemas, sections, budget, pack, release, max-file-size, rules"),
        ("select = 'x'\n", "pluglint.toml:1:10: `select` must be a list of strings, not a string"),
        ("select = ['all',\n  3]\n", "pluglint.toml:2:3: item 2 of `select` must be a string, not a whole number"),
        ("severity = 'info'\n", "pluglint.toml:1:12: `severity` must be a table, not a string"),
        ("fail-on = 'eror'\n", "pluglint.toml:1:11: `fail-on` is 'eror'; it can be error, warning, info, never; did you mean 'error'?"),
        ("profile = 'zebra'\n", "pluglint.toml:1:11: `profile` is 'zebra'; it can be claude-code, portable, directory"),
        ("max-file-size = true\n", "pluglint.toml:1:17: `max-file-size` must be a whole number, not a truth value"),
        ("max-file-size = 0\n", "pluglint.toml:1:17: `max-file-size` is 0, less than 1"),
        ("max-file-size = 9999999999\n", "pluglint.toml:1:17: `max-file-size` is 9999999999, more than 1073741824"),
        ("sections = { agnt = [] }\n", "pluglint.toml:1:14: unknown key `agnt`; did you mean 'agent'?"),
        ("header-schemas.agent = 'no.json'\n", "pluglint.toml:1:24: no such file: 'no.json' (paths are relative to this file)"),
        ("external-agents.other = 'jax-pro'\n", "pluglint.toml:1:25: `other` must be a list of strings, not a string"),
        ("select = ['delegate-unknwon']\n", "pluglint.toml:1:11: no rule is called 'delegate-unknwon'; did you mean 'delegate-unknown'?"),
        ("ignore = ['zebra']\n", "pluglint.toml:1:11: no rule is called 'zebra'; `pluglint rules` lists them"),
        ("[severity]\ndelegate-unknwon = 'info'\n", "pluglint.toml:2:1: no rule is called 'delegate-unknwon'; did you mean 'delegate-unknown'?"),
        ("[severity]\nall = 'info'\n", "pluglint.toml:2:1: no rule is called 'all'; `pluglint rules` lists them"),
        ("[severity]\ndelegate-unknown = 'off'\n", "pluglint.toml:2:20: `delegate-unknown` is 'off'; it can be error, warning, info"),
        ("[rules.zebra]\n", "pluglint.toml:1:8: no rule is called 'zebra'; `pluglint rules` lists them"),
        ("[rules.delegate-unknown]\nlimit = 3\n", "pluglint.toml:2:1: the rule has no option `limit`; its options: none"),
        ("[suppress]\nrule = 'delegate-unknown'\n", "pluglint.toml:1:2: `suppress` must be a list of tables, not a table"),
        ("[[suppress]]\nrule = 'delegate-unknown'\n", "pluglint.toml:1:3: `reason` is missing"),
        ("[[suppress]]\nrule = 'delegate-unknown'\nreason = ' '\n", "pluglint.toml:3:10: a [[suppress]] needs a `reason`"),
        ("\n[[suppress]]\nreason = 'x'\n", "pluglint.toml:2:3: a [[suppress]] needs `rule` or `rules`: nothing is silenced as a whole"),
        ("[[suppress]]\nrule = 'all'\nreason = 'x'\n", "pluglint.toml:2:8: no rule is called 'all'; `pluglint rules` lists them"),
        ("[[suppress]]\nrules = ['delegate-unknown', 'zebra']\nreason = 'x'\n", "pluglint.toml:2:30: no rule is called 'zebra'; `pluglint rules` lists them"),
        ("[[suppress]]\nrule = 'delegate-unknown'\nreason = 'x'\nuntil = 'soon'\n", "pluglint.toml:4:9: `until` is 'soon'; write it like '2027-01-31'"),
        ("[[suppress]]\nrule = 'delegate-unknown'\nreason = 'x'\nuntil = '2027-02-30'\n", "pluglint.toml:4:9: `until` is '2027-02-30', which is no date"),
        ("[[suppress]]\nrule = 'delegate-unknown'\nreason = 'x'\npaht = 'x'\n", "pluglint.toml:4:1: unknown key `paht`; did you mean 'path'?"),
        ("a = [\n", "pluglint.toml:2:1: not valid TOML: invalid value"),
        (b"select = []\n# \xff\n", "pluglint.toml:2:3: not UTF-8"),
        (b"\xff\xfes\0", "pluglint.toml:1:1: not UTF-8"),
        ("a = " + "[" * 5000, "pluglint.toml:1:1: not valid TOML: nested too deep"),
    ],
)
def test_fault_is_said_with_its_place(tmp_path, monkeypatch, text, message):
    assert error(tmp_path, monkeypatch, text) == message


def test_fault_in_pyproject_is_placed_there(tmp_path, monkeypatch):
    said = error(tmp_path, monkeypatch, '[project]\nselct = "mine"\n\n[tool.pluglint]\nselct = []\n', "pyproject.toml")
    assert said == "pyproject.toml:5:1: unknown setting `selct`; did you mean 'select'?"


def test_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: "):
        configuration.load(str(tmp_path / "no.toml"), IDS)


# -- options of rules


@pytest.fixture
def optional(monkeypatch):
    """Lends a rule some options."""
    from pluglint.rules import delegate_unknown

    options = {"limit": 3, "names": ["a"], "strict": False, "share": 0.5}
    monkeypatch.setattr(delegate_unknown, "RULE", delegate_unknown.RULE._replace(options=options))


def test_option_is_taken(tmp_path, monkeypatch, optional):
    config = load(tmp_path, monkeypatch, "[rules.delegate-unknown]\nlimit = 9\nnames = []\nshare = 1\n")
    assert config.rules == {"delegate-unknown": {"limit": 9, "names": [], "share": 1.0}}


@pytest.mark.parametrize(
    "line, message",
    [
        ("limt = 3", "pluglint.toml:2:1: the rule has no option `limt`; did you mean `limit`?"),
        ("zebra = 3", "pluglint.toml:2:1: the rule has no option `zebra`; its options: limit, names, strict, share"),
        ("limit = '3'", "pluglint.toml:2:9: `limit` must be of type integer"),
        ("limit = true", "pluglint.toml:2:9: `limit` must be of type integer"),
        ("strict = 1", "pluglint.toml:2:10: `strict` must be of type boolean"),
        ("names = 'a'", "pluglint.toml:2:9: `names` must be of type list"),
    ],
)
def test_bad_option(tmp_path, monkeypatch, optional, line, message):
    assert error(tmp_path, monkeypatch, f"[rules.delegate-unknown]\n{line}\n") == message


# -- globs


@pytest.mark.parametrize(
    "pattern, path, expected",
    [
        ("agents/a.md", "agents/a.md", True),
        ("agents/*.md", "agents/a.md", True),
        ("agents/*.md", "agents/sub/a.md", False),
        ("agents/**", "agents/sub/a.md", True),
        ("agents/**/a.md", "agents/a.md", True),
        ("agents/**/a.md", "agents/x/y/a.md", True),
        ("agents", "agents/a.md", True),
        ("agents/", "agents/sub/a.md", True),
        ("agents", "agents2/a.md", False),
        ("agents", "plugins/one/agents/a.md", True),
        ("/agents", "agents/a.md", True),
        ("one/agents", "plugins/one/agents/a.md", False),
        ("*.md", "a/b/c.md", True),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("a.md", "aXmd", False),
        ("[a].md", "a.md", False),
        ("**", "a/b", True),
        ("**/*.json", "a.json", True),
        ("*", "a\nb", True),
    ],
)
def test_glob(pattern, path, expected):
    assert matches(pattern, path) is expected


# -- what a run does with it


HEADER = "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "agents").mkdir()
    (tmp_path / ".claude-plugin").mkdir()
    (tmp_path / ".claude-plugin/plugin.json").write_text('{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}')
    (tmp_path / "agents/lead.md").write_text(HEADER.format("lead") + "Delegate to other agents:\n\n- **jax-pro**: numerical code\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(package, text: str) -> list[tuple[str, str]]:
    from pluglint import engine

    (package / "pluglint.toml").write_text(text)
    config = configuration.load("pluglint.toml", IDS)
    return [(one.rule, one.severity) for one in engine.check(["."], config).findings if one.rule == "delegate-unknown"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", [("delegate-unknown", "error")]),
        ("ignore = ['delegate-unknown']", []),
        ("select = ['suppression-unused']", []),
        ("severity.delegate-unknown = 'warning'", [("delegate-unknown", "warning")]),
        ("external-agents.other = ['jax-pro']", []),
        ("external-agents.other = ['spark-pro']", [("delegate-unknown", "error")]),
        ("exclude = ['agents/lead.md']", []),
        ("exclude = ['skills/**']", [("delegate-unknown", "error")]),
    ],
)
def test_setting_acts(package, text, expected):
    assert found(package, text) == expected


def test_example_in_the_readme_is_a_configuration(tmp_path, monkeypatch):
    import re
    from pathlib import Path

    readme = Path(__file__).parents[2] / "README.md"
    (block,) = re.findall(r"```toml\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas/agent.schema.json").write_text("{}")
    config = load(tmp_path, monkeypatch, block)
    assert config.suppress and config.external_agents and config.sections


def test_no_package_is_looked_for_in_what_is_excluded(tmp_path, monkeypatch):
    """Yet the files are there: a link to one of them is no dead link."""
    texts = {
        "pluglint.toml": 'exclude = ["samples/**"]\n',
        ".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}}\n',
        "README.md": "# Demo\n\nSee [the sample](samples/broken/agents/lead.md).\n",
        "samples/broken/.claude-plugin/plugin.json": "{\n",
        "samples/broken/agents/lead.md": "nothing\n",
        "samples/project/.claude/agents/lead.md": "nothing\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    excluding = engine.check(["."], configuration.load("pluglint.toml", rule_ids()))
    assert (excluding.packages, excluding.findings) == ([(".", "plugin", "demo")], [])
    assert [path for path, _, _ in engine.check(["."], configuration.load(None, rule_ids())).packages] == [".", "samples/broken", "samples/project/.claude"]


def test_an_excluded_folder_that_is_named_is_not_called_clean(tmp_path, monkeypatch):
    (tmp_path / "samples/broken/.claude-plugin").mkdir(parents=True)
    (tmp_path / "samples/broken/.claude-plugin/plugin.json").write_text("{\n")
    (tmp_path / "pluglint.toml").write_text('exclude = ["samples/**"]\n')
    monkeypatch.chdir(tmp_path)
    for target in ("samples/broken", "samples"):
        with pytest.raises(NothingToCheck, match=target):
            engine.check([target], configuration.load("pluglint.toml", rule_ids()))
    assert engine.check(["samples/broken/.claude-plugin/plugin.json"], configuration.load("pluglint.toml", rule_ids())).findings == []
