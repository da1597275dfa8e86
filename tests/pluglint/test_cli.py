"""The command line: exit statuses, messages for people, and reports for machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

import pluglint
from pluglint import __version__, schemas
from pluglint.cli import app
from pluglint.rule import rule_ids
from pluglint.spec import output as spec

MANIFEST = '{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}'
HEADER = "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n"
BAD = HEADER.format("lead") + "Delegate to other agents:\n\n- **jax-pro**: numerical code\n"
RULE = "delegate-unknown"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def usage(*arguments: str) -> str:
    """The message of wrong use: on standard error alone, with status 2."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    return err


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A plugin with one fault, in the working folder."""
    for name, text in {".claude-plugin/plugin.json": MANIFEST, "agents/lead.md": BAD, "agents/clean.md": HEADER.format("clean") + "You read.\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".git").mkdir()  # the search for a configuration ends here
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only(*arguments: str) -> tuple[int, str, str]:
    return run("check", "--select", RULE, *arguments)


# -- exit statuses


def test_status_0_without_findings(package):
    (package / "agents/lead.md").unlink()
    status, out, err = only()
    assert (status, err) == (0, "") and out.startswith("No findings in plugin demo")


def test_status_1_with_findings(package):
    status, out, err = only()
    assert (status, err) == (1, "")
    assert out.splitlines()[:4] == ["agents/lead.md  (agent)", f"  8:5 error no agent or skill is called 'jax-pro' [{RULE}]", "     8 | - **jax-pro**: numerical code", "             ^^^^^^^"]


@pytest.mark.parametrize("severity, limit, status", [("error", "error", 1), ("warning", "error", 0), ("warning", "warning", 1), ("info", "warning", 0), ("info", "info", 1), ("error", "never", 0)])
def test_fail_on(package, severity, limit, status):
    (package / "pluglint.toml").write_text(f"severity.{RULE} = '{severity}'\n")
    assert only("--fail-on", limit)[0] == status
    (package / "pluglint.toml").write_text(f"fail-on = '{limit}'\nseverity.{RULE} = '{severity}'\n")
    assert only()[0] == status


def test_status_3_when_a_rule_crashes_and_the_others_still_run(package, monkeypatch):
    from pluglint import pack
    from pluglint.rules import suppression_unused

    monkeypatch.setattr(pack, "_code", lambda: None)  # take the modules, so that one can be made to crash

    def crash(document):
        raise ValueError("no such luck")

    (package / "pluglint.toml").write_text("[[suppress]]\nrule = 'delegate-unknown'\nreason = 'x'\npath = 'nowhere'\n")
    monkeypatch.setattr(suppression_unused, "RULE", suppression_unused.RULE._replace(on=("agent",)))
    monkeypatch.setattr(suppression_unused, "check", crash)
    status, out, err = run("check", "--select", RULE, "--select", "suppression-unused", "--format", "json")
    found = json.loads(out)["findings"]
    assert (status, err) == (3, "")
    assert [one["rule"] for one in found] == ["internal-error", "internal-error", RULE, "suppression-unused"]
    assert found[0]["message"].startswith("the rule suppression-unused crashed: ValueError: no such luck (test_cli.py:")
    assert found[0]["path"] == "agents/clean.md"
    assert run("check", "--select", "suppression-unused", "--fail-on", "never")[0] == 3


def test_status_3_when_the_tool_itself_fails(package, monkeypatch):
    from pluglint import engine

    def crash(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(engine, "check", crash)
    status, out, err = only()
    assert (status, out) == (3, "")
    assert err.startswith("pluglint: internal error: ZeroDivisionError: by zero (test_cli.py:") and err.count("\n") == 1


# -- wrong use


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("check", "--select", "delegate-unknwon"), "--select: no rule is called 'delegate-unknwon'; did you mean 'delegate-unknown'?"),
        (("check", "--ignore", "zebra"), "--ignore: no rule is called 'zebra'; `pluglint rules` lists them"),
        (("check", "--ignore", "all"), "--ignore: no rule is called 'all'; `pluglint rules` lists them"),
        (("check", "--config", "no.toml"), "--config no.toml: no such file"),
        (("check", "nowhere"), "nowhere: no such file or folder"),
        (("explain", "delegate-unknwon"), "no rule is called 'delegate-unknwon'; did you mean 'delegate-unknown'?"),
        (("explain", "zebra"), "no rule is called 'zebra'; `pluglint rules` lists them"),
    ],
)
def test_message(package, arguments, message):
    assert usage(*arguments) == f"pluglint: {message}\n"


@pytest.mark.parametrize("option, value, close", [("--format", "jsn", "json"), ("--profile", "claudecode", "claude-code"), ("--profile", "portabel", "portable"), ("--fail-on", "eror", "error")])
def test_value_out_of_a_list(package, option, value, close):
    said = usage("check", option, value)
    assert said.startswith(f"pluglint: {option} is '{value}'; it can be ") and said.endswith(f"Did you mean '{close}'?\n")


def test_empty_folder(tmp_path):
    assert usage("check", str(tmp_path)).startswith(f"pluglint: {tmp_path}: nothing to check here. Looked for .claude-plugin/")


def test_broken_configuration(package):
    (package / "pluglint.toml").write_text("selct = []\n")
    assert usage("check") == "pluglint: pluglint.toml:1:1: unknown setting `selct`; did you mean 'select'?\n"
    assert only("--config", "none")[0] == 1


def test_broken_house_schema(package):
    (package / "pluglint.toml").write_text("header-schemas.agent = 'agent.json'\n")
    (package / "agent.json").write_text("{\n")
    assert usage("check") == "pluglint: agent.json:1:1: not valid JSON: the file ends too early; the object opened here is not closed\n"


@pytest.mark.parametrize("arguments", [("chek",), ("check", "--formt", "json"), ("explain",), ("schema", "a", "b")])
def test_unknown_words_on_the_command_line(arguments):
    assert "Usage:" in usage(*arguments)


def test_one_bad_target_among_several(package):
    assert usage("check", ".", "nowhere") == "pluglint: nowhere: no such file or folder\n"


# -- help


COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def test_help_names_every_command():
    status, out, _ = run("--help")
    assert status == 0 and all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_names_its_arguments(name):
    import typer

    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    for parameter in typer.main.get_command(app).commands[name].params:
        if parameter.name != "help":
            shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
            assert shown.strip("[].") in out, parameter.name
            assert parameter.help and parameter.help.split()[0] in out


def test_without_arguments_it_helps():
    result = CliRunner().invoke(app, [])
    assert "Usage:" in result.output and "Traceback" not in result.output


def test_version():
    assert run("--version") == (0, f"pluglint {__version__}\n", "")


# -- reports


def test_json_is_as_published(package):
    status, out, _ = only("--format", "json")
    report = json.loads(out)
    assert status == 1
    Draft202012Validator(schemas.load("output")).validate(report)
    spec.Output.model_validate(report, strict=True)
    assert report["findings"][0]["rule"] == RULE and report["summary"]["error"] == 1


def test_published_model_names_exactly_what_is_printed(package):
    report = json.loads(only("--format", "json")[1])
    shown = {"Output": report, "Summary": report["summary"], "Package": report["packages"][0], "File": report["files"][0], "Finding": report["findings"][0]}
    for name, value in shown.items():
        assert set(value) == set(getattr(spec, name).model_fields), name


def test_related_places_are_as_published():
    from pluglint.engine import Report
    from pluglint.finding import Finding, Place
    from pluglint.report.json import data

    place = Place("a.md", 1, 2, 1, 5)
    report = Report([Finding("x", "info", place, "m", "h", (place._replace(label="here"),), "")], 2, {"a.md": "page"}, [(".", "plugin", "demo")], ["x"], "claude-code")
    Draft202012Validator(schemas.load("output")).validate(data(report))
    spec.Output.model_validate(data(report), strict=True)
    assert set(data(report)["findings"][0]["related"][0]) == set(spec.Related.model_fields)


def test_output_file_is_replaced_whole(package, monkeypatch):
    target = package / "report.json"
    target.write_text("old")
    assert only("--format", "json", "-o", str(target)) == (1, "", "")
    assert json.loads(target.read_text())["version"] == 1

    def fail(*_):
        raise OSError(28, "No space left on device")

    target.write_text("old")
    monkeypatch.setattr(os, "replace", fail)
    assert only("-o", str(target)) == (2, "", f"pluglint: {target}: No space left on device\n")
    assert target.read_text() == "old" and [one.name for one in package.iterdir() if one.name.startswith(".pluglint")] == []


def test_output_to_nowhere(package):
    path = str(package / "no/such/report.txt")
    assert only("-o", path) == (2, "", f"pluglint: {path}: No such file or directory\n")


def test_show_files(package):
    assert "agents/clean.md: agent\n" in only("--show-files")[1]


def test_nothing_in_the_report_drives_the_terminal(package):
    (package / "agents/lead.md").write_text(BAD.replace("jax-pro", "jax-\x1b[31mpro"))
    status, out, _ = only()
    assert status == 1 or "\x1b" not in out
    assert "\x1b" not in out


# -- targets


def test_file_target_shows_its_own_findings(package):
    assert only("agents/lead.md")[0] == 1
    assert only("agents/clean.md")[0] == 0
    report = json.loads(only("--format", "json", "agents/clean.md")[1])
    assert [one["path"] for one in report["files"]] == ["agents/clean.md"]


def test_file_target_knows_its_package(package):
    (package / "agents/jax-pro.md").write_text(HEADER.format("jax-pro") + "You compute.\n")
    assert only("agents/lead.md")[0] == 0


def test_several_targets(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name / ".claude-plugin").mkdir(parents=True)
        (tmp_path / name / ".claude-plugin/plugin.json").write_text(MANIFEST)
        (tmp_path / name / "agents").mkdir()
        (tmp_path / name / "agents/lead.md").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    report = json.loads(only("--format", "json", "one", "two")[1])
    assert [one["path"] for one in report["findings"]] == ["one/agents/lead.md", "two/agents/lead.md"]
    assert [one["path"] for one in report["packages"]] == ["one", "two"]
    assert [one["path"] for one in json.loads(only("--format", "json", "one", "one")[1])["packages"]] == ["one"]
    assert len(json.loads(only("--format", "json", "one", "two/agents/lead.md")[1])["findings"]) == 2


def test_no_inline(package):
    (package / "agents/lead.md").write_text(BAD + "\n<!-- pluglint: ignore-file[delegate-unknown] because -->\n")
    assert only()[0] == 0
    assert only("--no-inline")[0] == 1


def test_select_and_ignore(package):
    assert run("check", "--select", "all", "--ignore", RULE, "--format", "json")[1].count(RULE) == 0
    assert run("check", "--select", "suppression-unused")[0] == 0


# -- other commands


def test_explain(package):
    status, out, _ = run("explain", RULE)
    assert status == 0 and out.startswith(f"## {RULE}\n") and all(part in out for part in ("What it checks:", "Why it matters:", "How to fix:"))
    assert json.loads(run("explain", RULE, "--json")[1])["id"] == RULE
    assert all(f"## {one}\n" in run("explain", "all")[1] for one in rule_ids())
    assert run("explain", "internal-error")[1].startswith("`internal-error` is no rule")


def test_rules(package):
    status, out, _ = run("rules")
    assert status == 0 and all(f" {one} " in out for one in rule_ids())
    assert [one["id"] for one in json.loads(run("rules", "--json")[1])] == rule_ids()
    assert "Did you mean 'portable'?" in usage("rules", "--profile", "portabel")


# -- a real process

PROCESS = [sys.executable, "-m", "pluglint", "check", "--select", RULE]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pluglint.__file__).parents[1])}


def test_as_a_process(package):
    done = subprocess.run(PROCESS, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert (done.returncode, done.stderr) == (1, "") and "jax-pro" in done.stdout


def test_reader_that_goes_away(package):
    for number in range(400):
        (package / f"agents/a{number}.md").write_text(BAD)
    done = subprocess.run(["sh", "-c", '"$@" | head -1', "sh", *PROCESS], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr and done.stdout.count("\n") == 1


def test_output_in_an_encoding_that_lacks_the_characters(package):
    (package / "agents/lead.md").write_text(BAD.replace("numerical", "numérical 数"), encoding="utf-8")
    done = subprocess.run(PROCESS, capture_output=True, timeout=60, env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 1 and "数".encode() in done.stdout and done.stderr == b""


def test_version_is_that_of_the_package():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'version = { attr = "pluglint.__version__" }' in text


# -- the short way to `check` without options


def test_check_without_options_says_the_same_with_and_without_the_parser(package):
    plain = subprocess.run([sys.executable, "-m", "pluglint", "check", "."], capture_output=True, text=True)
    parsed = subprocess.run([sys.executable, "-m", "pluglint", "check", "--fail-on", "warning", "."], capture_output=True, text=True)
    assert (plain.returncode, plain.stdout, plain.stderr) == (parsed.returncode, parsed.stdout, parsed.stderr)
    assert plain.returncode == 1 and "[delegate-unknown]" in plain.stdout
    bad = subprocess.run([sys.executable, "-m", "pluglint", "check", "nowhere"], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout, bad.stderr) == (2, "", "pluglint: nowhere: no such file or folder\n")
