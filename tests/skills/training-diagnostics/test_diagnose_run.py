"""What diagnose_run.py says of real trainings with planted faults, of healthy ones, and of those nobody can judge."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "skills" / "training-diagnostics" / "scripts"), str(Path(__file__).resolve().parent)]

import fault_corpus  # noqa: E402
from fault_corpus import FAULTS, HEALTHY, UNDECIDABLE  # noqa: E402
from run_diagnosis.advice import ADVICE  # noqa: E402
from run_diagnosis.judge import EXPLAINS  # noqa: E402
from run_diagnosis.rules_validation import attainable, double_activation_floor  # noqa: E402


@pytest.fixture(scope="module")
def rows():
    """The test half with the answers of the tool."""
    return fault_corpus.judged("test")


def test_planted_faults_are_found(rows):
    planted = [row for row in rows if row["label"] in FAULTS]
    found = [row for row in planted if row["label"] in row["found"]]
    assert {row["label"] for row in planted} == set(FAULTS)
    assert len(found) >= 0.95 * len(planted), fault_corpus.table(rows)


def test_every_fault_has_several_planted_runs_and_most_of_them_are_found(rows):
    for fault in FAULTS:
        mine = [row for row in rows if row["label"] == fault]
        assert len(mine) >= 4, fault
        assert sum(fault in row["found"] for row in mine) >= 0.75 * len(mine), fault_corpus.table(rows)


def test_healthy_runs_are_left_alone(rows):
    healthy = [row for row in rows if row["label"] == HEALTHY]
    alarms = [row for row in healthy if row["found"]]
    assert len(healthy) >= 60
    assert len(alarms) <= len(healthy) / 60, [(row["name"], row["found"]) for row in alarms]
    # silence is not enough: a run may be called healthy only on evidence, and these have it
    assert sum(row["verdict"] == HEALTHY for row in healthy) >= 0.9 * len(healthy), fault_corpus.table(rows)


def test_what_nobody_can_decide_is_not_decided(rows):
    unknown = [row for row in rows if row["label"] == UNDECIDABLE]
    abstained = [row for row in unknown if row["verdict"] == UNDECIDABLE]
    assert len({row["kind"] for row in unknown}) == 6
    assert len(abstained) >= 0.9 * len(unknown), fault_corpus.table(rows)


def test_the_halves_share_no_data_no_network_and_no_seed():
    halves = {half: fault_corpus.plan(half) for half in ("tuning", "test")}
    for part in (lambda r: r.data, lambda r: r.arch, lambda r: r.seed):
        sets = [{part(planted.recipe) for planted in plan} for plan in halves.values()]
        assert not sets[0] & sets[1]
    assert {planted.recipe.framework for planted in halves["test"]} == {"torch", "jax"}


def test_every_fault_has_its_advice():
    assert set(ADVICE) == set(FAULTS)
    assert set(EXPLAINS) | set().union(*EXPLAINS.values()) <= set(FAULTS)


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_the_floor_of_a_softmax_applied_twice_is_the_infimum(classes):
    logits = np.full((200, classes), 0.0)
    logits[:, 0] = np.linspace(0, 60, 200)
    once = np.exp(logits - logits.max(1, keepdims=True))
    once /= once.sum(1, keepdims=True)
    twice = np.exp(once) / np.exp(once).sum(1, keepdims=True)
    losses = -np.log(twice[:, 0])
    assert np.all(losses >= double_activation_floor(classes) - 1e-12)
    assert losses[-1] == pytest.approx(double_activation_floor(classes), rel=1e-9)


@pytest.mark.parametrize(("accuracy", "classes"), [(0.9, 2), (0.6, 10), (1.0, 5), (0.25, 4)])
def test_a_constant_confidence_attains_the_stated_cross_entropy(accuracy, classes):
    right, wrong = accuracy, (1 - accuracy) / (classes - 1)
    expected = -accuracy * math.log(right) - ((1 - accuracy) * math.log(wrong) if accuracy < 1 else 0)
    assert attainable(accuracy, classes) == pytest.approx(expected)


def test_a_million_steps_stay_within_memory(tmp_path):
    path = tmp_path / "long.csv"
    bench = ROOT / "tests" / "bench" / "long_log.py"
    done = subprocess.run([sys.executable, str(bench), str(path)], capture_output=True, text=True, check=True)
    words = done.stdout.split()
    assert words[0] == "healthy"
    assert float(words[words.index("MiB") - 1]) <= 500, done.stdout
