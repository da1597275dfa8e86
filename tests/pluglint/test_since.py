"""`--since`: what a change brings, in real git repositories of every awkward kind."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pluglint.cli import app

MANIFEST = (
    '{"name": "demo", "version": "1.0.0", "description": "A demo.", '
    '"author": {"name": "Example Author"}, "license": "MIT"}\n'
)
AGENT = (
    "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n\n"
    "You read.\n\n{1}"
)
DELEGATE = "Delegate to other agents:\n\n{0}\n"
RULE = "delegate-unknown"
GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")


def commit(folder: Path, message: str = "change") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def plugin(folder: Path) -> Path:
    """A repository with a plugin that has one fault, committed on main."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    write(
        folder,
        {
            ".claude-plugin/plugin.json": MANIFEST,
            "agents/lead.md": AGENT.format("lead", DELEGATE.format("- **old-ghost**: work\n- **tide-clerk**: work")),
            "agents/tide-clerk.md": AGENT.format("tide-clerk", ""),
        },
    )
    commit(folder)
    return folder


@pytest.fixture
def repository(tmp_path, monkeypatch):
    plugin(tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["check", "--select", RULE, *arguments])
    assert "Traceback" not in result.output
    return result.exit_code, result.stdout, result.stderr


def found(*arguments: str) -> list[tuple[str, str]]:
    """(path, name between quotes) of each finding since main, unless another reference is given."""
    if "--since" not in arguments:
        arguments = (*arguments, "--since", "main")
    status, out, err = run("--format", "json", *arguments)
    report = json.loads(out)
    assert status == (1 if report["findings"] else 0) and err == ""
    return [(one["path"], one["message"].split("'")[1]) for one in report["findings"]]


def refused(*arguments: str) -> str:
    """The one sentence of a run that cannot compare."""
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and err.startswith("pluglint: --since") and err.count("\n") == 1
    return err.removeprefix("pluglint: ").rstrip("\n")


GHOST = AGENT.format("ghostly", DELEGATE.format("- **fresh-ghost**: work"))


# -- what belongs to the change


def test_nothing_changed(repository):
    assert found() == [] and json.loads(run("--format", "json", "--since", "main")[1])["summary"]["known"] == 1
    assert found("--since", "HEAD") == []
    assert "; 1 known\n" in run("--since", "main")[1]


@pytest.mark.parametrize("state", ["untracked", "staged", "committed", "committed and edited"])
def test_a_new_file(repository, state):
    git(repository, "switch", "--quiet", "--create", "work")
    write(repository, {"agents/ghostly.md": GHOST})
    if state == "staged":
        git(repository, "add", ".")
    elif state != "untracked":
        commit(repository)
    if state == "committed and edited":
        write(repository, {"agents/ghostly.md": GHOST.replace("fresh-ghost", "fresher-ghost")})
    assert found() == [("agents/ghostly.md", "fresher-ghost" if "edited" in state else "fresh-ghost")]


def test_a_line_of_an_old_file(repository):
    path = repository / "agents/lead.md"
    path.write_text(path.read_text() + "- **fresh-ghost**: work\n")
    assert found() == [("agents/lead.md", "fresh-ghost")]


def test_lines_that_move_stay_known(repository):
    path = repository / "agents/lead.md"
    path.write_text(path.read_text().replace("You read.\n", "You read.\n\nCarefully, and twice.\n\nThen you write.\n"))
    assert found() == []


def test_a_line_that_is_touched_counts_even_with_its_old_fault(repository):
    path = repository / "agents/lead.md"
    path.write_text(path.read_text().replace("- **old-ghost**: work", "- **old-ghost**:  work"))
    assert found() == [("agents/lead.md", "old-ghost")]


def test_what_the_change_caused_elsewhere(repository):
    (repository / "agents/tide-clerk.md").unlink()
    assert found() == [("agents/lead.md", "tide-clerk")]
    commit(repository)
    assert found("--since", "HEAD~1") == [("agents/lead.md", "tide-clerk")] and found("--since", "HEAD") == []


