"""Hashes of nested state, and the generators of random numbers outside the frameworks."""

from __future__ import annotations

import hashlib
import random
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def fingerprint(value: Any) -> str:
    """A hash of a nested structure of arrays, numbers and texts.

    Args:
        value: dicts, lists and tuples of arrays (numpy, PyTorch, JAX), numbers, texts and None. Anything else
            counts by its type only.

    Returns:
        The SHA-256 of names, types, shapes and bytes: equal exactly when all of them are.
    """
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def generators() -> tuple[Any, Any]:
    """The states of Python's and numpy's global generators."""
    return random.getstate(), np.random.get_state()


def generators_restorer() -> Callable[[], None]:
    """Keeps both states and returns the function that puts them back."""
    python_state, numpy_state = generators()

    def restore() -> None:
        random.setstate(python_state)
        np.random.set_state(numpy_state)

    return restore


def _feed(digest: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        digest.update(b"{")
        for key in sorted(value, key=repr):
            digest.update(repr(key).encode())
            _feed(digest, value[key])
        digest.update(b"}")
    elif isinstance(value, (list, tuple)):
        digest.update(b"[")
        for item in value:
            _feed(digest, item)
        digest.update(b"]")
    elif value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        digest.update(repr(value).encode() + b";")
    else:
        array = _array(value)
        if array is None:
            digest.update(type(value).__qualname__.encode() + b";")
        else:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())


def _array(value: Any) -> np.ndarray | None:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.is_meta:
            return np.array([])
        flat = value.detach().cpu().contiguous()
        # by bytes: numpy knows neither bfloat16 nor the 8-bit floats
        return flat.reshape(-1).view(torch.uint8).numpy() if flat.numel() else np.array([])
    jax = sys.modules.get("jax")
    if jax is not None and isinstance(value, jax.Array):
        if jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
            value = jax.random.key_data(value)
        return np.asarray(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value) if value.dtype != object else None
    return None
