"""The arithmetic that the pages on serving and rollout state in their prose."""

import math

import numpy as np
import pytest
from scipy import stats


def test_littles_law():
    """16 clients and 100 answers a second: each waits 160 ms, in a simulated closed loop with any service times."""
    assert 16 / 100 == 0.16
    draw = np.random.default_rng(0)
    ready = np.zeros(16)  # when each client sends again
    free, inside, answers = 0.0, 0.0, 20_000
    for service in draw.exponential(0.01, answers):
        first = int(ready.argmin())
        free = max(free, ready[first]) + service
        inside += free - ready[first]
        ready[first] = free
    throughput, latency = answers / free, inside / answers
    assert throughput * latency == pytest.approx(16, rel=0.01)
    assert latency == pytest.approx(0.16, rel=0.05)


def test_calls_of_a_page():
    assert 1 - 0.95**20 == pytest.approx(0.64, abs=0.005)


def test_sampling_error_of_p99():
    """Order statistics: the interval of a p99 of 100 requests reaches the maximum, that of thousands is narrow."""
    upper = {count: (stats.binom.ppf(0.975, count, 0.99) + 1) / count for count in (100, 5000)}
    assert upper[100] > 1 and upper[5000] < 0.994


def test_rule_of_three():
    for count in (50, 300, 1000):
        exact = 1 - 0.05 ** (1 / count)
        assert (1 - exact) ** count == pytest.approx(0.05)
        assert exact == pytest.approx(3 / count, rel=0.05) and exact < 3 / count


def needed(p1, p2, alpha=0.05, power=0.8):
    mean = (p1 + p2) / 2
    level = stats.norm.ppf(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    found = stats.norm.ppf(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return ((level + found) / (p1 - p2)) ** 2


def test_half_the_difference_needs_four_times_the_users():
    assert needed(0.1, 0.101) / needed(0.1, 0.102) == pytest.approx(4, rel=0.03)
    assert needed(0.1, 0.105) / needed(0.1, 0.11) == pytest.approx(4, rel=0.03)


def test_one_false_alarm_a_month():
    assert 24 * 30 == 720


def test_throughput_of_batches():
    """b / (a + c b) rises towards 1 / c."""
    a, c = 10.0, 1.0
    throughput = [b / (a + c * b) for b in (1, 4, 16, 64, 10_000)]
    assert throughput == sorted(throughput) and throughput[-1] == pytest.approx(1 / c, rel=0.01)


def test_mean_of_psi_without_drift():
    """The mean of the population stability index of equal distributions is about (B - 1)(1/m + 1/n)."""
    draw, bins, window, reference = np.random.default_rng(0), 10, 500, 2000
    values = []
    for _ in range(2000):
        e = draw.multinomial(reference, [1 / bins] * bins) / reference
        a = draw.multinomial(window, [1 / bins] * bins) / window
        values.append(((a - e) * np.log(a / e)).sum())
    assert np.mean(values) == pytest.approx((bins - 1) * (1 / window + 1 / reference), rel=0.05)


def test_peeking():
    """Equal sides, looked at twenty times: the first p < 0.05 comes far oftener than in one test of twenty."""
    draw, looks, step, tests = np.random.default_rng(1), 20, 1000, 2000
    sides = [draw.binomial(step, 0.1, (tests, looks)).cumsum(axis=1) for _ in range(2)]
    n = step * np.arange(1, looks + 1)
    mean = (sides[0] + sides[1]) / (2 * n)
    p = 2 * stats.norm.sf(np.abs(sides[1] - sides[0]) / n / np.sqrt(2 * mean * (1 - mean) / n))
    assert (p[:, -1] < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p < 0.05).any(axis=1).mean() > 0.2
