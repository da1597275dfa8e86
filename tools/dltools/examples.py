"""Whether the outputs of one example depend on the others of its batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, floats, is_floating, like, mapped, relative_difference, rounding


@dataclasses.dataclass(frozen=True)
class Mixing:
    """What replacing the last examples of a batch does to the outputs of the rest.

    Args:
        relative_difference: the largest change, over the largest output.
        tolerance: what rounding alone may explain.
        replaced: how many examples were replaced.
        example: the index of the kept example whose outputs change most.
    """

    relative_difference: float
    tolerance: float
    replaced: int
    example: int


def examples_mix(run: Callable[[Any], Any], inputs: Any, size: int) -> Mixing | None:
    """Replaces the last quarter of the examples and compares the outputs of the rest.

    Args:
        run: the model, inputs to outputs; called twice, so it must be deterministic.
        inputs: nested arrays of shape (size, ...); arrays of another first axis stay as they are.
        size: the number of examples, at least 2.

    Returns:
        None where the first axis of an output is not that of the examples.
    """
    before = run(inputs)
    arrays = floats(before)
    if not arrays or any(array.ndim == 0 or array.shape[0] != size for array in arrays):
        return None
    count = max(1, size // 4)
    after = floats(run(mapped(lambda array: replaced(array, size, count), inputs)))
    gaps = [
        max(relative_difference(one[k], two[k]) for one, two in zip(arrays, after, strict=True))
        for k in range(size - count)
    ]
    whole = max(
        relative_difference(one[: size - count], two[: size - count]) for one, two in zip(arrays, after, strict=True)
    )
    return Mixing(whole, rounding(before), count, int(np.argmax(gaps)))


def replaced(array: Any, size: int, count: int) -> Any:
    """An array whose last `count` examples are others of the batch, and where values are floats also larger ones."""
    if not getattr(array, "ndim", 0) or array.shape[0] != size:
        return array
    new = as_numpy(array).copy()
    new[size - count :] = new[:count]
    if is_floating(array):
        new[size - count :] = 3 * new[size - count :] + 1
    return like(array, new)