def test_a_second_equal_fault_is_new(repository):
    path = repository / "agents/lead.md"
    before = path.read_text()
    path.write_text(before + "\nThen read on.\n\n" + DELEGATE.format("- **old-ghost**: work"))
    assert found() == [("agents/lead.md", "old-ghost")]


def test_a_file_that_moved_keeps_its_old_faults(repository):
    git(repository, "mv", "agents/lead.md", "agents/leader.md")
    assert found() == []
    path = repository / "agents/leader.md"
    path.write_text(path.read_text() + "- **fresh-ghost**: work\n")
    assert found() == [("agents/leader.md", "fresh-ghost")]


def test_only_this_side_of_the_fork_counts(repository):
    git(repository, "switch", "--quiet", "--create", "work")
    write(repository, {"agents/ghostly.md": GHOST})
    commit(repository)
    git(repository, "switch", "--quiet", "main")
    path = repository / "agents/lead.md"
    path.write_text(path.read_text().replace("old-ghost", "tide-clerk"))
    commit(repository)  # main mended the old fault meanwhile; the branch still has it
    git(repository, "switch", "--quiet", "work")
    assert found() == [("agents/ghostly.md", "fresh-ghost")]


def test_exit_status_counts_what_is_new_only(repository):
    assert run()[0] == 1 and run("--since", "main")[0] == 0


def test_repository_and_its_index_stay_as_they_are(repository):
    write(repository, {"agents/ghostly.md": GHOST})
    git(repository, "add", ".")
    before = {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()}
    found()
    assert {path: path.read_bytes() for path in (repository / ".git").rglob("*") if path.is_file()} == before
    assert Path.cwd() == repository


# -- targets


def test_package_deeper_in_the_repository(tmp_path, monkeypatch):
    plugin(tmp_path / "r")
    write(
        tmp_path / "r",
        {
            f"plugins/two/{name}": text
            for name, text in {
                ".claude-plugin/plugin.json": MANIFEST,
                "agents/lead.md": AGENT.format("lead", DELEGATE.format("- **old-ghost**: x")),
            }.items()
        },
    )
    commit(tmp_path / "r")
    write(tmp_path / "r", {"plugins/two/agents/ghostly.md": GHOST})
    monkeypatch.chdir(tmp_path / "r")
    assert found("plugins/two") == [("plugins/two/agents/ghostly.md", "fresh-ghost")]
    assert found() == [("plugins/two/agents/ghostly.md", "fresh-ghost")]
    monkeypatch.chdir(tmp_path / "r/plugins")
    assert found("two") == [("two/agents/ghostly.md", "fresh-ghost")]
    assert found("two/agents/lead.md") == [] and found("two/agents/ghostly.md") == [
        ("two/agents/ghostly.md", "fresh-ghost")
    ]
    monkeypatch.chdir(tmp_path)
    assert found(str(tmp_path / "r/plugins/two")) == [
        (str(tmp_path / "r/plugins/two/agents/ghostly.md"), "fresh-ghost")
    ]
    assert found("r") == [("r/plugins/two/agents/ghostly.md", "fresh-ghost")]


def test_package_that_was_not_there(repository):
    write(repository, {"more/.claude-plugin/plugin.json": MANIFEST, "more/agents/ghostly.md": GHOST})
    assert found("more") == [("more/agents/ghostly.md", "fresh-ghost")]
    assert found("more", ".") == [("more/agents/ghostly.md", "fresh-ghost")]


def test_folder_whose_name_says_what_it_is(tmp_path, monkeypatch):
    (tmp_path / "agents").mkdir()
    git(tmp_path / "agents", "init", "--quiet")
    write(tmp_path / "agents", {"lead.md": AGENT.format("lead", DELEGATE.format("- **old-ghost**: x"))})
    commit(tmp_path / "agents")
    monkeypatch.chdir(tmp_path / "agents")
    assert run()[0] == 1 and found() == []


