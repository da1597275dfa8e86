"""`pluglint budget`: sizes as the client lists them, what it drops, limits, and the difference to a commit."""

from __future__ import annotations

import json
import subprocess

import pytest
from examples import MANIFEST
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from pluglint import schemas
from pluglint.cli import app

AGENT = "---\nname: {0}\ndescription: Does {0}.\ntools: Read, Bash\n{1}---\n\n{2}\n"
SKILL = "---\nname: {0}\ndescription: {1}\n{2}---\n\nRead it.\n"


def write(root, files):
    for path, text in {".claude-plugin/plugin.json": MANIFEST, **files}.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


@pytest.fixture
def package(tmp_path, monkeypatch):
    write(
        tmp_path,
        {
            "agents/lead.md": AGENT.format("lead", "skills: plan, demo:plan, absent\n", "You lead."),
            "skills/plan/SKILL.md": SKILL.format("plan", "Plans.", "when_to_use: Often.\n"),
            "skills/hidden/SKILL.md": SKILL.format("hidden", "Hides.", "disable-model-invocation: true\n"),
            "commands/go.md": "---\ndescription: Goes.\n---\nGo.\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    result = CliRunner().invoke(app, ["budget", *arguments])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def measured(*arguments, status=0):
    code, out, err = run("--json", *arguments)
    assert (code, err) == (status, "")
    data = json.loads(out)
    Draft202012Validator(schemas.load("budget")).validate(data)
    return data


def by_name(data):
    return {one["name"]: one for one in data["components"]}


def test_each_line_is_counted_as_the_client_writes_it(package):
    sizes = {name: one["listed"] for name, one in by_name(measured()).items()}
    assert sizes == {
        "demo:lead": len("- demo:lead: Does lead. (Tools: Read, Bash)\n"),
        "demo:go": len("- demo:go: Goes.\n"),
        "demo:hidden": 0,
        "demo:plan": len("- demo:plan: Plans. - Often.\n"),
    }


def test_the_sums(package):
    data = measured()
    listed = {name: one["listed"] for name, one in by_name(data).items()}
    assert data["always"]["characters"] == sum(listed.values())
    assert data["always"]["agents"] == listed["demo:lead"]
    assert data["always"]["skills"] == listed["demo:go"] + listed["demo:plan"]
    assert data["always"]["tokens"] == -(-sum(listed.values()) // 4)


def test_use_brings_the_body_and_preloaded_skills_once(package):
    used = {name: one["used"] for name, one in by_name(measured()).items()}
    assert used == {"demo:lead": len("You lead.") + len("Read it."), "demo:go": len("Go."), "demo:hidden": len("Read it."), "demo:plan": len("Read it.")}


def dropped(tmp_path, lengths):
    """Numbers of the skills that lose their description on models with 200K, for descriptions of some lengths."""
    write(tmp_path, {f"skills/s{number:03}/SKILL.md": SKILL.format(f"s{number:03}", "x" * length, "") for number, length in enumerate(lengths)})
    return [int(name[-3:]) for name in measured(str(tmp_path))["listing"]["200K"]["dropped"]]


# As the client was seen to drop them; tests/client/test_budget.py asks it again.
DROPPED = {
    "all fit": ([200] * 8, []),
    "the last two of ten": ([200] * 10, [8, 9]),
    "four of twenty short ones": ([100] * 20, [16, 17, 18, 19]),
    "what fits behind a long one is kept": ([1000, 1000, 600, 100, 100], [1]),
    "to the character": ([1000, 898], []),
    "one too many": ([1000, 899], [1]),
    "names alone fill it": ([300] * 300, list(range(300))),
}


@pytest.mark.parametrize(("lengths", "expected"), DROPPED.values(), ids=DROPPED.keys())
def test_what_does_not_fit_is_dropped(tmp_path, lengths, expected):
    assert dropped(tmp_path, lengths) == expected


def test_a_long_description_counts_as_far_as_it_is_shown(tmp_path):
    write(tmp_path, {"skills/s/SKILL.md": SKILL.format("s", "x" * 5000, "")})
    assert by_name(measured(str(tmp_path)))["demo:s"]["listed"] == len("- demo:s: \n") + 1536


def test_several_packages_share_one_listing(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name, {f"skills/{name}{number}/SKILL.md": SKILL.format(f"{name}{number}", "x" * 300, "") for number in range(4)})
    both = [str(tmp_path / name) for name in "ab"]
    assert measured(both[0])["listing"]["200K"]["dropped"] == []
    assert measured(*both)["listing"]["200K"]["dropped"] == ["demo:b2", "demo:b3"]
    assert measured(*reversed(both))["listing"]["200K"]["dropped"] == ["demo:a2", "demo:a3"]


def test_the_table(package):
    code, out, _ = run()
    assert code == 0
    assert out == (
        "                   every session  when used  description dropped on\n"
        "agent demo:lead               44         17\n"
        "command demo:go               17          3\n"
        "skill demo:hidden       not told          8\n"
        "skill demo:plan               29          8\n"
        "together                      90\n"
        "\n"
        "Every session: 90 characters, about 23 tokens (44 for agents, 46 for skills and commands).\n"
        "200K models: the listing of skills has 1,926 characters beside the client's own; nothing dropped.\n"
        "1M models: the listing of skills has 23,926 characters beside the client's own; nothing dropped.\n"
    )


def test_limits(package):
    (package / "pluglint.toml").write_text("[budget]\nalways = 90\nskills = 45\nagent-used = 17\nskill-used = 7\n")
    data = measured(status=1)
    assert data["exceeded"] == [
        "the lines of skills and commands: 46 characters, 45 are allowed (`budget.skills`)",
        "skill demo:hidden when used: 8 characters, 7 are allowed (`budget.skill-used`)",
        "skill demo:plan when used: 8 characters, 7 are allowed (`budget.skill-used`)",
    ]
    assert run()[1].endswith("over the limit: skill demo:plan when used: 8 characters, 7 are allowed (`budget.skill-used`)\n")


def test_a_limit_with_a_wrong_name(package):
    (package / "pluglint.toml").write_text("[budget]\nallways = 90\n")
    assert run() == (2, "", "pluglint: pluglint.toml:2:1: unknown key `allways`; did you mean 'always'?\n")


def git(folder, *words):
    subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", *words], check=True, capture_output=True)


def test_difference_to_a_commit(package):
    git(package, "init", "-b", "main")
    git(package, "add", ".")
    git(package, "commit", "-m", "first")
    write(package, {"agents/new.md": AGENT.format("new", "", "You."), "skills/plan/SKILL.md": SKILL.format("plan", "Plans well.", "")})
    (package / "commands/go.md").unlink()
    data = measured("--since", "main")
    changes = {name: one["before"] for name, one in by_name(data).items()}
    assert changes["demo:new"] is None
    assert changes["demo:plan"] == {"listed": 29, "used": 8}
    assert data["before"] == {"characters": 90, "removed": ["demo:go"]}
    text = run("--since", "main")[1]
    assert "agent demo:new (new)" in text
    assert "command demo:go (removed: -17)\n" in text
    assert ["together", "111", "(+21)"] in [line.split() for line in text.splitlines()]


def test_nothing_was_there_before(package):
    git(package, "init", "-b", "main")
    git(package, "commit", "--allow-empty", "-m", "empty")
    assert measured("--since", "main")["before"] == {"characters": 0, "removed": []}


def test_wrong_use_is_a_sentence(package):
    assert run("missing")[::2] == (2, "pluglint: missing: no such file or folder\n")
    status, out, err = run("--since", "main")
    assert (status, out) == (2, "") and err.startswith("pluglint: --since: . is in no git repository")
