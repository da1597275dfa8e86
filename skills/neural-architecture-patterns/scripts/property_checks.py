"""The properties of a model on one batch, each measured by disturbing inputs and comparing outputs."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, dtype_name
from dltools.examples import examples_mix, replaced
from dltools.report import UnusableInput
from property_localisation import first_module, first_other_dtype
from property_padding import padding as padding_compared
from property_subject import Subject, along, options_of

# At so many positions the sequence is cut; single positions are disturbed over so many places behind the cut.
CUTS = 8
REACH = 32
PERMUTATIONS = 3
SHIFTS = (1, 2, 4, 8, 16)


@dataclasses.dataclass
class Answer:
    """What was seen of one property.

    Args:
        holds: None where nothing can be said.
        said: what was compared and seen, or why nothing can be said; a sentence without its full stop.
        where: the position, example or module at which it fails.
        values: the numbers behind it.
        next_step: what to do if it should hold and does not.
    """

    holds: bool | None
    said: str
    where: str = "model"
    values: dict[str, Any] = dataclasses.field(default_factory=dict)
    next_step: str = ""


def unknown(why: str, **values: Any) -> Answer:
    """An answer that names what is missing."""
    return Answer(None, why, values=values)


def depends_on_inputs(subject: Subject) -> Answer | None:
    """None where other inputs give other outputs; else why nothing else can be said."""
    x = subject.value(subject.key)
    after = subject.run({subject.key: subject.disturbed(x, np.ones(1, bool).reshape([1] * x.ndim))})
    gap = subject.differ(subject.before, after)
    if gap > subject.tolerance:
        return None
    return unknown("the outputs do not depend on the inputs", relative_difference=gap, tolerance=subject.tolerance)


# ---- along a sequence


def causal(subject: Subject, declared: Any) -> Answer:
    """Whether the output at position t depends on inputs at positions up to t only."""
    key, axis, length, out = _sequence(subject, declared, "causal")
    if out is None:
        return unknown(
            f"the output of shape {subject.before.shape} has no axis over the {length} positions of the input"
        )
    if length < 2:
        return unknown("a sequence of one position has no future; give a longer one")
    x = subject.value(key)
    avoid = _pad_token(subject, x)

    def change(chosen: np.ndarray) -> np.ndarray:
        new = subject.disturbed(x, along(axis, chosen, x.ndim), avoid)
        return subject.by_position(subject.before, subject.run({key: new}), out)

    positions = np.arange(length)
    cuts = sorted({0, min(1, length - 2), *np.linspace(0, length - 2, CUTS).astype(int).tolist()})
    leaks: dict[int, float] = {}
    effect = 0.0
    for cut in cuts:
        gaps = change(positions > cut)
        effect = max(effect, float(gaps[cut + 1 :].max()))
        for place in np.flatnonzero(gaps[: cut + 1] > subject.tolerance):
            leaks[int(place)] = max(leaks.get(int(place), 0.0), float(gaps[place]))
    compared = (
        f"inputs after each of {len(cuts)} positions of axis {axis} were replaced and the outputs up to it compared"
    )
    values = {"tolerance": subject.tolerance, "rounding": subject.rounding}
    if not leaks:
        if effect <= subject.tolerance:
            return unknown("replacing later inputs changes no output at all, not even later ones", **values)
        return Answer(True, compared, values={**values, "change_of_later_outputs": effect})
    place = max(leaks, key=lambda p: leaks[p])
    reaching = {j: float(change(positions == j)[place]) for j in range(place + 1, min(length, place + 1 + REACH))}
    reaching = {j: gap for j, gap in reaching.items() if gap > subject.tolerance}
    source = max(reaching, key=lambda j: reaching[j]) if reaching else length - 1
    reach = max(reaching, default=source) - place
    values = {
        "relative_change": leaks[place],
        **values,
        "output_position": place,
        "input_position": source,
        "positions_ahead": reach,
        "leaking_outputs": len(leaks),
    }
    where = f"output {place} from input {source}"
    module = first_module(
        subject,
        {key: subject.disturbed(x, along(axis, positions > place, x.ndim), avoid)},
        axis,
        length,
        slice(0, place + 1),
    )
    if set(leaks) == {0} and length > 2:
        hint = (
            "Only the first position leaks: a row with nothing to look at is averaged over "
            "everything. Let each position see itself."
        )
    elif reach <= 8 and place + reach < length - 1:
        hint = (
            f"It looks {reach} ahead: check tril(diagonal=...), the shift between inputs "
            "and targets, and the padding of convolutions."
        )
    else:
        hint = (
            "The future is seen as a whole: a mask that is missing, transposed, applied to "
            "queries or after the softmax; a convolution or "
            "recurrence in both directions; or statistics over the axis of time."
        )
    said = (
        f"the output at position {place} changes by {leaks[place]:.2g} of the largest when inputs after it are replaced"
    )
    return Answer(False, said, f"{module}: {where}" if module else where, values, hint)


def permutation(subject: Subject, declared: Any) -> tuple[Answer, Answer]:
    """Whether permuting the elements permutes the outputs (first answer) or leaves them as they are (second)."""
    key, axis, length, out = _sequence(subject, declared, "permutation")
    axes = {key: [axis]}
    given = options_of(declared).get("axes")
    if given is not None:
        axes = {subject.named(k, "permutation"): [a] if isinstance(a, int) else list(a) for k, a in given.items()}
    else:
        for other, array in subject.arrays().items():
            if other != key:
                axes[other] = [a for a in range(1, array.ndim) if array.shape[a] == length]
    worst_equivariant = worst_invariant = 0.0
    place, changed = 0, False
    for _ in range(PERMUTATIONS):
        order = subject.random.permutation(length)
        inputs = {k: subject.value(k) for k in axes}
        for k, along_axes in axes.items():
            for a in along_axes:
                inputs[k] = np.take(inputs[k], order, axis=a)
        changed |= any(not np.array_equal(inputs[k], subject.value(k)) for k in axes)
        after = subject.run(inputs)
        worst_invariant = max(worst_invariant, subject.differ(subject.before, after))
        if out is not None:
            gaps = subject.by_position(np.take(subject.before, order, axis=out), after, out)
            if gaps.max() > worst_equivariant:
                worst_equivariant, place = float(gaps.max()), int(order[gaps.argmax()])
    if not changed:
        same = unknown("the elements of each example are equal, so that a permutation changes nothing")
        return same, same
    moved = "; ".join(f"input {k!r} along axis {', '.join(map(str, a))}" for k, a in axes.items() if a)
    common = {"tolerance": subject.tolerance, "rounding": subject.rounding, "elements": length}
    if out is None:
        equivariant = unknown(
            f"the output of shape {subject.before.shape} has no axis over the "
            f"{length} elements: only invariance can hold"
        )
    else:
        holds = worst_equivariant <= subject.tolerance
        equivariant = Answer(
            holds,
            f"{PERMUTATIONS} permutations of {moved}"
            + ("" if holds else f"; the output of element {place} changes by {worst_equivariant:.2g}"),
            "model" if holds else f"element {place}",
            {"relative_change": worst_equivariant, **common},
            "Look for position information, a recurrence or convolution over the elements, a "
            "causal mask, and sorting or indexing by place.",
        )
    holds = worst_invariant <= subject.tolerance
    invariant = Answer(
        holds,
        f"{PERMUTATIONS} permutations of {moved}" + ("" if holds else f" change the outputs by {worst_invariant:.2g}"),
        values={"relative_change": worst_invariant, **common},
        next_step="Pool over the elements by sum, mean, maximum or attention, after layers that are equivariant.",
    )
    return equivariant, invariant


def padding(subject: Subject, declared: Any) -> Answer:
    """Whether what stands at padded positions, and how many there are, is without effect on the rest."""
    return Answer(*padding_compared(subject, declared, _sequence(subject, declared, "padding_mask", own_input=False)))


# ---- over space


def shift_equivariant(subject: Subject, declared: Any) -> Answer:
    """Whether shifting the input shifts the output, away from the borders."""
    options = options_of(declared)
    key, x = subject.key, subject.value(subject.key)
    axes = options.get("axes", options.get("axis"))
    axes = [axes] if isinstance(axes, int) else axes
    if axes is None:
        # a plain function may have either layout; few channels give it away
        few = subject.target.flavour == "function" and x.shape[1] <= 4 < x.shape[-1]
        channels_first = subject.target.flavour in ("torch", "equinox") or few
        axes = [1] if x.ndim < 4 else list(range(2, x.ndim)) if channels_first else list(range(1, x.ndim - 1))
    parts = [_shift_along(subject, key, axis % x.ndim, options.get("stride")) for axis in axes]
    for wanted in (False, None):
        if any(part.holds is wanted for part in parts):
            return next(part for part in parts if part.holds is wanted)
    return parts[0] if len(parts) == 1 else dataclasses.replace(parts[0], said="; ".join(part.said for part in parts))


def _shift_along(subject: Subject, key: Any, axis: int, stride: int | None) -> Answer:
    x, y = subject.value(key), subject.before
    length = x.shape[axis]
    if y.ndim != x.ndim and not (x.dtype.kind != "f" and y.ndim == x.ndim + 1):
        return unknown(
            f"the output of shape {y.shape} has no axis that runs along axis {axis} of "
            "the input: only invariance could hold"
        )
    ratio = max(1, round(length / y.shape[axis]))
    up = y.shape[axis] // length if y.shape[axis] > length and y.shape[axis] % length == 0 else 1
    wanted = stride or 1
    common = {"axis": axis, "stride_of_output": ratio, "tolerance": subject.tolerance, "rounding": subject.rounding}
    tried: dict[int, tuple[float, int, str]] = {}
    for step in dict.fromkeys([wanted, ratio, *SHIFTS]):
        if step % ratio == 0 and step < length:
            tried[step] = _shifted(subject, key, axis, step, ratio, up)
            if tried[step][0] <= subject.tolerance:
                break
    shown = {f"change_when_shifted_by_{step}": gap for step, (gap, _, _) in tried.items() if np.isfinite(gap)}
    holding = [step for step, (gap, _, _) in tried.items() if gap <= subject.tolerance]
    if wanted in holding:
        return Answer(True, f"axis {axis} shifted by {wanted}: {tried[wanted][2]}", values={**common, **shown})
    if wanted in tried and np.isnan(tried[wanted][0]):
        return unknown(f"axis {axis}: {tried[wanted][2]}", **common)
    also = f"; shifts by {holding[0]} do shift it" if holding else ""
    if wanted in tried:
        gap, place, how = tried[wanted]
        said = (
            f"shifting axis {axis} by {wanted} changes the output by {gap:.2g} of the largest "
            f"beyond the shift, most at {place} ({how}){also}"
        )
        where = f"axis {axis}, output {place}"
    else:
        said = (
            f"the output has one position for {ratio} of axis {axis}, so that a shift "
            f"by {wanted} has no counterpart{also}"
        )
        where = f"axis {axis}"
    hint = (
        "Strides and pooling keep only shifts by their product: declare {'stride': n} if that is "
        "meant, or low-pass before subsampling (Zhang 2019). "
        if ratio > 1 or holding
        else "Look for position tables, patches, flattening before a dense layer, and "
        "padding whose effect reaches everywhere. "
    )
    return Answer(False, said, where, {**common, **shown}, hint.strip())


def _shifted(subject: Subject, key: Any, axis: int, step: int, ratio: int, up: int) -> tuple[float, int, str]:
    """(largest change beyond the shift, where, what was compared); NaN where no output is free of borders."""
    x, y = subject.value(key), subject.before
    for times in (1, 2, 4):
        if times > 1:
            x = np.concatenate([subject.value(key)] * times, axis=axis)
            try:
                y = subject.run({key: x})
            except UnusableInput:  # the size of the input is part of the model
                break
            if y.shape[axis] * subject.value(key).shape[axis] < subject.before.shape[axis] * x.shape[axis] * 0.5:
                break
        low, high, everything = _field(subject, key, x, y, axis, ratio, up)
        if everything:
            # each output sees everything; a larger input would not change that
            break
        places = np.arange(y.shape[axis])
        centre = places * ratio // up
        moved = step * up // ratio
        inner = places[
            (centre + low >= 0) & (centre + high + step <= x.shape[axis] - 1) & (places + moved < y.shape[axis])
        ]
        if inner.size:
            after = subject.run({key: np.roll(x, step, axis=axis)})
            gaps = subject.by_position(np.take(y, inner, axis=axis), np.take(after, inner + moved, axis=axis), axis)
            size = f", on the input repeated {times} times" if times > 1 else ""
            how = (
                f"{inner.size} of {y.shape[axis]} outputs compared, those that see "
                f"neither border nor wrapped values{size}"
            )
            return float(gaps.max()), int(inner[gaps.argmax()]), how
    x, y = subject.value(key), subject.before
    everything = _field(subject, key, x, y, axis, ratio, up)[2]
    after = subject.run({key: np.roll(x, step, axis=axis)})
    gaps = subject.by_position(np.roll(y, step * up // ratio, axis=axis), after, axis)
    if gaps.max() <= subject.tolerance or everything:
        return (
            float(gaps.max()),
            int(gaps.argmax()),
            "all outputs compared under a cyclic shift, since none is free of borders",
        )
    return np.nan, 0, f"every output sees a border of the {x.shape[axis]} positions; give a larger input"


def _field(
    subject: Subject, key: Any, x: np.ndarray, y: np.ndarray, axis: int, ratio: int, up: int
) -> tuple[int, int, bool]:
    """How far an output sees to the left (at most 0) and right of its centre, in positions of the input; and whether
    the first output sees the last position and the other way round."""
    low = high = 0
    ends = 0
    length = x.shape[axis]
    for centre in {0, length - 1, *(c for c in range(length // 2 - 2, length // 2 + 3) if 0 <= c < length)}:
        new = subject.disturbed(x, along(axis, np.arange(length) == centre, x.ndim))
        # fast convolutions spread rounding to places that see nothing of it
        reached = np.flatnonzero(subject.by_position(y, subject.run({key: new}), axis) > subject.tolerance / 10)
        if reached.size:
            low = min(low, centre - int(reached[-1]) * ratio // up)
            high = max(high, centre - int(reached[0]) * ratio // up)
            ends += (centre == 0 and reached[-1] == y.shape[axis] - 1) + (centre == length - 1 and reached[0] == 0)
    return low, high, ends == 2


# ---- batch, dtype, training mode


def batch_independent(subject: Subject) -> tuple[Answer, Answer]:
    """Whether the outputs of an example depend on the others, in evaluation mode and in training mode."""
    if subject.size < 2:
        one = unknown("a batch of one example cannot show mixing; give at least two")
        return one, one
    answers = []
    for train in (False, True):
        mode = "training" if train else "evaluation"
        found = examples_mix(
            lambda inputs, train=train: subject.call(inputs, train=train), subject.target.inputs, subject.size
        )
        if found is None:
            answers.append(unknown("the first axis of the outputs is not that of the examples"))
            continue
        tolerance = max(subject.tolerance, found.tolerance)
        kept = subject.size - found.replaced
        values = {
            "relative_change": found.relative_difference,
            "tolerance": tolerance,
            "replaced": found.replaced,
            "kept": kept,
        }
        if found.relative_difference <= tolerance:
            said = (
                f"in {mode} mode, {found.replaced} of {subject.size} examples replaced "
                "and the outputs of the others compared"
            )
            answers.append(Answer(True, said, values=values))
            continue
        said = (
            f"in {mode} mode, the outputs of example {found.example} change by "
            f"{found.relative_difference:.2g} when others are replaced"
        )
        names = _batch_norms(subject) if train else []
        if names:
            said += f"; the model holds batch normalisation ({', '.join(names[:3])}), which does this by design"
        module = ""
        if not train:
            changed = {k: as_numpy(replaced(a, subject.size, found.replaced)) for k, a in subject.arrays().items()}
            module = first_module(subject, changed, 0, subject.size, slice(0, kept))
        answers.append(
            Answer(
                False,
                said,
                f"{module}: example {found.example}" if module else f"example {found.example}",
                values,
                "Look for view or reshape where a transpose was meant, a softmax, mean or attention over axis 0, "
                + (
                    "and batch normalisation; layer or group normalisation keeps examples apart."
                    if train
                    else "and batch normalisation without running statistics."
                ),
            )
        )
    return answers[0], answers[1]


def _batch_norms(subject: Subject) -> list[str]:
    target = subject.target
    if target.framework == "torch":
        from torch.nn.modules.batchnorm import _BatchNorm

        return [name or "model" for name, module in target.model.named_modules() if isinstance(module, _BatchNorm)]
    if target.flavour == "linen":
        return ["batch_stats"] if "batch_stats" in target.other else []
    if target.flavour == "nnx":
        from flax import nnx

        return [
            ".".join(map(str, path))
            for path, module in nnx.iter_modules(target.model)
            if isinstance(module, nnx.BatchNorm)
        ]
    return []


def keeps_dtype(subject: Subject, declared: Any) -> Answer:
    """Whether outputs have the declared dtype; where none is named, whether they follow parameters and inputs."""
    if isinstance(declared, str):
        values = {
            "declared": declared,
            "output": subject.output_dtype,
            "parameters": _dtypes(subject),
            "inputs": [dtype_name(a) for a in subject.arrays().values()],
        }
        if subject.output_dtype == declared:
            return Answer(True, f"the output is {declared}", values=values)
        module = first_other_dtype(subject, declared, cast=False)
        said = f"the output is {subject.output_dtype}, not {declared}"
        return Answer(False, said, module or "outputs", values, _dtype_hint(subject, declared))
    seen: dict[str, str] = {}
    for dtype in ("float32", "bfloat16"):
        try:
            seen[dtype] = subject.casted(dtype)
        except UnusableInput as error:
            return unknown(f"with parameters and inputs in {dtype}, {error}")
    wrong = [dtype for dtype, got in seen.items() if got != dtype]
    said = ", ".join(f"{dtype} in, {got} out" for dtype, got in seen.items())
    if not wrong:
        return Answer(True, said, values={"outputs": seen})
    module = first_other_dtype(subject, wrong[0], cast=True)
    return Answer(False, said, module or "outputs", {"outputs": seen}, _dtype_hint(subject, wrong[0]))


def _dtypes(subject: Subject) -> list[str]:
    return sorted({dtype_name(value) for value in subject.target.parameters().values()})


def _dtype_hint(subject: Subject, declared: str) -> str:
    if subject.target.framework == "jax":
        return (
            f"Pass dtype={declared} on to every layer: a layer without it takes the wider of "
            "input and parameters. Cast constants too."
        )
    return (
        "Look for .float(), torch.tensor and torch.zeros without dtype, float64 from numpy, "
        "and a normalisation that returns its float32."
    )


def train_flag(subject: Subject) -> Answer:
    """Whether training mode gives other outputs than evaluation mode."""
    quiet, trained = subject.before, subject.run({}, train=True)
    gap = subject.differ(quiet, trained) if quiet.shape == trained.shape else np.inf
    noise = subject.differ(quiet, subject.run({}, seed=subject.seed + 1))
    values = {"relative_change": gap, "change_by_seed_in_evaluation": noise, "tolerance": subject.tolerance}
    if gap > subject.tolerance:
        return Answer(True, f"training mode changes the outputs by {gap:.2g} of the largest", values=values)
    if noise > subject.tolerance:
        said = "training and evaluation mode give the same outputs, and both change with the seed: noise is always on"
        return Answer(
            False,
            said,
            values=values,
            next_step="Give the functional dropout training=self.training, or pass the mode down to the module.",
        )
    step = (
        "Look for an argument that is not passed on, eval() on a submodule, a rate of 0, "
        "and dropout that is built but not called."
    )
    return Answer(False, "training and evaluation mode give the same outputs", values=values, next_step=step)


def mode_promised(target: Any) -> str:
    """Why training mode should have an effect although nothing is declared, or nothing."""
    if target.framework == "torch":
        from torch.nn.modules.batchnorm import _BatchNorm
        from torch.nn.modules.dropout import _DropoutNd

        for name, module in target.model.named_modules():
            if (isinstance(module, _DropoutNd) and module.p > 0) or (
                isinstance(module, _BatchNorm) and module.track_running_stats
            ):
                return f"the model holds {name or 'a module'} ({type(module).__name__}), which acts in training"
        return ""
    call = getattr(type(target.model), "__call__", None) if target.model is not None else None
    names = (
        set(inspect.signature(call).parameters) & {"train", "training", "is_training", "deterministic"}
        if call
        else set()
    )
    return f"the model takes the argument {names.pop()!r}" if names else ""


# ---- axes


def _sequence(subject: Subject, declared: Any, name: str, own_input: bool = True) -> tuple[Any, int, int, int | None]:
    """The input, its axis of positions, their number, and the output's axis of positions."""
    options = options_of(declared)
    key = subject.named(options["input"], name) if own_input and "input" in options else subject.key
    x = subject.value(key)
    axis = options.get("axis", 1)
    if not isinstance(axis, int) or not -x.ndim <= axis < x.ndim:
        raise UnusableInput(f"`properties` give the axis {axis!r} for {name}; the input {key!r} has {x.ndim} axes")
    axis %= x.ndim
    return key, axis, x.shape[axis], subject.output_axis(axis, x.shape[axis], options.get("output_axis"))


def _pad_token(subject: Subject, x: np.ndarray) -> int | None:
    declared = subject.target.properties.get("padding_mask")
    if x.dtype.kind == "f" or not declared or isinstance(declared, str):
        return None
    return options_of(declared).get("token", 0 if declared is True else None)
