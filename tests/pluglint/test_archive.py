"""`pluglint pack`: what goes into the zip, what does not, and that its bytes depend on nothing else."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from test_since import GIT, commit, git, write
from typer.testing import CliRunner

from pluglint.cli import app
from pluglint.shipped import LEFT_OUT

MANIFEST = '{"name": "demo", "version": "1.2.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}\n'
AGENT = "---\nname: {0}\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\n\nYou read.\n"
SKILL = "---\nname: {0}\ndescription: Cleans. Use when a table is dirty.\n---\n\nClean it.\n"
IN = {".claude-plugin/plugin.json": MANIFEST, "README.md": "# Demo\n", "agents/reader.md": AGENT.format("reader"), "skills/test/SKILL.md": SKILL.format("test"), "skills/test/scripts/run.sh": "true\n", "commands/dist.md": "---\ndescription: Goes.\n---\n\nGo.\n"}
OUT = {
    "tests/test_x.py": "", "skills/test/tests/test_y.py": "", "skills/test/scripts/__pycache__/run.pyc": "", ".venv/bin/python": "", "node_modules/x/index.js": "", ".github/workflows/ci.yml": "",
    ".gitignore": "*.log\nlocal/\n", ".vscode/settings.json": "{}", "agents/reader.md~": "", ".DS_Store": "", ".claude/settings.json": "{}", ".env": "KEY=1", "skills/test/run.log": "", "local/notes.txt": "",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in GIT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "demo"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(folder, IN)
    write(folder, OUT)
    (folder / "skills/test/scripts/run.sh").chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["pack", *arguments])
    assert "Traceback" not in result.output and "internal error" not in result.output
    return result.exit_code, result.stdout, result.stderr


def refused(*arguments: str) -> str:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "") and err.count("\n") == 1
    return err.removeprefix("pluglint: ").rstrip("\n")


def names(path: str = "demo-1.2.0.zip") -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_what_goes_in(package):
    status, out, err = run()
    assert (status, err) == (0, "") and re.fullmatch(r"demo-1\.2\.0\.zip: 6 files, [\d,]+ bytes, [\d,]+ packed\n", out)
    assert names() == sorted(IN)
    with zipfile.ZipFile("demo-1.2.0.zip") as archive:
        assert archive.read("README.md") == b"# Demo\n"
        modes = {one.filename: stat.S_IMODE(one.external_attr >> 16) for one in archive.infolist()}
    assert modes.pop("skills/test/scripts/run.sh") == 0o755 and set(modes.values()) == {0o644}


def test_archives_do_not_go_in(package):
    for name in (), ("-o", "other.bin"):
        assert run(*name)[0] == 0
    assert run()[0] == 0 and names() == [*sorted([*IN, "other.bin"])]
    assert run("-o", "other.bin")[0] == 0 and names("other.bin") == sorted(IN)


def test_list_writes_nothing(package):
    status, out, _ = run("--list")
    assert status == 0 and not (package / "demo-1.2.0.zip").exists()
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert {name: size for size, name in lines[:-1] if size != "-"} == {name: str(len(text)) for name, text in IN.items()}
    left = [name for size, name in lines if size == "-"]
    assert set(left) == {"tests/", "skills/test/tests/", "skills/test/scripts/__pycache__/", ".venv/", "node_modules/", ".github/", ".gitignore", ".vscode/", "agents/reader.md~", ".DS_Store", ".claude/", ".env", "skills/test/run.log", "local/notes.txt"}


def test_same_files_same_bytes(package, tmp_path):
    assert run("-o", "../a.zip")[0] == 0
    other = tmp_path / "other"
    for name in reversed(IN):
        write(other, {name: IN[name]})
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    (other / "skills/test/scripts/run.sh").chmod(0o700)
    (other / "README.md").chmod(0o600)
    assert run(str(other), "-o", "../b.zip")[0] == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_without_git_what_it_would_ignore_goes_in(package, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert run()[0] == 0 and names() == sorted([*IN, "skills/test/run.log", "local/notes.txt"])


def test_tracked_files_go_in_whatever_is_ignored(package):
    git(package, "add", "--force", "skills/test/run.log")
    assert run()[0] == 0 and names() == sorted([*IN, "skills/test/run.log"])


def test_folder_that_git_ignores_as_a_whole(package):
    write(package, {f"local/{name}": text for name, text in IN.items()})
    assert run("local", "-o", "local.zip")[0] == 0 and names("local.zip") == sorted([*IN, "notes.txt"])


def test_submodule_goes_in(package, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    write(inner, {"table.txt": "x\n", ".gitignore": "*.tmp\n"})
    commit(inner)
    git(package, "submodule", "--quiet", "add", str(inner), "skills/test/data")
    write(package, {"skills/test/data/scratch.tmp": "x"})
    assert run()[0] == 0 and names() == sorted([*IN, "skills/test/data/table.txt"])


def test_configuration(package):
    write(package, {"pluglint.toml": "[pack]\nexclude = ['docs/**', 'pluglint.toml']\ninclude = ['tests/data/*.csv', 'dist/**', '*.log']\n", "docs/a.md": "# A\n", "tests/data/a.csv": "1\n", "dist/server.js": "1\n", "dist/.git": "x"})
    assert run()[0] == 0 and names() == sorted([*IN, "tests/data/a.csv", "dist/server.js", "skills/test/run.log"])


def test_part_of_the_plugin_that_would_be_left_out(package):
    write(package, {"pluglint.toml": "[pack]\nexclude = ['agents/**']\n"})
    assert refused() == ".: agents/reader.md is a part of the plugin and would be left out; `[pack] include` in the configuration brings it in"


def test_links(package, tmp_path):
    (package / "skills/test/copy.sh").symlink_to("scripts/run.sh")
    (package / "skills/test/more").symlink_to("scripts")
    assert run()[0] == 0 and names() == sorted([*IN, "skills/test/copy.sh", "skills/test/more/run.sh"])
    with zipfile.ZipFile("demo-1.2.0.zip") as archive:
        assert archive.read("skills/test/copy.sh") == b"true\n"


@pytest.mark.parametrize(
    "target, said",
    [("../../other.txt", "outside of the plugin, and would be lost"), ("../..", "outside of the plugin, and would be lost"), ("gone.txt", "which does not exist"), ("../skills", "a folder that holds it")],
)
def test_links_that_no_archive_can_hold(package, tmp_path, target, said):
    (tmp_path / "other.txt").write_text("secret")
    (package / "skills/link").symlink_to(target)
    assert refused("--no-check") == f".: skills/link is a link to {target}, {said}"
    assert not list(package.glob("*.zip"))


def test_errors_stop_it(package):
    write(package, {"agents/lead.md": "---\nname: lead\n"})
    status, out, _ = run()
    assert status == 1 and "[frontmatter-unclosed]" in out and out.endswith("Nothing was packed: mend the errors, or pack all the same with --no-check.\n")
    assert not list(package.glob("*.zip"))
    assert run("--no-check")[0] == 0 and "agents/lead.md" in names()


def test_targets(package, tmp_path):
    shelf = tmp_path / "shelf"
    write(shelf, {".claude-plugin/marketplace.json": '{"name": "shelf", "owner": {"name": "A"}, "plugins": [{"name": "demo", "source": "./demo"}]}', "demo/.claude-plugin/plugin.json": MANIFEST})
    assert refused(str(shelf)).endswith(f"no plugin to pack; it holds 1 plugin, name one: {shelf}/demo")
    assert refused("nowhere") == "nowhere: no such file or folder"
    assert refused("agents/reader.md").endswith("no plugin to pack; it holds 1 plugin, name one: .")
    assert refused("-o", "agents") == "--output agents: a folder; name a file"
    assert refused("-o", "gone/x.zip") == f"{package}/gone/x.zip: No such file or directory"


def test_present_archive_stays_whole_when_it_cannot_be_written(package):
    (package / "demo-1.2.0.zip").write_bytes(b"old")
    (package / "demo-1.2.0.zip").chmod(0o444)
    assert refused().endswith("demo-1.2.0.zip: the file is read-only")
    assert (package / "demo-1.2.0.zip").read_bytes() == b"old"


def test_readme_lists_what_is_left_out():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme.split("### Releases\n")[1].split("\n### ")[0]
    rows = {cells[1].strip(): re.findall(r"`([^`]+)`", cells[2]) for cells in (line.split("|") for line in section.splitlines() if line.startswith("| ")) if cells[1].strip() in LEFT_OUT}
    assert rows == {kind: list(names) for kind, names in LEFT_OUT.items()}


def test_unzips_elsewhere(package, tmp_path):
    assert run()[0] == 0
    done = subprocess.run(["python3", "-m", "zipfile", "-e", "demo-1.2.0.zip", str(tmp_path / "to")], capture_output=True, text=True)
    assert done.returncode == 0 and sorted(str(path.relative_to(tmp_path / "to")) for path in (tmp_path / "to").rglob("*") if path.is_file()) == sorted(IN)
