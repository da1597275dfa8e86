"""The reports for other programs: valid for the formats' schemas, exact in places, and safe with any text."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import xmlschema
from jsonschema import Draft4Validator, Draft202012Validator

from pluglint import __version__, engine
from pluglint.config import Config
from pluglint.engine import INTERNAL_ERROR, Report
from pluglint.finding import Finding, Place
from pluglint.report import FORMATS, FROM_REPOSITORY, from_repository, printable, renderer
from pluglint.rule import load

HERE = Path(__file__).parent
NASTY = "a, b: 100% [x](y) <b>&\"'` | \x1b[31m\x00\u202e 数 \U0001f600 \ud800 ##[error]\r::error::no"
LETTER = "docs/é à 数, 50%:[1].md"


def place(
    path: str = "agents/lead.md",
    line: int = 8,
    column: int = 5,
    end_line: int = 8,
    end_column: int = 12,
    label: str = "",
) -> Place:
    return Place(path, line, column, end_line, end_column, label)


def finding(
    rule: str = "delegate-unknown",
    severity: str = "error",
    where: Place = place(),
    message: str = "no agent is called 'x'",
    hint: str = "Correct it.",
    related: tuple = (),
) -> Finding:
    return Finding(rule, severity, where, message, hint, related, "- **jax-pro**: numerical code")


def report(*findings: Finding, files: tuple[str, ...] = ("agents/lead.md", "agents/clean.md")) -> Report:
    return Report(
        list(findings),
        2,
        dict.fromkeys(files, "agent"),
        [(".", "plugin", "demo")],
        ["delegate-unknown"],
        "claude-code",
        3,
    )


CLEAN = report()
PLAIN = report(
    finding(),
    finding(severity="warning", where=place(line=9, end_line=11)),
    finding(severity="info", where=place(end_column=5), related=(place("README.md", label="here"), place("b.md"))),
)
ODD = report(
    *(
        finding(message=NASTY, hint=NASTY, where=place(path, label=NASTY), related=(place(path, label=NASTY),))
        for path in (LETTER, "a\udcff.md", "/else where/a.md", "a:b.md", "-x.md")
    )
)
CRASHED = report(finding(INTERNAL_ERROR, where=place(line=1, column=1, end_line=1, end_column=1)), finding())
REPORTS = {"clean": CLEAN, "plain": PLAIN, "odd": ODD, "crashed": CRASHED}


@pytest.fixture(scope="module")
def planted() -> Report:
    """Every finding of a real package with a fault of each common kind."""
    found = from_repository(engine.check([str(HERE / "packages/planted")], Config()))
    assert len(found.findings) > 20
    return found


@pytest.fixture(params=[*REPORTS, "planted"])
def any_report(request, planted) -> Report:
    return planted if request.param == "planted" else REPORTS[request.param]


def schema(name: str) -> dict:
    return json.loads((HERE / "schemas" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_ascii_safe_text_with_a_last_line_end(name, any_report):
    text = renderer(name).render(any_report)
    assert text.endswith("\n") and text == renderer(name).render(any_report)
    assert not any(char in text for char in "\x1b\x00\u202e\ud800")
    if name != "text":
        text.replace("a\udcff.md", "").encode()  # a path that is not UTF-8 is the one thing that may stay as it is


def test_every_format_stands_in_the_help():
    from typer.testing import CliRunner

    from pluglint.cli import app

    out = CliRunner().invoke(app, ["check", "--help"]).stdout
    assert all(name in out for name in FORMATS)
    assert set(FROM_REPOSITORY) < set(FORMATS)


# -- SARIF


def sarif(one: Report) -> dict:
    log = json.loads(renderer("sarif").render(one))
    Draft4Validator(schema("sarif-2.1.0-rtm.5.json"), format_checker=Draft4Validator.FORMAT_CHECKER).validate(log)
    return log["runs"][0]


def test_sarif_is_valid(any_report):
    run = sarif(any_report)
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"], run["columnKind"]) == (
        "pluglint",
        __version__,
        "unicodeCodePoints",
    )
    real = [one for one in any_report.findings if one.rule != INTERNAL_ERROR]
    assert len(run["results"]) == len(real)
    for one, result in zip(real, run["results"]):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == one.rule
        assert result["level"] == {"error": "error", "warning": "warning", "info": "note"}[one.severity]
        assert len(result["partialFingerprints"]["pluglint/v1"]) == 16
    for rule in driver["rules"]:
        assert rule["help"]["markdown"].startswith(f"## {rule['id']}\n") and rule["shortDescription"][
            "text"
        ].lower().startswith(load(rule["id"]).rule.title.lower())


def test_sarif_of_nothing_has_no_results():
    run = sarif(CLEAN)
    assert (
        run["results"] == []
        and run["tool"]["driver"]["rules"] == []
        and run["invocations"][0]["executionSuccessful"] is True
    )


def test_sarif_region_and_related():
    result = sarif(PLAIN)["results"]
    assert result[1]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 9,
        "startColumn": 5,
        "endLine": 11,
        "endColumn": 12,
    }
    assert [one["message"]["text"] for one in result[2]["relatedLocations"]] == ["here", "see here"]
    assert [one["id"] for one in result[2]["relatedLocations"]] == [1, 2]


def test_sarif_paths_are_encoded_and_relative_to_the_repository():
    found = [one["locations"][0]["physicalLocation"]["artifactLocation"] for one in sarif(ODD)["results"]]
    assert found[0] == {"uri": "docs/%C3%A9%20%C3%A0%20%E6%95%B0%2C%2050%25%3A%5B1%5D.md", "uriBaseId": "%SRCROOT%"}
    assert found[1]["uri"] == "a%FF.md" and found[3]["uri"] == "a%3Ab.md"
    assert found[2] == {"uri": "file:///else%20where/a.md"}
    for one, location in zip(ODD.findings, found):
        assert unquote(urlsplit(location["uri"]).path, errors="surrogateescape") == one.place.path


def test_sarif_text_holds_no_link():
    assert sarif(ODD)["results"][0]["message"]["text"].startswith("a, b: 100% \\[x\\](y) <b>")


def test_sarif_tells_of_a_crash():
    run = sarif(CRASHED)
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False and invocation["toolExecutionNotifications"][0]["descriptor"] == {
        "id": INTERNAL_ERROR
    }
    assert [one["ruleId"] for one in run["results"]] == ["delegate-unknown"]


def test_sarif_rule_index_on_real_findings(planted):
    rules = [one["id"] for one in sarif(planted)["tool"]["driver"]["rules"]]
    assert rules == sorted({one.rule for one in planted.findings})


# -- GitHub


def commands(one: Report) -> list[tuple[str, dict[str, str], str]]:
    """The workflow commands in a report, read as the runner reads them."""
    found = []
    for line in renderer("github").render(one).splitlines():
        if not line.startswith("::"):
            assert "::" not in line and "##[" not in line
            continue
        head, _, data = line[2:].partition("::")
        word, _, rest = head.partition(" ")
        values = dict(item.split("=", 1) for item in rest.split(","))
        found.append(
            (
                word,
                {
                    name: unescape(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
                    for name, value in values.items()
                },
                unescape(data).replace("%25", "%"),
            )
        )
    return found


def unescape(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n")


def test_github_commands():
    assert commands(PLAIN) == [
        (
            "error",
            {
                "file": "agents/lead.md",
                "line": "8",
                "endLine": "8",
                "col": "5",
                "endColumn": "12",
                "title": "pluglint: delegate-unknown",
            },
            "agents/lead.md:8:5: no agent is called 'x' [delegate-unknown]\nCorrect it.",
        ),
        # no columns over several lines
        (
            "warning",
            {"file": "agents/lead.md", "line": "9", "endLine": "11", "title": "pluglint: delegate-unknown"},
            "agents/lead.md:9:5: no agent is called 'x' [delegate-unknown]\nCorrect it.",
        ),
        # no end column of an empty place
        (
            "notice",
            {"file": "agents/lead.md", "line": "8", "endLine": "8", "col": "5", "title": "pluglint: delegate-unknown"},
            "agents/lead.md:8:5: no agent is called 'x' [delegate-unknown]\nCorrect it.\nREADME.md:8:5 here\nb.md:8:5",
        ),
    ]
    assert renderer("github").render(PLAIN).endswith("\npluglint: 1 error, 1 warning, 1 notice\n")
    assert renderer("github").render(CLEAN) == "pluglint: no findings\n"


def test_github_commands_survive_any_text(any_report):
    found = [one for one in commands(any_report) if one[1].get("file")]
    assert len(found) == len(any_report.findings)
    assert sorted(one[1]["file"] for one in found) == sorted(printable(one.place.path) for one in any_report.findings)


def test_github_escapes():
    line = (
        renderer("github")
        .render(report(finding(message="50%, a:b\r\n::stop", where=place("a,b:c%.md"))))
        .splitlines()[0]
    )
    assert line.startswith("::error file=a%2Cb%3Ac%25.md,line=8,")
    assert "::a,b:c%25.md:8:5: 50%25, a:b\\x0d%0A::stop [delegate-unknown]%0ACorrect it." in line


def test_github_puts_errors_first_and_says_when_there_are_more_than_it_shows():
    many = report(*(finding(severity="warning") for _ in range(3)), *(finding() for _ in range(11)))
    found = commands(many)
    assert [one[0] for one in found] == ["error"] * 11 + ["warning"] * 3 + ["notice"]
    assert found[-1][1:] == (
        {"title": "pluglint"},
        "11 errors, 3 warnings. GitHub shows 10 annotations of a kind; this log has all. Most frequent: delegate-unknown (14)",
    )
    assert len(commands(report(*(finding() for _ in range(10))))) == 10


# -- GitLab


def test_gitlab_is_valid(any_report):
    found = json.loads(renderer("gitlab").render(any_report))
    Draft202012Validator(schema("gitlab-code-quality.json")).validate(found)
    assert [one["check_name"] for one in found] == [one.rule for one in any_report.findings]
    assert len({one["fingerprint"] for one in found}) == len(found)


def test_gitlab_severities():
    assert [one["severity"] for one in json.loads(renderer("gitlab").render(PLAIN))] == ["major", "minor", "info"]
    assert json.loads(renderer("gitlab").render(CRASHED))[0]["severity"] == "blocker"
    assert json.loads(renderer("gitlab").render(PLAIN))[0]["location"] == {
        "path": "agents/lead.md",
        "lines": {"begin": 8, "end": 8},
    }


# -- JUnit


def junit(one: Report) -> ElementTree.Element:
    text = renderer("junit").render(one)
    xmlschema.XMLSchema(HERE / "schemas/junit-10.xsd").validate(text)
    return ElementTree.fromstring(text)


def test_junit_is_valid(any_report):
    root = junit(any_report)
    failed = [*root.iter("failure"), *root.iter("error")]
    assert len(failed) == len(any_report.findings)
    for part in (root, *root.iter("testsuite")):
        assert int(part.get("tests")) == len([*part.iter("testcase")])
        assert int(part.get("failures")) == len([*part.iter("failure")]) and int(part.get("errors")) == len(
            [*part.iter("error")]
        )


def test_junit_has_a_passed_case_for_a_clean_file():
    suites = {one.get("name"): one for one in junit(PLAIN).iter("testsuite")}
    assert [(case.get("name"), len(case)) for case in suites["agents/clean.md"]] == [("no findings", 0)]
    assert [case.get("name") for case in suites["agents/lead.md"]] == [
        "delegate-unknown:8:5",
        "delegate-unknown:9:5",
        "delegate-unknown:8:5",
    ]
    assert [one.get("type") for one in suites["agents/lead.md"].iter("failure")] == ["error", "warning", "info"]


# -- Markdown


def test_markdown_summary(any_report):
    from markdown_it import MarkdownIt

    html = MarkdownIt("commonmark").enable("table").render(renderer("markdown").render(any_report))
    assert "<a" not in html and "<b>" not in html and "@" not in html
    rows = html.count("<tr>")
    rules = len({one.rule for one in any_report.findings})
    assert rows == (min(10, rules) + 1 + min(50, len(any_report.findings)) + 1 if any_report.findings else 0)


def test_markdown_counts_and_cuts():
    many = renderer("markdown").render(report(*(finding(severity="warning") for _ in range(60)), finding()))
    lines = many.splitlines()
    assert lines[2] == "1 error, 60 warnings in 2 files; 2 suppressed; 3 known."
    assert "| delegate-unknown | 61 |" in lines and lines[-1] == "And 11 more findings."
    assert next(line for line in lines if line.startswith("| error")).startswith(
        "| error | agents/lead.md&#58;8 | no agent is called 'x' (delegate-unknown) |"
    )
    assert renderer("markdown").render(CLEAN).splitlines()[2] == "No findings in 2 files; 2 suppressed; 3 known."


# -- text


def test_statistics():
    many = report(*(finding() for _ in range(12)), finding("path-missing"))
    assert (
        renderer("text")
        .render(many, False, True)
        .endswith("; 2 suppressed; 3 known\n\n12  delegate-unknown\n 1  path-missing\n")
    )
    assert "Most frequent" not in renderer("text").render(many)
    many = report(*(finding() for _ in range(21)))
    assert renderer("text").render(many).endswith("Most frequent: delegate-unknown (21)\n")
    assert renderer("text").render(CLEAN, False, True).startswith("No findings")


# -- paths


def test_paths_begin_at_the_repository(tmp_path, monkeypatch):
    below = tmp_path / "repository/plugins"
    below.mkdir(parents=True)
    (tmp_path / "repository/.git").write_text("gitdir: elsewhere\n")  # as in a worktree or a submodule
    monkeypatch.chdir(below)
    one = from_repository(
        report(
            finding(where=place("demo/a.md"), related=(place("../README.md"),)),
            finding(where=place(str(tmp_path / "other.md"))),
            files=("demo/a.md",),
        )
    )
    assert [found.place.path for found in one.findings] == ["plugins/demo/a.md", str(tmp_path / "other.md")]
    assert (
        one.findings[0].related[0].path == "README.md"
        and list(one.files) == ["plugins/demo/a.md"]
        and one.packages[0][0] == "plugins"
    )
    (tmp_path / "repository/.git").unlink()
    assert from_repository(report(finding(where=place("demo/a.md")))).findings[0].place.path == "demo/a.md"
