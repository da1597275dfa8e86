"""`--baseline`: known findings are not reported, mended ones leave the file, and none comes in unasked."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from pluglint import fingerprint, schemas
from pluglint.cli import app
from pluglint.finding import Finding, Place

MANIFEST = (
    '{"name": "demo", "version": "1.0.0", "description": "A demo.", '
    '"author": {"name": "Example Author"}, "license": "MIT"}\n'
)
AGENT = (
    "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n\n"
    "You read.\n\nDelegate to other agents:\n\n"
)
RULE, OTHER = "delegate-unknown", "agent-tool-unknown"
FILE = "known.json"


@pytest.fixture(autouse=True)
def no_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A plugin with two known faults in one file and one in another, in the working folder."""
    write(
        tmp_path,
        {
            ".claude-plugin/plugin.json": MANIFEST,
            "agents/lead.md": ghosts("lead", "one-ghost", "two-ghost"),
            "agents/clerk.md": ghosts("clerk", "third-ghost"),
        },
    )
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ghosts(agent: str, *names: str) -> str:
    return AGENT.format(agent) + "".join(f"- **{name}**: work\n" for name in names)


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def run(*arguments: str, select: str = RULE) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", "--select", select, *arguments])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def record(*arguments: str) -> str:
    status, out, err = run("--write-baseline", FILE, *arguments)
    assert (status, err) == (0, "")
    return out


def found(*arguments: str) -> list[str]:
    """The names between quotes of what is reported beside the baseline."""
    out = run("--format", "json", "--baseline", FILE, *arguments)[1]
    return [one["message"].split("'")[1] for one in json.loads(out)["findings"]]


def entries() -> dict[str, str]:
    return json.loads(Path(FILE).read_text())


def names() -> list[str]:
    return sorted(text.split("'")[1] for key, text in entries().items() if key != "version")


# -- the file


def test_recording_and_checking(package):
    assert run()[0] == 1
    assert record() == "known.json: 3 findings (3 new, 0 gone)\n"
    status, out, err = run("--baseline", FILE)
    assert (status, err) == (0, "") and out.startswith("No findings in plugin demo") and out.endswith("; 3 known\n")
    assert json.loads(run("--baseline", FILE, "--format", "json")[1])["summary"]["known"] == 3


def test_the_file_is_as_published_sorted_and_one_line_a_finding(package):
    record()
    Draft202012Validator(schemas.load("baseline")).validate(entries())
    lines = (package / FILE).read_text().splitlines()
    assert lines[0] == "{" and lines[-2:] == ['  "version": 1', "}"] and len(lines) == 6
    assert lines[1:-2] == sorted(lines[1:-2]) and all(line.endswith(",") for line in lines[1:-2])
    assert lines[1].startswith('  "agents/clerk.md: delegate-unknown: ') and lines[1].endswith(
        '": "no agent or skill is called \'third-ghost\'",'
    )
    before = (package / FILE).read_bytes()
    assert record() == "known.json: 3 findings (0 new, 0 gone)\n" and (package / FILE).read_bytes() == before


def test_two_branches_merge_line_by_line(package):
    def version(name: str, *agents: str) -> Path:
        write(package, {f"agents/{agent}.md": ghosts(agent, f"{agent}-ghost") for agent in agents})
        record()
        return (package / FILE).rename(package / name)

    base = version("base", "bear", "mole", "wolf")
    (package / "agents/wolf.md").unlink()  # the last entry goes
    ours = version("ours")
    theirs = version("theirs", "ape", "wolf")  # one comes at the top
    done = subprocess.run(["git", "merge-file", "-p", ours, base, theirs], capture_output=True, text=True)
    assert done.returncode == 0
    merged = json.loads(done.stdout)
    assert {key.split(":")[0] for key in merged if key != "version"} == {
        "agents/ape.md",
        "agents/bear.md",
        "agents/clerk.md",
        "agents/lead.md",
        "agents/mole.md",
    }


# -- what is known and what is new


def test_a_new_finding_is_reported_and_not_added(package):
    record()
    before = (package / FILE).read_bytes()
    write(package, {"agents/lead.md": ghosts("lead", "one-ghost", "fresh-ghost", "two-ghost")})
    assert found() == ["fresh-ghost"] and run("--baseline", FILE)[0] == 1
    assert (package / FILE).read_bytes() == before


