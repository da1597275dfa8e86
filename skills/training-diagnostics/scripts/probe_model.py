# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "rich", "numpy", "scipy", "torch", "jax", "flax", "equinox", "optax"]
# ///
"""Looks into a model on one batch: loss, activations, gradients, and the first step of the optimizer.

It answers: is the loss what an untrained model should have? Do gradients reach every layer, and does the optimizer
change every parameter? Are units dead or saturated? Which module makes the first value that is not finite?

The model is run forward and backward a few times; everything is put back afterwards, and proven to be by a hash.

Example:

    python probe_model.py --target target.py:build
    python probe_model.py --target target.py:build --batches 4 --json

`target.py` holds a function `build()` that returns a dict with `model`, `batch` and `loss_fn`; templates for PyTorch,
Flax NNX, Linen, Equinox and plain JAX are in the folder `assets` of this skill.

A unit is dead when it is inactive on every value of the batch. With `--batches K` the factory is called K times and the
batches of all calls count; let it draw a new batch each time.

Findings: non-finite-loss, non-finite-activation, non-finite-gradient, init-loss-unexpected, vanishing-gradients,
exploding-activations, dead-units, saturated-units, frozen-parameters, no-gradient, symmetric-init, unused-module,
dtype-changed. Each is defined in references/probing-a-model.md.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer

from dltools.report import Finding, Report, answering, finish, help_text

TOOL = "probe_model"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def probe(target: Any, *, seed: int = 0, batches: list[Any] | None = None) -> Report:
    """Probes a model.

    Args:
        target: a `dltools.target.Target`. It is left as it was.
        seed: of dropout and other noise.
        batches: further batches (inputs, targets), for dead and saturated units.

    Returns:
        A report with the verdict `healthy`, `faults` or `cannot-decide`.

    Raises:
        UnusableInput: the model or the loss raises, there is nothing to train, or the loss is not one number.
        CannotDecide: the model's weights are not there (meta device).
    """
    import probe_judging as judging
    from dltools.arrays import leaves
    from dltools.target import users_code
    from expected_loss import expected_loss
    from probe_gradients import layers_of, take_step, twins
    from probe_recording import backward_origin, merge, moments, record

    with target.preserved():
        with users_code("the target"):
            loss, gradients = target.loss_and_gradients(seed=seed)
            recording = record(target, seed=seed)
        layers = layers_of(target, gradients)
        own: dict[str, list[Any]] = {}
        for layer in layers:
            own.setdefault(layer.module, []).append(layer)
        given = moments(leaves(target.inputs))
        # the loss in training mode, with which the recording agrees
        broken = not math.isfinite(loss) or any(c.outputs is not None and c.outputs.broken for c in recording.calls)
        if broken and not recording.operations:
            recording = record(target, seed=seed, locate=True)
        bad = [layer.name for layer in layers if not math.isfinite(layer.weight_rms)]
        findings = judging.non_finite_inputs(target, given is None or given.finite, bad)
        if not findings:
            findings = judging.non_finite_forward(recording, loss)
        elif not math.isfinite(loss):
            findings += [f for f in judging.non_finite_forward(recording, loss) if f.id == "non-finite-loss"]
        expected = expected_loss(target, recording.outputs)
        report = _Parts(target, loss, expected, layers, recording, batches or [], findings)
        if findings:
            report.notes.append("Gradients and updates are not judged: the forward pass is not finite.")
        elif any(not layer.finite for layer in layers):
            findings += judging.non_finite_backward(layers, backward_origin(target, seed))
            report.notes.append("Updates are not judged: the gradient is not finite.")
        else:
            counts = twins(target, seed)
            steps = take_step(target, layers, seed)
            if not steps.taken:
                report.notes.append(f"Updates are not judged: {steps.why}.")
            for further in batches or []:
                merge(recording, record(target, further, seed=seed))
            findings += _judged(target, loss, expected, layers, own, recording, steps, counts, report.samples)
    return report.finished()


def _judged(
    target: Any,
    loss: float,
    expected: Any,
    layers: Any,
    own: Any,
    recording: Any,
    steps: Any,
    counts: Any,
    samples: str,
) -> list[Finding]:
    import probe_judging as judging

    dead = judging.dead(recording, samples)
    blocked = any(finding.values["share"] == 1 for finding in dead)
    modules, unused = _unused(target, layers, recording)
    zero = {layer.name for layer in layers if layer.gradient_rms is not None and not layer.gradient_rms}
    dead_or_saturated = [*dead, *judging.saturated(recording)]
    exploding = judging.exploding(recording, own)
    symmetric = judging.symmetric(counts)
    dtypes = {layer.dtype for layer in layers}
    in_use = [layer for layer in layers if layer.name not in unused]
    # what another finding explains is left out
    return [
        *symmetric,
        *([] if exploding else judging.initial_loss(loss, expected)),
        *exploding,
        *dead_or_saturated,
        *([] if symmetric else judging.vanishing(layers, zero)),
        *judging.unused_modules(modules, recording.modules),
        *judging.without_gradient(layers, unused, blocked),
        *judging.frozen(_frozen(target), in_use, steps),
        *judging.dtype_changes(recording, own, str(target.properties.get("dtype") or ""), dtypes),
    ]


def _frozen(target: Any) -> list[str]:
    if target.framework != "torch":
        return []
    return [name for name, p in target.model.named_parameters() if p.is_floating_point() and not p.requires_grad]


def _unused(target: Any, layers: Any, recording: Any) -> tuple[list[str], set[str]]:
    """The topmost modules that are never used, and all unused parameters."""
    if target.framework == "torch":
        names = {layer.name for layer in layers if not layer.gradient_rms and layer.gradient_rms is None}
    else:
        from probe_jax import unused_parameters

        names = set(unused_parameters(target)) & {layer.name for layer in layers}
    called = {call.where for call in recording.calls}
    everything = [layer.name for layer in layers]
    found: list[str] = []
    covered: set[str] = set()
    prefixes = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 1)}
    for prefix in sorted(prefixes, key=lambda path: path.count(".")):
        inside = {name for name in everything if name.startswith(f"{prefix}.")}
        runs = any(path == prefix or path.startswith(f"{prefix}.") for path in called)
        if inside <= names and not runs and not inside <= covered:
            found.append(prefix)
            covered |= inside
    return found, covered


class _Parts:
    """Puts together the report of a probe."""

    def __init__(
        self,
        target: Any,
        loss: float,
        expected: Any,
        layers: Any,
        recording: Any,
        further: list[Any],
        findings: list[Finding],
    ) -> None:
        self.target, self.loss, self.expected, self.layers = target, loss, expected, layers
        self.recording, self.findings = recording, findings
        self.notes: list[str] = []
        size = target.batch_size
        self.samples = f"all {size} samples of the batch"
        if further:
            from dltools.state import fingerprint

            first, others = fingerprint(target.batch), {fingerprint(batch) for batch in further}
            if others == {first}:
                self.notes.append("The factory returned the same batch at each call, so further batches add nothing.")
            else:
                self.samples = f"all samples of {len(further) + 1} batches of {size}"

    def finished(self) -> Report:
        """The report, with what could not be judged among its notes."""
        from probe_judging import FEWEST_VALUES

        target, recording, expected = self.target, self.recording, self.expected
        if not expected.kind:
            self.notes.append(f"The initial loss is not judged: {expected.why}.")
        elif self.loss < 0.5 * expected.constant:
            self.notes.append(
                f"The loss {self.loss:.4g} is well below {expected.constant:.4g}, the best that a constant can "
                "do: the model is trained."
            )
        if target.flavour == "function":
            self.notes.append(
                "A plain function has no modules: matrix products and convolutions stand for them, by line."
            )
        if target.framework == "jax":
            self.notes.append("Within scan, while and cond nothing is seen but what goes in and comes out.")
        elif any(name in kind for kind in recording.modules.values() for name in ("LSTM", "GRU", "RNN")):
            self.notes.append(
                "The gates within torch's recurrent modules are one operation: their saturation is not seen."
            )
        if not recording.activations:
            self.notes.append("No activation was recognised: dead and saturated units are not judged.")
        elif min(entry.values for entry in recording.activations) < FEWEST_VALUES:
            self.notes.append(
                f"Dead units are judged only where a unit has at least {FEWEST_VALUES} values: give more samples."
            )
        self.notes.append(f"Dead and saturated units are judged on {self.samples}, in training mode.")
        verdict = "faults" if self.findings else "healthy"
        return Report(TOOL, verdict, tuple(self.findings), self._measured(), tuple(self.notes))

    def _measured(self) -> dict[str, Any]:
        from probe_judging import growth

        expected = self.expected
        own: dict[str, list[Any]] = {}
        for layer in self.layers:
            own.setdefault(layer.module, []).append(layer)
        return {
            "loss": self.loss,
            "expected": {
                "kind": expected.kind or None,
                "untrained": expected.untrained,
                "best_constant": expected.constant,
            },
            "growth": growth(self.recording, own)[0],
            "layers": [
                {
                    "parameter": layer.name,
                    "shape": list(layer.shape),
                    "dtype": layer.dtype,
                    "weight_rms": layer.weight_rms,
                    "gradient_rms": layer.gradient_rms,
                    "update_ratio": layer.update_ratio,
                }
                for layer in self.layers
            ],
            "modules": [
                {
                    "module": call.where or "model",
                    "kind": call.kind,
                    "dtype": call.outputs.dtype,
                    "mean": call.outputs.mean,
                    "std": call.outputs.std,
                    "rms": call.outputs.rms,
                    "largest": call.outputs.largest,
                }
                for call in self.recording.calls + self.recording.products
                if call.outputs is not None
            ],
            "activations": [
                {
                    "where": entry.where,
                    "units": len(entry.active),
                    "dead": int((~entry.active).sum()),
                    "zero_share": entry.zeros,
                    "saturated_share": entry.saturated,
                    "values_per_unit": entry.values,
                }
                for entry in self.recording.activations
            ],
        }


def _shown(report: Report) -> str:
    """The tables for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=118, highlight=False)
    layers = Table("parameter", "shape", "weight rms", "gradient rms", "update / weight", title="parameters")
    for row in report.measured["layers"]:
        numbers = [row["weight_rms"], row["gradient_rms"], row["update_ratio"]]
        layers.add_row(
            row["parameter"], "x".join(map(str, row["shape"])), *("-" if x is None else f"{x:.2e}" for x in numbers)
        )
    units = Table("activation", "units", "dead", "values without derivative", "saturated", title="activations")
    for row in report.measured["activations"]:
        units.add_row(
            row["where"],
            str(row["units"]),
            str(row["dead"]),
            f"{row['zero_share']:.0%}",
            f"{row['saturated_share']:.0%}",
        )
    with console.capture() as captured:
        console.print(layers, units)
    return captured.get()


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option("--target", help="FILE.py:factory, the model with its batch and loss.")],
    batches: Annotated[
        int, typer.Option("--batches", min=1, help="Call the factory K times and judge units on all batches.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of dropout and other noise.")] = 0,
    device: Annotated[str, typer.Option(help="Device of a PyTorch model, such as cpu or cuda:0.")] = "cpu",
    timeout: Annotated[float, typer.Option(help="Seconds that loading the target may take.")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when the tool itself fails.")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import further_batches, load

        loaded = load(target, timeout=timeout, device=device)
        further = further_batches(target, batches - 1, timeout=timeout) if batches > 1 else []
        if loaded.framework == "torch" and device != "cpu":
            from dltools.torch_target import moved

            further = [moved(batch, device) for batch in further]
        report = probe(loaded, seed=seed, batches=further)
        if not as_json:
            print(_shown(report), file=sys.stderr)
    finish(report, as_json)


if __name__ == "__main__":
    app()
