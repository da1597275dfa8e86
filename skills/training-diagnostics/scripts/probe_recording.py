"""What one forward pass shows, in terms that hold for every framework: modules, activations, operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, dtype_name, is_floating, width

# A unit is inactive on a value where the local derivative of its activation is at most this share of the largest
# derivative: exactly zero for ReLU, and a bound for the smooth ones, whose derivative never is.
INACTIVE = 1e-3
# A value is saturated where the local derivative is below this share of the largest one: |z| > 2.18 for tanh,
# |z| > 4.36 for the sigmoid.
SATURATED = 0.05


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _gelu(z: np.ndarray) -> np.ndarray:
    # of the exact form; the tanh form differs by less than 0.002
    from scipy.stats import norm

    return norm.cdf(z) + z * norm.pdf(z)


# derivative, absolute and relative to its largest value, as a function of the pre-activation
RECTIFIERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: (z > 0).astype(float),
    "relu6": lambda z: ((z > 0) & (z < 6)).astype(float),
    "elu": lambda z: np.where(z > 0, 1, np.exp(np.minimum(z, 0))),
    # steepest just below zero, by its alpha of 1.6733
    "selu": lambda z: np.where(z > 0, 1 / 1.6733, np.exp(np.minimum(z, 0))),
    "gelu": lambda z: np.abs(_gelu(z)) / 1.13,
    "silu": lambda z: np.abs(_sigmoid(z) * (1 + z * (1 - _sigmoid(z)))) / 1.1,
    "softplus": _sigmoid,
}
BOUNDED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda z: 4 * _sigmoid(z) * (1 - _sigmoid(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "hardtanh": lambda z: (np.abs(z) < 1).astype(float),
    "hardsigmoid": lambda z: (np.abs(z) < 3).astype(float),
}
ACTIVATIONS = {**RECTIFIERS, **BOUNDED}


@dataclasses.dataclass(frozen=True)
class Moments:
    """Moments of one or several arrays taken together.

    Args:
        rms: root mean square over the finite values.
        nan, plus_inf, minus_inf: how many values are so.
        dtype: the widest floating dtype among them, such as `float32`.
    """

    mean: float
    std: float
    rms: float
    largest: float
    nan: int
    plus_inf: int
    minus_inf: int
    dtype: str

    @property
    def finite(self) -> bool:
        """No NaN and no infinity."""
        return not (self.nan or self.plus_inf or self.minus_inf)

    @property
    def broken(self) -> bool:
        """NaN or +inf. Minus infinity alone is what attention masks and logarithms of zero are made of."""
        return bool(self.nan or self.plus_inf)


@dataclasses.dataclass
class Call:
    """One call of a module.

    Args:
        where: its path, such as `layers.0`.
        kind: its class.
        inside: whether modules were called within it.
        unchanged: the output equals the input, value for value.
        noise: the rate of a dropout module, else None.
    """

    where: str
    kind: str
    inside: bool
    inputs: Moments | None
    outputs: Moments | None
    unchanged: bool = False
    noise: float | None = None
    autocast: bool = False


@dataclasses.dataclass
class Activation:
    """The local derivatives of one activation, unit by unit.

    Args:
        where: the module that called it and its name, such as `layers.1 (relu)`.
        name: one of ACTIVATIONS.
        active: for each unit, whether it was active anywhere in the batch.
        saturated: share of the values that are saturated.
        zeros: share of the values with no derivative (sparsity, which is no fault).
        values: how many values for each unit: samples times positions.
        last: what it gave was the output of the model.
    """

    where: str
    name: str
    active: np.ndarray
    saturated: float
    zeros: float
    values: int
    last: bool = False


@dataclasses.dataclass
class Operation:
    """A function or primitive whose output is not finite though its inputs are."""

    where: str
    name: str
    line: str
    broken: bool


@dataclasses.dataclass
class Recording:
    """All that one forward pass showed, in the order of execution."""

    calls: list[Call] = dataclasses.field(default_factory=list)
    activations: list[Activation] = dataclasses.field(default_factory=list)
    operations: list[Operation] = dataclasses.field(default_factory=list)
    products: list[Call] = dataclasses.field(default_factory=list)
    random: list[str] = dataclasses.field(default_factory=list)
    idle_dropout: list[str] = dataclasses.field(default_factory=list)
    modules: dict[str, str] = dataclasses.field(default_factory=dict)
    outputs: Any = None


def moments(arrays: list[Any]) -> Moments | None:
    """Moments of all floating arrays together, or None where there is none."""
    floats = [array for array in arrays if is_floating(array)]
    if not floats:
        return None
    values = np.concatenate([as_numpy(array).astype(np.float64).ravel() for array in floats])
    if not values.size:
        return None
    finite = values[np.isfinite(values)]
    seen = finite if finite.size else np.zeros(1)
    return Moments(
        mean=float(seen.mean()),
        std=float(seen.std()),
        rms=float(np.sqrt(np.mean(seen**2))),
        largest=float(np.abs(seen).max()),
        nan=int(np.isnan(values).sum()),
        plus_inf=int(np.isposinf(values).sum()),
        minus_inf=int(np.isneginf(values).sum()),
        dtype=max((dtype_name(array) for array in floats), key=width),
    )


def activation(
    where: str, name: str, pre_activation: Any, unit_axis: int, gives: np.ndarray | None = None
) -> Activation:
    """Judges one activation by its local derivative.

    Args:
        pre_activation: of shape (N, ...), with the units along `unit_axis`.
        gives: what came out, to recognise the output of the model later.
    """
    z = np.clip(np.nan_to_num(as_numpy(pre_activation).astype(np.float64)), -500, 500)
    if z.ndim == 0:
        z = z.reshape(1, 1)
    derivative = ACTIVATIONS[name](z)
    unit_axis = min(unit_axis, z.ndim - 1)
    per_unit = np.moveaxis(derivative, unit_axis, -1).reshape(-1, z.shape[unit_axis])
    return Activation(
        where=where,
        name=name,
        active=(per_unit > INACTIVE).any(axis=0),
        saturated=float((derivative < SATURATED).mean()),
        zeros=float((derivative <= INACTIVE).mean()),
        values=per_unit.shape[0],
    )


def merge(first: Recording, further: Recording) -> None:
    """Counts what a further batch showed: a unit that is active there is not dead."""
    seen = {}
    for entry in first.activations:
        seen.setdefault(entry.where, []).append(entry)
    for entry in further.activations:
        twins = seen.get(entry.where)
        if twins and twins[0].active.shape == entry.active.shape:
            twin = twins.pop(0)
            total = twin.values + entry.values
            twin.saturated = (twin.saturated * twin.values + entry.saturated * entry.values) / total
            twin.zeros = (twin.zeros * twin.values + entry.zeros * entry.values) / total
            twin.active = twin.active | entry.active
            twin.values = total


def record(
    target: Any, batch: tuple[Any, Any] | None = None, *, train: bool = True, seed: int = 0, locate: bool = False
) -> Recording:
    """Watches one forward pass. Call it inside `target.preserved()`.

    Args:
        target: a `dltools.target.Target`.
        batch: (inputs, targets); by default the target's.
        train: training mode or evaluation mode.
        seed: of dropout and other noise.
        locate: also name the operation that makes the first value that is not finite (free in PyTorch, slow in JAX).
    """
    if target.framework == "torch":
        from probe_torch import record_torch

        return record_torch(target, (batch or target.batch)[0], train, seed)
    from probe_jax import record_jax

    return record_jax(target, (batch or target.batch)[0], train, seed, locate)


def backward_origin(target: Any, seed: int = 0) -> Operation | None:
    """The first operation of the backward pass that turns finite values into NaN or infinity."""
    if target.framework == "torch":
        from probe_torch import backward_origin_torch

        return backward_origin_torch(target, seed)
    from probe_jax import backward_origin_jax

    return backward_origin_jax(target, seed)