def test_known_findings_move_with_their_lines(package):
    record()
    write(
        package,
        {
            "agents/lead.md": ghosts("lead", "one-ghost", "two-ghost").replace(
                "You read.", "You read.\n\nTwice.\n\n## More\n\nThen you write."
            )
        },
    )
    assert found() == []


def test_a_second_equal_finding_is_new(package):
    record()
    write(
        package,
        {
            "agents/lead.md": ghosts("lead", "one-ghost", "two-ghost")
            + "\nThen go on.\n\nDelegate to other agents:\n\n- **one-ghost**: work\n"
        },
    )
    assert found() == ["one-ghost"]


def test_a_mended_finding_leaves_the_file(package):
    record()
    write(package, {"agents/lead.md": ghosts("lead", "two-ghost")})
    status, out, err = run("--baseline", FILE)
    assert status == 0 and err == "pluglint: known.json: 1 finding of the baseline no longer found and taken out\n"
    assert names() == ["third-ghost", "two-ghost"]
    write(package, {"agents/lead.md": ghosts("lead", "one-ghost", "two-ghost")})
    assert found() == ["one-ghost"]  # it does not come back


def test_a_file_that_is_gone_takes_its_findings_along(package):
    record()
    (package / "agents/lead.md").unlink()
    assert (
        run("--baseline", FILE)[2] == "pluglint: known.json: 2 findings of the baseline no longer found and taken out\n"
    )
    assert names() == ["third-ghost"]


def test_in_ci_the_file_stays_and_the_run_says_so(package, monkeypatch):
    record()
    before = (package / FILE).read_bytes()
    write(package, {"agents/lead.md": ghosts("lead")})
    monkeypatch.setenv("CI", "true")
    status, out, err = run("--baseline", FILE)
    assert status == 0 and (package / FILE).read_bytes() == before
    assert (
        err
        == "pluglint: known.json: 2 findings of the baseline no longer found, but still in the file (nobody would commit the file of a CI run); run this where you commit\n"
    )


def test_a_file_that_cannot_be_written_is_still_read(package, monkeypatch):
    record()
    write(package, {"agents/lead.md": ghosts("lead")})

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    status, out, err = run("--baseline", FILE)
    assert (
        status == 0
        and "still in the file (No space left on device)" in err
        and names() == ["one-ghost", "third-ghost", "two-ghost"]
    )
    assert [one.name for one in package.iterdir() if one.name.startswith(".pluglint-")] == []


# -- runs that see only a part


def test_another_rule_takes_nothing_out(package):
    record()
    assert run("--baseline", FILE, select=OTHER)[2] == "" and len(names()) == 3


def test_a_lone_file_takes_out_only_its_own(package):
    record()
    write(package, {"agents/lead.md": ghosts("lead", "one-ghost"), "agents/clerk.md": ghosts("clerk")})
    assert run("--baseline", FILE, "agents/lead.md")[0] == 0
    assert names() == ["one-ghost", "third-ghost"]
    assert run("--baseline", FILE, "agents")[0] == 0 and names() == ["one-ghost"]


def test_recording_a_part_keeps_the_rest(package):
    record()
    write(package, {"agents/lead.md": ghosts("lead", "fresh-ghost"), "agents/clerk.md": ghosts("clerk")})
    assert record("agents/lead.md") == "known.json: 2 findings (1 new, 2 gone)\n"
    assert names() == ["fresh-ghost", "third-ghost"]


def test_paths_count_from_the_file_however_the_target_is_written(package, monkeypatch):
    record()
    assert found(str(package)) == []
    (package / "deeper").mkdir()
    monkeypatch.chdir(package / "deeper")
    status, out, _ = run("--baseline", "../known.json", "..")
    assert status == 0 and len(json.loads((package / FILE).read_text())) == 4


def test_a_crash_is_never_known(package, monkeypatch):
    from pluglint import pack
    from pluglint.rules import agent_color_unknown

    monkeypatch.setattr(pack, "_code", lambda: None)
    monkeypatch.setattr(agent_color_unknown, "check", lambda _: 1 / 0)
    record()
    before = (package / FILE).read_bytes()
    status, out, err = run("--write-baseline", FILE, "--select", "agent-color-unknown")
    assert (status, out) == (2, "") and err.startswith(
        "pluglint: --write-baseline known.json: not written, because a rule crashed"
    )
    write(package, {"agents/lead.md": ghosts("lead")})
    status, out, err = run("--baseline", FILE, "--select", "agent-color-unknown")
    assert status == 3 and "[internal-error]" in out and err == "" and (package / FILE).read_bytes() == before


