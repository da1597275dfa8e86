"""The checks of the sanity suite, each on one batch, each with an answer: passed, failed, or cannot decide and why."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from dltools.arrays import (
    as_numpy,
    dtype_name,
    floats,
    is_floating,
    leaves,
    like,
    mapped,
    relative_difference,
    rounding,
)
from dltools.examples import examples_mix
from dltools.report import Finding
from expected_loss import Expected, main_output
from probe_recording import Recording, record
from sanity_training import Training, first_examples, train

PASSED, FAILED, UNDECIDED = "passed", "failed", "cannot-decide"

# The overfitted loss must come down to this share of the way from the best constant prediction to a perfect one.
OVERFIT = 0.1
OVERFIT_EXAMPLES = 32
# Above this share of the loss of a constant, nothing worth the name was learned; between it and the goal, the steps may
# have been too few. Where each position has a target, the first ones can be unpredictable for any model.
LEARNS = 0.5
# With fewer parameters for each example, failing to memorise proves nothing.
CAPACITY = 10
LEARNS_DENSE = 0.9


@dataclasses.dataclass
class Check:
    """The answer of one check.

    Args:
        status: passed, failed or cannot-decide.
        reason: why it cannot decide, or what was compared.
        findings: what is wrong.
        values: the numbers behind it.
    """

    status: str
    reason: str = ""
    findings: list[Finding] = dataclasses.field(default_factory=list)
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


def undecided(reason: str, **values: Any) -> Check:
    """An answer that names what is missing."""
    return Check(UNDECIDED, reason, [], values)


def decided(findings: list[Finding], reason: str = "", **values: Any) -> Check:
    """Passed without findings, else failed."""
    return Check(FAILED if findings else PASSED, reason, findings, values)


def _differ(first: Any, second: Any) -> float:
    """The largest of the relative differences of the arrays."""
    return max((relative_difference(a, b) for a, b in zip(floats(first), floats(second), strict=True)), default=0.0)


def determinism(target: Any, seed: int) -> Check:
    """The same seed twice, in both modes."""
    for train_mode, mode in ((False, "evaluation"), (True, "training")):
        with target.preserved():
            first = mapped(_copied, target.outputs(train=train_mode, seed=seed))
        with target.preserved():
            # what `preserved` puts back (generators of Python and numpy) is moved on: a seed of our own must suffice
            _stir()
            second = target.outputs(train=train_mode, seed=seed)
            gap = _differ(first, second)
            third = target.outputs(train=False, seed=seed) if not train_mode else None
            gap_again = _differ(second, third) if third is not None else 0.0
        if max(gap, gap_again) > rounding(first):
            finding = Finding(
                "nondeterministic",
                "model",
                f"Two calls in {mode} mode with the same seed and inputs differ by {max(gap, gap_again):.2g} of "
                "the largest output.",
                {"mode": mode, "relative_difference": max(gap, gap_again)},
                "Look for numpy or Python random numbers, a generator of its own, time, or state that a call "
                "changes; draw from the "
                "framework's generator instead.",
            )
            return decided([finding])
    return decided([], "two calls with the same seed, in both modes")


def _stir() -> None:
    import random

    random.seed()
    np.random.seed()


def _copied(array: Any) -> Any:
    return array.detach().clone() if hasattr(array, "detach") else array


def modes(target: Any, seed: int, deterministic: bool) -> tuple[Check, Check]:
    """Whether noise is active in training and inactive in evaluation.

    Returns:
        (dropout in training, noise in evaluation).
    """
    with target.preserved():
        training: Recording = record(target, train=True, seed=seed)
    with target.preserved():
        quiet: Recording = record(target, train=False, seed=seed)
    if training.idle_dropout:
        names = sorted(set(training.idle_dropout))
        dropout = decided(
            [
                Finding(
                    "dropout-inactive",
                    names[0],
                    f"Dropout with a rate above 0 changes nothing in training mode: {', '.join(names)}.",
                    {"sites": names},
                    "Look for eval() on a submodule, an overridden train(), `deterministic=True`, or "
                    "`training=False` in the functional form.",
                )
            ]
        )
    elif training.random or any(call.noise for call in training.calls):
        dropout = decided([], "noise is active in training mode")
    else:
        dropout = undecided("no dropout was seen in training mode: there is none, or it is off without leaving a trace")
    if not deterministic:
        return dropout, undecided("the outputs differ with the same seed")
    with target.preserved():
        first, second = (target.outputs(train=False, seed=seed + k) for k in (0, 1))
        gap = _differ(first, second)
        tolerance = rounding(first)
    if gap > tolerance:
        names = sorted(set(quiet.random))
        active = decided(
            [
                Finding(
                    "active-in-eval",
                    names[0] if names else "model",
                    f"In evaluation mode the outputs change with the seed, by {gap:.2g} of the largest output.",
                    {"relative_difference": gap, "sites": names},
                    "Give the functional dropout `training=self.training`, or pass the mode down to this module. "
                    "A model that samples "
                    "on purpose, such as a variational one, should give its mean in evaluation mode.",
                )
            ]
        )
    else:
        active = decided([], "evaluation outputs do not depend on the seed")
    return dropout, active


def batch_mixing(target: Any, seed: int) -> Check:
    """Replaces some examples by others, in evaluation mode, and looks at the outputs of the rest."""
    size = target.batch_size
    if size < 2:
        return undecided("a batch of one example cannot show mixing; give at least two")
    if target.properties.get("batch_independent") is False:
        return undecided("the target declares that outputs depend on the other examples")
    with target.preserved():
        mixing = examples_mix(lambda inputs: target.outputs(inputs, seed=seed), target.inputs, size)
    if mixing is None:
        return undecided("the first axis of the outputs is not that of the examples")
    gap, changed, kept = mixing.relative_difference, mixing.replaced, size - mixing.replaced
    values = {"relative_difference": gap, "replaced": changed, "kept": kept}
    if gap <= mixing.tolerance:
        return decided([], "evaluation mode only: batch normalisation mixes examples in training by design", **values)
    return decided(
        [
            Finding(
                "batch-mixing",
                "model",
                f"In evaluation mode, outputs of {kept} examples change by {gap:.2g} of the largest "
                f"when the other {changed} are replaced.",
                values,
                "Look for view or reshape where a transpose was meant, a softmax or mean over axis 0, attention "
                "over the batch axis, "
                "and batch normalisation without running statistics.",
            )
        ],
        **values,
    )


def input_has_effect(target: Any, seed: int) -> Check:
    """Other inputs must give other outputs."""
    with target.preserved():
        before = target.outputs(seed=seed)
        size = target.batch_size

        def other(array: Any) -> Any:
            new = as_numpy(array)
            if new.ndim and new.shape[0] == size:
                new = np.roll(new, 1, axis=0)
            return like(array, new * -2.0 + 0.5 if is_floating(array) else new)

        gap = _differ(before, target.outputs(mapped(other, target.inputs), seed=seed))
        tolerance = rounding(before)
        spread = max((float(np.abs(a - a[:1]).max()) for a in floats(before) if a.ndim), default=0.0)
    if gap <= tolerance and size < 2 and not any(is_floating(leaf) for leaf in leaves(target.inputs)):
        return undecided("one example of integers cannot be replaced by another")
    if gap > tolerance:
        return decided([], "other inputs give other outputs", relative_difference=gap)
    return decided(
        [
            Finding(
                "input-ignored",
                "inputs",
                f"Replacing the inputs changes the outputs by {gap:.2g} of the largest: the outputs do not depend "
                "on them.",
                {"relative_difference": gap, "spread_over_examples": spread},
                "Follow the inputs through forward: a name that is overwritten, a mask of zeros, a product with "
                "0, dead units.",
            )
        ]
    )


def loss_reduction(target: Any, seed: int) -> Check:
    """Whether the loss is one number, and whether it grows with the number of examples."""
    with target.preserved():
        outputs = target.outputs(seed=seed)
        value = target.loss_fn(outputs, target.targets)
        shape = tuple(getattr(value, "shape", ()))
        if shape not in ((), (1,)):
            return decided(
                [
                    Finding(
                        "loss-reduction",
                        "loss_fn",
                        f"loss_fn returns an array of shape {shape}, not one number.",
                        {"shape": list(shape)},
                        "Take its mean, over the entries that count.",
                    )
                ]
            )
        once = target.scalar(value)
        size = target.batch_size
        arrays = [*leaves(outputs), *leaves(target.targets)]
        if not all(array.ndim and array.shape[0] == size for array in arrays):
            return undecided("outputs or targets do not have the examples along their first axis")
        try:
            twice = target.scalar(target.loss_fn(mapped(_doubled, outputs), mapped(_doubled, target.targets)))
        except Exception as error:  # a loss may hold weights of the size of the batch
            return undecided(f"loss_fn does not take a batch of another size ({type(error).__name__})")
    if not (math.isfinite(once) and math.isfinite(twice)) or abs(once) < 1e-12:
        return undecided("the loss is not finite or zero")
    ratio = twice / once
    if abs(ratio - 1) < 0.01:
        return decided([], "the same for the batch and the batch twice", ratio=ratio)
    if abs(ratio - 2) < 0.02:
        return decided(
            [
                Finding(
                    "loss-reduction",
                    "loss_fn",
                    "The loss of the batch repeated is twice that of the batch: it is a sum over the examples.",
                    {"ratio": ratio, "loss": once},
                    "Take the mean: with a sum, the step size and the weight of regularisation change with the "
                    "size of the batch.",
                )
            ],
            ratio=ratio,
        )
    return undecided("the loss depends on the size of the batch in another way, as contrastive losses do", ratio=ratio)


def _doubled(array: Any) -> Any:
    if hasattr(array, "detach"):
        import torch

        return torch.cat([array, array])
    import jax.numpy as jnp

    return jnp.concatenate([array, array])


def applied_twice(target: Any, expected: Expected, seed: int) -> Check:
    """Whether probabilities go into a loss that takes logits."""
    if expected.applied_twice:
        return decided([_twice(expected.applied_twice, "loss_fn", expected)])
    if expected.kind not in ("cross-entropy", "binary-cross-entropy"):
        return undecided(
            expected.why or f"the loss is a {expected.kind.replace('-', ' ')}, which takes values as they are"
        )
    with target.preserved():
        plain = as_numpy(main_output(target.outputs(seed=seed))).astype(np.float64)
        _scale_parameters(target, 10.0)
        scaled = as_numpy(main_output(target.outputs(seed=seed))).astype(np.float64)
    inside = all(np.isfinite(a).all() and a.min() >= 0 and a.max() <= 1 for a in (plain, scaled))
    axis = expected.class_axis
    if inside and axis is not None and all(np.allclose(a.sum(axis=axis), 1, atol=2e-2) for a in (plain, scaled)):
        return decided([_twice("softmax", "outputs", expected)])
    # zeros stay zeros under any scaling; only a sigmoid keeps away from them
    if inside and plain.min() > 0 and scaled.std() > 0 and (expected.kind.startswith("binary") or plain.max() < 1):
        return decided([_twice("sigmoid", "outputs", expected)])
    return decided([], "the loss takes logits and the outputs are not confined to [0, 1]")


def _twice(name: str, where: str, expected: Expected) -> Finding:
    place = (
        "loss_fn applies it before a loss that"
        if where == "loss_fn"
        else "the outputs lie in [0, 1] whatever the weights, and the loss"
    )
    return Finding(
        "activation-applied-twice",
        where,
        f"The {name} is applied twice: {place} takes logits ({expected.kind.replace('-', ' ')}).",
        {"activation": name, "loss": expected.kind},
        f"Remove the {name} before the loss, and apply it only where probabilities are needed.",
    )


def _scale_parameters(target: Any, factor: float) -> None:
    if target.framework == "torch":
        import torch

        with torch.no_grad():
            for value in target.parameters().values():
                value.mul_(factor)
    else:
        import jax
        import jax.numpy as jnp

        target.params = jax.tree.map(lambda a: a * factor if jnp.issubdtype(a.dtype, jnp.inexact) else a, target.params)


def overfit(
    target: Any, *, steps: int, seconds: float, seed: int, compiled: dict[Any, Any], tick: Callable[[], None]
) -> tuple[Check, list[Training]]:
    """Trains on a few examples until the loss is near that of perfect outputs.

    The target's optimizer goes first; where it does not arrive, Adam with two learning rates shows whether the model
    can. Only when no training arrives, the model cannot.

    Args:
        target: a `dltools.target.Target`.
        steps: at most so many for each training.
        seconds: at most so long for all trainings.
        seed: of dropout and other noise.
        compiled: for `train`.
        tick: called after each step.

    Returns:
        (the answer, the trainings).
    """
    count = min(target.batch_size, OVERFIT_EXAMPLES)
    batch = (first_examples(target.inputs, count), first_examples(target.targets, count))
    with target.preserved():
        small = _few_expected(target, batch, count, seed)
    known = bool(small.kind) and small.constant > 1e-6
    floor = small.perfect if known and math.isfinite(small.perfect) and not small.applied_twice else 0.0
    goal = floor + OVERFIT * (small.constant - floor) if known else math.nan
    runs: list[Training] = []
    plans: list[tuple[bool, float]] = [(True, 0.0)] if target.optimizer is not None else []
    for own, rate in [*plans, (False, 1e-3), (False, 1e-2)]:
        try:
            run = train(
                target,
                batch,
                goal,
                own_optimizer=own,
                learning_rate=rate,
                steps=steps,
                seconds=seconds / 3,
                seed=seed,
                compiled=compiled,
                tick=tick,
            )
        except TypeError:
            # such as L-BFGS, whose step evaluates the loss itself
            if own:
                continue
            raise
        runs.append(run)
        if not known and math.isnan(goal):
            # nothing is known of the loss: it should at least fall to this share of its start
            goal = OVERFIT * run.losses[0]
        if run.why_ended == "reached" or run.lowest <= goal:
            run.why_ended = "reached"
            break
    best = min(runs, key=lambda run: run.lowest)
    start = runs[0].losses[0]
    reference = small.constant if known else start
    values: dict[str, Any] = {
        "examples": count,
        "start": start,
        "goal": goal,
        "best_constant": small.constant if known else None,
    }
    values["runs"] = [
        {"optimizer": r.optimizer, "steps": r.steps, "lowest": r.lowest, "ended": r.why_ended} for r in runs
    ]
    if best.why_ended == "reached":
        reason = f"{best.optimizer} arrived after {best.steps} steps"
        if target.optimizer is not None and runs[0].why_ended != "reached":
            reason += f"; {runs[0].optimizer} did not within {runs[0].steps}: look at its learning rate"
        return decided([], reason, **values), runs
    if all(run.why_ended == "seconds" for run in runs):
        return undecided("the time ended before the steps did; raise --seconds", **values), runs
    # with a target at each position, or a loss of unknown kind, part of it may be beyond any model
    dense = any(leaf.ndim > 1 and leaf.size > 1 and math.prod(leaf.shape[1:]) > 1 for leaf in _arrays(target.targets))
    share = best.lowest / reference if reference > 0 else 1.0
    if share < (LEARNS_DENSE if dense or not known else LEARNS):
        return undecided(
            f"the loss fell to {share:.2g} of that of a constant and not to the goal; raise --steps", **values
        ), runs
    parameters = sum(as_numpy(value).size for value in target.parameters().values())
    if parameters < CAPACITY * count:
        return undecided(f"{parameters} parameters may be too few to memorise {count} examples", **values), runs
    if best.why_ended == "not-finite" and any(dtype_name(value) == "float16" for value in target.parameters().values()):
        return undecided(
            "the training is not finite, as is usual with weights in float16; keep them in float32", **values
        ), runs
    finding = Finding(
        "cannot-overfit",
        "model",
        f"On {count} examples the loss falls from {start:.4g} to {best.lowest:.4g}; {goal:.4g} was to be reached"
        + (f" (the best constant prediction has {reference:.4g})." if known else "."),
        values,
        "A model of any use can memorise a few examples. Look at the other findings first; then at the loss, at "
        "parameters "
        "that do not move, at information that forward throws away, and at capacity.",
    )
    return decided([finding], **values), runs


def _arrays(tree: Any) -> list[np.ndarray]:
    return [as_numpy(leaf) for leaf in leaves(tree)]


def _few_expected(target: Any, batch: tuple[Any, Any], count: int, seed: int) -> Expected:
    """The expectation on the few examples: their labels have frequencies of their own."""
    from expected_loss import expected_loss

    outputs = first_examples(target.outputs(seed=seed), count)
    whole = target.batch
    target.batch = batch
    try:
        return expected_loss(target, outputs)
    finally:
        target.batch = whole


def zero_input(
    target: Any,
    run: Training | None,
    *,
    steps: int,
    seconds: float,
    seed: int,
    compiled: dict[Any, Any],
    tick: Callable[[], None],
) -> Check:
    """The same training on inputs of zeros, which can at best learn the label frequencies."""
    if run is None or run.why_ended != "reached":
        return undecided("the training on the real inputs did not arrive, so there is nothing to compare")
    count = min(target.batch_size, OVERFIT_EXAMPLES)
    truth = [array[:count] for array in _arrays(target.targets) if array.ndim]
    if all((array == array[:1]).all() for array in truth):
        return undecided("the targets are the same for all examples, so inputs are not needed")
    zeros = mapped(lambda a: a * 0, first_examples(target.inputs, count))
    batch = (zeros, first_examples(target.targets, count))
    own = not run.optimizer.startswith("Adam(lr=")
    rate = 1e-3 if own else float(run.optimizer[8:-1])
    blind = train(
        target,
        batch,
        -math.inf,
        own_optimizer=own,
        learning_rate=0.0 if own else rate,
        steps=min(run.steps, steps),
        seconds=seconds,
        seed=seed,
        compiled=compiled,
        tick=tick,
    )
    values = {"real_inputs": run.lowest, "zero_inputs": blind.lowest, "steps": run.steps}
    if blind.lowest > run.lowest:
        return decided([], "the real inputs let the loss fall below that on zeros", **values)
    return decided(
        [
            Finding(
                "input-ignored",
                "inputs",
                f"After {run.steps} steps the loss on inputs of zeros is {blind.lowest:.4g}, on the real ones "
                f"{run.lowest:.4g}.",
                values,
                "The outputs do not use the inputs, or the targets are the same for all examples: look at both.",
            )
        ],
        **values,
    )
