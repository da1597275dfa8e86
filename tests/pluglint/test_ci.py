"""Where pluglint runs for other people: the GitHub action and the pre-commit hook, run as they would run them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from pluglint.report import FORMATS

ROOT = Path(__file__).parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
MANIFEST = (
    '{"name": "demo", "version": "1.0.0", "description": "A demo.", '
    '"author": {"name": "Example Author"}, "license": "MIT"}\n'
)
GHOST = (
    "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n\n"
    "Delegate to other agents:\n\n- **{1}**: work\n"
)
IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **IDENTITY},
    ).stdout


@pytest.fixture
def package(tmp_path):
    """A checkout with a plugin that has one fault, committed."""
    folder = tmp_path / "work place"
    for name, text in {
        ".claude-plugin/plugin.json": MANIFEST,
        "agents/lead.md": GHOST.format("lead", "jax-pro"),
        "README.md": "# Demo\n",
        "pluglint.toml": "select = ['delegate-unknown']\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=x")
    return folder


# -- the action


def test_action_is_valid():
    schema = json.loads((Path(__file__).parent / "schemas/github-action.json").read_text(encoding="utf-8"))
    Draft7Validator(schema).validate(ACTION)


def test_action_uses_nothing_of_others_and_puts_no_input_into_a_script():
    for step in ACTION["runs"]["steps"]:
        assert "uses" not in step and step["shell"] == "bash"
        assert "${{" not in step["run"]
    named = {
        name
        for step in ACTION["runs"]["steps"]
        for value in step["env"].values()
        for name in re.findall(r"inputs\.([\w-]+)", value)
    }
    assert named == set(ACTION["inputs"])
    assert all(name in ACTION["inputs"]["format"]["description"] for name in FORMATS)


class Runner:
    """Runs the steps of the action with the files and variables that a GitHub runner gives them."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        self.workspace = workspace
        self.temp = folder / "runner temp"
        self.temp.mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "RUNNER_TEMP": str(self.temp),
            "PYTHONPATH": str(ROOT / "tools"),
        }

    def installed(self) -> None:
        """What the first step leaves behind, without a package index: pluglint from this tree."""
        program = self.temp / "pluglint/bin/pluglint"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pluglint "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.environment["PLUGLINT"] = str(program)

    def step(self, number: int, **inputs: str) -> tuple[int, str, dict[str, str], str]:
        """(status, log, outputs, summary) of one step."""
        step = ACTION["runs"]["steps"][number]
        values = {
            name: inputs.get(name.replace("-", "_"), entry["default"]) for name, entry in ACTION["inputs"].items()
        }
        environment = dict(self.environment)
        for name, value in step["env"].items():
            value = value.replace("${{ github.action_path }}", str(ROOT))
            environment[name] = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: values[match.group(1)], value)
        files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"):
            files[name] = self.temp / f"{name}-{uuid.uuid4()}"
            files[name].touch()
            environment[name] = str(files[name])
        script = self.temp / f"{uuid.uuid4()}.sh"
        script.write_text(step["run"])
        # how the runner calls `shell: bash`
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.environment.update(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        return (
            done.returncode,
            done.stdout,
            dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines()),
            files["GITHUB_STEP_SUMMARY"].read_text(),
        )


@pytest.fixture
def runner(tmp_path, package):
    one = Runner(tmp_path, package)
    one.installed()
    return one


def test_action_on_a_broken_plugin(runner):
    status, log, outputs, summary = runner.step(1)
    assert (status, outputs) == (1, {"status": "1"})
    assert log.splitlines()[0].startswith(
        "::error file=agents/lead.md,line=9,endLine=9,col=5,endColumn=12,title=pluglint%3A delegate-unknown"
        "::agents/lead.md:9:5: no agent or skill is called 'jax-pro'"
    )
    assert summary.startswith("### pluglint\n\n1 error in ") and "| delegate-unknown | 1 |" in summary


def test_action_on_a_clean_plugin(runner, package):
    (package / "agents/lead.md").unlink()
    status, log, outputs, summary = runner.step(1)
    assert (status, log, outputs) == (0, "pluglint: no findings\n", {"status": "0"}) and "No findings in " in summary


def test_action_with_since_and_fail_on(runner, package):
    assert runner.step(1, since="main")[0] == 0
    (package / "agents/more.md").write_text(GHOST.format("more", "far-ghost"))
    status, log, _, _ = runner.step(1, since="main")
    assert status == 1 and log.count("::error ") == 1 and "far-ghost" in log
    status, log, outputs, _ = runner.step(1, fail_on="never")
    assert (status, outputs["status"]) == (0, "0") and log.count("::error ") == 2
    status, log, outputs, _ = runner.step(1, since="v9")
    assert (status, outputs["status"]) == (
        2,
        "2",
    ) and "pluglint: --since: no commit, branch or tag is called 'v9'" in log


