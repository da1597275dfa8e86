"""Names the innermost PyTorch module in which a property is lost; other frameworks have no hooks to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dltools.arrays import as_numpy, dtype_name, is_floating, leaves
from property_subject import Subject


def first_module(
    subject: Subject,
    changed: Mapping[Any, np.ndarray],
    axis: int,
    length: int,
    keep: Any,
    *,
    base: Mapping[Any, np.ndarray] | None = None,
) -> str:
    """The first module that gets the same at the kept places and gives something else there.

    Args:
        subject: the model.
        changed: inputs that are replaced, so that only other places than the kept ones change.
        axis: the axis of the places in every tensor inside the model.
        length: its size; a tensor of another size there cannot be compared.
        keep: the places at which nothing should change, as an index.
        base: inputs that are replaced in both runs, such as a mask.

    Returns:
        Its path, or an empty text where no module shows it, as always outside PyTorch.
    """
    if subject.target.framework != "torch":
        return ""
    before, after = (_calls(subject, inputs) for inputs in (base or {}, {**(base or {}), **changed}))
    if [call[0] for call in before] != [call[0] for call in after]:
        return ""

    def same(one: list[np.ndarray], two: list[np.ndarray]) -> bool:
        for a, b in zip(one, two, strict=True):
            if a.shape != b.shape:
                return False
            if a.ndim > axis and a.shape[axis] == length:
                a, b = (np.moveaxis(v, axis, 0)[keep] for v in (a, b))
            if a.size and subject.differ(a.astype(np.float64), b.astype(np.float64)) > subject.tolerance:
                return False
        return True

    for (name, inputs, outputs), (_, new_inputs, new_outputs) in zip(before, after, strict=True):
        comparable = [k for k, a in enumerate(outputs) if a.ndim > axis and a.shape[axis] == length]
        if (
            comparable
            and same(inputs, new_inputs)
            and not same([outputs[k] for k in comparable], [new_outputs[k] for k in comparable])
        ):
            return name
    return ""


def first_other_dtype(subject: Subject, dtype: str, cast: bool) -> str:
    """The first module that gives floats of another dtype although it gets none.

    Args:
        subject: the model.
        dtype: the dtype that should be kept.
        cast: parameters and inputs are cast to it first.

    Returns:
        Its path, or an empty text where no module shows it, as always outside PyTorch.
    """
    if subject.target.framework != "torch":
        return ""
    run = (lambda: subject.casted(dtype)) if cast else (lambda: subject.target.outputs(seed=subject.seed))
    found: list[str] = []

    def look(name: str, inputs: list[Any], outputs: list[Any]) -> None:
        dtypes = [{dtype_name(a) for a in arrays if is_floating(a)} for arrays in (inputs, outputs)]
        if dtypes[0] <= {dtype} and dtypes[1] and dtypes[1] != {dtype}:
            found.append(name)

    _hooked(subject, look, run)
    return found[0] if found else ""


def _calls(subject: Subject, changed: Mapping[Any, np.ndarray]) -> list[tuple[str, list[np.ndarray], list[np.ndarray]]]:
    calls: list[tuple[str, list[np.ndarray], list[np.ndarray]]] = []

    def look(name: str, *both: list[Any]) -> None:
        inputs, outputs = ([np.array(as_numpy(a)) for a in arrays] for arrays in both)
        calls.append((name, inputs, outputs))

    _hooked(subject, look, lambda: subject.run(changed))
    return calls


def _hooked(subject: Subject, look: Any, run: Any) -> None:
    """Calls `look(name, inputs, outputs)` at the end of each module's call, inner ones first."""
    handles = []
    try:
        for name, module in subject.target.model.named_modules():
            handles.append(
                module.register_forward_hook(
                    lambda _, args, named, out, name=name or type(subject.target.model).__name__: look(
                        name, leaves(list(args)) + leaves(named), leaves(out)
                    ),
                    with_kwargs=True,
                )
            )
        run()
    finally:
        for handle in handles:
            handle.remove()
