# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "typer", "rich", "numpy", "scipy", "torch", "torchao", "onnx", "onnxscript", "onnxruntime", "sympy", "matplotlib",
# ]
# ///
"""Compares a PyTorch model with its int8 variants, and judges each against a budget stated beforehand.

\b
    quantize_compare.py --target target.py:build --max-accuracy-drop 0.01
    quantize_compare.py --target target.py:build --variants static-per-channel --min-speedup 1.3 --save quantised
    quantize_compare.py --target target.py:build --max-size 2 --plot variants.svg --json

Besides `model`, `batch` and `loss_fn` the target gives `evaluation`: (inputs, labels) of examples that training did not
see, with integer classes as labels, or (inputs, labels, score) with a score for each example; and, for the static
variants, `calibration`: inputs from the training data (the batch, where there is none).

Integer variants: dynamic (ONNX Runtime; weights int8 with one scale for a tensor, activations scaled at each call),
static-per-tensor and static-per-channel (ONNX Runtime, QDQ; activations scaled by calibration, one weight scale for a
tensor or for each output channel), weight-only (torchao; Linear layers, computed in float). bf16-cast is a cast: no
scale, no calibration, and it is listed apart.

Accuracy is compared on the same examples, with an interval (the score interval of Tango 1998). Speed and size are
compared with fp32 in the same runtime, speed over calls taken in turn. A layer's SQNR in dB is
10 log10(sum x^2 / sum (x - q)^2) of its output x in fp32 and q in the variant, with the error of all layers before it;
in ONNX Runtime it is taken after a ReLU that follows, as the graph has the two as one.

Verdict: within-budget (at least one variant meets all of it), over-budget, or cannot-decide (none does, and for at
least one the interval holds the limit; how many examples would decide is said). Findings, if none is within the budget:
accuracy-drop, too-slow, too-large, variant-failed. Each is explained in references/quantisation.md.
"""

from __future__ import annotations

import contextlib
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.pictures import check_picture, write_picture
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text, write_atomic
from quantize_judging import FAILS, MEETS, UNDECIDED, Budget, accuracy, scores, speed

TOOL = "quantize-compare"
PIECE = 64  # examples that are run at once
LAYER_EXAMPLES = 64  # on which the layers' outputs are compared

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def compare(
    target: Any,
    *,
    budget: Budget | None = None,
    variants: Sequence[str] = (),
    save: Path | None = None,
    threads: int = 1,
    runs: int = 200,
    alpha: float = 0.05,
    seed: int = 0,
) -> Report:
    """Makes the variants, runs them on the evaluation examples, and judges.

    Args:
        target: a PyTorch target with `evaluation`. It is left as it was.
        budget: what a variant must keep; by default a drop of the score of at most 0.01.
        variants: names of `quantize_variants.VARIANTS`; all by default.
        save: a folder for the ONNX files of the variants within the budget.
        threads: of both runtimes.
        runs: timed calls of each, at most.
        alpha: level of the intervals.
        seed: of bootstraps.

    Raises:
        UnusableInput: the target is not in PyTorch, has no evaluation, or cannot be exported.
    """
    import numpy as np
    import onnx_running
    import quantize_variants as making

    budget = budget or Budget()
    names = _chosen(variants, making.VARIANTS)
    evaluation, labels, score, calibration = _examples(target)
    notes: list[str] = []
    failed: dict[str, str] = {}
    with target.preserved(), onnx_running.torch_threads(threads), tempfile.TemporaryDirectory() as folder:
        target.model.eval()
        made = _made(target, names, evaluation, calibration, Path(folder), threads, failed, notes)
        taken = _timed(target, made, runs)
        rows: dict[str, dict[str, Any]] = {}
        right: dict[str, Any] = {}
        some = next(making.batches(evaluation, LAYER_EXAMPLES))
        references = {v.runtime: v.layers(some) for v in made.values() if v.kind == making.REFERENCE}
        for name, variant in made.items():
            predicted = np.concatenate([variant.predict(piece) for piece in making.batches(evaluation, PIECE)])
            right[name] = scores(predicted, labels, score)
            base = next(v for v in made.values() if v.kind == making.REFERENCE and v.runtime == variant.runtime)
            row = {
                "kind": variant.kind, "runtime": variant.runtime, "score": float(right[name].mean()),
                "bytes": variant.bytes, "size_ratio": variant.bytes / base.bytes,
                **onnx_running.percentiles(taken[name]),
            }  # fmt: skip
            if variant.kind != making.REFERENCE:
                row["accuracy"] = accuracy(right[base.name], right[name], budget.accuracy_drop, alpha, seed)
                row["speed"] = speed(taken[base.name], taken[name], budget.speedup, alpha)
                fits = budget.megabytes is None or variant.bytes <= budget.megabytes * 1e6
                row["size_state"] = MEETS if fits else FAILS
                states = (row["accuracy"]["state"], row["speed"]["state"], row["size_state"])
                row["state"] = FAILS if FAILS in states else UNDECIDED if UNDECIDED in states else MEETS
                row["sqnr_db"] = _layers(references[variant.runtime], variant.layers(some))
            rows[name] = row
        within = [name for name, row in rows.items() if row.get("state") == MEETS]
        if save is not None:
            notes += _saved(save, made, within)
    weights = making.weight_ranges(target.model)
    notes += [_sentence(name, row, budget) for name, row in rows.items() if "state" in row]
    notes += [f"{name}: could not be made: {why}" for name, why in failed.items()]
    worst = max(
        weights, key=lambda path: weights[path]["per_channel_db"] - weights[path]["per_tensor_db"], default=None
    )
    if rows.get("static-per-tensor", {}).get("accuracy", {}).get("state") == FAILS and worst is not None:
        notes.append(_outlier(worst, weights[worst]))
    if any(row["kind"] == making.CAST for row in rows.values()):
        notes.append("bf16-cast is a cast to a shorter float, not integer quantisation.")
    if target.calibration is None and any(name.startswith("static") for name in names):
        notes.append("No `calibration` was given: the batch was used.")
    undecided = any(row.get("state") == UNDECIDED for row in rows.values())
    verdict = "within-budget" if within else CANNOT_DECIDE if undecided else "over-budget"
    findings = [] if verdict != "over-budget" else _findings(rows, failed, budget)
    measured = {
        "examples": len(labels), "batch_size": target.batch_size, "threads": threads,
        "confidence": 1 - alpha, "budget": vars(budget), "within_budget": within, "variants": rows, "weights": weights,
        "failed": failed,
    }  # fmt: skip
    return Report(TOOL, verdict, findings, measured, notes)


