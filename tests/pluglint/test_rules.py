"""Every rule's own examples: the good ones are quiet, the bad ones are found on the marked lines, in these words."""

from __future__ import annotations

import inspect

import pytest
from examples import findings

from pluglint.engine import INTERNAL_ERROR
from pluglint.finding import SEVERITIES
from pluglint.rule import ALL_PROFILES, Loaded, load_all

RULES = load_all()
GOOD = [pytest.param(rule, example, id=f"{rule.id}-{n}") for rule in RULES for n, example in enumerate(rule.module.GOOD)]
BAD = [pytest.param(rule, example, id=f"{rule.id}-{n}") for rule in RULES for n, example in enumerate(rule.module.BAD)]


@pytest.mark.parametrize("rule, example", GOOD)
def test_good_example_is_quiet(rule, example, tmp_path, monkeypatch):
    found, marked = findings(rule, example, tmp_path / "demo", monkeypatch)
    assert not marked, "a good example marks no line"
    assert [one for one in found if one.rule in (rule.id, INTERNAL_ERROR)] == []


@pytest.mark.parametrize("rule, example", BAD)
def test_bad_example_is_found_where_marked(rule, example, tmp_path, monkeypatch):
    found, marked = findings(rule, example, tmp_path / "demo", monkeypatch)
    own = [one for one in found if one.rule == rule.id]
    assert {(one.place.path, one.place.line) for one in own} == marked, own
    assert example.message, "a bad example states its message in full"
    assert own[0].message == example.message
    others = {one.rule for one in found if one.severity == "error"} - {rule.id, *example.also}
    assert not others, [one for one in found if one.rule in others]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_file_is_complete(rule: Loaded):
    page = inspect.cleandoc(rule.module.__doc__ or "")
    at = [page.find(part) for part in ("What it checks:", "Why it matters:", "How to fix:")]
    assert at[0] == 0 and at == sorted(at) and -1 not in at, "the docstring has its three parts in order"
    assert rule.rule.severity in SEVERITIES
    assert set(rule.rule.profiles) <= set(ALL_PROFILES) and rule.rule.profiles
    assert rule.rule.source and not rule.rule.title.endswith(".")
    assert rule.module.GOOD and rule.module.BAD
    texts = [str(example.files) + str(example.options) + example.profile for example in (*rule.module.GOOD, *rule.module.BAD)]
    assert len(texts) == len(set(texts)), "no example twice"
