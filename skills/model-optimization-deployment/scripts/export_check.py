# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "typer", "rich", "numpy", "torch", "onnx", "onnxscript", "onnxruntime", "jax", "flax", "equinox", "flatbuffers",
# ]
# ///
"""Exports a model and says whether the exported one does what the model does.

\b
    export_check.py --target target.py:build --out model.onnx
    export_check.py --target target.py:build --dynamic tokens:0,1 --dynamic mask:0,1
    export_check.py --target target.py:build --onnx mine.onnx

A PyTorch model goes through torch.export to ONNX (the exporter that `torch.onnx.export(dynamo=True)` is), the ONNX
checker and ONNX Runtime. A JAX model goes through jax.export to StableHLO, is serialised and loaded again. With --onnx
a file that your own script wrote is checked against the model instead.

Outputs are compared on the target's batch, on one example, on another number of examples, on other sizes of every axis
named by --dynamic, on zeros, and on values a thousand times as large. The model is always compared, exported and timed
in evaluation mode; whether the target left it in training mode is a finding of its own. Where outputs differ, the first
module or node that differs is named. Latency is that of the target's batch, after a warm-up, both models in turn.

`target.py` holds a function `build()` that returns a dict with `model`, `batch` and `loss_fn`.

Findings: train-mode-at-export, nondeterministic-output, stateful-forward, batch-size-baked-in, length-baked-in,
data-dependent-control-flow, unsupported-operator, export-failed, checker-failed, runtime-failed, parity-broken,
dtype-changed. Each is explained in references/export.md. --out is written only if there is none.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.report import Report, UnusableInput, answering, finish, help_text

TOOL = "export-check"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def check(target: Any, *, out: Path | None = None, **options: Any) -> Report:
    """Exports a target and compares.

    Args:
        target: a `dltools.target.Target`. It is left as it was.
        out: where the exported model goes if nothing is found: an ONNX file, or what `jax.export` serialises.
        options: `dynamic`, `onnx` (PyTorch only), `tolerance`, `threads`, `runs` and `seed`, as on the command line.

    Returns:
        A report with the verdict `sound` or `faults`.

    Raises:
        UnusableInput: the model fails on its own batch, an axis does not exist, or the file cannot be read or written.
    """
    if target.framework == "torch":
        from export_check_torch import check_torch

        return check_torch(target, out=out, **options)
    if options.pop("onnx", None) is not None:
        raise UnusableInput("--onnx compares a file with a PyTorch model; this target is in JAX")
    from export_check_jax import check_jax

    return check_jax(target, out=out, **options)


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True, width=118, highlight=False)
    table = Table(
        "inputs", "largest difference", "relative to the largest output", "", title="model against exported model"
    )
    for row in report.measured.get("cases", ()):
        numbers = ["-" if row[key] is None else f"{row[key]:.2e}" for key in ("absolute", "relative")]
        table.add_row(row["inputs"], *numbers, row["result"])
    if table.row_count:
        console.print(table)
    if "latency" in report.measured:
        times = Table("", "p50 ms", "p95 ms", "calls", title=f"latency, threads: {report.measured['threads']}")
        for name, row in report.measured["latency"].items():
            times.add_row(name, f"{row['p50_ms']:.3f}", f"{row['p95_ms']:.3f}", str(row["calls"]))
        console.print(times)


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option("--target", help="FILE.py:factory, the model with its batch and loss")],
    dynamic: Annotated[
        list[str] | None,
        typer.Option("--dynamic", help="INPUT:AXIS[,AXIS] of any size, or none (default: axis 0 of all)"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="write the exported model here, if nothing is found")
    ] = None,
    onnx: Annotated[Path | None, typer.Option("--onnx", help="check this file instead of exporting")] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="relative difference allowed (1e-4; 1e-2 for outputs of 16 bits)")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="threads of both models")] = 1,
    runs: Annotated[int, typer.Option(min=10, help="timed calls of each model, at most")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of whatever random numbers the model draws")] = 0,
    timeout: Annotated[float, typer.Option(help="seconds that loading the target may take")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load

        if tolerance is not None and not 0 < tolerance < 1:
            raise UnusableInput(f"--tolerance is {tolerance:g}; give a number between 0 and 1")
        if out is not None and not out.parent.is_dir():
            raise UnusableInput(f"--out: there is no folder {out.parent}")
        if onnx is not None and out is not None:
            raise UnusableInput("--onnx checks a file that is there already; leave --out away")
        report = check(
            load(target, timeout=timeout), out=out, dynamic=dynamic or (), onnx=onnx, tolerance=tolerance,
            threads=threads, runs=runs, seed=seed,
        )  # fmt: skip
        if not as_json:
            _show(report)
    finish(report, as_json)


if __name__ == "__main__":
    app()
