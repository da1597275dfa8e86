"""Gradients, and what real steps of the optimizer change, the same way for every framework."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from dltools.arrays import as_numpy


@dataclasses.dataclass
class Layer:
    """One parameter: its size, its gradient and its first update.

    Args:
        weight_rms, gradient_rms: root mean square over the elements; `gradient_rms` is None where no gradient arrives.
        update_ratio: norm of the optimizer's change over the norm of the weights, None without an optimizer.
        finite: of the gradient.
        later: whether a gradient arrives after the first step (behind a layer that is zero at first, none does before).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    weight_rms: float
    gradient_rms: float | None
    finite: bool
    update_ratio: float | None = None
    later: bool = False

    @property
    def matrix(self) -> bool:
        """A weight of two or more axes. Attention in JAX has biases of two, one for each head."""
        return len(self.shape) > 1 and "bias" not in self.name.rpartition(".")[2]

    @property
    def module(self) -> str:
        """The path of the module that holds it."""
        return self.name.rpartition(".")[0]


@dataclasses.dataclass
class Steps:
    """What the optimizer did.

    Args:
        taken: whether a step could be taken.
        why: why not.
        changed: the parameters that it changed.
        seen: the parameters that it holds, None where that cannot be asked.
    """

    taken: bool = False
    why: str = ""
    changed: set[str] = dataclasses.field(default_factory=set)
    seen: set[str] | None = None


def layers_of(target: Any, gradients: dict[str, Any]) -> list[Layer]:
    """One entry for each trainable parameter.

    Args:
        target: a `dltools.target.Target`.
        gradients: from `loss_and_gradients`.
    """
    layers = []
    for name, value in target.parameters().items():
        weight = as_numpy(value).astype(np.float64)
        gradient = gradients.get(name)
        array = None if gradient is None else as_numpy(gradient).astype(np.float64)
        finite = array is None or bool(np.isfinite(array).all())
        rms = (
            None
            if array is None
            else float(np.sqrt(np.mean(np.square(np.nan_to_num(array, posinf=0, neginf=0)))))
            if array.size
            else 0.0
        )
        dtype = str(value.dtype).removeprefix("torch.")
        layers.append(
            Layer(
                name,
                tuple(weight.shape),
                dtype,
                float(np.sqrt(np.mean(weight**2))) if weight.size else 0.0,
                rms,
                finite,
            )
        )
    return layers


def take_step(target: Any, layers: list[Layer], seed: int) -> Steps:
    """Takes two real steps with the target's optimizer, and fills in `update_ratio` and `later`. Within `preserved()`.

    The first step gives the ratios. The second shows parameters that get a gradient only when others have moved.
    Without an optimizer, plain gradient descent with a step of a hundredth of the weights serves for the second.

    Args:
        target: a `dltools.target.Target`.
        layers: from `layers_of`; changed in place.
        seed: of dropout and other noise.
    """
    before = {name: as_numpy(value).astype(np.float64).copy() for name, value in target.parameters().items()}
    steps = _torch_step(target, seed) if target.framework == "torch" else _jax_step(target, seed)
    after = {name: as_numpy(value).astype(np.float64) for name, value in target.parameters().items()}
    for layer in layers:
        change = float(np.linalg.norm(after[layer.name] - before[layer.name]))
        norm = float(np.linalg.norm(before[layer.name]))
        if steps.taken:
            layer.update_ratio = change / norm if norm else None
        if change:
            steps.changed.add(layer.name)
    _, gradients = target.loss_and_gradients(seed=seed + 1)
    for layer in layers:
        gradient = gradients.get(layer.name)
        layer.later = gradient is not None and bool(np.any(as_numpy(gradient)))
    return steps


