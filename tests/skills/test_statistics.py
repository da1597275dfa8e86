"""The statistics of runs: level, coverage and power by simulation, exact values by hand and by scipy."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from dltools import statistics

SIMULATIONS = 2000


def rejected(n, paired, shift=0.0, seed=2, simulations=SIMULATIONS):
    """The share of simulations in which two normal samples are told apart at 5 %."""
    rng = np.random.default_rng(seed)
    # 399 drawn assignments, or all 2^10 sign patterns: the attainable levels are 5.0 and 4.9 %
    draws = 1024 if paired else 399
    p = [
        statistics.compare(rng.normal(size=n), rng.normal(shift, size=n), paired=paired, resamples=draws, seed=i).p
        for i in range(simulations)
    ]
    return float(np.mean(np.asarray(p) <= 0.05))


# 2,000 simulations scatter by half a point around the true level.
# Welch's t test with three runs a side errs on the safe side; with more runs and with pairs the level is kept
@pytest.mark.parametrize(
    ("n", "paired", "low", "high"),
    [(3, False, 0.02, 0.05), (5, False, 0.04, 0.06), (10, False, 0.04, 0.06), (3, True, 0.04, 0.06),
     (5, True, 0.04, 0.06), (10, True, 0.04, 0.06)],
)  # fmt: skip
def test_type_one_error(n, paired, low, high):
    assert low <= rejected(n, paired) <= high


def intervals(draw, n, paired, scale=1.0):
    """Coverage of the 95 % interval of a true difference of 0, over 20,000 draws of two samples."""
    first, second = draw((20_000, n)), draw((20_000, n)) * scale
    # the same two formulas as in `compare`, for all draws at once; one of them is checked against it below
    if paired:
        d = second - first
        half = stats.t.ppf(0.975, n - 1) * d.std(axis=1, ddof=1) / math.sqrt(n)
        return float(np.mean(np.abs(d.mean(axis=1)) <= half))
    v, w = first.var(axis=1, ddof=1) / n, second.var(axis=1, ddof=1) / n
    freedom = (v + w) ** 2 / ((v**2 + w**2) / (n - 1))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(v + w)
    return float(np.mean(np.abs(second.mean(axis=1) - first.mean(axis=1)) <= half))


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("name", ["normal", "uniform", "accuracy"])
def test_paired_interval_covers_95_percent(n, name):
    rng = np.random.default_rng(1)
    draws = {
        "normal": rng.standard_normal,
        "uniform": lambda size: rng.uniform(-1, 1, size),
        # accuracies of about 0.95 on 360 test examples
        "accuracy": lambda size: rng.binomial(360, 0.95, size) / 360,
    }
    assert 0.94 <= intervals(draws[name], n, paired=True) <= 0.96


@pytest.mark.parametrize(("n", "scale", "low", "high"), [
    (5, 1, 0.94, 0.96), (10, 1, 0.94, 0.96), (5, 3, 0.94, 0.96), (10, 3, 0.94, 0.96), (3, 1, 0.96, 0.975),
    (3, 3, 0.94, 0.96),
])  # fmt: skip
def test_welch_interval_covers_95_percent_also_with_unequal_spread(n, scale, low, high):
    rng = np.random.default_rng(2)
    assert low <= intervals(rng.standard_normal, n, paired=False, scale=scale) <= high


def test_bca_over_seeds_would_be_too_narrow():
    """Why the interval over seeds is not a bootstrap."""
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        values = rng.normal(size=(2, 5))
        interval = stats.bootstrap(
            values, statistics._mean_difference, vectorized=True, n_resamples=999, method="BCa", rng=rng
        ).confidence_interval
        covered += interval.low <= 0 <= interval.high
    assert covered / 300 < 0.92


@pytest.mark.parametrize("n", [100, 400])
def test_bootstrap_over_examples_covers(n):
    """Differences of right and wrong answers: -1, 0 and 1."""
    rng = np.random.default_rng(4)
    covered = 0
    for i in range(600):
        values = rng.choice([-1.0, 0.0, 1.0], n, p=[0.1, 0.75, 0.15])
        low, high = statistics.bootstrap_mean(values, resamples=999, seed=i)
        covered += low <= 0.05 <= high
    assert 0.93 <= covered / 600 <= 0.97


def test_compare_agrees_with_scipy():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=6), rng.normal(0.5, 2, size=9)
    result = statistics.compare(a, b)
    welch = stats.ttest_ind(b, a, equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert (result.p_t, result.low, result.high) == pytest.approx((welch.pvalue, interval.low, interval.high))
    pairs = statistics.compare(a, b[:6], paired=True)
    student = stats.ttest_rel(b[:6], a)
    interval = student.confidence_interval(0.95)
    assert (pairs.p_t, pairs.low, pairs.high) == pytest.approx((student.pvalue, interval.low, interval.high))


def test_permutation_by_hand():
    # 1, 2, 3 against 4, 5, 6: only the two extreme ones of C(6, 3) = 20 assignments are as far apart
    result = statistics.compare([1, 2, 3], [4, 5, 6])
    assert (result.p_permutation, result.exact, result.smallest_p) == (pytest.approx(0.1), True, 0.1)
    assert result.p_method == "t"
    # all six differences are positive: 2 of 2^6 sign patterns
    result = statistics.compare([1, 2, 3, 4, 5, 6], [2, 4, 4, 7, 6, 8], paired=True)
    assert (result.p, result.p_method) == (pytest.approx(2 / 64), "permutation")


def test_known_effect_is_found_with_the_planned_power():
    n = statistics.runs_needed(1.5, 1.0, paired=False)
    assert n == 9
    assert 0.75 <= rejected(n, False, shift=1.5, seed=6, simulations=700) <= 0.85


@pytest.mark.parametrize(
    ("difference", "paired", "n"), [(0.5, False, 64), (0.5, True, 34), (0.8, False, 26), (5, False, 4), (5, True, 6)]
)
def test_runs_needed(difference, paired, n):
    """64 and 26 a side are in Cohen (1988), table 2.4.1; with large effects the permutation test needs 4 and 6."""
    assert statistics.runs_needed(difference, 1.0, paired=paired) == n


def test_runs_needed_gives_up():
    assert statistics.runs_needed(1e-6, 1.0, paired=True) is None


def test_holm_by_hand():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([0.6, 0.9]) == [1.0, 1.0]


def test_hedges_g_by_hand():
    # means 2 and 4, both variances 1, four degrees of freedom: J = 0.7979
    assert statistics.effect_size([1, 2, 3], [3, 4, 5], False) == pytest.approx(2 * 0.79788, abs=1e-4)
    assert math.isnan(statistics.effect_size([1, 1, 1], [2, 2, 2], False))


def test_values_without_spread_have_no_interval_and_still_a_permutation_test():
    result = statistics.compare([1.0] * 4, [2.0] * 4)
    assert math.isnan(result.low) and math.isnan(result.p_t)
    assert (result.p, result.p_method) == (pytest.approx(2 / 70), "permutation")
    # the same value up to rounding
    assert statistics.compare([0.1 + 0.2] * 4, [0.3] * 4).p == 1.0


@pytest.mark.parametrize("bad", [([1], [1, 2]), ([1, math.nan], [1, 2]), ([[1, 2]], [1, 2])])
def test_unusable_values(bad):
    with pytest.raises(ValueError, match="value"):
        statistics.compare(*bad)


def test_few_examples_get_no_bootstrap():
    with pytest.raises(ValueError, match="100 are needed"):
        statistics.bootstrap_mean(range(10))


class TestPairedProportions:
    def test_bounds_without_any_difference_are_known_in_closed_form(self):
        """With no discordant pair the score equation is n d / (1 - d) = z^2."""
        z = stats.norm.ppf(0.975)
        low, high = statistics.paired_proportions(0, 0, 360)
        assert high == pytest.approx(z**2 / (360 + z**2), abs=1e-6)
        assert low == pytest.approx(-high)

    @pytest.mark.parametrize(("gained", "lost", "n"), [(5, 10, 597), (1, 0, 44), (20, 3, 60)])
    def test_bounds_solve_the_score_equation_with_a_numeric_likelihood(self, gained, lost, n):
        for bound in statistics.paired_proportions(gained, lost, n):
            rest = n - gained - lost

            def negative(q, bound=bound, rest=rest):
                return -(gained * np.log(q + bound) + lost * np.log(q) + rest * np.log(1 - 2 * q - bound))

            ends = (max(0.0, -bound) + 1e-12, (1 - bound) / 2 - 1e-12)
            share = optimize.minimize_scalar(negative, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
            score = (gained - lost - n * bound) / math.sqrt(n * (2 * share + bound * (1 - bound)))
            assert abs(score) == pytest.approx(stats.norm.ppf(0.975), abs=1e-3)

    def test_coverage(self):
        rng = np.random.default_rng(0)
        shares = [0.01, 0.02]
        drawn = rng.multinomial(400, [*shares, 1 - sum(shares)], size=2000)
        bounds = [statistics.paired_proportions(gained, lost, 400) for gained, lost, _ in drawn]
        covered = np.mean([low <= shares[0] - shares[1] <= high for low, high in bounds])
        assert 0.94 <= covered <= 0.965

    def test_all_lost(self):
        low, high = statistics.paired_proportions(0, 44, 44)
        assert low == -1
        assert -1 < high < -0.8

    def test_counts_that_are_none(self):
        with pytest.raises(ValueError, match="are no counts"):
            statistics.paired_proportions(3, 3, 5)

    @pytest.mark.parametrize(
        ("gained", "lost", "n", "margin", "needed"),
        [(0, 0, 100, -0.01, 381), (1, 2, 100, -0.01, None), (0, 5, 300, -0.01, 856)],
    )
    def test_examples_needed(self, gained, lost, n, margin, needed):
        assert statistics.examples_needed(gained, lost, n, margin) == needed
        if needed and gained == lost == 0:
            bounds = [statistics.paired_proportions(0, 0, count)[0] for count in (needed, needed - 1)]
            assert bounds[0] >= margin > bounds[1]


class TestMedianInterval:
    def test_coverage_does_not_need_a_normal_distribution(self):
        rng = np.random.default_rng(0)
        bounds = [statistics.median_interval(row)[1:] for row in rng.exponential(size=(2000, 50))]
        assert 0.94 <= np.mean([low <= math.log(2) <= high for low, high in bounds]) <= 0.975

    def test_three_values_have_no_interval(self):
        median, low, high = statistics.median_interval([3, 1, 2])
        assert median == 2
        assert math.isnan(low) and math.isnan(high)
