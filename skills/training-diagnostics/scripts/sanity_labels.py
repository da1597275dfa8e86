"""Whether labels fit the inputs: nearest neighbours, against random orders of the labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, is_floating, leaves
from dltools.report import Finding
from expected_loss import Expected, main_output
from sanity_checks import Check, decided, undecided

# Another order of the labels is claimed only where it fits far better than all of so many random ones.
PERMUTATIONS = 200
FEWEST_FOR_LABELS = 30
MOST_TOKENS = 10_000


def labels(target: Any, expected: Expected, seed: int) -> Check:
    """Whether the labels fit the inputs in the order given, in another order, or in none.

    For each example, its label is compared with that of its nearest neighbour among the inputs. Random orders of the
    labels are the control. No model takes part.
    """
    truth = [leaf for leaf in leaves(target.targets)]
    out = None
    with target.preserved():
        out = main_output(target.outputs(seed=seed))
    if len(truth) == 1 and out is not None:
        broadcast = _broadcast(tuple(out.shape), tuple(truth[0].shape), expected)
        if broadcast:
            return decided([broadcast])
    if target.labels is not None:
        truth = [target.labels]
    if len(truth) != 1 or not truth[0].ndim:
        return undecided("the targets are not one array")
    size = target.batch_size
    y = as_numpy(truth[0])
    floats = [as_numpy(leaf).astype(np.float64) for leaf in leaves(target.inputs) if is_floating(leaf) and leaf.ndim]
    if size < FEWEST_FOR_LABELS or y.shape[0] != size:
        return undecided(f"{size} examples are too few to compare neighbours; give at least {FEWEST_FOR_LABELS}")
    features = _features(floats, leaves(target.inputs), size)
    if features is None:
        return undecided("the inputs have no form in which neighbours can be compared")
    dense = y.ndim >= 2 and floats and floats[0].ndim > y.ndim - 1 and _positions(floats[0], y) is not None
    scores = _dense_scores(floats[0], y, seed) if dense else _scores(features, y, is_floating(truth[0]), seed)
    if scores is None:
        return undecided("the targets are the same for all examples")
    asis, orders, control = scores
    best = max(orders, key=lambda name: orders[name])
    values = {
        "as_given": asis,
        "best_other_order": best,
        "its_score": orders[best],
        "random_orders_at_most": float(control.max()),
    }
    if asis > np.quantile(control, 0.99) and asis >= orders[best]:
        return decided([], "neighbouring inputs have like labels, more than in random orders", **values)
    # far above every random order: as far again as these spread
    margin = control.max() + (control.max() - np.median(control))
    if orders[best] > max(margin, asis + (control.max() - np.median(control))):
        return decided(
            [
                Finding(
                    "labels-misaligned",
                    "targets",
                    f"The labels fit the inputs when {best}: neighbours agree in {orders[best]:.2f}, as given in "
                    f"{asis:.2f}, "
                    f"in random orders in at most {control.max():.2f}.",
                    values,
                    "Look where inputs and labels are joined: shuffled apart, one off, sorted by another key, "
                    "transposed.",
                )
            ],
            **values,
        )
    return undecided(
        "neighbouring inputs agree in their labels no more than in random orders: they do not tell", **values
    )


def _broadcast(outputs: tuple[int, ...], targets: tuple[int, ...], expected: Expected) -> Finding | None:
    if outputs == targets or expected.kind == "cross-entropy" or math.prod(outputs) != math.prod(targets):
        return None
    try:
        shape = np.broadcast_shapes(outputs, targets)
    except ValueError:
        return None
    if math.prod(shape) == math.prod(outputs):
        return None
    return Finding(
        "labels-misaligned",
        "targets",
        f"Outputs of shape {outputs} and targets of shape {targets} are broadcast to {shape}: each output meets "
        "every target.",
        {"outputs": list(outputs), "targets": list(targets)},
        "Give both the same shape, such as with targets[:, None] or outputs.squeeze(-1).",
    )


def _features(floats: list[np.ndarray], all_inputs: list[Any], size: int) -> np.ndarray | None:
    parts = [array.reshape(size, -1) for array in floats if array.shape[0] == size]
    for leaf in all_inputs:
        array = as_numpy(leaf)
        if not is_floating(leaf) and array.ndim and array.shape[0] == size and array.dtype.kind in "iu":
            tokens = array.reshape(size, -1)
            if tokens.max(initial=0) < MOST_TOKENS and tokens.min(initial=0) >= 0:
                # how often each token occurs
                parts.append(
                    np.stack([np.bincount(row, minlength=int(tokens.max()) + 1) for row in tokens]).astype(float)
                )
    if not parts:
        return None
    joined = np.concatenate(parts, axis=1)
    spread = joined.std()
    return (joined - joined.mean(axis=0)) / spread if spread else None


def _agreement(neighbour: np.ndarray, y: np.ndarray, floating: bool) -> float:
    if floating:
        variance = ((y - y.mean(axis=0)) ** 2).mean()
        # 0 for independent labels, 1 for equal ones
        return float(1 - ((y - y[neighbour]) ** 2).mean() / (2 * variance)) if variance else 0.0
    return float((y == y[neighbour]).mean())


def _scores(features: np.ndarray, y: np.ndarray, floating: bool, seed: int) -> Any:
    size = len(y)
    flat = y.reshape(size, -1)
    if (flat == flat[:1]).all():
        return None
    distance = (
        ((features[:, None, :] - features[None, :, :]) ** 2).sum(-1)
        if size * size * features.shape[1] < 5e7
        else _far(features)
    )
    np.fill_diagonal(distance, np.inf)
    neighbour = distance.argmin(axis=1)
    generator = np.random.default_rng(seed)
    orders: dict[str, float] = {}
    for shift in (-3, -2, -1, 1, 2, 3):
        orders[f"shifted by {shift}"] = _agreement(neighbour, np.roll(flat, shift, axis=0), floating)
    orders["reversed"] = _agreement(neighbour, flat[::-1], floating)
    if flat.shape[1] > 1:
        orders["transposed"] = _agreement(neighbour, flat.reshape(flat.shape[::-1]).T, floating)
    control = np.array(
        [_agreement(neighbour, flat[generator.permutation(size)], floating) for _ in range(PERMUTATIONS)]
    )
    return _agreement(neighbour, flat, floating), orders, control


def _far(features: np.ndarray) -> np.ndarray:
    squares = (features**2).sum(axis=1)
    return squares[:, None] + squares[None, :] - 2 * features @ features.T


def _positions(inputs: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Inputs with one vector for each position of dense labels: (N, *positions, features), or None."""
    places = y.shape[1:]
    if inputs.shape[1:] == places:
        return inputs[..., None]
    if inputs.shape[1 : 1 + len(places)] == places:
        return inputs.reshape(*y.shape, -1)
    if inputs.shape[-len(places) :] == places and inputs.ndim == y.ndim + 1:
        return np.moveaxis(inputs, 1, -1)
    return None


