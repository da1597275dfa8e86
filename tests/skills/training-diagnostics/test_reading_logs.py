"""Every kind of log is read, columns are recognised whatever their names, and bad input gets a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "skills" / "training-diagnostics" / "scripts" / "diagnose_run.py"
sys.path[:0] = [str(SCRIPT.parent), str(Path(__file__).resolve().parent)]

from corpus_logs import STYLES, Writing, write  # noqa: E402
from corpus_trainings import Recipe, Trace  # noqa: E402
from dltools.report import CannotDecide, UnusableInput  # noqa: E402
from run_diagnosis import diagnose, examine  # noqa: E402
from run_diagnosis.columns import role_of, understand  # noqa: E402
from run_diagnosis.readers import read_log  # noqa: E402


def made_up_trace(epochs: int = 20, per_epoch: int = 10) -> Trace:
    """A smooth healthy run with a little noise, for tests of reading only."""
    rng = np.random.default_rng(0)
    trace = Trace("multi", 10)
    for step in range(epochs * per_epoch):
        loss = 2.3 * np.exp(-step / 60) + 0.1 + rng.normal(0, 0.01)
        trace.steps.append({"step": step, "epoch": step // per_epoch, "loss": loss, "lr": 0.001, "grad_norm": 1 + loss})
    for epoch in range(epochs):
        last = (epoch + 1) * per_epoch - 1
        loss = 2.3 * np.exp(-last / 60) + 0.1
        trace.epochs.append(
            {
                "step": last,
                "epoch": epoch,
                "loss": loss,
                "metric": 1 - loss / 3,
                "lr": 0.001,
                "val_loss": loss + 0.05,
                "val_metric": 0.98 - loss / 3,
            }
        )
    return trace


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_run_is_read_the_same_from_every_kind_of_log(style, tmp_path):
    trace = made_up_trace()
    report, run = examine(write(trace, Recipe("", "", clip=50.0), Writing(style), tmp_path))
    assert report.verdict == "healthy", report.as_text()
    logged = trace.epochs if style == "keras" else trace.steps
    np.testing.assert_allclose(run.loss.values, [row["loss"] for row in logged], rtol=1e-6)
    np.testing.assert_allclose(run.val.values, [row["val_loss"] for row in trace.epochs], rtol=1e-6)
    np.testing.assert_allclose(run.val_metric.values, [row["val_metric"] for row in trace.epochs], rtol=1e-6)
    np.testing.assert_allclose(run.lr.values, 0.001, rtol=1e-6)
    if style != "keras":
        np.testing.assert_allclose(run.loss.steps, [row["step"] for row in logged])
        np.testing.assert_allclose(run.norm.values, [row["grad_norm"] for row in logged], rtol=1e-6)
        assert set(run.clip.values) == {50.0}
    assert "train-loss = " in report.notes[0]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("loss", "train-loss"),
        ("Loss/train", "train-loss"),
        ("train/loss_epoch", "train-loss"),
        ("eval_loss", "val-loss"),
        ("validation/epoch_loss", "val-loss"),
        ("test nll", "val-loss"),
        ("valLoss", "val-loss"),
        ("bce", "train-loss"),
        ("epoch_accuracy", "train-metric"),
        ("val_f1", "val-metric"),
        ("dev/WER", "val-metric"),
        ("lr-Adam/pg1", "lr"),
        ("optimizer/LearningRate", "lr"),
        ("grad_norm", "grad-norm"),
        ("gradients/global_norm", "grad-norm"),
        ("grad_2.0_norm_total", "grad-norm"),
        ("gnorm", "grad-norm"),
        ("max_grad_norm", "clip-threshold"),
        ("clip_frac", "clipped-fraction"),
        ("trainer/global_step", "step"),
        ("_step", "step"),
        ("Iteration", "step"),
        ("epoch", "epoch"),
        ("_runtime", ""),
        ("gpu_memory", ""),
        ("run-7 - train/loss__MIN", ""),
        ("run-7 - train/loss", "train-loss"),
    ],
)
def test_a_column_is_recognised_by_its_name(name, role):
    assert role_of(name) == role


def table(tmp_path, text, name="log.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_a_map_overrides_names_and_names_the_columns_when_it_is_wrong(tmp_path):
    rows = "".join(f"{step},{9 - step * 0.1},{step * 0.5}\n" for step in range(40))
    path = table(tmp_path, "n,alpha,loss\n" + rows)
    _, run = examine(path, {"train-loss": "alpha", "step": "n"})
    assert run.loss.name == "alpha" and run.loss.values[0] == 9
    with pytest.raises(UnusableInput, match="no such column; the columns are n, alpha, loss"):
        examine(path, {"train-loss": "beta"})
    with pytest.raises(UnusableInput, match="the roles are step, epoch, train-loss"):
        examine(path, {"training": "alpha"})


def test_an_empty_cell_is_not_logged_and_the_word_nan_is_a_value(tmp_path):
    log = read_log(table(tmp_path, "step,loss,val_loss\n0,2.0,\n1,nan,\n2,inf,1.5\n3,,1.4\n"))
    np.testing.assert_array_equal(log.columns["loss"].values, [2.0, np.nan, np.inf])
    np.testing.assert_array_equal(log.columns["loss"].rows, [0, 1, 2])
    np.testing.assert_array_equal(log.columns["val_loss"].rows, [2, 3])


def test_a_column_that_is_mostly_nan_between_values_is_not_a_fault(tmp_path):
    rows = "".join(
        f"{s},{2 * np.exp(-s / 50) + 0.1},{2 * np.exp(-s / 50) + 0.15 if s % 10 == 9 else 'nan'}\n" for s in range(200)
    )
    report = diagnose(table(tmp_path, "step,loss,val_loss\n" + rows))
    assert report.verdict == "healthy", report.as_text()
    assert any("is read as not logged" in note for note in report.notes)


def test_rows_out_of_order_are_sorted_and_repeated_steps_of_a_resume_replace_older_ones(tmp_path):
    steps = list(range(60))
    steps[20], steps[21] = steps[21], steps[20]
    understood = understand(read_log(table(tmp_path, "step,loss\n" + "".join(f"{s},{100 - s}\n" for s in steps))))
    np.testing.assert_array_equal(understood.series["train-loss"].values, 100 - np.arange(60))
    assert understood.series["train-loss"].back == []
    resumed = [(s, 100 - s) for s in range(60)] + [(s, 200 - s) for s in range(40, 90)]
    understood = understand(read_log(table(tmp_path, "step,loss\n" + "".join(f"{s},{v}\n" for s, v in resumed))))
    series = understood.series["train-loss"]
    np.testing.assert_array_equal(series.steps, np.arange(90))
    assert series.values[39] == 61 and series.values[40] == 160 and series.back == [40.0]
    np.testing.assert_array_equal(series.replaced[:, 0], np.arange(40, 60))


def test_steps_that_count_within_an_epoch_become_rows(tmp_path):
    rows = "".join(f"{epoch},{batch},{5 - epoch - batch / 10}\n" for epoch in range(5) for batch in range(10))
    understood = understand(read_log(table(tmp_path, "epoch,batch,loss\n" + rows)))
    np.testing.assert_array_equal(understood.series["train-loss"].steps, np.arange(50))
    assert any("counts within an epoch" in note for note in understood.notes)


def test_semicolons_with_decimal_commas_tabs_blanks_and_utf16(tmp_path):
    expected = [2.5, 1.5]
    for name, data in {
        "comma.csv": b"step;loss\n0;2,5\n1;1,5\n",
        "tab.tsv": b"step\tloss\n0\t2.5\n1\t1.5\n",
        "blank.txt": b"step loss\n0 2.5\n1 1.5\n",
        "wide.csv": "step,loss\n0,2.5\n1,1.5\n".encode("utf-16"),
        "bom.csv": "step,loss\r\n0,2.5\r\n1,1.5\r\n".encode("utf-8-sig"),
        "keras.json": json.dumps({"loss": [2.5, 1.5], "val_loss": [2.6, 1.7]}).encode(),
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        np.testing.assert_array_equal(read_log(path).columns["loss"].values, expected, err_msg=name)


def test_ragged_rows_are_counted_and_passed_over(tmp_path):
    log = read_log(table(tmp_path, "step,loss\n0,2\n1,1.9,7,8\n2\n3,1.8\n"))
    np.testing.assert_array_equal(log.columns["loss"].values, [2, 1.8])
    assert any(note.startswith("1 lines with more cells") for note in log.notes)


def test_a_table_without_names_asks_for_a_map(tmp_path):
    path = table(tmp_path, "".join(f"{s},{3 - s / 50}\n" for s in range(100)))
    with pytest.raises(CannotDecide, match="the columns are column1, column2"):
        examine(path)
    _, run = examine(path, {"step": "column1", "train-loss": "column2"})
    assert run.loss.values[0] == 3


def test_tensorboard_subfolders_of_keras_are_two_sides(tmp_path):
    for folder in ("train", "validation"):
        write(made_up_trace(), Recipe("", ""), Writing("tensorboard"), tmp_path / folder)
    _, run = examine(tmp_path)
    assert run.loss.name.startswith("train/") and run.val.name.startswith("validation/")


BAD = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"  \n\n", "is empty"),
    "binary.csv": (bytes(range(256)) * 40, "is not text"),
    "header.csv": (b"step,loss\n", "no rows"),
    "words.csv": (b"name,colour\nfirst,red\nsecond,blue\n", "no column of numbers"),
    "one-long-line.csv": (b"a," * 80_000, "more than 60,000 characters"),
    "broken.json": (b'{"loss": [1, 2', "cannot be read as JSON"),
    "list.json": (b"[1, 2, 3]", "no column of numbers"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_files_get_one_sentence_and_status_2(name, tmp_path):
    content, sentence = BAD[name]
    (tmp_path / name).write_bytes(content)
    done = run_script(str(tmp_path / name))
    assert done.returncode == 2 and sentence in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr


UNDECIDED = {
    "one-row.csv": (b"step,loss\n0,2.3\n", "1 rows"),
    "no-loss.csv": (b"step,speed\n" + b"".join(b"%d,7\n" % s for s in range(50)), "no column reads as a loss"),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_readable_files_without_evidence_end_with_status_3(name, tmp_path):
    content, sentence = UNDECIDED[name]
    (tmp_path / name).write_bytes(content)
    done = run_script(str(tmp_path / name))
    assert done.returncode == 3 and sentence in done.stdout + done.stderr
    shown = json.loads(run_script(str(tmp_path / name), "--json").stdout)
    assert shown["verdict"] == "cannot-decide" and shown["findings"] == []


def test_paths_and_options_that_cannot_be_meant(tmp_path):
    good = table(tmp_path, "step,loss\n" + "".join(f"{s},{3 - s / 50}\n" for s in range(100)))
    (tmp_path / "folder").mkdir()
    for arguments, sentence in [
        ([str(tmp_path / "missing.csv")], "does not exist"),
        ([str(tmp_path / "folder")], "no TensorBoard events"),
        ([str(good), "--map", "train-loss"], "write ROLE=COLUMN"),
        ([str(good), "--map", "train-loss=nothing"], "no such column"),
        ([str(good), "--num-classes", "1"], "at least 2 classes"),
        ([str(good), "--plot", str(tmp_path / "curves.txt")], "must end in .png or .svg"),
        ([str(good), "--markdown", str(tmp_path / "none" / "report.md")], "cannot write"),
    ]:
        done = run_script(*arguments)
        assert done.returncode == 2 and sentence in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_several_files_or_runs_in_a_folder_are_not_guessed_at(tmp_path):
    table(tmp_path, "step,loss\n0,1\n", "a.csv")
    table(tmp_path, "step,loss\n0,1\n", "b.csv")
    with pytest.raises(UnusableInput, match="2 log files"):
        read_log(tmp_path)
    for run in ("one", "two"):
        write(made_up_trace(), Recipe("", ""), Writing("mlflow"), tmp_path / run)
    with pytest.raises(UnusableInput, match="2 MLflow runs"):
        read_log(tmp_path)
    assert read_log(tmp_path / "one").format == "MLflow metrics"


def test_json_markdown_and_plot_of_a_faulty_run(tmp_path):
    trace = made_up_trace()
    for row in trace.steps[120:]:
        row["loss"] = float("nan")
    path = write(trace, Recipe("", ""), Writing("csv"), tmp_path)
    report, picture, drawing = tmp_path / "report.md", tmp_path / "curves.png", tmp_path / "curves.svg"
    done = run_script(str(path), "--json", "--markdown", str(report), "--plot", str(picture))
    assert done.returncode == 1, done.stderr
    shown = json.loads(done.stdout)
    assert shown["verdict"] == "faults" and [finding["id"] for finding in shown["findings"]] == ["non-finite"]
    finding = shown["findings"][0]
    assert finding["fault"] == "non-finite" and finding["where"] == "train_loss"
    assert finding["values"]["first_step"] == 120 and finding["steps"][0] == 120
    assert finding["how_sure"]["class"] == "decided" and finding["how_sure"]["why"]
    for key in ("message", "alternatives", "next_measurement", "next_step", "fix", "check"):
        assert finding[key], key
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    text = report.read_text()
    assert "## non-finite" in text and "| first step | 120 |" in text
    assert run_script(str(path), "--plot", str(drawing)).returncode == 1
    assert "<!-- non-finite -->" in drawing.read_text()


def test_no_log_of_odd_numbers_ends_in_an_exception(tmp_path):
    """Constants, infinities, gaps, huge and negative values, one row to two hundred: always a report or a sentence."""
    names = ["step", "epoch", "loss", "val_loss", "acc", "val_acc", "lr", "grad_norm", "clip_norm", "clip_frac"]
    path, verdicts = tmp_path / "odd.csv", set()
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = int(rng.choice([1, 2, 3, 5, 8, 13, 35, 60, 200]))
        columns = {}
        for name in names:
            kinds = [
                np.zeros(rows), np.ones(rows), rng.normal(size=rows), np.arange(rows)[::-1], np.exp(-np.arange(rows) / 5),
                1e300 * rng.normal(size=rows), np.arange(rows),
            ]  # fmt: skip
            if rng.random() < 0.7:
                cells = [repr(float(value)) for value in kinds[rng.integers(len(kinds))]]
                odd = rng.random(rows)
                columns[name] = [
                    "" if part < 0.05 else "nan" if part < 0.08 else "-inf" if part < 0.1 else cell
                    for cell, part in zip(cells, odd, strict=True)
                ]
        lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
        path.write_text("\n".join(lines) + "\n")
        try:
            report = diagnose(path)
        except UnusableInput:
            continue
        json.loads(report.as_json())
        verdicts.add(report.verdict)
    assert {"faults", "cannot-decide"} <= verdicts
