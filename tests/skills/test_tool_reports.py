"""The report of a tool: exit statuses, JSON that any reader takes, and errors without a traceback."""

import contextlib
import io
import json
import math

import numpy as np
import pytest

from dltools import report
from dltools.report import CannotDecide, Finding, Report, UnusableInput


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (Report("t", "healthy"), report.CLEAN),
        (Report("t", "faults", [Finding("dead-units", "layers.0", "all units are dead")]), report.FINDINGS),
        (Report("t", "cannot-decide"), report.UNDECIDED),
    ],
)
def test_exit_status_follows_from_the_verdict(given, status, capsys):
    with pytest.raises(SystemExit) as end:
        report.finish(given, as_json=True)
    assert end.value.code == status
    assert json.loads(capsys.readouterr().out)["verdict"] == given.verdict


def test_json_holds_arrays_and_numbers_that_are_not_finite():
    values = {"norms": np.array([1.0, math.nan]), "count": np.int64(3), "largest": math.inf}
    text = Report("t", "faults", [Finding("non-finite", "loss", "nan", values)]).as_json()
    assert json.loads(text)["findings"][0]["values"] == {"norms": [1.0, "nan"], "count": 3, "largest": "inf"}


@pytest.mark.parametrize(
    ("error", "verdict", "status"),
    [
        (UnusableInput("x.csv is empty"), "unusable-input", report.USAGE),
        (CannotDecide("three steps are too few"), "cannot-decide", report.UNDECIDED),
        (ZeroDivisionError("division by zero"), "failed", report.FAILED),
    ],
)
@pytest.mark.parametrize("as_json", [True, False])
def test_errors_are_one_sentence_and_a_status(error, verdict, status, as_json, capsys):
    with pytest.raises(SystemExit) as end, report.answering("tool", as_json):
        raise error
    assert end.value.code == status
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    if as_json:
        assert json.loads(out)["verdict"] == verdict
        assert str(error) in json.loads(out)["error"]
    else:
        assert out == ""
        assert str(error) in err


def test_a_report_goes_to_the_standard_output_of_its_own_time(capsys):
    """A process that runs one tool after the other, as tests and notebooks do, may have another stream by then."""
    first = io.StringIO()
    with contextlib.redirect_stdout(first), contextlib.suppress(SystemExit), report.answering("tool", True):
        report.finish(Report("first", "healthy"), as_json=True)
    first.close()
    with pytest.raises(SystemExit):
        report.finish(Report("second", "healthy"), as_json=True)
    assert json.loads(capsys.readouterr().out)["tool"] == "second"


def test_debug_lets_unexpected_errors_through():
    with pytest.raises(ZeroDivisionError), report.answering("tool", debug=True):
        raise ZeroDivisionError


def test_write_atomic_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "report.md"
    path.write_text("old")
    report.write_atomic(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_write_atomic_says_what_to_do_when_the_folder_is_missing(tmp_path):
    with pytest.raises(UnusableInput, match="name a folder that exists"):
        report.write_atomic(tmp_path / "missing" / "report.md", "x")
