"""What a loss ought to be: which kind a `loss_fn` is, found by calling it, and its value for constant outputs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, dtype_name, epsilon, is_floating, leaves, like, mapped

# large enough that a softmax is one-hot and small enough for float16
SURE = 30.0


@dataclasses.dataclass(frozen=True)
class Expected:
    """A kind of loss, and what it gives for known outputs.

    Args:
        kind: cross-entropy, binary-cross-entropy, squared-error, absolute-error, or empty where it is not known.
        untrained: the loss of an untrained model that prefers nothing: ln(C) for cross-entropy over C classes, ln(2)
            for binary cross-entropy, and the loss of the best constant for regression (the variance of the targets for
            the squared error). Times the number of terms where the loss is a sum.
        constant: the loss of the best constant prediction: the entropy of the label frequencies, or as above.
        perfect: the loss of confident right outputs.
        applied_twice: what `loss_fn` applies itself before a loss that applies it again: softmax, sigmoid or nothing.
        classes: C, for cross-entropy.
        why: why the kind is not known.
    """

    kind: str = ""
    untrained: float = math.nan
    constant: float = math.nan
    perfect: float = math.nan
    applied_twice: str = ""
    classes: int | None = None
    class_axis: int | None = None
    why: str = ""


def main_output(outputs: Any) -> Any | None:
    """The only floating array of the outputs, or None where there are several or none."""
    floats = [leaf for leaf in leaves(outputs) if is_floating(leaf)]
    return floats[0] if len(floats) == 1 else None


def with_output(outputs: Any, values: np.ndarray) -> Any:
    """The same structure with the only floating array replaced, in its framework, dtype and device."""
    return mapped(lambda leaf: like(leaf, values) if is_floating(leaf) else leaf, outputs)


def expected_loss(target: Any, outputs: Any) -> Expected:
    """Finds the kind of `loss_fn` by calling it on outputs whose loss is known.

    Args:
        target: a `dltools.target.Target`, inside `preserved()`.
        outputs: outputs of the model for the batch of the target.
    """
    out = main_output(outputs)
    truth = [leaf for leaf in leaves(target.targets)]
    if out is None:
        return Expected(
            why="the outputs hold no floating array or several, so that the loss of known outputs cannot be had"
        )
    if len(truth) != 1:
        return Expected(why="the targets are not one array")
    labels = as_numpy(truth[0])

    def loss(values: np.ndarray) -> float:
        try:
            return target.scalar(target.loss_fn(with_output(outputs, values), target.targets))
        except Exception:  # a loss may refuse outputs that its model never gives, such as negative ones
            return math.nan

    shape = tuple(out.shape)
    # the logarithm and exponential of narrow floats are off by some units in the last place
    tolerance = max(0.01, 4 * epsilon(dtype_name(out)))
    if not is_floating(truth[0]) or set(np.unique(labels)) <= {0.0, 1.0}:
        found = _cross_entropy(loss, shape, labels, target.framework, is_floating(truth[0]), tolerance)
        found = found or _binary(loss, shape, labels, tolerance)
        if found:
            return found
    return _regression(loss, shape, labels, tolerance) or Expected(
        why=f"loss_fn on outputs of shape {shape} ({dtype_name(out)}) is none of cross-entropy on logits, binary "
        "cross-entropy on logits, squared error and absolute error"
    )


def _cross_entropy(
    loss: Callable[[np.ndarray], float],
    shape: tuple[int, ...],
    labels: np.ndarray,
    framework: str,
    floating: bool,
    tolerance: float,
) -> Expected | None:
    axis, classes_of = None, labels
    for candidate in (1, -1) if framework == "torch" else (-1, 1):
        if len(shape) > 1 and -len(shape) <= candidate < len(shape):
            rest = tuple(np.delete(shape, candidate))
            if rest == labels.shape and not floating:
                axis = candidate % len(shape)
            elif shape == labels.shape and np.allclose(labels.sum(axis=candidate), 1):
                axis, classes_of = candidate % len(shape), labels.argmax(axis=candidate)
        if axis is not None:
            break
    if axis is None or shape[axis] < 2:
        return None
    classes = shape[axis]
    valid = (classes_of >= 0) & (classes_of < classes)
    onehot = np.moveaxis(np.eye(classes)[np.where(valid, classes_of, 0)], -1, axis)
    zero = loss(np.zeros(shape))
    perfect, wrong = loss(SURE * onehot), loss(-SURE * onehot)
    frequencies = np.bincount(classes_of[valid].astype(int).ravel(), minlength=classes) / max(valid.sum(), 1)
    entropy = -sum(p * math.log(p) for p in frequencies if p)
    terms = zero / math.log(classes)
    common = dict(
        kind="cross-entropy",
        untrained=zero,
        constant=terms * entropy,
        perfect=perfect,
        classes=classes,
        class_axis=axis,
    )
    # wrong by SURE against all other classes, which share what is left: SURE + ln(C - 1)
    if zero > 0 and _close(wrong / terms, SURE + math.log(classes - 1), tolerance) and perfect < 0.01 * zero:
        return Expected(**common)
    # softmax within loss_fn: its outputs lie in [0, 1], and the loss cannot fall below ln(e + C - 1) - 1
    if zero > 0 and _close(perfect / terms, math.log(math.e + classes - 1) - 1, tolerance):
        return Expected(**common, applied_twice="softmax")
    return None


def _binary(
    loss: Callable[[np.ndarray], float], shape: tuple[int, ...], labels: np.ndarray, tolerance: float
) -> Expected | None:
    if labels.size != math.prod(shape) or not set(np.unique(labels)) <= {0, 1}:
        return None
    sign = 2.0 * labels.reshape(shape) - 1
    zero, perfect, wrong = loss(np.zeros(shape)), loss(SURE * sign), loss(-SURE * sign)
    positive = float(labels.mean())
    terms = zero / math.log(2)
    entropy = -sum(p * math.log(p) for p in (positive, 1 - positive) if p)
    common = dict(kind="binary-cross-entropy", untrained=zero, constant=terms * entropy, perfect=perfect)
    if zero > 0 and _close(wrong / terms, SURE, tolerance) and perfect < 0.01 * zero:
        return Expected(**common)
    # sigmoid within loss_fn; at outputs of zero it gives one half, to which the second sigmoid is applied
    half = -positive * math.log(_sigmoid(0.5)) - (1 - positive) * math.log(1 - _sigmoid(0.5))
    floor = -positive * math.log(_sigmoid(1)) - (1 - positive) * math.log(0.5)
    if zero > 0 and _close(perfect / zero, floor / half, tolerance):
        terms = zero / half
        common["constant"] = terms * entropy
        return Expected(**common, applied_twice="sigmoid")
    return None


def _regression(
    loss: Callable[[np.ndarray], float], shape: tuple[int, ...], labels: np.ndarray, tolerance: float
) -> Expected | None:
    if labels.size != math.prod(shape):
        return None
    truth = labels.reshape(shape).astype(np.float64)
    scale = float(truth.std()) or 1.0
    zero, one, two = loss(truth), loss(truth + scale), loss(truth + 2 * scale)
    if not (math.isfinite(one) and one > 0 and abs(zero) < 1e-4 * one):
        return None
    # one constant for each output of the model, such as for each of several targets
    axis = 0 if truth.ndim > 1 else None
    if _close(two / one, 4, tolerance):
        constant = loss(np.broadcast_to(truth.mean(axis=axis, keepdims=True), shape))
        return Expected("squared-error", constant, constant, zero)
    if _close(two / one, 2, tolerance):
        constant = loss(np.broadcast_to(np.median(truth, axis=axis, keepdims=True), shape))
        return Expected("absolute-error", constant, constant, zero)
    return None


def _close(value: float, expected: float, tolerance: float) -> bool:
    return math.isfinite(value) and abs(value - expected) <= tolerance * abs(expected)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))
