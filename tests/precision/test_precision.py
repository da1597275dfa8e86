"""The page of precision is what the verdicts give, and the verdicts hold what they promise."""

from __future__ import annotations

from collections import Counter

import pytest
import sample
import table
import verdicts
import yaml
from pydantic import ValidationError

from pluglint.finding import INFO
from pluglint.rule import load

VERDICTS = verdicts.read()


def test_page_is_what_the_verdicts_give():
    assert table.main(["--check"]) == 0, "run python tests/precision/table.py"


def test_severities_are_those_of_the_rules():
    assert {rule: load(rule).rule.severity for rule in VERDICTS.rules} == {rule: judged.severity_now for rule, judged in VERDICTS.rules.items()}


def test_a_dozen_repositories_with_their_commits():
    assert len(VERDICTS.repositories) >= 12
    assert all(len(one.commit) == 40 for one in VERDICTS.repositories)
    assert len({one.name for one in VERDICTS.repositories}) == len(VERDICTS.repositories)
    known = {one.name for one in VERDICTS.repositories}
    assert all(row.repository in known for judged in VERDICTS.rules.values() for row in judged.rows)


@pytest.mark.parametrize("rule", VERDICTS.rules)
def test_draw_has_its_size_and_no_finding_twice(rule):
    judged = VERDICTS.rules[rule]
    assert len(table.drawn_first(judged)) == min(VERDICTS.each, judged.found)
    assert max(Counter((row.repository, row.path, row.line, row.message) for row in judged.rows).values()) == 1


@pytest.mark.parametrize("rule", VERDICTS.rules)
def test_a_rule_that_is_on_is_precise_on_what_was_judged(rule):
    """Below the limit a rule is narrowed or off by default; what it was before stays in the table."""
    judged = VERDICTS.rules[rule]
    there = table.still_there(judged)
    right = sum(table.now(row) == verdicts.RIGHT for row in there)
    assert judged.severity_now == INFO or right >= table.LIMIT * len(there)
    first = table.drawn_first(judged)
    below = sum(row.verdict == verdicts.RIGHT for row in first) < table.LIMIT * len(first)
    assert judged.severity == INFO or not below or judged.changed, "a rule below the limit says what was changed"


def test_rules_without_a_finding_are_named():
    text = table.page(VERDICTS)
    assert "`agent-name-duplicate`" in text.split("## Did not fire")[1] and "`agent-name-duplicate`" not in text.split("## Did not fire")[0]


# Wilson 1927; worked out by hand: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
@pytest.mark.parametrize("right, judged, low, high", [(20, 20, 0.8389, 1.0), (10, 20, 0.2993, 0.7007), (0, 1, 0.0, 0.7935)])
def test_interval(right, judged, low, high):
    assert table.interval(right, judged) == pytest.approx((low, high), abs=5e-5)


def _with(rows, rule="agent-color-unknown"):
    return VERDICTS.model_copy(update={"rules": {rule: verdicts.Judged(severity="warning", severity_now="warning", found=len(rows), found_now=len(rows), rows=rows)}})


def _row(**given):
    return verdicts.Row(**{"repository": "o/n", "path": "a.md", "line": 1, "message": "m", "verdict": "right"} | given)


def test_unjudged_findings_and_unknown_rules_are_refused(monkeypatch, capsys):
    with pytest.raises(ValueError, match="not all drawn findings are judged: agent-color-unknown"):
        table.page(_with([_row(verdict="open")]))
    monkeypatch.setattr(table, "read", lambda: _with([_row()], "agent-colour-unknown"))
    assert table.main([]) == 2
    assert "no rule is called agent-colour-unknown" in capsys.readouterr().err


def test_a_debatable_finding_is_not_right_and_says_why():
    rows = [_row(), _row(line=2, verdict="debatable", note="may be meant")]
    assert "| 2 | 1 | 1 | 0 | 1/2 = 50 % (9–91) |" in table.page(_with(rows))
    with pytest.raises(ValidationError, match="without a note"):
        _row(verdict="wrong")
    with pytest.raises(ValidationError, match="not 'maybe'"):
        _row(verdict="maybe")


def test_writing_and_reading_gives_the_same(tmp_path):
    path = tmp_path / "verdicts.yaml"
    verdicts.write(VERDICTS, path)
    assert verdicts.read(path) == VERDICTS
    assert path.read_text(encoding="utf-8") == verdicts.FILE.read_text(encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["seed"] == VERDICTS.seed


def _findings(*places):
    return [{"repository": repository, "path": f"{n}.md", "line": 1, "message": message} for n, (repository, message) in enumerate(places)]


def test_draw_goes_round_the_repositories_and_takes_new_messages_first():
    found = _findings(*[("big/one", "same")] * 50, ("big/one", "other"), ("small/one", "same"), ("small/two", "same"))
    chosen = sample.drawn(found, 4, "7:rule")
    assert Counter(one["repository"] for one in chosen) == {"big/one": 2, "small/one": 1, "small/two": 1}
    assert {one["message"] for one in chosen if one["repository"] == "big/one"} == {"same", "other"}
    assert chosen == sample.drawn(found[::-1], 4, "7:rule") and len(sample.drawn(found, 99, "7:rule")) == len(found)
