"""Compares a model with its exported form on every case, for PyTorch and JAX alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from dltools.report import Finding, UnusableInput
from export_inputs import Case
from onnx_running import difference

Outputs = list[np.ndarray]


def outputs_of_batch(expected_of: Callable[[Case], Outputs], arrays: Mapping[str, Any]) -> Outputs:
    """The model's outputs on its own batch.

    Raises:
        UnusableInput: the model fails there, or gives no array or NaN.
    """
    try:
        outputs = expected_of(Case("the batch", dict(arrays)))
    except Exception as error:
        raise UnusableInput(f"the model fails on its own batch: {_sentence(error)}") from error
    if not outputs:
        raise UnusableInput("the model returns no array")
    # two models that give NaN agree, and say nothing
    if any(np.isnan(array).any() for array in outputs if array.dtype.kind in "fc"):
        raise UnusableInput("the model's outputs on its own batch hold NaN; find the cause first (probe_model.py)")
    return outputs


def tolerance_for(outputs: Outputs, given: float | None, narrow: bool) -> float:
    """The relative difference that is allowed: 1e-4, a thousand roundings of float32; 1e-2 for types of 16 bits.

    Args:
        outputs: of the model.
        given: what the user asked for, if anything.
        narrow: a parameter or an output is of 16 bits.
    """
    return given if given is not None else 1e-2 if narrow or any(o.dtype == np.float16 for o in outputs) else 1e-4


def compare_cases(
    cases: Sequence[Case],
    expected_of: Callable[[Case], Outputs],
    actual_of: Callable[[Case], Outputs],
    tolerance: float,
) -> list[dict[str, Any]]:
    """Runs both models on every case.

    Args:
        cases: inputs by name.
        expected_of: runs the model; where it raises, it does not take such inputs.
        actual_of: runs the exported model.
        tolerance: relative difference that is allowed.

    Returns:
        A row for each case: `inputs`, `axis` (input and axis whose size is not that of the batch), `result` (`equal`,
        `differs`, `shape differs`, `exported model fails`, or `model fails` where the model itself does not take such
        inputs), `absolute` and `relative`, the largest over the outputs, `types` of both, and `error`.
    """
    rows = []
    for case in cases:
        row: dict[str, Any] = {"inputs": case.name, "result": "equal", "absolute": None, "relative": None}
        row["axis"] = list(case.axis) if case.axis else None
        rows.append(row)
        try:
            expected = expected_of(case)
        except Exception as error:
            row |= {"result": "model fails", "error": _sentence(error)}
            continue
        try:
            actual = actual_of(case)
        except Exception as error:
            row |= {"result": "exported model fails", "error": _sentence(error)}
            continue
        row["types"] = [[str(a.dtype) for a in expected], [str(a.dtype) for a in actual]]
        if [a.shape for a in expected] != [a.shape for a in actual]:
            shapes = [[list(a.shape) for a in side] for side in (expected, actual)]
            row |= {"result": "shape differs", "error": f"shapes {shapes[0]} became {shapes[1]}"}
            continue
        pairs = [difference(a, b) for a, b in zip(expected, actual, strict=True)]
        row["absolute"] = max((absolute for absolute, _ in pairs), default=0.0)
        row["relative"] = max((relative for _, relative in pairs), default=0.0)
        if row["relative"] > tolerance:
            row["result"] = "differs"
    return rows


def parity_findings(rows: Sequence[dict[str, Any]], tolerance: float, first: dict[str, Any] | None) -> list[Finding]:
    """What the comparison found.

    Args:
        rows: of `compare_cases`.
        tolerance: that was used.
        first: where the outputs first differ, if that was looked for.
    """
    findings = []
    differing = [row for row in rows if row["result"] == "differs"]
    failing = [row for row in rows if row["result"] in ("shape differs", "exported model fails")]
    if differing:
        worst = max(differing, key=lambda row: row["relative"])
        on = ", ".join(row["inputs"] for row in differing)
        message = f"the exported model gives other outputs than the model, on: {on}"
        if math.isinf(worst["relative"]):
            message += "; one of the two is not finite where the other is"
        values = {"absolute": worst["absolute"], "relative": worst["relative"], "tolerance": tolerance}
        if first:
            values["stage"] = first["stage"]
        findings.append(
            Finding(
                "parity-broken",
                first["where"] if first else on,
                message,
                values,
                _NEXT[first["stage"] if first else ""],
            )
        )
    for row in failing:
        kind = (
            "runtime-failed"
            if row["axis"] is None
            else "batch-size-baked-in"
            if row["axis"][1] == 0
            else "length-baked-in"
        )
        message = f"the exported model does not take them: {row['error']}"
        findings.append(
            Finding(kind, row["inputs"], message, {}, "see which operator holds a size of the batch as a constant")
        )
    # a length may have a limit by design, such as a table of positions; the number of examples has none
    refused = [row for row in rows if row["result"] == "model fails" and row["axis"] and row["axis"][1] == 0]
    if refused:
        message = f"the model itself takes no other number of examples than that of the batch: {refused[0]['error']}"
        on = ", ".join(row["inputs"] for row in refused)
        findings.append(
            Finding("batch-size-baked-in", on, message, {}, "take the size from the input, as in x.shape[0]")
        )
    narrowed = next((row["types"] for row in rows if row.get("types") and row["types"][0] != row["types"][1]), None)
    if narrowed:
        message = f"outputs of type {', '.join(narrowed[0])} became {', '.join(narrowed[1])}"
        findings.append(
            Finding("dtype-changed", "outputs", message, {"model": narrowed[0], "exported": narrowed[1]},
                    "find the cast: a branch taken only while exporting, or a conversion of the file to FP16")
        )  # fmt: skip
    return findings


def baked_in(name: str, axis: int, size: int, message: str) -> Finding:
    """The finding that an axis accepts one size only."""
    return Finding(
        "batch-size-baked-in" if axis == 0 else "length-baked-in",
        f"{name}, axis {axis}",
        message,
        {"size": size},
        "take sizes from the input (x.shape[0], x.new_zeros(x.shape[0], ...)), not from int(), a literal or a buffer "
        "made for one batch, and name the axis as dynamic in the export; if the size is meant to be fixed, --dynamic "
        "says so",
    )


_NEXT = {
    "torch.export": "look for code that asks whether it is exported or compiled, and for state in Python attributes",
    "onnx": "run that node alone in both; then write the operation differently, or report it to the exporter",
    "fusion": "load it with graph_optimization_level = ORT_DISABLE_ALL to confirm, then exclude that optimisation",
    "": "export again with this tool, which names the first node that differs",
}


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
