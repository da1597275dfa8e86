"""The packed rules are the rules."""

from __future__ import annotations

import os
import sys

import pytest

from pluglint import pack
from pluglint.rule import load_all, rule_ids


@pytest.fixture(autouse=True)
def byte_code_may_be_written(monkeypatch):
    """Without it there is no pack, and a test run may have PYTHONDONTWRITEBYTECODE set."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def test_packed_rules_equal_the_modules():
    packed = pack.load_rules()
    plain = load_all()
    assert [one.id for one in packed] == [one.id for one in plain] == rule_ids()
    for one, other in zip(packed, plain):
        assert one.rule == other.rule
        assert one.check.__code__.co_code == other.check.__code__.co_code


def test_a_changed_rule_is_not_taken_from_the_pack(monkeypatch, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "odd.py").write_text('"""Page."""\nRULE = 1\nGOOD = 1 / 0\ndef check(x):\n    return "first"\n')
    monkeypatch.setattr(pack, "_FOLDER", str(folder))
    assert pack.load_rules(["odd"])[0].check(None) == "first"  # GOOD is left out, or this would have divided by zero
    (folder / "odd.py").write_text('"""Page."""\nRULE = 1\ndef check(x):\n    return "second"\n')
    os.utime(folder / "odd.py", ns=(1, 1))
    assert pack.load_rules(["odd"])[0].check(None) == "second"


def test_a_broken_pack_is_made_again(monkeypatch, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "odd.py").write_text("RULE = 1\ndef check(x):\n    return 1\n")
    monkeypatch.setattr(pack, "_FOLDER", str(folder))
    pack.load_rules(["odd"])
    (packed,) = (folder / "__pycache__").glob("*")
    packed.write_bytes(b"rubbish")
    assert pack.load_rules(["odd"])[0].check(None) == 1


def test_no_pack_where_byte_code_is_not_wanted(monkeypatch, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "odd.py").write_text("RULE = 1\ndef check(x):\n    return 1\n")
    monkeypatch.setattr(pack, "_FOLDER", str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert pack._code() is None
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["odd.py", "rules"]
