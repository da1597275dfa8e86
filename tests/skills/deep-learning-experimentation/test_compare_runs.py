"""Comparing runs from a file: how files are understood, what is refused, and known effects."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
sys.path.insert(0, str(SCRIPTS))

import compare_runs  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402
from dltools.run_table import higher_is_better, read_runs  # noqa: E402

BASE = [0.951, 0.948, 0.955, 0.950, 0.953]
WIDE = [0.962, 0.958, 0.963, 0.957, 0.966]


def write(path, rows, header="configuration,seed,accuracy"):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def runs(**configurations):
    return [(name, seed, value) for name, values in configurations.items() for seed, value in enumerate(values)]


def report_of(path, **options):
    reading = {key: options.pop(key) for key in ("metric", "mapping", "diverged_as") if key in options}
    return compare_runs.analyse(read_runs(path, **reading), **options)


def command(*arguments):
    script = SCRIPTS / "compare_runs.py"
    return subprocess.run([sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def csv(tmp_path):
    return tmp_path / "runs.csv"


def test_a_known_effect_is_shown_and_one_that_is_not_there_is_not(csv):
    rng = np.random.default_rng(0)
    same = [BASE[0] + x for x in rng.normal(0, 0.003, 5)]
    report = report_of(write(csv, runs(base=BASE, wide=WIDE, same=same)))
    wide, other = (report.measured["comparisons"][name] for name in ("wide", "same"))
    assert (report.verdict, report.exit_status) == ("difference-shown", 0)
    assert wide["difference"] == pytest.approx(0.0098) and wide["interval"][0] > 0
    assert wide["p"] == pytest.approx(2 / 252) and wide["p_holm"] == pytest.approx(4 / 252)
    assert other["conclusion"] == "difference-not-shown"


def test_worse_than_the_baseline_is_a_finding(csv):
    report = report_of(write(csv, runs(wide=WIDE, base=BASE)), better=True)
    assert [finding.id for finding in report.findings] == ["worse-than-baseline"]
    assert report_of(csv, better=False).findings == []


def test_holm_takes_a_difference_away_that_alone_would_be_shown(csv):
    near = [x + 0.0045 for x in BASE]
    moved = [x + d for x, d in zip(BASE, (0.001, -0.001, 0, 0.0005, -0.0005), strict=True)]
    others = {f"other{i}": moved for i in range(4)}
    alone = report_of(write(csv, runs(base=BASE, near=near)))
    together = report_of(write(csv, runs(base=BASE, near=near, **others)))
    assert alone.verdict == "difference-shown" and together.verdict == "difference-not-shown"


def test_a_stated_difference_makes_it_equivalent_or_undecided(csv):
    write(csv, runs(base=BASE, same=[x + 0.0002 for x in BASE]))
    assert report_of(csv, difference=0.02, paired=False).verdict == "equivalent"
    report = report_of(csv, difference=0.001)
    assert (report.verdict, report.exit_status) == ("cannot-decide", 3)
    assert report.measured["comparisons"]["same"]["runs_needed"] > 5


def test_pairs_see_through_what_the_seeds_share(csv):
    shared = np.array([0.90, 0.95, 0.92, 0.97, 0.91, 0.94])
    gain = np.array([0.004, 0.006, 0.005, 0.0045, 0.0055, 0.005])
    write(csv, runs(base=shared, new=shared + gain))
    assert report_of(csv).verdict == "difference-not-shown"
    report = report_of(csv, paired=True)
    assert report.verdict == "difference-shown"
    assert report.measured["comparisons"]["new"]["p"] == pytest.approx(2 / 64)


def test_three_runs_are_decided_by_t_and_it_is_said(csv):
    report = report_of(write(csv, runs(base=BASE[:3], wide=WIDE[:3])))
    assert report.measured["comparisons"]["wide"]["p_method"] == "t"
    assert any("cannot give less than p = 0.1" in note for note in report.notes)


def test_one_run_each_cannot_decide(csv):
    result = command(write(csv, runs(base=BASE[:1], wide=WIDE[:1])), "--json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["verdict"], answer["findings"]) == (3, "cannot-decide", [])
    assert "spread between seeds is not known" in " ".join(answer["notes"])


def test_one_configuration_with_a_single_run_does_not_hide_the_others(csv):
    report = report_of(write(csv, runs(base=BASE, wide=WIDE, once=[0.99])))
    assert report.verdict == "difference-shown"
    assert [(finding.id, finding.where) for finding in report.findings] == [("single-run", "once")]


@pytest.mark.parametrize("word", ["nan", "", "inf", "diverged"])
def test_diverged_runs_are_a_finding(csv, word):
    report = report_of(write(csv, runs(base=BASE, wide=[*WIDE[:4], word])))
    finding = report.findings[0]
    assert (finding.id, finding.where, finding.values["diverged"]) == ("diverged-runs", "wide", 1)
    assert report.measured["comparisons"]["wide"]["n"] == 4
    counted = report_of(csv, diverged_as=0.1)
    assert counted.findings == [] and counted.measured["comparisons"]["wide"]["n"] == 5


def test_missing_seeds_are_named(csv):
    rows = [row for row in runs(base=BASE, wide=WIDE) if row[:2] != ("wide", 3)]
    report = report_of(write(csv, rows), paired=True)
    assert report.measured["comparisons"]["wide"]["n"] == 4
    assert any("left out" in note and "3 (base)" in note for note in report.notes)


def test_a_repeated_row_counts_once_and_is_named(csv):
    rows = runs(base=BASE, wide=WIDE)
    report = report_of(write(csv, [*rows, rows[0]]))
    assert report.measured["runs"]["base"]["n"] == 5
    assert any("lines 12" in note for note in report.notes)


def test_long_wide_and_mapped_files_say_the_same(tmp_path):
    wide = [(name, seed, value, 1 - value) for name, seed, value in runs(base=BASE, wide=WIDE)]
    first = write(tmp_path / "a.csv", wide, "configuration,seed,accuracy,error")
    long = [(n, s, m, v) for n, s, a, e in wide for m, v in (("accuracy", a), ("error", e))]
    second = write(tmp_path / "b.csv", long, "config,seed,metric,value")
    third = write(tmp_path / "c.csv", wide, "which,trial,acc,err")
    answers = [
        report_of(first, metric="accuracy"), report_of(second, metric="accuracy"),
        report_of(third, metric="acc", mapping={"configuration": "which", "seed": "trial"}),
    ]  # fmt: skip
    assert len({json.dumps(answer.measured["comparisons"]) for answer in answers}) == 1


def test_examples_get_a_bootstrap_of_their_own(csv):
    rng = np.random.default_rng(1)
    rows = [
        (name, seed, example, int(rng.random() < share))
        for name, share in (("base", 0.80), ("new", 0.90))
        for seed in range(3)
        for example in range(300)
    ]
    report = report_of(write(csv, rows, "configuration,seed,example,correct"))
    entry = report.measured["comparisons"]["new"]
    assert entry["n"] == 3
    assert entry["over_examples"]["examples"] == 300
    assert entry["over_examples"]["interval"][0] < entry["difference"] < entry["over_examples"]["interval"][1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("configuration,seed,accuracy\n", "no rows"),
        ("configuration,seed,accuracy\na,0,0.9\n", "one configuration only"),
        ("seed,accuracy\n0,0.9\n", "--map configuration=COLUMN"),
        ("configuration,seed,accuracy\na,0,0.9\na,1,0.9\na,2,high\n", "line 4: 'high'"),
        ("configuration,seed,accuracy\na,0\n", "line 2: 2 cells"),
        ("configuration,seed,accuracy\na,0,0.9\na,0,0.8\n", "lines 2 and 3 give different values"),
        ("configuration,seed,epoch,loss\na,0,1,0.9\na,0,2,0.8\n", "looks like a curve"),
        ("configuration,seed,accuracy,loss\na,0,0.9,1\nb,0,0.8,2\n", "several columns of numbers (accuracy, loss)"),
        ("configuration,seed,metric,value\na,0,loss,1\nb,0,acc,0.9\n", "several metrics (loss, acc)"),
        ("configuration,seed,accuracy\na,0,0.97\na,1,0.96\nb,0,97.1\nb,1,96.5\n", "fraction in some rows and per cent"),
        ("configuration,seed,accuracy\na,,0.97\n", "line 2: no seed"),
        ("configuration,seed,seed\na,1,2\n", "twice"),
    ],
)
def test_unusable_files(csv, text, message):
    csv.write_text(text)
    result = command(csv, "--json")
    assert result.returncode == 2, result
    assert message in json.loads(result.stdout)["error"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--baseline", "bsae"], "no configuration 'bsae'"),
        (["--metric", "loss"], "no column 'loss'"),
        (["--map", "config"], "role=column"),
        (["--map", "configuration=x"], "no column 'x'"),
        (["--difference", "-1"], "above 0"),
        (["--alpha", "2"], "--alpha"),
        (["--plot", "x.txt"], ".png"),
    ],
)
def test_unusable_options(csv, options, message):
    result = command(write(csv, runs(base=BASE, wide=WIDE)), *options)
    assert result.returncode == 2
    assert message in result.stderr and "Traceback" not in result.stderr


def test_without_seeds_nothing_can_be_paired(csv):
    write(csv, [(n, v) for n, _, v in runs(base=BASE, wide=WIDE)], "configuration,accuracy")
    assert report_of(csv).verdict == "difference-shown"
    with pytest.raises(UnusableInput, match="no seed column"):
        report_of(csv, paired=True)


@pytest.mark.parametrize(
    ("name", "answer"), [("val_loss", False), ("top1_acc", True), ("perplexity", False), ("x", None)]
)
def test_direction_by_name(name, answer):
    assert higher_is_better(name) is answer


def test_plot_and_text(csv, tmp_path):
    picture = tmp_path / "runs.png"
    result = command(write(csv, runs(base=BASE, wide=WIDE)), "--plot", picture)
    assert result.returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert result.stdout.startswith("compare-runs: difference-shown")
    assert "p = 0.00794 (permutation)" in result.stdout


def test_two_seeds_of_one_configuration_often_differ_by_half_a_point():
    """Why one run against one run decides nothing: small networks on digits, 20 seeds of the same configuration."""
    import warnings

    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    data, labels = load_digits(return_X_y=True)
    split = train_test_split(data / 16, labels, test_size=360, random_state=0, stratify=labels)
    accuracies = []
    for seed in range(20):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = MLPClassifier((32,), max_iter=15, learning_rate_init=0.01, random_state=seed)
            model.fit(split[0], split[2])
        accuracies.append(model.score(split[1], split[3]))
    pairs = [abs(x - y) for i, x in enumerate(accuracies) for y in accuracies[:i]]
    share = np.mean(np.asarray(pairs) > 0.005)
    print(f"share of pairs more than 0.5 points apart: {share:.3f}")
    assert 0.4 <= share <= 0.7
