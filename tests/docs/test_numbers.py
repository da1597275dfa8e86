"""Computes numbers that the short texts of the skills state and that no tool computes."""

from __future__ import annotations

import numpy as np
import pytest


def loss(weights, inputs, targets):
    """Mean squared error of a layer of tanh units summed up."""
    return np.mean((np.tanh(inputs @ weights).sum(axis=1) - targets) ** 2)


def gradient(weights, inputs, targets):
    """The derivative of `loss` with respect to `weights`."""
    hidden = np.tanh(inputs @ weights)
    outer = 2 * (hidden.sum(axis=1) - targets) / len(targets)
    return inputs.T @ (outer[:, None] * (1 - hidden**2))


def central_differences(weights, inputs, targets, step):
    result = np.empty_like(weights)
    for index in np.ndindex(weights.shape):
        change = np.zeros_like(weights)
        change[index] = step
        result[index] = (loss(weights + change, inputs, targets) - loss(weights - change, inputs, targets)) / (2 * step)
    return result


def relative_error(one, other):
    return np.linalg.norm(one - other) / max(np.linalg.norm(one), np.linalg.norm(other))


def case(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(5, 4)), rng.normal(size=(16, 5)), rng.normal(size=16)


def test_central_differences_are_most_exact_near_1e_6():
    def error(step):
        cases = [case(seed) for seed in range(10)]
        return np.median([relative_error(gradient(*one), central_differences(*one, step)) for one in cases])

    errors = {exponent: error(10.0**exponent) for exponent in range(-11, -1)}
    assert abs(min(errors, key=errors.get) - -6) <= 1
    assert errors[-6] < 0.01 * min(errors[-11], errors[-2])


def wrong_sign(weights, inputs, targets):
    return -gradient(weights, inputs, targets)


def forgotten_factor(weights, inputs, targets):
    return gradient(weights, inputs, targets) / 2


def forgotten_derivative(weights, inputs, targets):
    hidden = np.tanh(inputs @ weights)
    outer = 2 * (hidden.sum(axis=1) - targets) / len(targets)
    return inputs.T @ (outer[:, None] * np.ones_like(hidden))


@pytest.mark.parametrize("wrong", [wrong_sign, forgotten_factor, forgotten_derivative])
def test_right_and_wrong_gradients_lie_on_either_side_of_1e_5(wrong):
    for seed in range(20):
        numeric = central_differences(*case(seed), 1e-6)
        assert relative_error(gradient(*case(seed)), numeric) < 1e-5 < relative_error(wrong(*case(seed)), numeric)


def test_half_of_a_healthy_relu_layer_is_zero():
    rng = np.random.default_rng(0)
    width = 512
    values = rng.normal(size=(256, width))
    for _ in range(4):
        values = np.maximum(values @ rng.normal(scale=np.sqrt(2 / width), size=(width, width)), 0)
        assert np.mean(values == 0) == pytest.approx(0.5, abs=0.02)
