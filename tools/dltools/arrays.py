"""Arrays of any framework in nested structures, and how far two results of one computation may differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# Rounding differs between equal computations by a few units in the last place; a hundred are taken for none.
ROUNDING = 100


def leaves(tree: Any) -> list[Any]:
    """The arrays in nested dicts, lists, tuples and objects with fields."""
    if tree is None or isinstance(tree, (str, bytes, bool, int, float)):
        return []
    if isinstance(tree, dict) or (hasattr(tree, "values") and callable(tree.values) and not hasattr(tree, "shape")):
        return [leaf for item in tree.values() for leaf in leaves(item)]
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree] if hasattr(tree, "shape") and hasattr(tree, "dtype") else []


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nested dicts, lists and tuples with every array replaced."""
    if isinstance(tree, dict):
        return {key: mapped(function, item) for key, item in tree.items()}
    if isinstance(tree, (list, tuple)):
        items = [mapped(function, item) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return function(tree) if hasattr(tree, "shape") and hasattr(tree, "dtype") else tree


def as_numpy(array: Any) -> np.ndarray:
    """An array of any framework, device and floating dtype as numpy; the narrow floats become float32."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        return array.float().numpy() if array.is_floating_point() and array.element_size() < 4 else array.numpy()
    array = np.asarray(array)
    return array.astype(np.float32) if array.dtype.kind in "fV" and array.dtype.itemsize < 4 else array


def is_floating(array: Any) -> bool:
    """Whether the dtype is a floating one, the narrow ones included."""
    return "float" in dtype_name(array)


def dtype_name(array: Any) -> str:
    """The dtype without the name of its library, such as `bfloat16`."""
    return str(array.dtype).removeprefix("torch.")


def width(dtype: str) -> int:
    """The bits of a dtype, from its name; float16 and bfloat16 are equally wide."""
    digits = "".join(letter if letter.isdigit() else " " for letter in dtype).split()
    return int(digits[0]) if digits else 0


def epsilon(dtype: str) -> float:
    """The distance from 1 to the next number of a floating dtype."""
    return {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}.get(dtype, 2.0**-7)


def like(array: Any, values: np.ndarray) -> Any:
    """numpy values as an array of the same framework, dtype and device as another."""
    if hasattr(array, "detach"):
        import torch

        return torch.as_tensor(np.ascontiguousarray(values)).to(array)
    import jax.numpy as jnp

    return jnp.asarray(values, array.dtype)


def floats(tree: Any) -> list[np.ndarray]:
    """The floating arrays of a structure, in float64."""
    return [as_numpy(leaf).astype(np.float64) for leaf in leaves(tree) if is_floating(leaf)]


def rounding(tree: Any) -> float:
    """ROUNDING units in the last place of the coarsest floating dtype of a structure, relative to 1."""
    names = [dtype_name(leaf) for leaf in leaves(tree) if is_floating(leaf)]
    return ROUNDING * max(epsilon(name) for name in names) if names else 0.0


def relative_difference(first: np.ndarray, second: np.ndarray) -> float:
    """The largest difference over the largest finite value of the first; infinite where finiteness or shape differs."""
    if first.shape != second.shape:
        return math.inf
    finite = np.isfinite(first)
    if not np.array_equal(finite, np.isfinite(second)):
        return math.inf
    scale = np.abs(first[finite]).max(initial=0)
    gap = np.abs(first[finite] - second[finite]).max(initial=0)
    return float(gap / scale) if scale else float(gap > 0)
