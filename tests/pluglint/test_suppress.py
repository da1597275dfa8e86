"""Suppressions: what they cover, and what is said of those that are wrong, late or idle."""

from __future__ import annotations

import pytest

from pluglint import config as configuration
from pluglint import engine, suppress
from pluglint.config import Config, Suppression
from pluglint.finding import Location, Problem
from pluglint.rule import load, rule_ids
from pluglint.text import Span

RULE = "delegate-unknown"
HEADER = "---\nname: lead\ndescription: Splits requests. Use when one spans several fields.\ntools: Read{0}\n---\n"
LIST = "Delegate to other agents:\n\n- **jax-pro**: numerical code\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "agents").mkdir()
    (tmp_path / ".claude-plugin").mkdir()
    (tmp_path / ".claude-plugin/plugin.json").write_text('{"name": "demo", "version": "1.0.0", "description": "A demo.", "author": {"name": "Example Author"}, "license": "MIT"}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(package, text: str, config: Config | None = None) -> tuple[list[tuple[str, int, str]], int]:
    """((rule, line, message) of what is left, number silenced), of the rules that matter here."""
    (package / "agents/lead.md").write_text(text)
    config = config or Config()
    config.select = (RULE, *suppress.RULES)
    report = engine.check(["."], config)
    return [(one.rule, one.place.line, one.message) for one in report.findings], report.suppressed


UNKNOWN = "no agent or skill is called 'jax-pro'"


def test_without_a_comment(package):
    assert run(package, HEADER.format("") + LIST) == ([(RULE, 8, UNKNOWN)], 0)


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- pluglint: ignore[delegate-unknown] the user brings it -->\n",
        "<!--pluglint:ignore[ delegate-unknown ] the user brings it-->\n",
        "<!-- pluglint: ignore[suppression-unused, delegate-unknown] the user brings it -->\n\n\n",
        "<!-- pluglint: ignore[delegate-unknown] until=2999-12-31 the user brings it -->\n",
        "<!-- pluglint: ignore[delegate-unknown] the user brings it until=2999-12-31 -->\n",
    ],
)
def test_comment_on_the_line_before(package, comment):
    assert run(package, HEADER.format("") + LIST.replace("- **", comment + "- **")) == ([], 1)


def test_comment_on_the_same_line(package):
    assert run(package, HEADER.format("") + LIST.replace("code", "code <!-- pluglint: ignore[delegate-unknown] the user brings it -->")) == ([], 1)


def test_comment_covers_no_further_line(package):
    found, silenced = run(package, HEADER.format("") + LIST.replace("- **jax", "<!-- pluglint: ignore[delegate-unknown] the user brings it -->\n- **Explore**: reading\n- **jax"))
    assert silenced == 0 and [(rule, line) for rule, line, _ in found] == [("suppression-unused", 8), (RULE, 10)]


@pytest.mark.parametrize("place", ["header", "top", "end"])
def test_whole_file(package, place):
    comment = "<!-- pluglint: ignore-file[delegate-unknown] the user brings it -->"
    text = {
        "header": HEADER.format("\n# pluglint: ignore-file[delegate-unknown] the user brings it") + LIST,
        "top": HEADER.format("") + comment + "\n\n" + LIST,
        "end": HEADER.format("") + LIST + "\n" + comment + "\n",
    }[place]
    assert run(package, text) == ([], 1)


def test_in_the_header(package):
    text = HEADER.replace("tools: Read", "# pluglint: ignore[delegate-unknown] the user brings it\nskills: jax-pro\ntools: Read").format("")
    assert run(package, text + "You split.\n") == ([], 1)
    text = HEADER.replace("tools: Read", "skills: jax-pro  # pluglint: ignore[delegate-unknown] the user brings it\ntools: Read").format("")
    assert run(package, text + "You split.\n") == ([], 1)


@pytest.mark.parametrize("before, after", [("```text\n", "\n```\n"), ("`", "`\n"), ("    ", "\n")])
def test_shown_in_code_it_is_no_suppression(package, before, after):
    found, silenced = run(package, HEADER.format("") + f"{before}<!-- pluglint: ignore[delegate-unknown] an example -->{after}\n{LIST}")
    assert silenced == 0 and [rule for rule, *_ in found if rule == RULE] == [RULE]
    assert before == "    " or len(found) == 1


def test_hash_in_the_body_is_no_suppression(package):
    assert run(package, HEADER.format("") + "# pluglint: ignore[delegate-unknown] a heading\n\n" + LIST)[1] == 0


@pytest.mark.parametrize(
    "comment, rule, message",
    [
        ("ignore", "suppression-malformed", "a suppression must name its rules"),
        ("ignore[]", "suppression-malformed", "a suppression must name its rules"),
        ("ignore[delegate-unknwon] because", "suppression-malformed", "no rule is called 'delegate-unknwon'"),
        ("ignore[all] because", "suppression-malformed", "no rule is called 'all'"),
        ("ignore[internal-error] because", "suppression-malformed", "no rule is called 'internal-error'"),
        ("ignore[delegate-unknown]", "suppression-malformed", "a suppression must give its reason"),
        ("ignore[delegate-unknown] until=2999-12-31", "suppression-malformed", "a suppression must give its reason"),
        ("ignore[delegate-unknown] until=soon because", "suppression-malformed", "'soon' is no date"),
        ("ignore[delegate-unknown] until=2027-02-30 because", "suppression-malformed", "'2027-02-30' is no date"),
        ("ignore[delegate-unknown] until=2020-01-31 because", "suppression-expired", "this suppression of delegate-unknown ended on 2020-01-31"),
    ],
)
def test_comment_that_does_not_count(package, comment, rule, message):
    found, silenced = run(package, HEADER.format("") + LIST.replace("- **", f"<!-- pluglint: {comment} -->\n- **"))
    assert found == [(rule, 8, message), (RULE, 9, UNKNOWN)] and silenced == 0