def _dense_scores(inputs: np.ndarray, y: np.ndarray, seed: int) -> Any:
    """Neighbours among positions: how well the values at a position tell its label."""
    if (y == y.flat[0]).all():
        return None
    by_place = _positions(inputs, y)
    generator = np.random.default_rng(seed)
    total = y.size
    chosen = generator.choice(total, min(total, 2000), replace=False)
    points = by_place.reshape(total, -1)[chosen]
    # far cheaper than all pairs, and enough for a score: neighbours along the projection that varies most
    direction = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    order = np.argsort(points @ direction, kind="stable")
    neighbour = np.empty_like(order)
    neighbour[order] = np.roll(order, -1)
    floating = y.dtype.kind == "f" and len(np.unique(y)) > 20

    def score(labels: np.ndarray) -> float:
        return _agreement(neighbour, labels.reshape(-1)[chosen], floating)

    orders = {f"shifted by {shift} examples": score(np.roll(y, shift, axis=0)) for shift in (-2, -1, 1, 2)}
    if y.ndim >= 3:
        if y.shape[1] == y.shape[2]:
            orders["transposed"] = score(np.swapaxes(y, 1, 2))
        orders["flipped along axis 1"] = score(np.flip(y, 1))
        orders["flipped along axis 2"] = score(np.flip(y, 2))
    flat = y.reshape(-1)[chosen]
    control = np.array(
        [_agreement(neighbour, flat[generator.permutation(len(flat))], floating) for _ in range(PERMUTATIONS)]
    )
    return score(y), orders, control