def test_configuration_means_the_same_in_both_trees(repository):
    write(
        repository,
        {
            "drafts/.claude-plugin/plugin.json": MANIFEST,
            "drafts/agents/ghostly.md": GHOST,
            "pluglint.toml": "exclude = ['drafts/**']\n[[suppress]]\nrule = 'delegate-unknown'\npath = 'agents/lead.md'\nreason = 'x'\n",
        },
    )
    commit(repository)
    write(repository, {"agents/ghostly.md": GHOST})
    assert found("--since", "HEAD") == [("agents/ghostly.md", "fresh-ghost")]


def test_names_with_spaces_and_letters(repository):
    name = "agents/é à 数 [1].md"
    write(repository, {name: AGENT.format("odd", DELEGATE.format("- **old-ghost**: x"))})
    commit(repository)
    assert found("--since", "HEAD") == []
    (repository / name).write_text(
        (repository / name).read_text(encoding="utf-8") + "- **fresh-ghost**: x\n", encoding="utf-8"
    )
    assert found("--since", "HEAD") == [(name, "fresh-ghost")]


def test_line_ends_of_a_windows_checkout(repository):
    git(repository, "config", "core.autocrlf", "true")
    for path in (repository / "agents").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert found() == []


def test_archive_attributes_hide_nothing(repository):
    write(repository, {".gitattributes": "agents/lead.md export-ignore\n"})
    commit(repository)
    assert found("--since", "HEAD") == []


def test_run_from_a_hook(repository, monkeypatch):
    write(repository, {"agents/ghostly.md": GHOST})
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(repository / ".git/index.lock"))
    assert found("--since", "HEAD") == [("agents/ghostly.md", "fresh-ghost")]
    assert not (repository / ".git/index.lock").exists()


# -- awkward repositories


def test_detached_head(repository):
    git(repository, "switch", "--quiet", "--detach")
    write(repository, {"agents/ghostly.md": GHOST})
    commit(repository)
    assert found() == [("agents/ghostly.md", "fresh-ghost")]


def test_worktree(repository, tmp_path, monkeypatch):
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "other"), "-b", "work")
    monkeypatch.chdir(tmp_path / "other")
    write(tmp_path / "other", {"agents/ghostly.md": GHOST})
    assert found() == [("agents/ghostly.md", "fresh-ghost")]


@pytest.fixture
def with_submodule(tmp_path, monkeypatch):
    """A repository that holds the plugin as a submodule, one commit behind it."""
    origin = plugin(tmp_path / "origin")
    holder = tmp_path / "holder"
    holder.mkdir()
    git(holder, "init", "--quiet")
    git(holder, "submodule", "--quiet", "add", str(origin), "plugins/demo")
    commit(holder)
    monkeypatch.chdir(holder)
    return holder


def test_submodule(with_submodule):
    assert found() == []
    write(with_submodule, {"plugins/demo/agents/ghostly.md": GHOST})
    assert found() == [("plugins/demo/agents/ghostly.md", "fresh-ghost")]
    assert found("plugins/demo") == [
        ("plugins/demo/agents/ghostly.md", "fresh-ghost")
    ]  # in itself it is a repository too
    commit(with_submodule / "plugins/demo")
    commit(with_submodule)
    assert found("--since", "HEAD~1") == [("plugins/demo/agents/ghostly.md", "fresh-ghost")]


def test_submodule_that_is_not_checked_out(with_submodule, tmp_path, monkeypatch):
    write(
        with_submodule,
        {
            ".claude-plugin/plugin.json": MANIFEST,
            "agents/lead.md": AGENT.format("lead", DELEGATE.format("- **old-ghost**: x")),
        },
    )
    commit(with_submodule)
    git(tmp_path, "clone", "--quiet", str(with_submodule), "bare-of-it")
    monkeypatch.chdir(tmp_path / "bare-of-it")
    assert found() == []