def test_last_day_still_counts(package, monkeypatch):
    monkeypatch.setattr(suppress, "_today", lambda: "2027-01-31")
    text = HEADER.format("") + LIST.replace("- **", "<!-- pluglint: ignore[delegate-unknown] until={} because -->\n- **")
    assert run(package, text.format("2027-01-31")) == ([], 1)
    assert run(package, text.format("2027-01-30"))[1] == 0


def test_unused_is_a_finding(package):
    text = HEADER.format("") + "<!-- pluglint: ignore[delegate-unknown] because -->\nYou split.\n"
    assert run(package, text) == ([("suppression-unused", 6, "this comment silences delegate-unknown, which finds nothing here")], 0)


def test_unused_is_not_said_of_a_rule_that_did_not_run(package):
    config = Config()
    config.ignore = (RULE,)
    assert run(package, HEADER.format("") + "<!-- pluglint: ignore[delegate-unknown] because -->\nYou split.\n", config) == ([], 0)


def test_no_inline(package):
    config = Config()
    config.inline = False
    text = HEADER.format("") + LIST.replace("- **", "<!-- pluglint: ignore[delegate-unknown] because -->\n- **") + "\n<!-- pluglint: ignore -->\n"
    assert run(package, text, config) == ([(RULE, 9, UNKNOWN)], 0)


# -- in the configuration


def settings(package, *lines: str) -> Config:
    (package / "pluglint.toml").write_text("[[suppress]]\nrule = 'delegate-unknown'\nreason = 'because'\n" + "\n".join(lines))
    return configuration.load("pluglint.toml", [*rule_ids()])


@pytest.mark.parametrize("line", ["", "path = 'agents/*.md'", "path = 'agents'", "path = 'lead.md'", "path = '**/lead.md'", "until = 2999-12-31"])
def test_entry_silences(package, line):
    assert run(package, HEADER.format("") + LIST, settings(package, line)) == ([], 1)


def test_entry_for_other_files_is_unused(package):
    found, silenced = run(package, HEADER.format("") + LIST, settings(package, "path = 'skills/**'"))
    assert silenced == 0
    assert found == [(RULE, 8, UNKNOWN), ("suppression-unused", 1, "this entry silences delegate-unknown in skills/**, where it finds nothing")]


def test_entry_that_ended(package):
    found, silenced = run(package, HEADER.format("") + LIST, settings(package, "until = 2020-01-31"))
    assert silenced == 0
    assert found == [(RULE, 8, UNKNOWN), ("suppression-expired", 1, "this suppression of delegate-unknown ended on 2020-01-31")]


def test_entry_points_at_its_own_table(package):
    config = settings(package, "", "[[suppress]]", "rule = 'delegate-unknown'", "reason = 'because'", "path = 'nowhere'")
    found, _ = run(package, HEADER.format("") + LIST, config)
    assert [(rule, line) for rule, line, _ in found] == [("suppression-unused", 5)]


# -- related places


def test_comment_at_a_related_place_counts(tmp_path):
    from pluglint.discover import discover
    from pluglint.finding import finding
    from pluglint.load import load_package

    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/a.md").write_text(HEADER.format("") + "One.\n")
    (tmp_path / "agents/b.md").write_text(HEADER.format("") + "<!-- pluglint: ignore[delegate-unknown] because -->\nTwo.\n")
    (package,) = [load_package(root, Config()) for root in discover(str(tmp_path)).roots]
    a, b = package.documents["agents/a.md"], package.documents["agents/b.md"]
    two = b.text.index("Two")
    both = finding(RULE, "error", Problem(a.source, Span(0, 3), "they differ", "", (Location(b.source, Span(two, two + 3), "here"),)))
    alone = finding(RULE, "error", Problem(a.source, Span(0, 3), "it is wrong"))
    kept, silenced, about = suppress.apply([both, alone], [package], Config(), [*rule_ids()], {RULE, *suppress.RULES})
    assert (kept, silenced, about) == ([alone], 1, [])


@pytest.mark.parametrize("rule, severity", [("suppression-unused", "warning"), ("suppression-malformed", "error"), ("suppression-expired", "error")])
def test_rule_file_states_the_severity_that_is_reported(rule, severity):
    assert rule in suppress.RULES and load(rule).rule.severity == severity


def test_severity_can_be_changed(package):
    (package / "agents/lead.md").write_text(HEADER.format("") + "<!-- pluglint: ignore[delegate-unknown] because -->\nYou split.\n")
    config = Config()
    config.select, config.severity = (RULE, *suppress.RULES), {"suppression-unused": "info"}
    assert [one.severity for one in engine.check(["."], config).findings] == ["info"]


def test_entry_is_a_plain_tuple():
    assert Suppression(("a",), "**", "because", "", 1)._fields == ("rules", "path", "reason", "until", "line")
