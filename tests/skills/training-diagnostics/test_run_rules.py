"""The limits that the rules state, at their edges, and traces that look like a fault and are none."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "skills" / "training-diagnostics" / "scripts")]

from run_diagnosis.columns import Series, Understood  # noqa: E402
from run_diagnosis.features import Run, noise, pieces, slope  # noqa: E402
from run_diagnosis.judge import RULES, reasons  # noqa: E402
from run_diagnosis.rules_validation import attainable, double_activation_floor  # noqa: E402

STEPS = np.arange(1000.0)
NOISE = np.random.default_rng(0).normal(0, 0.02, 1000)
FALLING = 2.2 * np.exp(-STEPS / 150) + 0.2 + NOISE


def run_of(loss=FALLING, classes=None, **others):
    """A run of a thousand steps, an epoch every 50, with validation and a constant learning rate unless given."""
    series = {
        "train-loss": Series("loss", STEPS, np.asarray(loss, float)),
        "epoch": Series("epoch", STEPS, STEPS // 50),
    }
    given = {"val-loss": 2.2 * np.exp(-STEPS[49::50] / 150) + 0.25, "lr": np.full(1000, 1e-3), **others}
    for role, values in given.items():
        if values is not None:
            steps = STEPS if len(values) == 1000 else STEPS[49::50]
            series[role] = Series(role, steps, np.asarray(values, float))
    return Run(Understood(series, {role: one.name for role, one in series.items()}, [], []), classes)


def found(run):
    return {seen.fault for rule in RULES if (seen := rule(run)) is not None}


def test_the_plain_run_is_healthy():
    run = run_of()
    assert found(run) == set() and reasons(run) == []


def test_clipping_is_called_when_more_than_half_of_the_steps_are_clipped():
    for part, expected in ((0.45, set()), (0.55, {"clipping-always-active"})):
        norms = np.where(np.random.default_rng(1).permutation(1000) < part * 1000, 3.0, 0.5)
        threshold = np.full(1000, 1.0)
        assert found(run_of(**{"grad-norm": norms, "clip-threshold": threshold})) == expected
        assert found(run_of(**{"grad-norm": np.minimum(norms, 1.0)})) == expected
        assert found(run_of(**{"clipped-fraction": (norms > 1).astype(float)})) == expected


def test_a_plateau_is_called_from_a_fifth_of_the_run():
    for length, expected in ((100, set()), (300, {"plateau"})):
        # progress stands still for `length` steps from step 200 on
        progress = np.where(STEPS < 200, STEPS, np.where(STEPS < 200 + length, 200, STEPS - length))
        curve = 2.2 * np.exp(-progress / 150) + 0.05
        run = run_of(curve + NOISE / 4, **{"val-loss": curve[49::50] + 0.03})
        assert found(run) == expected, length


def test_a_fall_at_a_cut_of_the_learning_rate_is_no_plateau():
    curve = np.where(STEPS < 500, 0.8 + 1.4 * np.exp(-STEPS / 40), 0.2 + 0.6 * np.exp(-(STEPS - 500) / 60))
    rate = np.where(STEPS < 500, 0.1, 0.01)
    assert found(run_of(curve + NOISE, **{"val-loss": curve[49::50] + 0.03, "lr": rate})) == set()
    unknown = run_of(curve + NOISE, **{"val-loss": curve[49::50] + 0.03, "lr": None})
    assert found(unknown) == set() and any("log the learning rate" in reason for reason in reasons(unknown))


def test_a_wrong_answer_costs_at_least_ln_2():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 3, (5000, 7))
    probability = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    labels = rng.integers(0, 7, 5000)
    losses = -np.log(probability[np.arange(5000), labels])
    wrong = probability.argmax(1) != labels
    assert losses[wrong].min() >= math.log(2)
    assert losses.mean() >= wrong.mean() * math.log(2)


def test_an_accuracy_below_what_the_loss_allows_is_decided():
    curve = 2.2 * np.exp(-STEPS / 100) + 0.02

    def answers(metric, classes):
        run = run_of(curve, classes, **{"val-loss": curve[49::50] + 0.03, "val-metric": metric})
        return [(seen.fault, seen.sure) for rule in RULES if (seen := rule(run)) is not None]

    assert answers(np.full(20, 0.4), 10) == [("constant-metric", "decided")]
    # the bound holds for an accuracy; of another metric only the standstill is known
    assert answers(np.full(20, 0.4), None) == [("constant-metric", "likely")]
    assert answers(np.linspace(0.4, 0.41, 20), 10) == []


def test_infinite_gradient_norms_between_ordinary_ones_are_loss_scaling():
    norms = 1 + np.random.default_rng(5).random(1000)
    norms[[30, 400]] = np.inf
    run = run_of(**{"grad-norm": norms})
    assert found(run) == set() and any("loss scaling" in note for note in run.understood.notes)
    norms[600:] = np.nan
    assert "non-finite" in found(run_of(**{"grad-norm": norms}))


def test_one_loss_that_is_not_finite_is_likely_and_an_end_that_is_not_is_decided():
    for rows, sure in ((slice(500, 501), "likely"), (slice(500, None), "decided")):
        loss = FALLING.copy()
        loss[rows] = np.nan
        first = next(seen for rule in RULES if (seen := rule(run_of(loss))) is not None)
        assert (first.fault, first.sure, first.values["first_step"]) == ("non-finite", sure, 500)


def test_a_bump_at_a_warm_restart_is_no_jump_and_without_the_learning_rate_nobody_knows():
    curve = FALLING.copy()
    curve[500:] += 1.2 * np.exp(-(STEPS[500:] - 500) / 80)
    rate = 1e-3 * np.where(STEPS < 500, 1 - STEPS / 505, 1 - (STEPS - 500) / 505)
    assert "resume-jump" not in found(run_of(curve, lr=rate))
    assert "resume-jump" in found(run_of(curve))
    unknown = run_of(curve, lr=None)
    assert found(unknown) == set() and any("warm restart" in reason for reason in reasons(unknown))


def test_spikes_need_not_reach_the_start_and_carry_their_period():
    loss = 6.0 * np.exp(-STEPS / 150) + 2.5 + NOISE
    loss[200::150] += 1.8
    seen = next(s for rule in RULES if (s := rule(run_of(loss, **{"val-loss": None}))) is not None)
    assert seen.fault == "loss-spikes" and seen.values["period"] == 150 and seen.values["steps_per_epoch"] == 50
    heavy = 0.02 * np.exp(np.random.default_rng(2).normal(0, 1.2, 1000)) + 2.2 * np.exp(-STEPS / 60)
    assert "loss-spikes" not in found(run_of(heavy))


def test_chance_needs_the_classes_or_a_metric_where_the_untrained_loss_is_elsewhere():
    loss = 2.35 + NOISE
    assert "loss-at-chance" in found(run_of(loss, classes=10, **{"val-loss": np.full(20, 2.35)}))
    assert found(run_of(loss - np.linspace(0, 1.5, 1000), classes=10)) & {"loss-at-chance"} == set()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_nothing_depends_on_the_unit_of_the_gradient_norm(scale):
    norms = np.abs(np.random.default_rng(3).normal(1, 0.3, 1000)) + 0.1
    assert found(run_of(**{"grad-norm": scale * norms})) == set()


def test_noise_is_that_of_the_rows_and_not_of_the_trend():
    rng = np.random.default_rng(4)
    assert noise(np.linspace(0, 500, 4000) + rng.normal(0, 0.5, 4000)) == pytest.approx(0.5, rel=0.1)
    assert noise(np.array([1.0])) == 0.0
    trend, low, high = slope(pieces(Series("x", STEPS, -0.01 * STEPS + NOISE)), 0.0, 1.0)
    assert low <= trend <= high and trend == pytest.approx(-0.01, rel=0.01)


def test_pieces_have_equal_length_in_steps_where_the_logging_interval_changes():
    steps = np.concatenate([np.arange(100.0), np.arange(100, 1000, 100)])
    cut = pieces(Series("x", steps, steps), 10)
    assert list(cut.counts) == [91, 10, 1, 1, 1, 1, 1, 1, 1, 1]


def test_floor_and_attainable_loss_agree_with_known_values():
    assert double_activation_floor(2) == pytest.approx(-math.log(1 / (1 + math.exp(-1))))
    assert attainable(1.0, 10) == 0.0
    assert attainable(0.5, 2) == pytest.approx(math.log(2))