def test_submodule_that_lacks_the_old_commit(with_submodule, tmp_path, monkeypatch):
    write(with_submodule / "plugins/demo", {"agents/ghostly.md": GHOST})
    old = git(with_submodule / "plugins/demo", "rev-parse", "HEAD")
    new = commit(with_submodule / "plugins/demo")
    git(with_submodule / "plugins/demo", "push", "--quiet", "origin", "HEAD:refs/heads/new")
    commit(with_submodule)
    git(tmp_path, "clone", "--quiet", str(with_submodule), "clone")
    git(
        tmp_path / "clone",
        "clone",
        "--quiet",
        "--depth=1",
        "--branch=new",
        f"file://{tmp_path / 'origin'}",
        "plugins/demo",
    )
    assert git(tmp_path / "clone/plugins/demo", "rev-parse", "HEAD") == new
    monkeypatch.chdir(tmp_path / "clone")
    assert (
        refused("--since", "HEAD~1")
        == f"--since: the submodule plugins/demo stood at {old[:10]} in 'HEAD~1', and this clone does not have that commit; `git -C plugins/demo fetch` brings it"
    )


def test_shallow_clone(repository, tmp_path, monkeypatch):
    git(repository, "tag", "v1")
    write(repository, {"agents/more.md": AGENT.format("more", "")})
    commit(repository)
    git(repository, "switch", "--quiet", "--create", "work", "HEAD~1")
    write(repository, {"agents/ghostly.md": GHOST})
    commit(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=work", f"file://{repository}", "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    assert (
        refused("--since", "v1")
        == "--since: no commit, branch or tag is called 'v1', and this clone is shallow; fetch the rest with `git fetch --unshallow --tags` (with actions/checkout: `fetch-depth: 0`)"
    )
    git(tmp_path / "shallow", "fetch", "--quiet", "--depth=1", "origin", "main:main")
    assert refused("--since", "main").startswith(
        "--since: this clone is shallow and does not reach back to where 'main' and the present commit parted; fetch the rest with `git fetch --unshallow`"
    )
    git(tmp_path / "shallow", "fetch", "--quiet", "--unshallow")
    assert found() == [("agents/ghostly.md", "fresh-ghost")]


def test_no_commits(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    write(tmp_path, {".claude-plugin/plugin.json": MANIFEST, "agents/ghostly.md": GHOST})
    monkeypatch.chdir(tmp_path)
    assert (
        refused("--since", "main") == "--since: the repository has no commits yet, so there is nothing to compare with"
    )


def test_no_tags(repository):
    assert (
        refused("--since", "v1.0.0")
        == "--since: no commit, branch or tag is called 'v1.0.0', and the repository has no tags; `git fetch --tags` brings those of the remote"
    )


@pytest.mark.parametrize(
    "ref, close",
    [
        ("mian", "main"),
        ("v1.0.1", "v1.0.0"),
        ("feature", "origin/feature"),
        ("zebra", None),
        ("--output=x", None),
        ("", None),
        ("main^{tree}", None),
        ("a b", None),
    ],
)
def test_reference_that_does_not_exist(repository, ref, close):
    git(repository, "tag", "v1.0.0")
    git(repository, "update-ref", "refs/remotes/origin/feature", "HEAD")
    assert refused(f"--since={ref}") == f"--since: no commit, branch or tag is called '{ref}'" + (
        f"; did you mean '{close}'?" if close else ""
    )
    assert not (repository / "x").exists()


def test_histories_that_never_met(repository):
    git(repository, "switch", "--quiet", "--orphan", "alone")
    write(repository, {".claude-plugin/plugin.json": MANIFEST, "agents/ghostly.md": GHOST})
    commit(repository)
    assert refused("--since", "main") == "--since: 'main' and the present commit have no common history"


def test_no_repository(tmp_path, monkeypatch):
    write(tmp_path, {".claude-plugin/plugin.json": MANIFEST, "agents/ghostly.md": GHOST})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert refused("--since", "main") == "--since: . is in no git repository, so nothing says what changed"


def test_two_repositories(tmp_path, monkeypatch):
    plugin(tmp_path / "one")
    plugin(tmp_path / "two")
    monkeypatch.chdir(tmp_path)
    assert refused("one", "two", "--since", "main").startswith("--since: one and two are in different repositories (")


def test_no_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    assert refused("--since", "main") == "--since needs git, and there is no `git` on PATH"


def test_git_that_refuses(repository):
    (repository / ".git/config").write_text("[broken\n")
    assert refused("--since", "main").startswith("--since: git rev-parse failed: fatal: bad config line 1")
