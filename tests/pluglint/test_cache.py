"""The cache of reports: used when nothing changed, never when anything did, and never in the way."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pluglint import cache, engine
from pluglint.commands.check import settings

FILES = {
    ".claude-plugin/plugin.json": '{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}}',
    "agents/lead.md": "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read\n---\nSee [the guide](../docs/guide.md).\n",
    "skills/plan/SKILL.md": "---\nname: plan\ndescription: Plans work. Use when work must be planned.\n---\n\n1. Read.\n2. Write.\n",
    "docs/guide.md": "# Guide\n\nRead it.\n",
    "scripts/run.sh": "#!/bin/sh\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    root = tmp_path / "demo"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / ".git").mkdir()  # the search for a configuration ends here
    monkeypatch.setenv("PLUGLINT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return root


def entries(package: Path) -> set[str]:
    folder = package.parent / "cache"
    return set(os.listdir(folder)) if folder.is_dir() else set()


def check(package: Path, **options) -> engine.Report:
    return cache.check([str(package)], settings([str(package)], None, **options))


def uncached(package: Path, **options) -> engine.Report:
    return engine.check([str(package)], settings([str(package)], None, **options))


@pytest.fixture
def count_checks(monkeypatch):
    """A list that grows by one whenever rules really run."""
    ran = []
    real = engine.run
    monkeypatch.setattr(engine, "run", lambda *arguments: ran.append(1) or real(*arguments))
    return ran


def test_the_second_run_checks_nothing_and_reports_the_same(package, count_checks):
    (package / "docs/guide.md").unlink()
    first, second = check(package), check(package)
    assert len(count_checks) == 1
    assert first == second
    assert [one.rule for one in second.findings] == ["link-target-missing"]


def same_size_and_time(path: Path, old: str, new: str) -> None:
    before = path.stat()
    assert len(old) == len(new)
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "content of the same size and time": lambda p: same_size_and_time(p / "agents/lead.md", "guide.md", "gu1de.md"),
    "a file that a link leads to is gone": lambda p: (p / "docs/guide.md").unlink(),
    "a file is renamed": lambda p: (p / "docs/guide.md").rename(p / "docs/other.md"),
    "a new empty file": lambda p: (p / "agents/new.md").touch(),
    "a new folder": lambda p: (p / "skills/empty").mkdir(),
    "a mode": lambda p: (p / "scripts/run.sh").chmod(0o755),
    "a file that is not read grows": lambda p: (p / "scripts/run.sh").write_text("#!/bin/sh\nexit\n"),
    "a file becomes a link": lambda p: ((p / "docs/guide.md").unlink(), (p / "docs/guide.md").symlink_to("../scripts/run.sh")),
    "a configuration appears": lambda p: (p / "pluglint.toml").write_text('ignore = ["link-target-missing"]\n'),
    "text moves from one file to the next": lambda p: (
        (p / "agents/lead.md").write_text(FILES["agents/lead.md"] + "# Guide\n"),
        (p / "docs/guide.md").write_text(FILES["docs/guide.md"].removeprefix("# Guide\n")),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_any_change_is_checked_again(package, count_checks, change):
    check(package)
    change(package)
    assert check(package) == uncached(package)
    assert len(count_checks) == 3, "the changed package was answered from the cache"


def test_settings_and_their_files_count(package, count_checks):
    schema = package / "agent.json"
    schema.write_text('{"properties": {"version": {}}}')
    (package / "pluglint.toml").write_text('[header-schemas]\nagent = "agent.json"\n')
    check(package)
    check(package, profile="portable")
    check(package, select=["all"])
    check(package, inline=False)
    assert len(count_checks) == 4
    schema.write_text('{"properties": {"version": {}}, "required": ["version"]}')
    assert "version" in "".join(one.message for one in check(package).findings)


def test_the_day_counts(package, count_checks, monkeypatch):
    check(package)
    monkeypatch.setattr(time, "strftime", lambda form: "2999-01-01")
    check(package)
    assert len(count_checks) == 2


def test_the_code_of_pluglint_counts(package, count_checks, monkeypatch):
    check(package)
    real = cache._code
    monkeypatch.setattr(cache, "_code", lambda folder: [*real(folder), ("rules/new_rule.py", 1, 1)])
    check(package)
    assert len(count_checks) == 2
    listed = [name for name, _, _ in real(os.path.dirname(cache.__file__))]
    assert any(name.endswith("rules/delegate_unknown.py") for name in listed)
    assert any(name.endswith("facts/claude_code.json") for name in listed)
    assert not any(name.endswith(".pyc") for name in listed)


def test_the_working_folder_counts(package, count_checks, monkeypatch):
    """The same package is shown by other paths from elsewhere."""
    (package / "docs/guide.md").unlink()
    cache.check(["demo"], settings(["demo"], None))
    monkeypatch.chdir(package)
    report = cache.check(["."], settings(["."], None))
    assert report.findings[0].place.path == "agents/lead.md"
    monkeypatch.chdir(package / "docs")
    report = cache.check([".."], settings([".."], None))
    assert report.findings[0].place.path == "../agents/lead.md"
    assert len(count_checks) == 3


DAMAGE = {
    "cut short": lambda data: data[:-1],
    "only the checksum": lambda data: data[:32],
    "empty": lambda data: b"",
    "one bit": lambda data: data[:40] + bytes([data[40] ^ 1]) + data[41:],
    "text": lambda data: b"not an entry at all, but longer than any checksum would be",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_entry_is_as_good_as_none(package, count_checks, damage):
    report = check(package)
    (name,) = entries(package)
    path = package.parent / "cache" / name
    path.write_bytes(damage(path.read_bytes()))
    assert check(package) == report
    assert check(package) == report
    assert len(count_checks) == 2, "the entry was not written again"


def test_a_crash_is_not_kept(package, monkeypatch):
    monkeypatch.setattr(engine, "finding", lambda *_: 1 / 0)
    (package / "docs/guide.md").unlink()
    assert check(package).crashed
    assert not entries(package)


@pytest.mark.parametrize("kind", ["a file", "below a file", "not to be written"])
def test_a_folder_that_cannot_be_used_means_no_cache(package, count_checks, kind, monkeypatch):
    folder = package.parent / "cache"
    if kind == "not to be written":
        folder.mkdir()
        monkeypatch.setattr(os, "replace", _refuse)  # root may write everywhere: the call itself has to refuse
    else:
        folder.write_text("a file")
    if kind == "below a file":
        monkeypatch.setenv("PLUGLINT_CACHE_DIR", str(folder / "inner"))
    assert check(package) == check(package)
    assert len(count_checks) == 2
    if kind == "not to be written":
        assert not entries(package), "the temporary file was left behind"


def _refuse(*_):
    raise PermissionError(13, "Permission denied")


def test_a_full_disk_leaves_nothing_behind(package):
    """A limit on the size of files refuses the write half way, as a full disk does."""

    run = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); runpy.run_module('pluglint', run_name='__main__')"
    done = subprocess.run([sys.executable, "-B", "-c", run, "check", str(package)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No findings" in done.stdout
    assert not entries(package)


def test_runs_beside_each_other(package):
    command = [sys.executable, "-m", "pluglint", "check", str(package)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    outputs = {run.communicate()[0] for run in runs}
    assert len(outputs) == 1
    assert {run.returncode for run in runs} == {0}
    assert len(entries(package)) == 1


def test_the_oldest_entries_go(package, monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 3)
    for day in range(5):
        (package / "docs/guide.md").write_text(f"# Guide {day}\n")
        check(package)
        for name in entries(package):
            path = package.parent / "cache" / name
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 10))
    kept = entries(package)
    assert len(kept) == 3
    check(package)
    assert entries(package) == kept


def test_no_cache_and_an_empty_folder_name_keep_nothing(package, monkeypatch):
    command = [sys.executable, "-m", "pluglint", "check", str(package)]
    assert subprocess.run([*command, "--no-cache"], stdout=subprocess.DEVNULL).returncode == 0
    assert not entries(package)
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0
    assert len(entries(package)) == 1
    shutil.rmtree(package.parent / "cache")
    monkeypatch.setenv("PLUGLINT_CACHE_DIR", "")
    check(package)
    assert not entries(package)


def test_the_folder_follows_the_system(monkeypatch):
    monkeypatch.delenv("PLUGLINT_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.folder() == "/somewhere/pluglint"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.folder() is None


def test_random_edits_never_get_a_stale_report(package):
    generator = random.Random(0)
    texts = [text for name, text in FILES.items() if name.endswith(".md")]
    for _ in range(60):
        name = generator.choice(["agents/lead.md", "agents/b.md", "skills/plan/SKILL.md", "docs/guide.md", "docs/x.md"])
        path = package / name
        if path.exists() and generator.random() < 0.4:
            path.unlink()
        else:
            lines = generator.choice(texts).splitlines(keepends=True)
            del lines[generator.randrange(len(lines))]
            path.write_text("".join(lines))
        assert check(package) == uncached(package)