def test_action_with_a_baseline(runner, package):
    subprocess.run(
        [runner.environment["PLUGLINT"], "check", "--write-baseline", "known.json"],
        cwd=package,
        check=True,
        env=runner.environment,
        capture_output=True,
    )
    assert runner.step(1, baseline="known.json")[0] == 0
    (package / "agents/lead.md").unlink()
    before = (package / "known.json").read_bytes()
    status, log, _, _ = runner.step(1, baseline="known.json")
    assert status == 0 and "still in the file" in log and (package / "known.json").read_bytes() == before


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("github", "text")])
def test_action_writes_a_report(runner, name):
    status, log, outputs, _ = runner.step(1, format=name)
    assert (status, log) == (1, "") and outputs["status"] == "1"
    assert (
        outputs["report"] == str(runner.temp / f"pluglint-report.{name}")
        and "agents/lead.md" in Path(outputs["report"]).read_text()
    )


def test_action_with_several_targets_and_options(runner, package):
    (package / "two words/agents").mkdir(parents=True)
    (package / "two words/agents/b.md").write_text(GHOST.format("b", "far-ghost"))
    status, log, _, _ = runner.step(
        1, path="agents/lead.md\ntwo words/agents\n", args="--profile=claude-code\n--no-inline\n", format="text"
    )
    assert status == 1 and "agents/lead.md" in log and "two words/agents/b.md" in log


def test_action_takes_inputs_as_text(runner, package):
    status, log, outputs, _ = runner.step(1, path="$(touch gone); `touch gone`", since='"; touch gone; "')
    assert status == 2 and outputs["status"] == "2" and not (package / "gone").exists()
    status, log, _, _ = runner.step(1, path="--version")
    assert status == 2 and "--version: no such file or folder" in log


def test_action_says_when_python_is_too_old(tmp_path, package):
    one = Runner(tmp_path, package)
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    status, log, _, _ = one.step(0, python=str(old))
    assert (
        status == 2
        and log.startswith("::error title=pluglint::Python 3.11 or newer is needed, and '")
        and not (one.temp / "pluglint").exists()
    )


@pytest.mark.network
def test_action_from_its_first_step(tmp_path, package):
    one = Runner(tmp_path, package)
    del one.environment["PYTHONPATH"]
    status, log, _, _ = one.step(0, python=sys.executable)
    assert status == 0, log
    assert one.environment["PLUGLINT"] == str(one.temp / "pluglint/bin/pluglint")
    assert one.step(1)[0] == 1
    (package / "agents/lead.md").unlink()
    assert one.step(1)[0] == 0


# -- what the README shows


def test_readme_shows_what_there_is():
    blocks = [
        yaml.safe_load(text)
        for text in re.findall(r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)
    ]
    (workflow,) = [one for one in blocks if "jobs" in one]
    assert workflow["permissions"] == {"contents": "read"}
    checkout, action = workflow["jobs"]["pluglint"]["steps"]
    assert checkout["with"] == {"fetch-depth": 0} and set(action["with"]) <= set(ACTION["inputs"])
    (hooks,) = [one["repos"][0]["hooks"] for one in blocks if "repos" in one]
    assert [one["id"] for one in hooks] == [HOOK["id"]]
    (job,) = [one["pluglint"] for one in blocks if "pluglint" in one]
    assert job["artifacts"]["reports"]["codequality"] in job["script"][-1]


# -- pre-commit

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_hook_runs_on_the_files_that_matter():
    for path in (
        "agents/a.md",
        "plugins/x/skills/y/SKILL.md",
        ".claude-plugin/plugin.json",
        ".claude/agents/a.md",
        "README.md",
        "docs/CHANGELOG.md",
        "plugin.json",
        ".mcp.json",
        "a/.lsp.json",
        "pluglint.toml",
        "pyproject.toml",
    ):
        assert re.search(HOOK["files"], path), path
    for path in ("src/main.py", "docs/page.md", "myagents/a.md", "tests/test_skills.py", "package.json"):
        assert not re.search(HOOK["files"], path), path


def test_hook_entry(package):
    """What pre-commit runs in the end: the entry, without file names, at the top of the repository."""
    assert HOOK["id"] == "pluglint" and HOOK["language"] == "python" and HOOK["pass_filenames"] is False
    program, *arguments = HOOK["entry"].split()
    assert f'{program} = "pluglint.__main__:main"' in (ROOT / "pyproject.toml").read_text()
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=package,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
    )
    assert (done.returncode, done.stderr) == (1, "") and "agents/lead.md" in done.stdout


@pytest.mark.network
def test_hook_in_pre_commit(tmp_path, package):
    """The real pre-commit makes an environment from a clone of this tree and runs the hook."""
    source = tmp_path / "source"
    names = [
        name
        for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        if name and (ROOT / name).is_file()
    ]
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    git(source, "init", "--quiet")
    git(source, "add", "--all", "--force")
    git(source, "commit", "--quiet", "--message=x")
    environment = (
        {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        | {"PRE_COMMIT_HOME": str(tmp_path / "home")}
        | IDENTITY
    )
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(source), "pluglint", "--all-files"]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "agents/lead.md  (agent)" in done.stdout and "Failed" in done.stdout, (
        done.stdout + done.stderr
    )
    (package / "agents/lead.md").unlink()
    git(package, "add", "--all")
    done = subprocess.run(
        command, cwd=package, capture_output=True, text=True, env=environment
    )  # the environment is there already
    assert done.returncode == 0 and "Passed" in done.stdout, done.stdout + done.stderr
