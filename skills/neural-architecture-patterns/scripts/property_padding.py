"""Whether padding is without effect: on its contents, on its amount, and on the left as on the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dltools.report import UnusableInput
from property_localisation import first_module
from property_subject import Subject, along, options_of


def real_positions(length: int) -> int:
    """How many of the positions are taken for real ones; the others become padding."""
    return length - max(1, length // 3)


class Marker:
    """How a target says which positions are padding: by a mask, by lengths, or by a token.

    Args:
        subject: the model.
        declared: the property `padding_mask`.
        key, axis, length: the input that is padded, its axis of positions and their number.

    Raises:
        UnusableInput: the declaration names no such input, or marks everything as padding.
    """

    def __init__(self, subject: Subject, declared: Any, key: Any, axis: int, length: int) -> None:
        self.subject, self.key, self.axis, self.length = subject, key, axis, length
        options = {"input": declared} if isinstance(declared, str) else options_of(declared)
        self.reversed = False
        side = options.get("side")
        if side not in (None, "left", "right"):
            raise UnusableInput(f"`padding_mask` has the side {side!r}; it must be 'left' or 'right'")
        # lengths say where the end is, not where the beginning is
        self.sides = ("right",) if "lengths" in options else (side,) if side else ("right", "left")
        self.mask = self.lengths = self.token = None
        if "lengths" in options:
            self.lengths = subject.named(options["lengths"], "padding_mask")
        elif "input" in options:
            self.mask = subject.named(options["input"], "padding_mask")
            self._read_mask(options.get("marks"))
        elif subject.value(key).dtype.kind != "f":
            self.token = int(options.get("token", 0))
        else:
            raise UnusableInput(
                "`padding_mask` must name the input that marks padding, such as 'mask' or "
                "{'lengths': 'lengths'}: these inputs are floats, "
                "so no token can mark it"
            )

    def places(self, side: str) -> np.ndarray:
        """Which positions become padding, of shape (positions,)."""
        count = real_positions(self.length)
        positions = np.arange(self.length)
        return positions >= count if side == "right" else positions < self.length - count

    def _read_mask(self, marks: str | None) -> None:
        values = self.subject.value(self.mask)
        axes = [a for a in range(1, values.ndim) if values.shape[a] == self.length]
        if len(axes) != 1:
            raise UnusableInput(
                f"the mask {self.mask!r} of shape {values.shape} must have one axis over the "
                f"{self.length} positions, as (examples, positions)"
            )
        self.mask_axis = axes[0]
        if marks not in (None, "padding", "real"):
            raise UnusableInput(f"`padding_mask` says that true marks {marks!r}; it must be 'padding' or 'real'")
        self.marks = marks or ("padding" if "pad" in str(self.mask).lower() else "real")
        if values.dtype.kind == "f" and values.max() <= 0:
            # added to the scores: 0 keeps, a large negative number hides
            self.real, self.padded = 0.0, min(float(values.min()), -1e9)
        else:
            self.real, self.padded = (0, 1) if self.marks == "padding" else (1, 0)
        if (values == self.padded).all():
            other = "real" if self.marks == "padding" else "padding"
            raise UnusableInput(
                f"the mask {self.mask!r} marks every position as padding, if true means {self.marks}; declare "
                f"{{'input': {self.mask!r}, 'marks': {other!r}}} if it means the other"
            )

    @property
    def says(self) -> str:
        """How it was understood."""
        if self.mask is not None:
            return (
                f"{self.mask!r} marks "
                f"{'padding' if (self.marks == 'padding') is not self.reversed else 'real positions'} with true"
            )
        return f"lengths in {self.lengths!r}" if self.lengths is not None else f"token {self.token} marks padding"

    def inputs(self, padded: np.ndarray) -> dict[Any, np.ndarray]:
        """The inputs with these positions marked as padding.

        Args:
            padded: of shape (positions,), true at padding.
        """
        x = self.subject.value(self.key)
        if self.token is not None:
            x = np.where(x == self.token, self._other(x), x)
            return {self.key: np.where(along(self.axis, padded, x.ndim), self.token, x)}
        if self.lengths is not None:
            return {
                self.key: x,
                self.lengths: np.full_like(self.subject.value(self.lengths), np.count_nonzero(~padded)),
            }
        values = self.subject.value(self.mask)
        real, hidden = (self.padded, self.real) if self.reversed else (self.real, self.padded)
        marked = np.where(along(self.mask_axis, padded, values.ndim), hidden, real)
        return {self.key: x, self.mask: np.broadcast_to(marked, values.shape).astype(values.dtype)}

    def _other(self, x: np.ndarray) -> int:
        others = np.unique(x[x != self.token])
        if not others.size:
            raise UnusableInput(f"every token of the batch is {self.token}, which marks padding")
        return int(others[0])

    def cut(self, inputs: dict[Any, np.ndarray], length: int) -> dict[Any, np.ndarray]:
        """All inputs that have an axis over the positions, without those behind the first `length`."""
        everything = {key: inputs.get(key, self.subject.value(key)) for key in self.subject.arrays()}
        cut = {}
        for key, value in everything.items():
            axes = (
                [self.axis] if key == self.key else [a for a in range(1, value.ndim) if value.shape[a] == self.length]
            )
            for axis in axes:
                value = np.take(value, np.arange(length), axis=axis)
            cut[key] = value
        return cut


def compared(subject: Subject, marker: Marker, out: int | None) -> tuple[dict[str, tuple[float, int]], list[str]]:
    """Every comparison that the target allows.

    Returns:
        (name of the comparison -> (largest change at real positions, where), what was not possible).
    """
    length, axis = marker.length, marker.axis
    count = real_positions(length)
    seen: dict[str, tuple[float, int]] = {}
    left_out: list[str] = []

    def differ(name: str, first: np.ndarray, second: np.ndarray, real: np.ndarray) -> None:
        if out is None:
            seen[name] = (subject.differ(first, second), 0)
            return
        gaps = subject.by_position(np.take(first, real, axis=out), np.take(second, real, axis=out), out)
        seen[name] = (float(gaps.max()), int(real[gaps.argmax()]))

    for side in marker.sides:
        padded = marker.places(side)
        inputs = marker.inputs(padded)
        real = np.flatnonzero(~padded)
        if marker.token is None:
            x = inputs[marker.key]
            other = {**inputs, marker.key: subject.disturbed(x, along(axis, padded, x.ndim))}
            differ(f"contents of padding on the {side}", subject.run(inputs), subject.run(other), real)
        else:
            _embedding_changed(subject, marker, inputs, side, real, differ, left_out)
    if "right" not in marker.sides:
        # what is cut off on the left may move the positions of the rest
        return seen, left_out
    inputs = marker.inputs(marker.places("right"))
    try:
        short = subject.call(subject.given(marker.cut(inputs, count)))
    except UnusableInput as error:
        left_out.append(f"the padding could not be cut off ({error})")
    else:
        first, second = subject.run(inputs), subject.first(short)
        if out is None:
            differ("padding removed", first, second, np.arange(0))
        elif second.shape[out] == count:
            differ("padding removed", first, second, np.arange(count))
    return seen, left_out


def _embedding_changed(
    subject: Subject,
    marker: Marker,
    inputs: Any,
    side: str,
    real: np.ndarray,
    differ: Callable[..., None],
    left_out: list[str],
) -> None:
    """Moves the padding token's row of an embedding table: a change of contents where a token marks padding."""
    nothing = marker.inputs(np.zeros(marker.length, bool))
    before, unpadded = subject.run(inputs), subject.run(nothing)
    found = False
    for name, table in subject.parameters().items():
        if table.ndim != 2 or table.shape[0] <= subject.value(marker.key).max():
            continue
        new = table.copy()
        new[marker.token] += (table.std() or 1.0) * subject.random.standard_normal(table.shape[1])
        parameters = subject.with_parameter(name, new)
        moved = subject.run(nothing, parameters=parameters)
        # a position table or a dense layer has an effect without padding too; a tied output layer, on its own class
        classes = (
            np.abs(moved - unpadded).max(axis=tuple(range(moved.ndim - 1))) > subject.tolerance * np.abs(unpadded).max()
        )
        if classes.all() or classes.sum() > 1:
            continue
        after = subject.run(inputs, parameters=parameters)
        if classes.any() and not np.abs(after - before)[..., ~classes].any():
            # an output layer of its own, not an embedding
            continue
        found = True
        differ(
            f"embedding of the padding token, on the {side} ({name})", before[..., ~classes], after[..., ~classes], real
        )
    if not found:
        left_out.append(f"no embedding table was found whose row {marker.token} only padding uses")


