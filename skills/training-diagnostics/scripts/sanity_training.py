"""Trains a copy of a model's state on one fixed batch, for a limited number of steps and seconds."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from dltools.arrays import mapped


@dataclasses.dataclass
class Training:
    """A short training.

    Args:
        optimizer: what was used, such as `Adam(lr=0.001)`.
        losses: training loss before each step.
        lowest: the lowest loss, of the training mode or of the evaluation mode.
        steps: how many steps.
        why_ended: reached, steps, seconds, or not-finite.
    """

    optimizer: str
    losses: list[float]
    lowest: float
    steps: int
    why_ended: str


def first_examples(tree: Any, count: int) -> Any:
    """The first examples of nested inputs or targets; what has another first axis stays."""
    size = _size(tree)
    return mapped(lambda a: a[:count] if getattr(a, "ndim", 0) and a.shape[0] == size else a, tree)


def _size(tree: Any) -> int:
    from dltools.arrays import leaves

    return next((leaf.shape[0] for leaf in leaves(tree) if leaf.ndim), 0)


def train(
    target: Any,
    batch: tuple[Any, Any],
    goal: float,
    *,
    own_optimizer: bool,
    learning_rate: float = 1e-3,
    steps: int,
    seconds: float,
    seed: int,
    compiled: dict[Any, Any],
    tick: Callable[[], None] = lambda: None,
) -> Training:
    """Trains on one batch until the loss is at the goal. The target is left as it was.

    Dropout makes the loss of the training mode noisy, and fresh running statistics make that of the evaluation mode
    wrong at first: the lower of the two counts.

    Args:
        target: a `dltools.target.Target`.
        batch: (inputs, targets).
        goal: the loss to reach.
        own_optimizer: the target's optimizer, else Adam.
        learning_rate: of Adam.
        steps: at most so many.
        seconds: at most so long.
        seed: of dropout and other noise.
        compiled: keeps what was compiled, for further trainings with the same optimizer on a batch of the same shape.
        tick: called after each step.
    """
    run = _torch_steps if target.framework == "torch" else _jax_steps
    name = (
        type(target.optimizer).__name__ if own_optimizer and target.framework == "torch" else "the target's optimizer"
    )
    result = Training(name if own_optimizer else f"Adam(lr={learning_rate:g})", [], math.inf, 0, "steps")
    began = time.monotonic()
    with target.preserved():
        for loss, evaluate in run(target, batch, own_optimizer, learning_rate, seed, compiled):
            result.losses.append(loss)
            if not math.isfinite(loss):
                result.why_ended = "not-finite"
                break
            result.lowest = min(result.lowest, loss)
            if len(result.losses) % 25 == 0:
                quiet = evaluate()
                result.lowest = min(result.lowest, quiet if math.isfinite(quiet) else math.inf)
            if result.lowest <= goal:
                result.why_ended = "reached"
                break
            if len(result.losses) > steps:
                break
            if time.monotonic() - began > seconds:
                result.why_ended = "seconds"
                break
            tick()
    result.steps = len(result.losses) - 1
    return result


def _torch_steps(
    target: Any, batch: tuple[Any, Any], own: bool, learning_rate: float, seed: int, _: dict[Any, Any]
) -> Iterator[tuple[float, Callable[[], float]]]:
    import torch

    parameters = list(target.parameters().values())
    optimizer = target.optimizer if own else torch.optim.Adam(parameters, lr=learning_rate)

    def evaluate() -> float:
        return target.loss(batch, train=False)

    with target.preserved_mode(True), torch.random.fork_rng(devices=target._cuda()):
        torch.manual_seed(seed)
        while True:
            target.model.train()
            for parameter in target.model.parameters():
                parameter.grad = None
            with torch.enable_grad():
                loss = target.loss_fn(target.forward(batch[0]), batch[1])
            yield target.scalar(loss), evaluate
            loss.reshape(()).backward()
            optimizer.step()


def _jax_steps(
    target: Any, batch: tuple[Any, Any], own: bool, learning_rate: float, seed: int, compiled: dict[Any, Any]
) -> Iterator[tuple[float, Callable[[], float]]]:
    key = (own, learning_rate)
    if key not in compiled:
        compiled[key] = _jax_functions(target, own, learning_rate)
    start, step, quiet = compiled[key]
    floats, state = start()
    other, index = target.other, seed
    while True:
        loss, moved, after, state = step(floats, other, state, batch, index)
        yield float(loss), lambda floats=floats, other=other: float(quiet(floats, other, batch))
        floats, other = moved, after
        index += 1


def _jax_functions(target: Any, own: bool, learning_rate: float) -> tuple[Any, Any, Any]:
    """(start, step, loss in evaluation mode), the latter two compiled."""
    import jax
    import jax.numpy as jnp
    import optax

    leaves, structure = jax.tree.flatten(target.params)
    floating = [jnp.issubdtype(leaf.dtype, jnp.inexact) for leaf in leaves]
    optimizer = target.optimizer if own else optax.adam(learning_rate)
    # an optimizer with masks or labels needs the tree that it was made for; Adam takes the list of floats
    as_tree = own and all(floating)

    def whole(floats: list[Any]) -> Any:
        rest = iter(floats)
        return jax.tree.unflatten(
            structure, [next(rest) if is_float else leaf for leaf, is_float in zip(leaves, floating, strict=True)]
        )

    def loss_of(floats: list[Any], other: Any, batch: Any, seed: Any, train: bool) -> tuple[Any, Any]:
        outputs, other = target.call(whole(floats), batch[0], train=train, seed=seed, other=other)
        return jnp.asarray(target.loss_fn(outputs, batch[1])).reshape(()), other

    def start() -> tuple[list[Any], Any]:
        floats = [leaf for leaf, is_float in zip(leaves, floating, strict=True) if is_float]
        return floats, jax.jit(optimizer.init)(target.params if as_tree else floats)

    @jax.jit
    def step(floats: list[Any], other: Any, state: Any, batch: Any, seed: Any) -> Any:
        (loss, other), gradients = jax.value_and_grad(loss_of, has_aux=True)(floats, other, batch, seed, True)
        shown, slopes = (whole(floats), whole(gradients)) if as_tree else (floats, gradients)
        updates, state = optimizer.update(slopes, state, shown)
        moved = jax.tree.map(lambda p, u: jnp.asarray(p + u, p.dtype), shown, updates)
        return loss, (jax.tree.leaves(moved) if as_tree else moved), other, state

    return start, step, jax.jit(lambda floats, other, batch: loss_of(floats, other, batch, 0, False)[0])
