"""`pluglint schema`: prints one, lists all, writes into a folder."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from pluglint import schemas
from pluglint.cli import app


def run(*arguments: str):
    result = CliRunner().invoke(app, ["schema", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("name", schemas.names())
def test_prints_one(name):
    status, out, err = run(name)
    assert (status, err) == (0, "")
    assert json.loads(out) == schemas.load(name)


def test_lists_all():
    status, out, _ = run("--list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == schemas.names()


def test_writes_all_into_a_new_folder(tmp_path):
    folder = tmp_path / "a" / "b"
    status, out, _ = run("--output-dir", str(folder))
    assert status == 0
    assert sorted(os.listdir(folder)) == [f"{name}.schema.json" for name in schemas.names()]
    assert out.splitlines() == [str(folder / f"{name}.schema.json") for name in schemas.names()]


def test_writes_one(tmp_path):
    assert run("config", "--output-dir", str(tmp_path))[0] == 0
    assert os.listdir(tmp_path) == ["config.schema.json"]


def test_unknown_name(tmp_path):
    assert run("agnt") == (2, "", "pluglint: no schema is called 'agnt'; did you mean 'agent'?\n")
    status, out, err = run("zebra", "--output-dir", str(tmp_path / "x"))
    assert (status, out) == (2, "") and "there are agent, baseline, budget, command" in err
    assert not (tmp_path / "x").exists()


def test_without_a_name():
    status, out, err = run()
    assert (status, out) == (2, "") and "--list" in err


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "taken").write_text("x")
    status, out, err = run("--output-dir", str(tmp_path / "taken"))
    assert (status, out) == (2, "")
    assert err == f"pluglint: {tmp_path / 'taken'}: File exists\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    status, out, err = run("--output-dir", str(tmp_path))
    assert (status, out) == (2, "") and "Permission denied" in err


def test_unwritable_file_in_the_folder(tmp_path):
    (tmp_path / "agent.schema.json").mkdir()
    status, out, err = run("agent", "--output-dir", str(tmp_path))
    assert (status, out) == (2, "")
    assert err == f"pluglint: {tmp_path / 'agent.schema.json'}: Is a directory\n"
    assert os.listdir(tmp_path) == ["agent.schema.json"]
