"""Whether a variant keeps a budget of accuracy, speed and size: yes, no, or too little evidence."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from dltools.report import UnusableInput

MEETS, FAILS, UNDECIDED = "meets", "fails", "undecided"


@dataclasses.dataclass(frozen=True)
class Budget:
    """What a variant must keep.

    Args:
        accuracy_drop: the mean score may be lower than that of fp32 by so much, such as 0.01.
        speedup: latency of fp32 over that of the variant, in the same runtime, at least; None for any.
        megabytes: size at most, in units of 10^6 bytes; None for any.
    """

    accuracy_drop: float = 0.01
    speedup: float | None = None
    megabytes: float | None = None


def scores(outputs: np.ndarray, labels: Any, score: Any = None) -> np.ndarray:
    """One score for each example, higher better.

    Args:
        outputs: shape (n, classes), or (n, ..., classes) and (n, classes, ...) with a label at every position.
        labels: integers, shape (n,) or (n, ...).
        score: another measure, score(outputs, labels) -> n numbers.

    Returns:
        1 where the class is right, else 0; with several positions their share.

    Raises:
        UnusableInput: the shapes do not fit, or the labels are no integers.
    """
    truth = np.asarray(labels)
    if score is not None:
        given = np.asarray(score(outputs, labels), float)
        if given.shape != (len(outputs),) or not np.isfinite(given).all():
            raise UnusableInput(f"`score` must give one finite number for each of the {len(outputs)} examples")
        return given
    if not np.issubdtype(truth.dtype, np.integer):
        raise UnusableInput(
            f"the labels of `evaluation` are of type {truth.dtype}; give integer classes, or (inputs, labels, score) "
            "with a function score(outputs, labels) of your own"
        )
    if outputs.ndim > 1 and outputs.shape[:-1] == truth.shape:
        right = outputs.argmax(-1) == truth
    elif outputs.ndim > 1 and (outputs.shape[0], *outputs.shape[2:]) == truth.shape:
        right = outputs.argmax(1) == truth
    else:
        raise UnusableInput(
            f"outputs of shape {outputs.shape} and labels of shape {truth.shape} are not those of a classifier; give "
            "(inputs, labels, score) with a function score(outputs, labels) of your own"
        )
    return right.reshape(len(truth), -1).mean(axis=1)


def accuracy(baseline: np.ndarray, candidate: np.ndarray, drop: float, alpha: float, seed: int) -> dict[str, Any]:
    """The paired difference of the scores with its interval, and what it says about the budget.

    Args:
        baseline, candidate: scores of the same examples.
        drop: the largest drop allowed.
        alpha: level.
        seed: of the bootstrap.

    Returns:
        `difference`, `low`, `high`, `method` (the score interval of Tango 1998 for right or wrong, else a bootstrap
        over examples), `gained` and `lost` examples, `state`, and `examples_needed` where undecided and known.
    """
    from dltools.statistics import bootstrap_mean, examples_needed, paired_proportions

    n = len(baseline)
    differences = candidate - baseline
    result: dict[str, Any] = {"difference": float(differences.mean()), "examples": n}
    gained, lost = int((differences > 0).sum()), int((differences < 0).sum())
    result |= {"gained": gained, "lost": lost, "examples_needed": None}
    if np.isin(baseline, (0, 1)).all() and np.isin(candidate, (0, 1)).all():
        low, high = paired_proportions(gained, lost, n, alpha=alpha)
        result["method"] = "score interval for paired proportions"
    elif n < 100:
        low = high = math.nan
        result |= {"method": "none: a bootstrap needs 100 examples", "examples_needed": 100}
    else:
        low, high = bootstrap_mean(differences, alpha=alpha, seed=seed)
        result["method"] = "bootstrap over examples"
    state = MEETS if low >= -drop else FAILS if high < -drop else UNDECIDED
    if state == UNDECIDED and result["method"].startswith("score"):
        result["examples_needed"] = examples_needed(gained, lost, n, -drop, alpha=alpha)
    return result | {"low": low, "high": high, "state": state}


def speed(baseline: np.ndarray, candidate: np.ndarray, least: float | None, alpha: float) -> dict[str, Any]:
    """The median speed-up over calls taken in turn, with its interval by order statistics.

    Args:
        baseline, candidate: seconds of calls, the i-th of both taken one after the other.
        least: the speed-up asked for.
        alpha: level.
    """
    from dltools.statistics import median_interval

    median, low, high = median_interval(baseline / candidate, alpha)
    state = MEETS if least is None or low >= least else FAILS if high < least else UNDECIDED
    return {"speedup": median, "low": low, "high": high, "state": state}
