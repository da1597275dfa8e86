"""The mapping file of framework_parity: which tensor of one model becomes which tensor of the other, and how."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from dltools.checked_yaml import read_checked
from dltools.report import UnusableInput

SCHEMA = Path(__file__).resolve().parents[1] / "assets/framework-mapping.schema.json"

# Orders of axes that occur between frameworks, tried first for a suggestion: dense kernels; convolution kernels in one,
# two and three dimensions from (out, in, ...) to (..., in, out), and back.
USUAL = ((1, 0), (2, 1, 0), (2, 3, 1, 0), (2, 3, 4, 1, 0), (3, 2, 0, 1), (4, 3, 0, 1, 2))

# five axes have 120 orders; kernels have no more axes than that
MOST_AXES = 5


class DoesNotFit(Exception):
    """A step cannot be done with the tensors that it gets; the message says why."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of the mapping, with `{i}` filled in.

    Args:
        left, right: names of tensors.
        steps: what turns the left tensors into the right ones.
        where: the place in the file, such as `tensors.3`.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    where: str

    def convert(self, tensors: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The right tensors.

        Raises:
            DoesNotFit: a step does not go with the shapes that it gets, or the tensors are not as many as `right`.
        """
        values = _after(self.steps, list(tensors))
        if len(values) != len(self.right):
            raise DoesNotFit(f"the steps give {len(values)} tensors, and {len(self.right)} are named on the right")
        return values


@dataclasses.dataclass(frozen=True)
class FrameworkMapping:
    """A mapping file.

    Args:
        entries: how tensors become tensors.
        layers: pairs of modules that are named in the file.
        activations: order of the axes of inputs and activations of that rank, or None.
        ignored: patterns of tensors without partner, for `left` and `right`.
    """

    entries: tuple[Entry, ...]
    layers: tuple[tuple[str, str], ...] = ()
    activations: tuple[int, ...] | None = None
    ignored: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    def skips(self, side: str, name: str) -> bool:
        """Whether the file says that this tensor of `left` or `right` needs no partner."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignored.get(side, ()))

    def turned(self, array: np.ndarray) -> np.ndarray:
        """An input or activation of the left in the order of axes of the right."""
        order = self.activations
        return np.transpose(array, order) if order is not None and array.ndim == len(order) else array


def read_mapping(path: Path) -> FrameworkMapping:
    """Reads a mapping file and checks it against the schema.

    Raises:
        UnusableInput: the file is missing, no YAML, does not keep the schema, or gives a tensor of the right twice.
    """
    given = read_checked(path, "mapping", SCHEMA)
    for name, order in _orders(given):
        if sorted(order) != list(range(len(order))):
            raise UnusableInput(
                f"{path.name}: {name}: {order} is no order of {len(order)} axes, which are 0 to {len(order) - 1}"
            )
    entries = tuple(
        entry for place, one in enumerate(given["tensors"]) for entry in _entries(one, f"tensors.{place}", path.name)
    )
    written: dict[str, str] = {}
    for entry in entries:
        for name in entry.right:
            if name in written:
                raise UnusableInput(f"{path.name}: {entry.where}: {name!r} is given by {written[name]} already")
            written[name] = entry.where
    pairs = []
    for place, one in enumerate(given.get("layers", ())):
        for left, right in _expanded([one["left"]], [one["right"]], one.get("repeat"), f"layers.{place}", path.name):
            pairs.append((left[0], right[0]))
    activations = tuple(given["activations"]) if "activations" in given else None
    return FrameworkMapping(entries, tuple(pairs), activations, given.get("ignore", {}))


def _orders(given: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    orders = [("activations", given["activations"])] if "activations" in given else []
    for place, entry in enumerate(given["tensors"]):
        orders += [(f"tensors.{place}", step["permute"]) for step in entry.get("steps", ()) if "permute" in step]
    return orders


def _entries(one: Mapping[str, Any], where: str, file: str) -> list[Entry]:
    left, right = ([names] if isinstance(names, str) else names for names in (one["left"], one["right"]))
    pairs = _expanded(left, right, one.get("repeat"), where, file)
    return [Entry(tuple(a), tuple(b), tuple(one.get("steps", ())), where) for a, b in pairs]


def _expanded(
    left: list[str], right: list[str], repeat: int | None, where: str, file: str
) -> list[tuple[list[str], list[str]]]:
    """With {i} on both sides one pair for each i; with {i} on one side a list there."""
    counted = [any("{i}" in name for name in names) for names in (left, right)]
    if (repeat is None) == any(counted):
        raise UnusableInput(f"{file}: {where}: `repeat` goes with {{i}} in a name, and {{i}} with `repeat`")
    if repeat is None:
        return [(left, right)]

    def at(names: list[str], i: int) -> list[str]:
        return [name.replace("{i}", str(i)) for name in names]

    if all(counted):
        return [(at(left, i), at(right, i)) for i in range(repeat)]
    every = [
        [name for i in range(repeat) for name in at(names, i)] if has else names
        for names, has in zip((left, right), counted, strict=True)
    ]
    return [(every[0], every[1])]


def _after(steps: Sequence[Mapping[str, Any]], values: list[np.ndarray]) -> list[np.ndarray]:
    for step in steps:
        ((name, argument),) = step.items()
        values = _apply(name, argument, values)
    return values


def _apply(name: str, argument: Any, values: list[np.ndarray]) -> list[np.ndarray]:
    shapes = ", ".join(str(value.shape) for value in values)
    if name in ("split", "unstack") and len(values) != 1:
        raise DoesNotFit(f"`{name}` takes one tensor apart, and gets {len(values)}")
    try:
        match name:
            case "permute":
                return [np.transpose(value, argument) for value in values]
            case "reshape":
                return [value.reshape(argument) for value in values]
            case "stack":
                return [np.stack(values, argument)]
            case "concatenate":
                return [np.concatenate(values, argument)]
            case "split":
                return np.split(values[0], argument["parts"], argument["axis"])
            case "unstack":
                return [np.take(values[0], i, argument) for i in range(values[0].shape[argument])]
            case "select":
                return [values[i] for i in argument]
            case _:
                return [np.sum(values, axis=0)]
    except (ValueError, IndexError) as error:
        raise DoesNotFit(f"`{name}: {json.dumps(argument)}` does not go with {shapes}: {error}") from None


def suggestion(given: Sequence[tuple[int, ...]], wanted: Sequence[tuple[int, ...]]) -> str:
    """The steps that would turn tensors of some shapes into those of others, as they stand in a mapping file.

    Args:
        given: shapes on the left.
        wanted: shapes on the right.

    Returns:
        YAML of `steps`, or an empty text where nothing simple fits. That a shape fits does not prove the order of the
        elements; only equal outputs do.
    """
    prefixes: list[list[dict[str, Any]]] = [[]]
    if len(given) > 1 and len(wanted) == 1:
        prefixes = [[{"stack": axis}] for axis in range(len(given[0]) + 1)]
        prefixes += [[{"concatenate": axis}] for axis in range(len(given[0]))]
        prefixes += [[{"sum": True}]]
    elif len(given) == 1 and len(wanted) > 1:
        prefixes = [[{"split": {"axis": axis, "parts": len(wanted)}}] for axis in range(len(given[0]))]
        prefixes += [[{"unstack": axis}] for axis in range(len(given[0]))]
    elif len(given) != len(wanted):
        return ""
    fits = []
    for prefix in prefixes:
        between = _shapes(prefix, given)
        if between is not None and len(between) == len(wanted):
            tails = _tails(between[0], wanted[0])
            fits += [[*prefix, *tail] for tail in tails if _shapes(tail, between) == [tuple(one) for one in wanted]]
    # almost anything can be reshaped into anything: what fits without comes first
    fits.sort(key=lambda steps: any("reshape" in step for step in steps))
    return json.dumps(fits[0]).replace('"', "") if fits else ""


def _shapes(steps: Sequence[Mapping[str, Any]], given: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]] | None:
    """The shapes after the steps, or None where a step does not go with them."""
    try:
        return [value.shape for value in _after(steps, [np.empty(shape, np.bool_) for shape in given])]
    except DoesNotFit:
        return None


def _tails(given: tuple[int, ...], wanted: tuple[int, ...]) -> list[list[dict[str, Any]]]:
    """Orders of axes and shapes to try on each tensor, the usual ones first."""
    orders = [order for order in USUAL if len(order) == len(given)]
    if len(given) <= MOST_AXES:
        orders += [order for order in itertools.permutations(range(len(given))) if order not in orders]
    tails: list[list[dict[str, Any]]] = [[]]
    tails += [[{"permute": list(order)}] for order in orders]
    if math.prod(given) == math.prod(wanted):
        shape = {"reshape": list(wanted)}
        # two-dimensional kernels are transposed before their axes are taken apart, as for the heads of attention
        tails += [[{"permute": [1, 0]}, shape]] if len(given) == 2 else []
        tails += [[shape]]
    return tails