def plot(report: Report, path: Path) -> None:
    """Draws each variant's difference of the score with its interval, and the SQNR of its layers."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = {name: row for name, row in report.measured["variants"].items() if "accuracy" in row}
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 2 + 0.45 * len(rows)), layout="constrained")
    for index, row in enumerate(rows.values()):
        one = row["accuracy"]
        sides = [[one["difference"] - one["low"]], [one["high"] - one["difference"]]]
        left.errorbar(
            one["difference"], index, xerr=sides, fmt="ks" if row["kind"] == "int8" else "k^", capsize=3, markersize=4
        )
    left.set_yticks(range(len(rows)), list(rows))
    left.axvline(-report.measured["budget"]["accuracy_drop"], color="tab:red", linewidth=1, label="budget")
    left.axvline(0, color="grey", linewidth=1)
    left.locator_params(axis="x", nbins=5)
    left.set_xlabel(f"score minus that of fp32, {report.measured['confidence']:.0%} interval")
    left.legend()
    for name, row in rows.items():
        right.plot(list(row["sqnr_db"]), list(row["sqnr_db"].values()), "o-", markersize=4, label=name)
    right.set_xlabel("layer")
    right.set_ylabel("SQNR of the layer's output, dB")
    right.tick_params(axis="x", rotation=45)
    right.legend(fontsize="small")
    write_picture(path, figure)


def _chosen(variants: Sequence[str], known: Sequence[str]) -> list[str]:
    for name in variants:
        if name not in known:
            raise UnusableInput(f"--variants: there is no variant {name!r}; there are {', '.join(known)}")
    return [name for name in known if not variants or name in variants]


def _examples(target: Any) -> tuple[dict[str, Any], Any, Any, dict[str, Any]]:
    """Evaluation inputs by name, labels, the score if there is one, and calibration inputs by name."""
    if target.framework != "torch":
        raise UnusableInput("int8 variants are made of PyTorch models; this target is in JAX")
    import torch
    from export_inputs import named

    if target.evaluation is None:
        raise UnusableInput(
            "the target gives no `evaluation`; add (inputs, labels) of examples that training did not see, since a "
            "quantised model is judged by its accuracy"
        )

    def arrays(inputs: Any) -> dict[str, Any]:
        return named(inputs, target.model.forward, lambda value: isinstance(value, torch.Tensor))

    inputs, labels, score = (*target.evaluation, None)[:3]
    evaluation = arrays(inputs)
    if set(evaluation) != set(arrays(target.inputs)):
        raise UnusableInput("the inputs of `evaluation` are not those of the batch: they differ in number or name")
    count = len(next(iter(evaluation.values())))
    if count != len(labels) or not count:
        raise UnusableInput(f"`evaluation` has {count} examples and {len(labels)} labels")
    calibration = arrays(target.inputs if target.calibration is None else target.calibration)
    return evaluation, labels, score, calibration


def _made(
    target: Any, names: Sequence[str], evaluation: Any, calibration: Any, folder: Path, threads: int,
    failed: dict[str, str], notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    """The variants that can be made, and fp32 in every runtime that is needed, by name; why the others cannot be."""
    import quantize_variants as making
    from export_inputs import dynamic_axes, resized

    made: dict[str, Any] = {}
    if any(name in making.ONNX_VARIANTS for name in names):
        arrays = {name: evaluation[name][: max(2, target.batch_size)] for name in evaluation}
        axes = dynamic_axes((), arrays, len(next(iter(arrays.values()))))
        if len(next(iter(arrays.values()))) == 1:
            arrays = resized(arrays, axes, 2)
        fp32 = making.exported(target, arrays, axes, folder)
        for name in ("fp32 (ONNX Runtime)", *(name for name in names if name in making.ONNX_VARIANTS)):
            with _noted(name, failed):
                made[name] = making.onnx_variant(name, fp32, making.batches(calibration, PIECE), threads)
    if any(name in making.TORCH_VARIANTS for name in names):
        for name in ("fp32 (PyTorch)", *(name for name in names if name in making.TORCH_VARIANTS)):
            with _noted(name, failed):
                variant = making.torch_variant(name, target)
                variant.predict(next(making.batches(evaluation, 1)))
                made[name] = variant
    if not any(variant.kind != making.REFERENCE for variant in made.values()):
        raise UnusableInput(f"no variant could be made: {'; '.join(f'{name}: {why}' for name, why in failed.items())}")
    return made


@contextlib.contextmanager
def _noted(name: str, failed: dict[str, str]) -> Any:
    """One variant that cannot be made does not take the others with it."""
    try:
        yield
    except Exception as error:
        if name.startswith("fp32"):
            raise
        lines = str(error).strip().splitlines()
        failed[name] = (
            lines[0][:300]
            if isinstance(error, UnusableInput)
            else f"{type(error).__name__}: {lines[0][:300] if lines else ''}"
        )


def _timed(target: Any, made: dict[str, Any], runs: int) -> dict[str, Any]:
    from export_inputs import named
    from onnx_running import latencies

    arrays = named(target.inputs, target.model.forward, lambda value: True)
    return latencies({name: lambda v=variant: v.predict(arrays) for name, variant in made.items()}, runs, seconds=8)


def _layers(reference: dict[str, Any], variant: dict[str, Any]) -> dict[str, float]:
    """The SQNR of the layers whose outputs changed at all."""
    from quantize_variants import sqnr

    found = {layer: sqnr(reference[layer], variant[layer]) for layer in reference if layer in variant}
    return {layer: value for layer, value in found.items() if value < math.inf}


def _saved(folder: Path, made: dict[str, Any], within: Sequence[str]) -> list[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"--save: cannot make the folder {folder}: {error.strerror}") from None
    files = [name for name in within if made[name].onnx is not None]
    for name in files:
        write_atomic(folder / f"{name}.onnx", made[name].onnx)
    return [f"saved in {folder}: {', '.join(files) or 'nothing, as no ONNX variant is within the budget'}"]


def _sentence(name: str, row: dict[str, Any], budget: Budget) -> str:
    """One variant in a sentence."""
    one, quick = row["accuracy"], row["speed"]
    text = f"{name}: {row['state']}; score {one['difference']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f}), "
    text += f"{row['size_ratio']:.2f} of the size, {quick['speedup']:.2f} times as fast"
    reasons = []
    if one["state"] != MEETS:
        reasons.append(f"accuracy {one['state']} with a drop of at most {budget.accuracy_drop:g}")
    if quick["state"] != MEETS:
        reasons.append(f"speed {quick['state']} with at least {budget.speedup:g} times")
    if row["size_state"] != MEETS:
        reasons.append(f"{row['bytes'] / 1e6:.3g} MB are more than {budget.megabytes:g}")
    if one["state"] == UNDECIDED:
        needed = one["examples_needed"]
        reasons.append(
            f"about {needed} examples would decide, if the shares stay as they are"
            if needed
            else "no number of examples decides, if the shares stay as they are: the difference is the limit itself"
            if one["method"].startswith("score")
            else "more examples are needed"
        )
    return f"{text} ({'; '.join(reasons)})" if reasons else text


def _outlier(layer: str, weight: dict[str, Any]) -> str:
    return (
        f"the weights of {layer} lose most by one scale for the whole tensor: {weight['per_tensor_db']:.1f} dB in the "
        f"median channel instead of {weight['per_channel_db']:.1f} dB with one scale for each; channel "
        f"{weight['widest_channel']} has {weight['ratio']:.3g} times the range of the median channel"
    )


def _findings(rows: dict[str, dict[str, Any]], failed: dict[str, str], budget: Budget) -> list[Finding]:
    findings = []
    for name, row in rows.items():
        if "state" not in row:
            continue
        one, quick = row["accuracy"], row["speed"]
        if one["state"] == FAILS:
            layer = min(row["sqnr_db"], key=row["sqnr_db"].get, default="")
            values = {key: one[key] for key in ("difference", "low", "high", "examples")}
            values |= {"layer": layer, "sqnr_db": row["sqnr_db"].get(layer)}
            message = f"the score drops by more than {budget.accuracy_drop:g}; lowest SQNR: layer {layer}"
            findings.append(
                Finding(
                    "accuracy-drop",
                    name,
                    message,
                    values,
                    "scales for each channel, that layer left in float, other calibration inputs, or QAT, in turn",
                )
            )
        if quick["state"] == FAILS:
            findings.append(
                Finding(
                    "too-slow",
                    name,
                    f"it is not {budget.speedup:g} times as fast as fp32 in {row['runtime']}",
                    {key: quick[key] for key in ("speedup", "low", "high")},
                    "measure on the hardware that serves: int8 is fast only where there are instructions for it",
                )
            )
        if row["size_state"] == FAILS:
            message = f"it has more than {budget.megabytes:g} MB"
            findings.append(Finding("too-large", name, message, {"bytes": row["bytes"]}))
    findings += [Finding("variant-failed", name, why) for name, why in failed.items()]
    return findings


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "variant",
        "kind",
        "score",
        "difference",
        "interval",
        "kB",
        "p50 ms",
        "p95 ms",
        "speed-up",
        "lowest SQNR",
        "budget",
    )
    for name, row in report.measured["variants"].items():
        cells = [name, row["kind"], f"{row['score']:.4f}"]
        one, layers = row.get("accuracy"), row.get("sqnr_db")
        cells += [f"{one['difference']:+.4f}", f"{one['low']:+.4f} to {one['high']:+.4f}"] if one else ["", ""]
        cells += [f"{row['bytes'] / 1e3:.1f}", f"{row['p50_ms']:.3f}", f"{row['p95_ms']:.3f}"]
        cells += [f"{row['speed']['speedup']:.2f}" if one else "", f"{min(layers.values()):.1f} dB" if layers else ""]
        table.add_row(*cells, row.get("state", ""))
    measured = report.measured
    title = (
        f"{measured['examples']} examples; latency of {measured['batch_size']} examples, threads: {measured['threads']}"
    )
    Console(stderr=True, width=150, highlight=False).print(title, table)


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option("--target", help="FILE.py:factory, with `evaluation`")],
    variants: Annotated[str | None, typer.Option("--variants", help="names, separated by commas (all)")] = None,
    max_accuracy_drop: Annotated[float, typer.Option("--max-accuracy-drop", help="of the mean score")] = 0.01,
    min_speedup: Annotated[float | None, typer.Option("--min-speedup", help="against fp32 in the same runtime")] = None,
    max_size: Annotated[float | None, typer.Option("--max-size", help="in MB (10^6 bytes)")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="folder for the ONNX files within the budget")] = None,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="picture (.png, .svg, .pdf)")] = None,
    threads: Annotated[int, typer.Option(min=1, help="of both runtimes")] = 1,
    runs: Annotated[int, typer.Option(min=20, help="timed calls of each, at most")] = 200,
    alpha: Annotated[float, typer.Option(help="the intervals have confidence 1 - alpha")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of bootstraps")] = 0,
    timeout: Annotated[float, typer.Option(help="seconds that loading the target may take")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load

        if not 0 <= max_accuracy_drop < math.inf:
            raise UnusableInput(
                f"--max-accuracy-drop is {max_accuracy_drop:g}; give a number of at least 0, such as 0.01"
            )
        for name, value in (("--min-speedup", min_speedup), ("--max-size", max_size)):
            if value is not None and not 0 < value < math.inf:
                raise UnusableInput(f"{name} is {value:g}; give a number above 0")
        if not 0 < alpha < 0.5:
            raise UnusableInput("--alpha must be between 0 and 0.5")
        check_picture(plot_to)
        report = compare(
            load(target, timeout=timeout), budget=Budget(max_accuracy_drop, min_speedup, max_size),
            variants=[part.strip() for part in (variants or "").split(",") if part.strip()], save=save,
            threads=threads, runs=runs, alpha=alpha, seed=seed,
        )  # fmt: skip
        if plot_to is not None:
            plot(report, plot_to)
        if not as_json:
            _show(report)
    finish(report, as_json)


if __name__ == "__main__":
    app()