def _torch_step(target: Any, seed: int) -> Steps:
    import torch

    named = dict(target.model.named_parameters())
    optimizer = target.optimizer
    steps = Steps(taken=optimizer is not None, why="" if optimizer else "the target has no optimizer")
    _, gradients = target.loss_and_gradients(seed=seed)
    if optimizer is None:
        with torch.no_grad():
            for name, gradient in gradients.items():
                if gradient is not None:
                    named[name].sub_(_hundredth(named[name], gradient))
        return steps
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    steps.seen = {name for name, parameter in named.items() if id(parameter) in held}
    for parameter in named.values():
        parameter.grad = None
    for name, gradient in gradients.items():
        named[name].grad = gradient
    try:
        optimizer.step()
    except TypeError:
        # such as L-BFGS, whose step evaluates the loss itself
        steps.taken, steps.why = False, f"{type(optimizer).__name__}.step() needs a closure"
    if all(group.get("lr") == 0 for group in optimizer.param_groups):
        steps.taken, steps.why = False, "the learning rate of every group of the optimizer is 0, as before a warm-up"
    return steps


def _hundredth(weight: Any, gradient: Any) -> Any:
    norm = (gradient**2).sum() ** 0.5
    size = (weight**2).sum() ** 0.5
    return gradient * (0.01 * (size + 1e-3) / (norm + 1e-30))


def _jax_step(target: Any, seed: int) -> Steps:
    import jax
    import jax.numpy as jnp

    from dltools.jax_target import named_leaves

    optimizer = target.optimizer
    names = list(named_leaves(target.params))
    leaves, structure = jax.tree.flatten(target.params)
    floating = [jnp.issubdtype(leaf.dtype, jnp.inexact) for leaf in leaves]
    _, gradients = target.loss_and_gradients(seed=seed)
    if optimizer is None:
        moved = [
            leaf - _hundredth(leaf, gradients[name]).astype(leaf.dtype) if is_float else leaf
            for name, leaf, is_float in zip(names, leaves, floating, strict=True)
        ]
        target.params = jax.tree.unflatten(structure, moved)
        return Steps(why="the target has no optimizer")
    if not all(floating):
        return Steps(why="the parameters hold integers, for which optax has no update")
    params = target.params
    try:
        state = jax.jit(optimizer.init)(params)
        grads = jax.tree.unflatten(structure, [gradients[name] for name in names])

        # compiled as one: operation by operation takes seconds
        @jax.jit
        def update(state: Any, params: Any) -> Any:
            updates, state = optimizer.update(grads, state, params)
            return jax.tree.map(lambda p, u: jnp.asarray(p + u, p.dtype), params, updates), state

        # a schedule that warms up from zero changes nothing at its first step
        for _ in range(2):
            params, state = update(state, params)
            if any(bool((old != new).any()) for old, new in zip(leaves, jax.tree.leaves(params), strict=True)):
                break
    except (TypeError, ValueError) as error:
        return Steps(why=f"the optimizer does not fit the parameters: {str(error).splitlines()[0][:120]}")
    target.params = params
    return Steps(taken=True)


def twins(target: Any, seed: int) -> dict[str, tuple[int, int]]:
    """Units that have the same incoming weights and the same gradient as another unit, and so stay its copies.

    The gradient is that of the evaluation mode: dropout would tell copies apart for a step, and no longer.

    Args:
        target: a `dltools.target.Target`.
        seed: of noise.

    Returns:
        For each weight of two or more axes that has units with equal weights: (units with a twin, all units).
    """
    axis = 0 if target.flavour in ("torch", "equinox") else -1
    rows = {}
    for name, value in target.parameters().items():
        weight = as_numpy(value).astype(np.float64)
        if weight.ndim > 1 and "bias" not in name.rpartition(".")[2] and weight.shape[axis] > 1:
            units = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
            if len(np.unique(_rounded(units), axis=0)) < len(units):
                rows[name] = units
    if not rows:
        return {}
    counts = {}
    _, gradients = target.loss_and_gradients(train=False, seed=seed)
    for name, units in rows.items():
        if gradients[name] is not None:
            slopes = np.moveaxis(as_numpy(gradients[name]).astype(np.float64), axis, 0).reshape(len(units), -1)
            keys = np.concatenate([_rounded(units), _rounded(slopes)], axis=1)
            _, inverse, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
            counts[name] = (int((count[inverse.ravel()] > 1).sum()), len(units))
    return counts


def _rounded(values: np.ndarray) -> np.ndarray:
    # rounding differs between copies; a hundred-thousandth of the largest is far below any real difference
    largest = np.abs(values).max(initial=0)
    return np.round(values / largest * 1e5) if largest else values
