"""The inputs of a model as named arrays, which of their axes may change, and other inputs made of them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from dltools.report import UnusableInput

Axis = tuple[str, int]  # name of an input, index of its axis


@dataclasses.dataclass(frozen=True)
class Case:
    """Inputs on which two models are compared: what they are, the arrays by name, and the axis whose size changed."""

    name: str
    arrays: dict[str, Any]
    axis: Axis | None = None


def named(inputs: Any, forward: Callable[..., Any], is_array: Callable[[Any], bool]) -> dict[str, Any]:
    """The arrays of a batch's inputs by name: the names of the arguments, or of the keys of a dict.

    Args:
        inputs: an array, a tuple of positional or a dict of named inputs.
        forward: the function whose arguments they are.
        is_array: whether something is an array of the framework.

    Raises:
        UnusableInput: something among them is no array, such as None or a nested tuple.
    """
    if isinstance(inputs, Mapping):
        found = dict(inputs)
    else:
        values = list(inputs) if isinstance(inputs, (tuple, list)) else [inputs]
        accepted = [name for name, one in inspect.signature(forward).parameters.items() if one.kind <= one.KEYWORD_ONLY]
        positional = [name for name in accepted if inspect.signature(forward).parameters[name].kind < 2]
        names = positional[: len(values)] + [f"input_{index}" for index in range(len(positional), len(values))]
        found = dict(zip(names, values, strict=True))
    for name, value in found.items():
        if not is_array(value):
            raise UnusableInput(
                f"input {name!r} of the batch is a {type(value).__name__}; an exported model takes arrays only: bind "
                "anything else in a wrapper module"
            )
    return found


def dynamic_axes(specs: Sequence[str], arrays: Mapping[str, Any], batch_size: int) -> list[Axis]:
    """Which axes may change their size.

    Args:
        specs: as given to --dynamic: `INPUT:AXIS[,AXIS]`, or `none`; by default axis 0 of each input that has the
            size of the batch there.
        arrays: the inputs by name.
        batch_size: examples in the batch.

    Raises:
        UnusableInput: an input or an axis that does not exist.
    """
    if not specs:
        return [(name, 0) for name, array in arrays.items() if array.ndim and array.shape[0] == batch_size]
    if list(specs) == ["none"]:
        return []
    axes: list[Axis] = []
    for spec in specs:
        name, colon, numbers = spec.rpartition(":")
        if not colon or not all(part.strip().isdigit() for part in numbers.split(",")):
            raise UnusableInput(f"--dynamic {spec!r} is not of the form INPUT:AXIS[,AXIS], such as tokens:0,1, or none")
        if name not in arrays:
            raise UnusableInput(f"--dynamic {spec!r}: there is no input {name!r}; the inputs are {', '.join(arrays)}")
        for axis in map(int, numbers.split(",")):
            if axis >= arrays[name].ndim:
                raise UnusableInput(f"--dynamic {spec!r}: {name} has {arrays[name].ndim} axes, numbered from 0")
            axes.append((name, axis))
    return list(dict.fromkeys(axes))


def grouped(axes: Sequence[Axis], arrays: Mapping[str, Any]) -> list[list[Axis]]:
    """Axes that change together: the batch axes, and further axes of equal size of different inputs."""
    groups: dict[Any, list[Axis]] = {}
    for name, axis in axes:
        size = arrays[name].shape[axis]
        own = sum(1 for other, one in axes if other == name and one and one < axis and arrays[name].shape[one] == size)
        groups.setdefault(0 if axis == 0 else (size, own), []).append((name, axis))
    return list(groups.values())


def resized(arrays: Mapping[str, Any], group: Sequence[Axis], size: int) -> dict[str, Any]:
    """The inputs with some axes shortened, or made longer by starting again at their beginning."""
    changed = dict(arrays)
    for name, axis in group:
        index = np.arange(size) % changed[name].shape[axis]
        key = (slice(None),) * axis + (index,)
        changed[name] = changed[name][key]
    return changed


def cases(arrays: Mapping[str, Any], groups: Sequence[Sequence[Axis]], is_float: Callable[[Any], bool]) -> list[Case]:
    """The batch, other sizes of each group of axes, all zeros, and values a thousand times as large.

    Integers are left as they are where values grow, since they may be indices.
    """
    made = [Case("the batch", dict(arrays))]
    for group in groups:
        name, axis = group[0]
        now = arrays[name].shape[axis]
        for size in dict.fromkeys((1, 2 * now + 1) if axis == 0 else (max(1, now // 2), now + 1)):
            if size != now:
                examples = "one example" if size == 1 else f"{size} examples"
                what = examples if axis == 0 else f"{name} with {size} along axis {axis}"
                made.append(Case(what, resized(arrays, group, size), (name, axis)))
    made.append(Case("zeros", {n: a * 0 if is_float(a) else a ^ a for n, a in arrays.items()}))
    if any(is_float(array) for array in arrays.values()):
        made.append(Case("values x 1000", {n: a * 1000 if is_float(a) else a for n, a in arrays.items()}))
    return made


def formed(inputs: Any, arrays: Mapping[str, Any]) -> Any:
    """Arrays by name in the form of a batch's inputs: a dict, a tuple, or one array."""
    if isinstance(inputs, Mapping):
        return dict(arrays)
    return tuple(arrays.values()) if isinstance(inputs, (tuple, list)) else next(iter(arrays.values()))
