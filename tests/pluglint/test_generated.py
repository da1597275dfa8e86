"""What is generated is what is checked in."""

from __future__ import annotations

import pytest

from pluglint import gen, schemas


def test_generated_files_are_current():
    stale = gen.drifted(gen.targets())
    assert not stale, "run `python -m pluglint.gen`"


def test_generating_twice_gives_the_same():
    assert gen.targets() == gen.targets()


def test_every_model_has_a_schema_file():
    assert schemas.names() == sorted(gen.MODELS)


def test_check_lists_what_drifted_and_writing_mends_it(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "a" / "pluglint"
    (folder / "schemas").mkdir(parents=True)
    monkeypatch.setattr(gen, "HERE", folder)
    (tmp_path / "README.md").write_text("# x\n\n<!-- generated: rules-table -->\nold\n<!-- end -->\nrest\n")
    assert gen.main([]) == 0 and gen.main(["--check"]) == 0
    assert "| error |" in (tmp_path / "README.md").read_text() and "old" not in (tmp_path / "README.md").read_text()
    capsys.readouterr()
    (folder / "schemas/agent.schema.json").write_text("{}")
    (folder / "schemas/gone.schema.json").write_text("{}")
    (folder / "RULES.md").unlink()
    assert gen.main(["--check"]) == 1
    said = capsys.readouterr().out
    assert all(name in said for name in ("agent.schema.json", "gone.schema.json", "RULES.md")) and "skill.schema.json" not in said
    assert gen.main([]) == 0 and gen.main(["--check"]) == 0
    assert not (folder / "schemas/gone.schema.json").exists()


def test_wrong_use_is_said(capsys):
    assert gen.main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


def test_block_with_the_help_text():
    text = gen.fill_blocks("a\n<!-- generated: check-help -->\n<!-- end -->\nb\n", "README.md")
    assert text.startswith("a\n<!-- generated: check-help -->\n```text\nUsage: pluglint check") and text.endswith("```\n<!-- end -->\nb\n")
    assert max(map(len, text.splitlines())) <= 100
    assert gen.fill_blocks(text, "README.md") == text


@pytest.mark.parametrize(
    "text, message",
    [
        ("<!-- generated: rules-tabel -->\n<!-- end -->", "no generated block is called 'rules-tabel'"),
        ("<!-- generated: rules-table -->\n", "1 generated blocks are opened and 0 closed"),
    ],
)
def test_broken_block_is_refused(text, message):
    with pytest.raises(gen.GenerationError, match=message):
        gen.fill_blocks(text, "README.md")


def test_a_schema_beyond_shapes_is_not_published(monkeypatch):
    from pydantic import BaseModel, Field

    class Wide(BaseModel):
        when: str = Field(json_schema_extra={"format": "date"})

    monkeypatch.setitem(gen.MODELS, "wide", Wide)
    with pytest.raises(gen.GenerationError, match="#/properties/when: format"):
        gen.schema("wide")


def test_rules_page_has_every_rule():
    from pluglint.rule import rule_ids

    text = gen.rules_text()
    for one in rule_ids():
        assert f"\n## {one}\n" in text and f"| [{one}](#{one}) |" in text
    assert "internal-error" in text
