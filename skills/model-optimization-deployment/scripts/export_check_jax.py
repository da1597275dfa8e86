"""The check of a JAX model: jax.export to StableHLO, serialised and loaded again, parity, latency."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from dltools.report import Finding, Report, write_atomic
from export_inputs import Axis, Case, cases, dynamic_axes, formed, grouped, named
from export_parity import baked_in, compare_cases, outputs_of_batch, parity_findings, tolerance_for
from onnx_running import difference, latencies, percentiles

_BY_VALUE = (
    jax.errors.TracerBoolConversionError,
    jax.errors.TracerIntegerConversionError,
    jax.errors.TracerArrayConversionError,
    jax.errors.NonConcreteBooleanIndexError,
    jax.errors.ConcretizationTypeError,
)


def check_jax(
    target: Any, *, out: Path | None = None, dynamic: Sequence[str] = (), tolerance: float | None = None,
    threads: int = 1, runs: int = 50, seed: int = 0,
) -> Report:  # fmt: skip
    """Exports a JAX target by jax.export and compares; see `export_check.check`.

    `threads` is not used: XLA's CPU client takes its number of threads from the process, not from a call.
    """
    arrays = named(target.inputs, _forward(target), lambda value: hasattr(value, "shape") and hasattr(value, "dtype"))
    arrays = {name: jnp.asarray(array) for name, array in arrays.items()}
    axes = dynamic_axes(dynamic, arrays, target.batch_size)
    findings: list[Finding] = []
    notes = [
        "A JAX target is exported by jax.export with train=False, its weights as constants; --threads has no effect."
    ]
    measured: dict[str, Any] = {"route": "jax.export, StableHLO", "threads": "as XLA chooses"}

    def model(*values: Any) -> Any:
        inputs = formed(target.inputs, dict(zip(arrays, values, strict=True)))
        return jax.tree.leaves(target.call(target.params, inputs, train=False, seed=seed)[0])

    def eager(case: Case, seed: int = seed) -> list[np.ndarray]:
        return [
            np.asarray(leaf) for leaf in jax.tree.leaves(target.outputs(formed(target.inputs, case.arrays), seed=seed))
        ]

    with target.preserved():
        batch = Case("the batch", arrays)
        expected = outputs_of_batch(eager, arrays)
        narrow = any(array.dtype.itemsize == 2 for array in target.parameters().values())
        allowed = tolerance_for(expected, tolerance, narrow)
        other = eager(batch, seed + 1)
        changed = max((difference(a, b)[1] for a, b in zip(expected, other, strict=True)), default=0.0)
        if changed > allowed:
            findings.append(
                Finding(
                    "nondeterministic-output",
                    "model",
                    "the outputs with train=False depend on the key; the exported model keeps the key of the export",
                    {"relative_difference": changed},
                    "make the noise an input, or tell the layer that it does not train",
                )
            )
        exported, groups = _exported(model, arrays, axes, findings)
        if exported is not None:
            data = exported.serialize()
            loaded = jax.export.deserialize(data)
            measured |= {"serialised_bytes": len(data), "platforms": list(exported.platforms)}
            made = cases(arrays, groups, lambda array: jnp.issubdtype(array.dtype, jnp.inexact))
            rows = compare_cases(
                made, eager, lambda case: [np.asarray(leaf) for leaf in loaded.call(*case.arrays.values())], allowed
            )
            findings += parity_findings(rows, allowed, None)
            refused = [row["inputs"] for row in rows if row["result"] == "model fails" and (row["axis"] or [0, 1])[1]]
            if refused:
                notes.append(f"not compared, as the model itself fails on them: {', '.join(refused)}")
            measured |= {"cases": rows, "tolerance": allowed}
            compiled, reloaded = jax.jit(model), jax.jit(loaded.call)
            taken = latencies(
                {
                    "JAX, jit": lambda: jax.block_until_ready(compiled(*arrays.values())),
                    "loaded StableHLO, jit": lambda: jax.block_until_ready(reloaded(*arrays.values())),
                },
                runs,
            )
            measured["latency"] = {name: percentiles(times) for name, times in taken.items()}
            measured["batch_size"] = target.batch_size
            if out is not None and not findings:
                write_atomic(out, bytes(data))
                notes.append(f"written: {out}; jax.export.deserialize reads it")
    if out is not None and findings:
        notes.append(f"{out} is not written, as something was found")
    return Report("export-check", "faults" if findings else "sound", findings, measured, notes)


def _exported(
    model: Any, arrays: dict[str, Any], axes: Sequence[Axis], findings: list[Finding]
) -> tuple[Any, list[list[Axis]]]:
    groups = grouped(axes, arrays)
    symbol = {axis: f"s{index}" for index, group in enumerate(groups) for axis in group}
    shapes = [
        ", ".join(symbol.get((name, axis), str(size)) for axis, size in enumerate(array.shape))
        for name, array in arrays.items()
    ]
    jitted = jax.jit(model)
    try:
        specs = jax.export.symbolic_args_specs(list(arrays.values()), shapes)
        return jax.export.export(jitted)(*specs), groups
    except _BY_VALUE as error:
        findings.append(_by_value(error))
        return None, []
    except Exception as error:
        symbolic = error
    # is it the free axes, or the model?
    specs = [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays.values()]
    try:
        exported = jax.export.export(jitted)(*specs)
    except _BY_VALUE as error:
        findings.append(_by_value(error))
        return None, []
    except Exception as error:
        findings.append(
            Finding(
                "export-failed", _users_line(error) or "jax.export", f"{type(error).__name__}: {_first_line(error)}"
            )
        )
        return None, []
    for group in groups:
        name, axis = group[0]
        message = f"the code of the model needs this size ({_users_line(symbolic) or type(symbolic).__name__})"
        findings.append(baked_in(name, axis, arrays[name].shape[axis], message))
    return exported, []


def _by_value(error: Exception) -> Finding:
    return Finding(
        "data-dependent-control-flow",
        _users_line(error) or "model",
        "the model takes a branch or a size by the values of its inputs, which are not known while it is exported",
        next_step="use jnp.where, jax.lax.cond or jax.lax.while_loop, or move the decision out of the model",
    )


def _forward(target: Any) -> Any:
    # the names of the arguments; a plain function takes its inputs in one
    return (lambda inputs: inputs) if target.model is None else target.model.__call__


def _users_line(error: Exception) -> str:
    skipped = ("/jax/", "/flax/", "/equinox/", "/dltools/", str(Path(__file__).parent))
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not any(part in f.filename for part in skipped)]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: {frames[-1].line}" if frames else ""


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else "no message"
