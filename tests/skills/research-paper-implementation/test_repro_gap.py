"""Gaps to a paper: coverage and level by simulation, values by hand and by scipy, files, refusals, checks."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import stats

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/research-paper-implementation/scripts"
sys.path.insert(0, str(SCRIPTS))

import repro_gap  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402
from repro_gap import Reported, error_of_gap, gap_interval, reported_number, seeds_that_decide  # noqa: E402

DRAWS = 20_000
RUNS = [0.951, 0.948, 0.955, 0.950, 0.953]


def command(*arguments):
    script = SCRIPTS / "repro_gap.py"
    return subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "runs.csv"

    def write(values=RUNS, header="seed,accuracy"):
        path.write_text("\n".join([header, *(f"{seed},{value}" for seed, value in enumerate(values))]) + "\n")
        return path

    return write


def judged(values, reported, **options):
    report = repro_gap.analyse(
        {"accuracy": dict(enumerate(map(float, values)))}, {"accuracy": reported}, better={"accuracy": True}, **options
    )
    return report, report.measured["metrics"]["accuracy"]


# -- simulations


def drawn(law, shape, rng):
    """Values with the mean 0.9 of a metric."""
    if law == "normal":
        return rng.normal(0.9, 0.01, shape)
    # an accuracy on 500 examples of a model whose own quality varies between seeds
    return rng.binomial(500, np.clip(rng.normal(0.9, 0.005, shape), 0, 1)) / 500


def coverage(law, ours, paper_runs, tells_sd, seed, digits=None, true_gap=0.02):
    """The share of 20,000 reproductions whose 95 % interval holds the true gap."""
    rng = np.random.default_rng(seed)
    mine = drawn(law, (DRAWS, ours), rng) + true_gap
    paper = drawn(law, (DRAWS, paper_runs), rng)
    value, unit = paper.mean(1), 0.0
    if digits is not None:
        value, unit = np.round(value, digits), 10.0**-digits
    sd = mine.std(1, ddof=1) if ours > 1 else np.full(DRAWS, math.nan)
    # the fields of Reported may be arrays as well: one paper for each draw
    reported = Reported(value, unit, paper.std(1, ddof=1) if tells_sd else None, paper_runs)
    error, freedom = error_of_gap(np.full(DRAWS, ours), sd, reported)
    _, low, high = gap_interval(mine.mean(1), error, freedom, reported)
    return float(np.mean((low <= true_gap) & (true_gap <= high)))


@pytest.mark.parametrize("law", ["normal", "accuracy"])
@pytest.mark.parametrize(
    ("ours", "paper_runs", "tells_sd"),
    [(3, 1, False), (5, 1, False), (10, 1, False), (5, 3, False), (5, 5, True), (10, 5, True), (5, 10, True),
     (10, 10, True), (1, 5, True)],
)  # fmt: skip
def test_the_interval_covers_the_true_gap(law, ours, paper_runs, tells_sd):
    assert 0.94 <= coverage(law, ours, paper_runs, tells_sd, seed=ours * 10 + paper_runs) <= 0.96


# Welch's interval with very few runs: too wide with three on both sides, too narrow with three against many
@pytest.mark.parametrize(("ours", "theirs"), [(3, 3), (3, 5), (5, 3), (10, 3), (20, 3)])
def test_with_fewer_than_five_runs_on_a_side_welch_covers_92_to_97_percent(ours, theirs):
    assert 0.915 <= coverage("normal", ours, theirs, True, seed=ours) <= 0.97


@pytest.mark.parametrize("digits", [4, 3, 2])
def test_rounded_digits_do_not_break_the_coverage(digits):
    # sd 0.01: the last case rounds to one standard deviation
    assert 0.94 <= coverage("normal", 5, 1, False, seed=digits, digits=digits) <= 0.965


def test_the_plain_t_interval_would_call_noise_a_gap():
    rng = np.random.default_rng(3)
    mine, paper = rng.normal(size=(DRAWS, 5)), rng.normal(size=DRAWS)
    half = stats.t.ppf(0.975, 4) * mine.std(1, ddof=1) / math.sqrt(5)
    assert np.mean(np.abs(mine.mean(1) - paper) <= half) < 0.75


@pytest.mark.parametrize("runs", [1, 3])
def test_the_number_of_seeds_gives_the_planned_power(runs):
    gap, sd = 4.0 if runs == 1 else 2.0, 1.0
    n = seeds_that_decide(gap, sd, Reported(0.0, 0.0, None, runs))
    rng = np.random.default_rng(5)
    mine, paper = rng.normal(gap, sd, (DRAWS, n)), rng.normal(0, sd, (DRAWS, runs)).mean(1)
    error, freedom = error_of_gap(np.full(DRAWS, n), mine.std(1, ddof=1), Reported(0.0, 0.0, None, runs))
    shown = np.mean(np.abs(mine.mean(1) - paper) > error * stats.t.ppf(0.975, freedom))
    assert 0.79 <= shown and n < 20


def test_the_number_of_seeds_for_a_margin_gives_the_planned_power():
    sd, margin, reported = 1.0, 1.0, Reported(0.0, 0.0, 0.5, 10)
    n = seeds_that_decide(0.0, sd, reported, margin=margin)
    rng = np.random.default_rng(6)
    mine, paper = rng.normal(0, sd, (DRAWS, n)), rng.normal(0, 0.5, (DRAWS, 10))
    theirs = Reported(paper.mean(1), 0.0, paper.std(1, ddof=1), 10)
    error, freedom = error_of_gap(np.full(DRAWS, n), mine.std(1, ddof=1), theirs)
    _, low, high = gap_interval(mine.mean(1), error, freedom, theirs, alpha=0.1)
    assert 0.76 <= np.mean((-margin < low) & (high < margin)) <= 0.9


# -- by hand


def test_one_reported_run_gives_the_prediction_interval():
    values = np.array(RUNS)
    _, entry = judged(RUNS, Reported(0.96, 0.0))
    half = stats.t.ppf(0.975, 4) * values.std(ddof=1) * math.sqrt(1 + 1 / 5)
    assert entry["half_width"] == pytest.approx(half)
    assert entry["interval"] == pytest.approx([values.mean() - 0.96 - half, values.mean() - 0.96 + half])


def test_the_interval_for_an_exact_value_is_that_of_scipy():
    _, entry = judged(RUNS, Reported(0.96, 0.0))
    low, high = stats.ttest_1samp(RUNS, 0.96).confidence_interval(0.95)
    assert entry["interval_if_exact"] == pytest.approx([low - 0.96, high - 0.96])


def test_with_the_papers_spread_it_is_welchs_test_of_scipy():
    _, entry = judged(RUNS, Reported(0.956, 0.0, 0.002, 4))
    test = stats.ttest_ind_from_stats(np.mean(RUNS), np.std(RUNS, ddof=1), 5, 0.956, 0.002, 4, equal_var=False)
    assert entry["p"] == pytest.approx(test.pvalue)


def test_rounding_adds_the_variance_of_a_uniform_error():
    error, freedom = error_of_gap(4, 0.0, Reported(0.9, 0.1))
    assert error == pytest.approx(0.1 / math.sqrt(12)) and freedom == math.inf


@pytest.mark.parametrize(
    ("text", "value", "rounding"),
    [("27.3", 27.3, 0.1), ("27.30", 27.3, 0.01), ("65000000", 65e6, 1), ("3.3e+18", 3.3e18, 1e17), ("1,024", 1024, 1)],
)
def test_the_printed_digits_tell_the_rounding(text, value, rounding):
    assert reported_number(text) == Reported(value, pytest.approx(rounding))


# -- verdicts


@pytest.mark.parametrize(
    ("values", "reported", "options", "verdict", "finding"),
    [
        (RUNS, Reported(0.953, 0.001), {}, "inside-seed-noise", None),
        (RUNS, Reported(0.972, 0.001), {}, "gap", "worse-than-reported"),
        (RUNS, Reported(0.92, 0.001), {}, "gap", "better-than-reported"),
        (RUNS, Reported(0.953, 0.001), {"margin": 0.01}, "within-margin", None),
        (RUNS, Reported(0.953, 0.001), {"margin": 0.002}, "cannot-decide", None),
        # a gap that is shown, and too small to matter
        (RUNS * 4, Reported(0.948, 0.0, 0.002, 20), {}, "gap", "better-than-reported"),
        (RUNS * 4, Reported(0.948, 0.0, 0.002, 20), {"margin": 0.01}, "within-margin", None),
        (RUNS[:2], Reported(0.953, 0.001), {}, "cannot-decide", None),
        (RUNS[:2], Reported(0.7, 0.001), {}, "gap", "better-than-reported"),
        (RUNS[:1], Reported(0.953, 0.001), {}, "cannot-decide", None),
        (RUNS[:1], Reported(0.972, 0.001, 0.002, 5), {}, "gap", "worse-than-reported"),
        ([0.95] * 5, Reported(0.972, 0.001), {}, "cannot-decide", None),
    ],
)
def test_verdicts(values, reported, options, verdict, finding):
    report, _ = judged(values, reported, **options)
    assert report.verdict == verdict
    assert [f.id for f in report.findings] == ([finding] if finding else [])
    assert bool(report.measured["checks"]) == (verdict == "gap")


def test_it_says_how_many_seeds_would_decide_or_that_none_would():
    report, entry = judged(RUNS[:2], Reported(0.94, 0.001))
    assert entry["seeds_that_decide"] == seeds_that_decide(entry["gap"], entry["sd"], Reported(0.94, 0.001))
    assert f"takes about {entry['seeds_that_decide']} seeds" in report.notes[-1]
    report, entry = judged(RUNS, Reported(0.953, 0.001))
    assert entry["seeds_that_decide"] is None and "No number of our seeds" in report.notes[-1]


def test_several_metrics_are_corrected_together():
    values = dict(enumerate([1.0, 2.0, 3.0, 4.0, 5.0]))
    # alone p = 0.04, and with four others 0.2
    paper = {"a": Reported(-2.2, 0.0), **{name: Reported(3.0, 0.0) for name in "bcde"}}

    def verdict(names):
        return repro_gap.analyse(
            {name: values for name in names}, {name: paper[name] for name in names}, better=dict.fromkeys(names)
        )

    assert verdict("a").verdict == "gap" and verdict("a").findings[0].id == "differs-from-reported"
    assert verdict("abcde").verdict == "inside-seed-noise"


def test_diverged_runs_are_a_finding():
    report, entry = judged([*RUNS, math.nan], Reported(0.953, 0.001))
    assert (report.verdict, entry["n"]) == ("inside-seed-noise", 5)
    assert [(f.id, f.values["diverged"]) for f in report.findings] == [("diverged-runs", 1)]


# -- checks


def test_checks_are_complete_and_the_cheapest_come_first():
    checks = yaml.safe_load(repro_gap.CHECKS.read_text())
    costs = ["reading", "one evaluation", "one run", "several runs"]
    order = [costs.index(check["cost"]) for check in checks]
    assert order == sorted(order)
    assert len({check["id"] for check in checks}) == len(checks)
    for check in checks:
        assert set(check) == {"id", "cost", "explains", "size", "check", "how"}
        assert check["explains"] and set(check["explains"]) <= {"worse", "better"}
        assert check["size"] in ("any", "small")


def test_checks_follow_the_direction_and_size_of_the_gap():
    def ids(reported):
        report, _ = judged(RUNS, Reported(reported, 0.001))
        return {check["id"] for check in report.measured["checks"]}, report.notes

    worse, better = ids(0.972)[0], ids(0.93)[0]
    assert "evaluation-mode" in worse and "evaluation-mode" not in better
    assert "leak" in better and "leak" not in worse
    assert {"data-order", "precision"} <= worse
    far, notes = ids(0.999)
    assert "data-order" not in far and "left out" in notes[-1] and "data-order" in notes[-1]


# -- files and the command


SPEC = """\
reported:
  accuracy: {value: 0.9720, unit: fraction, place: table 1, status: stated}
  f1: {value: 0.95, sd: 0.01, runs: 5, unit: fraction, place: table 1, status: conflict, note: the text says 0.96}