def test_together_with_since(package, monkeypatch):
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "A")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.com")
    (package / ".git").rmdir()
    write(package, {"agents/lead.md": ghosts("lead", "old-ghost")})
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(package), *command], check=True, capture_output=True)
    write(package, {"agents/lead.md": ghosts("lead", "old-ghost", "one-ghost")})
    record()
    write(package, {"agents/lead.md": ghosts("lead", "old-ghost", "one-ghost", "two-ghost")})
    assert found() == ["two-ghost"] and found("--since", "HEAD") == ["two-ghost"]
    out = json.loads(run("--since", "HEAD", "--format", "json")[1])
    assert [one["message"].split("'")[1] for one in out["findings"]] == ["one-ghost", "two-ghost"] and out["summary"][
        "known"
    ] == 2


# -- bad input


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "1:1: not valid JSON: "),
        ('{"version": 1,\n<<<<<<< ours\n', "2:1: not valid JSON: "),
        ("[]", "1:1: not a baseline: "),
        ("{}", "1:1: not a baseline: `version` is missing"),
        ('{"version": 2}', "1:13: a baseline of version 2, and this pluglint reads version 1: update pluglint"),
        ('{"version": "1"}', "1:13: not a baseline: "),
        ('{"a.md: x: 1": 5, "version": 1}', "1:16: not a baseline: "),
        ('{"a.md": "x", "version": 1}', "1:2: 'a.md' is not `path: rule: fingerprint`"),
    ],
)
def test_a_file_that_is_no_baseline(package, text, message):
    write(package, {FILE: text})
    for option in ("--baseline", "--write-baseline"):
        status, out, err = run(option, FILE)
        assert (
            (status, out) == (2, "")
            and err.startswith(f"pluglint: {option} known.json:{message}")
            and err.count("\n") == 1
        )
    assert (package / FILE).read_text() == text


def test_bytes_that_are_no_text(package):
    (package / FILE).write_bytes(b'{"version": 1, "\xff": 1}')
    assert run("--baseline", FILE)[2] == "pluglint: --baseline known.json:1:17: not UTF-8\n"


def test_no_file(package):
    assert run("--baseline", FILE) == (
        2,
        "",
        "pluglint: --baseline known.json: no such file; `pluglint check --write-baseline known.json` makes it\n",
    )
    (package / "folder").mkdir()
    assert run("--baseline", "folder") == (2, "", "pluglint: --baseline folder: cannot be read: Is a directory\n")
    assert run("--write-baseline", "no/such/known.json") == (
        2,
        "",
        "pluglint: no/such/known.json: No such file or directory\n",
    )


@pytest.mark.parametrize("arguments", [("--since", "main"), ("--baseline", FILE)])
def test_recording_is_its_own_run(package, arguments):
    assert run("--write-baseline", FILE, *arguments) == (
        2,
        "",
        "pluglint: --write-baseline records all there is; it goes neither with --since nor with --baseline\n",
    )
    assert not (package / FILE).exists()


# -- fingerprints


def finding(
    line: int = 3,
    snippet: str = "  says 5 agents",
    message: str = "says 5 agents, but there are 6",
    path: str = "README.md",
    rule: str = "x",
) -> Finding:
    return Finding(rule, "error", Place(path, line, 1, line, 2), message, "", (), snippet)


def test_a_fingerprint_outlives_what_does_not_matter():
    same = [
        finding(),
        finding(line=90),
        finding(snippet="says  5 agents "),
        finding(message="says 5 agents, but there are 7"),
    ]
    assert len({fingerprint.digest(fingerprint.keys([one])[0]) for one in same}) == 1


def test_a_fingerprint_tells_apart_what_matters():
    others = [
        finding(),
        finding(snippet="says 6 agents"),
        finding(message="says 5 skills"),
        finding(path="docs/README.md"),
        finding(rule="y"),
    ]
    assert len({fingerprint.digest(fingerprint.keys([one])[0]) for one in others}) == len(others)
    first, second = fingerprint.keys([finding(), finding(line=9)])
    assert first[:4] == second[:4] and fingerprint.digest(first) != fingerprint.digest(second)