def padding(
    subject: Subject, declared: Any, sequence: tuple[Any, int, int, int | None]
) -> tuple[bool | None, str, str, dict[str, Any], str]:
    """Judges the comparisons.

    Args:
        sequence: the input, its axis of positions, their number, and the output's axis of positions.

    Returns:
        (holds, what was said, where, values, next step).
    """
    key, axis, length, out = sequence
    if length < 3:
        return None, "a sequence of fewer than three positions leaves no room for padding", "model", {}, ""
    marker = Marker(subject, declared, key, axis, length)
    seen, left_out = compared(subject, marker, out)
    values: dict[str, Any] = {"changes": {name: gap for name, (gap, _) in seen.items()}, "tolerance": subject.tolerance}
    values |= {"rounding": subject.rounding, "real_positions": real_positions(length), "positions": length}
    rest = "".join(f"; {why}" for why in dict.fromkeys(left_out))
    leaks = {name: gap for name, (gap, _) in seen.items() if gap > subject.tolerance}
    if not seen:
        return None, f"nothing could be compared{rest}", "model", values, ""
    if not leaks:
        return True, f"{marker.says}; compared: {', '.join(seen)}{rest}", "model", values, ""
    worst = max(leaks, key=lambda name: leaks[name])
    place = f"output {seen[worst][1]}" if out is not None else "outputs"
    said = f"{worst}: {place} change by {leaks[worst]:.2g} of the largest ({marker.says}){rest}"
    if marker.token is None:
        padded = marker.places("left" if worst.endswith("left") else "right")
        base = marker.inputs(padded)
        other = subject.disturbed(base[key], along(axis, padded, base[key].ndim))
        module = first_module(subject, {key: other}, axis, length, np.flatnonzero(~padded), base=base)
        place = f"{module}: {place}" if module else place
    step = (
        "Look for a mask that is not passed on or multiplied with queries instead of hiding "
        "keys, and for a mean, maximum, last position or "
        "normalisation over padded places."
    )
    if leaks.keys() == {name for name in seen if name.endswith("left")}:
        step += " Only padding on the left leaks: if none is given there, declare {'side': 'right'}."
    if marker.mask is not None:
        marker.reversed = True
        opposite, _ = compared(subject, marker, out)
        if max(gap for gap, _ in opposite.values()) <= subject.tolerance:
            step = (
                "With the opposite meaning of the mask nothing leaks: true seems to mean "
                f"{'real' if marker.marks == 'padding' else 'padding'}."
            )
    return False, said, place, values, step
