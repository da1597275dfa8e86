"""What the numbers of a probe mean: each finding with its definition and threshold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dltools.arrays import width
from dltools.report import Finding
from expected_loss import Expected
from probe_gradients import Layer, Steps
from probe_recording import BOUNDED, RECTIFIERS, Call, Operation, Recording

# The thresholds are set between the healthy models and the planted faults of the tuning half of the test corpus:
# `python tests/skills/training-diagnostics/model_corpus.py --tuning` prints both sides.
INIT_LOSS = 2.0  # loss over that of a model that prefers nothing
VANISHING = 1e-5  # smallest over largest gradient of a weight matrix, root mean square
EXPLODING = 100.0  # growth of activations through weights, without a normalisation between
FEWEST_VALUES = 16  # of a unit; a unit that is active half of the time is never so on 16 with probability 2^-16
DEAD = 0.5  # share of the units of one activation that are inactive on every value
SATURATED = 0.5  # share of the values of one activation that are saturated
TWINS = 0.5  # share of the units of one weight that are copies of another unit

NORMALISING = ("Norm", "norm")


def non_finite_inputs(target: Any, finite_inputs: bool, bad_parameters: list[str]) -> list[Finding]:
    """NaN or infinity that is there before any module runs."""
    findings = []
    if not finite_inputs:
        findings.append(
            Finding(
                "non-finite-activation",
                "inputs",
                "The inputs of the batch hold NaN or infinity, before any module runs.",
                {},
                "Find the examples and the step of the preprocessing that makes them, such as a division by a "
                "standard deviation of 0.",
            )
        )
    if bad_parameters:
        findings.append(
            Finding(
                "non-finite-activation",
                bad_parameters[0],
                "Weights hold NaN or infinity: " + ", ".join(bad_parameters[:5]) + ".",
                {"parameters": bad_parameters},
                "Go back to the last checkpoint that is finite and probe that; the step that broke the weights "
                "lies after it.",
            )
        )
    return findings


def non_finite_forward(recording: Recording, loss: float) -> list[Finding]:
    """The module, and where it can be told the operation, that makes the first value that is not finite."""
    outputs = recording.calls or recording.products
    lost = not math.isfinite(loss)
    findings = []

    def bad(moments: Any) -> bool:
        return moments is not None and (moments.broken or lost and not moments.finite)

    maker = next((call for call in outputs if bad(call.outputs) and not bad(call.inputs)), None)
    operations = [op for op in recording.operations if op.broken or lost]
    if maker is not None or (lost and operations):
        where = maker.where if maker is not None else operations[0].where
        inside = [op for op in operations if op.where == where or where in ("", op.where)] or operations
        values: dict[str, Any] = {}
        by = ""
        if inside:
            by = f" by {inside[0].name}" + (f" at {inside[0].line}" if inside[0].line else "")
        if maker is not None and maker.outputs is not None:
            made = maker.outputs
            values = {"nan": made.nan, "inf": made.plus_inf, "minus_inf": made.minus_inf, "dtype": made.dtype}
            if maker.inputs is not None:
                values["largest_input"] = maker.inputs.largest
        hint = "Look at what goes into it: log(0), a division by 0, the root of a negative number, a row masked whole."
        if values.get("dtype") == "float16":
            hint = "The largest float16 is 65504: use bfloat16 or float32 for this module, or scale its inputs."
        findings.append(
            Finding(
                "non-finite-activation",
                where or "model",
                f"The first value that is not finite is made here{by}; everything before it is finite.",
                values,
                hint,
            )
        )
    if lost:
        consequence = "a consequence of the above" if findings else "though the outputs of the model are finite"
        findings.append(
            Finding(
                "non-finite-loss",
                "loss_fn",
                f"The loss is {loss}, {consequence}.",
                {"loss": loss},
                "Repair the module above first."
                if findings
                else "Look into loss_fn: log(0) of a probability (take logits), a mean of nothing, non-finite targets.",
            )
        )
    return findings


def non_finite_backward(layers: list[Layer], origin: Operation | None) -> list[Finding]:
    """Gradients that are not finite though the forward pass is."""
    bad = [layer.name for layer in layers if not layer.finite]
    if not bad:
        return []
    where = origin.where if origin else bad[-1]
    by = (
        f" {origin.name}" + (f" at {origin.line}" if origin.line else "")
        if origin
        else " an operation that could not be named"
    )
    return [
        Finding(
            "non-finite-gradient",
            where,
            f"The forward pass is finite, and the derivative of{by} is not.",
            {"parameters": bad},
            "Keep its argument off the singular point: sqrt(x + eps), a norm with eps, `where` on the argument "
            "and not only on the result.",
        )
    ]


def initial_loss(loss: float, expected: Expected) -> list[Finding]:
    """The loss far above that of a model that prefers nothing."""
    if (
        not expected.kind
        or not expected.untrained > 0
        or not math.isfinite(loss)
        or loss <= INIT_LOSS * expected.untrained
    ):
        return []
    regression = expected.kind.endswith("error")
    what = (
        "the best constant prediction"
        if regression
        else f"equal probabilities ({'ln C' if expected.classes else 'ln 2'})"
    )
    return [
        Finding(
            "init-loss-unexpected",
            "loss_fn",
            f"The loss is {loss:.4g}; {what} has {expected.untrained:.4g}.",
            {"loss": loss, "expected": expected.untrained, "ratio": loss / expected.untrained, "kind": expected.kind},
            "Standardise the targets or set the output bias to their mean; make the last layer's initial weights small."
            if regression
            else "Make the initial weights of the last layer small, and look for activations that explode before it.",
        )
    ]


def vanishing(layers: list[Layer], zero: set[str]) -> list[Finding]:
    """Weight matrices whose gradients differ by orders of magnitude, the small ones nearest the input."""
    weights = [layer for layer in layers if layer.matrix and layer.gradient_rms is not None and layer.finite]
    moving = [layer for layer in weights if layer.gradient_rms and layer.name not in zero]
    if len(moving) < 2:
        return []
    smallest = min(moving, key=lambda layer: layer.gradient_rms or 0)
    largest = max(moving, key=lambda layer: layer.gradient_rms or 0)
    ratio = gradient_ratio(layers, zero)
    if ratio >= VANISHING:
        return []
    below = [layer.name for layer in weights if (layer.gradient_rms or 0) < VANISHING * (largest.gradient_rms or 1)]
    return [
        Finding(
            "vanishing-gradients",
            smallest.name,
            f"Its gradient is {ratio:.1e} of that of {largest.name}; {len(below)} of {len(weights)} weights are "
            f"below {VANISHING:g} of it.",
            {"ratio": ratio, "layers": below, "profile": {layer.name: layer.gradient_rms for layer in weights}},
            "Look at the profile: a steady factor from layer to layer comes from initialisation and activation "
            "(use a matching "
            "gain, residual connections or normalisation); one sudden drop comes from the module where it happens.",
        )
    ]


def gradient_ratio(layers: list[Layer], zero: set[str]) -> float:
    """Smallest over largest root mean square gradient of the weight matrices that have one."""
    sizes = [layer.gradient_rms for layer in layers if layer.matrix and layer.gradient_rms and layer.name not in zero]
    return min(sizes) / max(sizes) if len(sizes) > 1 else 1.0


def growth(recording: Recording, own: dict[str, list[Layer]]) -> tuple[float, str]:
    """How much activations grow through weights, counted anew after each normalisation.

    Args:
        own: the parameters of each module by path.

    Returns:
        (largest root mean square of an output over the smallest before it, the module where it is reached).
    """
    base, worst, where = math.inf, 1.0, ""
    for call in recording.calls or recording.products:
        if call.inside or call.outputs is None or not call.outputs.rms:
            continue
        if any(word in call.kind for word in NORMALISING):
            base = call.outputs.rms
            continue
        matrices = [layer for layer in own.get(call.where, []) if layer.matrix]
        if not matrices and recording.calls:
            continue
        if call.inputs is not None and call.inputs.rms:
            base = min(base, call.inputs.rms)
        base = min(base, call.outputs.rms)
        if call.outputs.rms / base > worst:
            worst, where = call.outputs.rms / base, call.where
    return worst, where


def exploding(recording: Recording, own: dict[str, list[Layer]]) -> list[Finding]:
    """Activations that grow from layer to layer."""
    worst, where = growth(recording, own)
    if worst <= EXPLODING:
        return []
    sizes = {
        c.where: c.outputs.rms for c in recording.calls or recording.products if c.outputs is not None and not c.inside
    }
    return [
        Finding(
            "exploding-activations",
            where,
            f"The activations grow {worst:.3g} times through the weights up to here, without a normalisation between.",
            {"growth": worst, "rms": sizes},
            "Compare the weights' standard deviation with gain / sqrt(fan-in); a steady factor per layer is a "
            "wrong gain, one jump a wrong layer.",
        )
    ]


def dead(recording: Recording, samples: str) -> list[Finding]:
    """Rectifiers most of whose units are inactive on every value."""
    findings = []
    for entry in recording.activations:
        share = float(1 - entry.active.mean())
        if entry.name in RECTIFIERS and share > DEAD and entry.values >= FEWEST_VALUES:
            units = np.flatnonzero(~entry.active)
            findings.append(
                Finding(
                    "dead-units",
                    entry.where,
                    f"{len(units)} of {len(entry.active)} units are inactive on {samples}.",
                    {
                        "dead": len(units),
                        "units": len(entry.active),
                        "share": share,
                        "values_per_unit": entry.values,
                        "zero_share": entry.zeros,
                    },
                    "Look at the bias and the mean of the pre-activations: a large negative bias, inputs that are not "
                    "centred, or a learning rate that threw them there. They can revive when earlier weights change.",
                )
            )
            if share == 1:
                # what follows gets a constant, and is dead or not by its bias alone
                break
    return findings


def saturated(recording: Recording) -> list[Finding]:
    """Bounded activations most of whose values lie where the derivative is nearly zero."""
    return [
        Finding(
            "saturated-units",
            entry.where,
            f"{entry.saturated:.0%} of the values lie where the derivative is below 5 % of its maximum.",
            {"share": entry.saturated, "units": len(entry.active)},
            "Compare the size of the pre-activations with 1: smaller initial weights, standardised inputs or a "
            "normalisation before it.",
        )
        for entry in recording.activations
        if entry.name in BOUNDED and not entry.last and entry.saturated > SATURATED
    ]


def frozen(frozen_names: list[str], layers: list[Layer], steps: Steps) -> list[Finding]:
    """Parameters that training cannot change."""
    findings = []
    if frozen_names:
        findings.append(
            Finding(
                "frozen-parameters",
                _common(frozen_names),
                f"{len(frozen_names)} parameters do not require a gradient (requires_grad is False): "
                f"{_few(frozen_names)}.",
                {"parameters": frozen_names},
                "Nothing is wrong if this is meant, as in fine-tuning. Otherwise set requires_grad to True "
                "before the optimizer is built.",
            )
        )
    still = [
        layer.name
        for layer in layers
        if (layer.gradient_rms or (steps.seen is not None and layer.name not in steps.seen))
        and layer.name not in steps.changed
    ]
    if steps.taken and still and (steps.changed or steps.seen is not None):
        outside = [name for name in still if steps.seen is not None and name not in steps.seen]
        why = (
            "the optimizer does not hold them"
            if outside == still
            else "a step of the optimizer leaves them as they are"
        )
        findings.append(
            Finding(
                "frozen-parameters",
                _common(still),
                f"{len(still)} parameters are trainable, but {why}: {_few(still)}.",
                {"parameters": still, "not_in_optimizer": outside},
                "Build the optimizer from all parameters, after the last layer is made. A group with learning "
                "rate 0, a mask, or "
                "an update below the precision of the weights' dtype are the other causes.",
            )
        )
    return findings


def without_gradient(layers: list[Layer], unused: set[str], dead_layers: bool) -> list[Finding]:
    """Trainable parameters of modules that run, none of which gets a gradient."""
    owners: dict[str, list[Layer]] = {}
    for layer in layers:
        owners.setdefault(layer.module, []).append(layer)
    silent: list[str] = []
    cut = False
    for own in owners.values():
        if all(not layer.gradient_rms and not layer.later and layer.finite for layer in own):
            names = [layer.name for layer in own if layer.name not in unused]
            none = any(layer.gradient_rms is None for layer in own)
            # a gradient of zero before a dead layer is the work of that layer
            if names and (none or not dead_layers):
                silent += names
                cut = cut or none
    if not silent:
        return []
    how = (
        "no gradient arrives (they are not connected to the loss)"
        if cut
        else "the gradient is exactly zero, also after a step"
    )
    return [
        Finding(
            "no-gradient",
            _common(silent),
            f"{len(silent)} trainable parameters: {how}: {_few(silent)}.",
            {"parameters": silent},
            "Follow the outputs of this module to the loss: detach(), stop_gradient, no_grad, .item(), argmax or "
            "rounding on the "
            "way, or an output that nobody uses.",
        )
    ]


def symmetric(counts: dict[str, tuple[int, int]]) -> list[Finding]:
    """Weights whose units are copies of each other and get the same gradient."""
    copies = {name: both for name, both in counts.items() if both[0] > TWINS * both[1]}
    if not copies:
        return []
    name, (twins, units) = next(iter(copies.items()))
    return [
        Finding(
            "symmetric-init",
            name,
            f"{twins} of {units} units have the same weights and the same gradient as another, so training keeps "
            "them equal.",
            {"layers": {key: f"{twins}/{units}" for key, (twins, units) in copies.items()}},
            "Draw the weights at random; only biases, and a last layer whose gradients differ, may start constant.",
        )
    ]


def unused_modules(names: list[str], kinds: dict[str, str]) -> list[Finding]:
    """Modules with parameters that the forward pass does not use."""
    return [
        Finding(
            "unused-module",
            name,
            f"{kinds.get(name) or 'This part'} has parameters, and the loss does not depend on any of them.",
            {},
            "Call it in the forward pass, or remove it: it costs memory, is decayed by weight decay, and stops "
            "distributed training "
            "that waits for its gradient.",
        )
        for name in names
    ]


def dtype_changes(
    recording: Recording, own: dict[str, list[Layer]], declared: str, parameter_dtypes: set[str]
) -> list[Finding]:
    """Modules that give a wider dtype than goes in, and outputs that are not of the declared dtype."""
    changes: list[tuple[Call, str]] = []
    for call in recording.calls:
        cause = _widened(call, own, parameter_dtypes, recording, [other.where for other, _ in changes])
        if cause:
            changes.append((call, cause))
    findings = []
    if changes:
        call, cause = changes[0]
        findings.append(
            Finding(
                "dtype-changed",
                call.where or "model",
                f"{call.kind} gives {call.outputs.dtype if call.outputs else ''}, {cause}.",
                {
                    "input": call.inputs.dtype if call.inputs else None,
                    "output": call.outputs.dtype if call.outputs else None,
                    "modules": [other.where or "model" for other, _ in changes],
                },
                "Look for a constant, buffer, mask or input of the wider dtype, and for numpy arrays, which are "
                "float64; in Flax, "
                "`param_dtype` is that of the weights and `dtype` that of the computation.",
            )
        )
    made = _output_dtype(recording)
    if declared and made and made != declared:
        findings.append(
            Finding(
                "dtype-changed",
                "outputs",
                f"The outputs are {made}; the target declares {declared}.",
                {"output": made, "declared": declared},
                "Look at the dtypes module by module in `measured`: parameters, inputs and constants of a wider "
                "dtype win.",
            )
        )
    return findings


def _widened(
    call: Call, own: dict[str, list[Layer]], parameter_dtypes: set[str], recording: Recording, changed: list[str]
) -> str:
    if call.outputs is None or call.autocast:
        return ""
    given = [call.inputs.dtype] if call.inputs else []
    weights = [layer.dtype for layer in own.get(call.where, []) if "float" in layer.dtype]
    out = width(call.outputs.dtype)
    if out == 64 and "float64" not in {*given, *parameter_dtypes}:
        # only the first: float64 spreads to all that follows
        return "" if changed else "though neither inputs nor parameters are float64"
    if call.where == "":
        # logits are often cast up on purpose at the very end
        return ""
    if not call.inside and weights and out > max(map(width, weights)):
        return f"with parameters in {max(weights, key=width)} and inputs in {given[0] if given else 'no float'}"
    widest = max(map(width, [*given, *weights]), default=0)
    below = [other for other in recording.calls if other.where.startswith(f"{call.where}.")]
    if widest and out > widest and not any(where.startswith(call.where) for where in changed):
        inner = [layer.dtype for prefix, ls in own.items() if prefix.startswith(f"{call.where}.") for layer in ls]
        if not below or out > max(map(width, inner), default=0):
            return f"with inputs in {given[0] if given else 'no float'}"
    return ""


def _output_dtype(recording: Recording) -> str:
    from dltools.arrays import dtype_name, is_floating, leaves

    floats = [leaf for leaf in leaves(recording.outputs) if is_floating(leaf)]
    return dtype_name(floats[0]) if floats else ""


def _common(names: list[str]) -> str:
    """The longest path that all names share, or the first name."""
    parts = [name.split(".") for name in names]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return ".".join(shared) or names[0]


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