"""


def test_a_specification_and_a_csv_file_say_the_same(tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "paper.csv").write_text("metric,value,sd,runs\naccuracy,0.9720,,\nf1,0.95,0.01,5\n")
    spec, table = (repro_gap.read_paper(tmp_path / name) for name in ("spec.yaml", "paper.csv"))
    assert spec["accuracy"] == table["accuracy"] == Reported(0.972, pytest.approx(0.0001))
    assert (spec["f1"].sd, spec["f1"].runs) == (table["f1"].sd, table["f1"].runs) == (0.01, 5)
    assert "the text says 0.96" in spec["f1"].note


@pytest.mark.parametrize("spec", sorted((ROOT / "skills/research-paper-implementation/assets/specs").glob("*.yaml")))
def test_the_specifications_that_we_ship_are_read(spec):
    numbers = repro_gap.read_paper(spec)
    assert numbers and all(math.isfinite(one.value) for one in numbers.values())


def test_command_line(csv, tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    done = command(csv(header="trial,acc"), "--paper", tmp_path / "spec.yaml", "--metric", "acc=accuracy",
                   "--map", "seed=trial", "--json")  # fmt: skip
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["verdict"], done.stderr) == (1, "gap", "")
    assert answer["measured"]["checks"][0]["cost"] == "reading"
    text = command(csv(), "--reported", "0.972").stdout
    assert "worse-than-reported" in text and "check, one evaluation: the authors' weights" in text
    done = command(csv(RUNS[:1]), "--reported", "0.953")
    assert done.returncode == 3 and "Run at least 3" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either by --reported NUMBER or by --paper FILE"),
        (["--reported", "97.2"], "one is a fraction, the other in per cent"),
        (["--reported", "high"], "not all of them are numbers"),
        (["--reported", "nan"], "is not finite"),
        (["--reported", "0.9", "--sd", "0.1"], "needs the number of the paper's runs"),
        (["--reported", "0.9", "--sd", "0", "--runs", "3"], "sd is 0"),
        (["--reported", "0.9", "--runs", "0"], "runs is 0"),
        (["--reported", "0.9", "--margin", "-1"], "--margin is -1"),
        (["--reported", "0.9", "--alpha", "2"], "--alpha is 2"),
        (["--reported", "0.9", "--metric", "f1"], "no column 'f1'"),
        (["--reported", "0.9", "--configuration", "big"], "choose one of ours"),
        (["--reported", "0.9", "--map", "seed"], "write role=column"),
        (["--paper", "none.yaml"], "cannot read"),
    ],
)
def test_unusable_arguments(csv, arguments, message, capsys):
    from typer.testing import CliRunner

    done = CliRunner().invoke(repro_gap.app, [str(csv()), *arguments])
    assert done.exit_code == 2 and message in done.output


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.yaml", "reported: {accuracy: {unit: fraction}}", "accuracy: has no value"),
        ("p.yaml", "reported: []", "holds no reported numbers"),
        ("p.yaml", "a: [", "is not YAML"),
        ("p.yaml", "accuracy: {value: 0.9, sd: 0.1}", "p.yaml: accuracy: a standard deviation needs"),
        ("p.csv", "name,number\na,1\n", "needs a header with metric, value"),
        ("p.yaml", "f1: {value: 0.9}", "by --metric COLUMN"),
    ],
)
def test_unusable_papers(csv, tmp_path, name, text, message):
    from typer.testing import CliRunner

    (tmp_path / name).write_text(text)
    done = CliRunner().invoke(repro_gap.app, [str(csv()), "--paper", str(tmp_path / name)])
    assert done.exit_code == 2 and message in done.output


def test_an_unknown_id_is_named_with_those_there_are(csv, tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    done = command(csv(), "--paper", tmp_path / "spec.yaml", "--metric", "accuracy=top1")
    assert done.returncode == 2 and "reports no 'top1'; it has accuracy, f1" in done.stderr


def test_a_value_without_digits_is_refused():
    with pytest.raises(UnusableInput, match="not all of them are numbers"):
        reported_number("about 97")
