# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "typer", "rich", "pyyaml", "torch", "jax"]
# ///
"""Predicts how signal and gradient grow or die through a deep stack at initialisation, and measures it.

For a list of layers it computes, in the limit of wide layers, the second moment of every pre-activation, the
gradient's second moment on the way back, the correlation of two inputs, and chi = sigma_w^2 E[phi'^2], whose
product along the depth decides whether gradients survive. It then draws real networks in PyTorch or JAX and sets
the measured values beside the predicted ones.

    signal_propagation.py --activation tanh --depth 20 --init xavier
    signal_propagation.py --activation relu --depth 20 --init torch-default     # exit status 1: gradients vanish
    signal_propagation.py --layers stack.yaml --framework jax --json
    signal_propagation.py --gains

A layer file is a YAML or JSON list (or a mapping with the key `layers`) of

    {activation: relu, fan_in: 784, fan_out: 512, init: he, gain: 1.0,
     bias_std: 0.0, norm: none, residual: false, repeat: 1}

with `std` for `init: normal`. The inits are those of torch.nn.init, and `unit` (keeps the second moment of the
pre-activations at 1) and `critical` (keeps the gradients' as well; it draws biases). A convolution is given by its
fans: fan_in = in_channels x kernel height x kernel width, fan_out = out_channels x kernel height x kernel width.

A finding is a change by more than e^6 = 403 in a second moment (a factor 20 in size) over the whole stack: networks
deeper than about six depth scales were seen not to train (Schoenholz et al. 2017, experimental results).

Findings: signal-vanishes, signal-explodes, gradient-vanishes, gradient-explodes, correlation-collapses.
Verdict: stable, faults (gains with --gains), or cannot-decide where the networks that were drawn contradict the theory.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "signal-propagation"
# Schoenholz et al. 2017, experimental results: trainable up to about 6 xi
DEPTH_SCALES = 6.0
# slope of the map of the second moment from which 20 layers multiply a deviation by more than 2: 2^(1/20)
STEEP = 1.035
INITS = ("he", "xavier", "lecun", "torch-default", "orthogonal", "unit", "critical", "normal")
FIELDS = {"activation", "fan_in", "fan_out", "init", "gain", "std", "bias_std", "norm", "residual", "repeat"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def make_layer(entry: Mapping[str, Any], where: str = "the layer") -> Any:
    """One `mean_field.Layer` from the fields of a layer file.

    Raises:
        UnusableInput: a field is unknown, missing, or out of its range.
    """
    from mean_field import ACTIVATIONS, NORMS, Layer, critical_point, unit_gain

    if not isinstance(entry, Mapping):
        raise UnusableInput(f"{where} is not a mapping; write fields such as activation, fan_in and fan_out")
    unknown = sorted(str(name) for name in set(entry) - FIELDS)
    if unknown:
        raise UnusableInput(f"{where} has the unknown field {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    activation = _choice(entry, "activation", "relu", ACTIVATIONS, where)
    init = _choice(entry, "init", "he", INITS, where)
    norm = _choice(entry, "norm", "none", NORMS, where)
    fan_in, fan_out = (_number(entry, name, None, where, integer=True, least=1) for name in ("fan_in", "fan_out"))
    gain = _number(entry, "gain", 1.0, where)
    bias_variance = _number(entry, "bias_std", 0.0, where, least=0) ** 2
    residual = entry.get("residual", False)
    if not isinstance(residual, bool):
        raise UnusableInput(f"{where}: residual is {residual!r}; write true or false")
    if residual and fan_in != fan_out:
        raise UnusableInput(f"{where}: a residual layer needs fan_in = fan_out, and has {fan_in} and {fan_out}")
    if ("std" in entry) != (init == "normal"):
        raise UnusableInput(f"{where}: `std` belongs to `init: normal`, and is needed there")
    if init == "critical":
        point = critical_point(activation)
        if point is None:
            raise UnusableInput(
                f"{where}: {activation} has no critical initialisation at second moment 1 (the bias variance would be "
                "negative); use a norm, a residual, or another activation"
            )
        variance, bias_variance = point[0] ** 2 / fan_in, point[1] ** 2
    elif init == "normal":
        variance = _number(entry, "std", None, where, least=0) ** 2
    else:
        variance = {
            "he": 2 / fan_in,
            "xavier": 2 / (fan_in + fan_out),
            "lecun": 1 / fan_in,
            # nn.Linear draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)): kaiming_uniform_ with a = sqrt(5)
            "torch-default": 1 / (3 * fan_in),
            "orthogonal": 1 / max(fan_in, fan_out),
            "unit": unit_gain(activation) ** 2 / fan_in,
        }[init]
        bias_variance = 1 / (3 * fan_in) if init == "torch-default" else bias_variance
    return Layer(activation, fan_in, fan_out, variance * gain**2, bias_variance, norm, residual, f"{init}*{gain!r}")


def read_layers(path: Path) -> list[Any]:
    """The layers of a YAML or JSON file, repeated as it says.

    Raises:
        UnusableInput: the file cannot be read or does not hold a list of layers.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{path} is not text; write the layers as YAML or JSON") from None
    except yaml.YAMLError as error:
        raise UnusableInput(f"{path} is neither YAML nor JSON: {' '.join(str(error).split())}") from None
    entries = content.get("layers") if isinstance(content, Mapping) else content
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise UnusableInput(f"{path} holds no list of layers; write one mapping per layer, see --help")
    layers = []
    for index, entry in enumerate(entries):
        where = f"{path.name}: layer {index + 1}"
        layer = make_layer(entry, where)
        layers += [layer] * _number(entry, "repeat", 1, where, integer=True, least=1)
    return layers


def analyse(
    layers: Sequence[Any],
    input_rms: float = 1.0,
    correlation: float = 0.5,
    framework: str = "torch",
    networks: int = 16,
    seed: int = 0,
) -> Report:
    """Predicts, measures where the layers form a fully connected chain, and names what would go wrong.

    Args:
        layers: from input to output.
        input_rms: root mean square of the components of the input.
        correlation: cosine between two inputs.
        framework: `torch`, `jax`, or `none` for the prediction alone.
        networks: random networks that are drawn for the measurement.
        seed: of the measurement.

    Returns:
        Verdict `stable`, `faults` or `cannot-decide`; `measured` holds the prediction and the measurement per layer.
    """
    from mean_field import fixed_point, propagate

    steps = propagate(layers, input_rms**2, correlation)
    # the correlation that enters the first layer, and so the same quantity as every later one
    predicted = {
        "forward_std": [math.sqrt(step.pre) for step in steps],
        "gradient_std": [math.sqrt(step.gradient) for step in steps],
        "weight_gradient_std": [math.sqrt(step.weight_gradient) for step in steps],
        "correlation": [step.correlation for step in steps],
        "chi": [step.chi for step in steps],
    }
    findings = _findings(layers, predicted, input_rms, correlation)
    measured: dict[str, Any] = {"predicted": predicted}
    table = gain_table()
    measured["gains"] = {name: table[name] for name in sorted({layer.activation for layer in layers})}
    notes = []
    if len({dataclasses.replace(layer, init="") for layer in layers[1:]}) == 1:
        point = fixed_point(layers[-1])
        if point is not None:
            measured["fixed_point"] = dataclasses.asdict(point)
    drifting = sorted({layer.activation for layer in layers if _drifts(layer)})
    if drifting:
        notes.append(
            f"second moment 1 repels under this initialisation of {', '.join(drifting)}: real layers drift away "
            "from it and "
            "the prediction holds only for very wide ones; a norm removes this"
        )
    if any(layer.init.startswith("orthogonal") for layer in layers):
        notes.append(
            "orthogonal weights are predicted by their variance; their spectrum, which the theory does not "
            "see, is better"
        )
    verdict = "faults" if findings else "stable"
    chained = all(a.fan_out == b.fan_in for a, b in zip(layers, layers[1:], strict=False))
    if framework != "none" and not chained:
        notes.append("not measured: the fan_out of a layer is not the fan_in of the next, as in convolutions")
    elif framework != "none":
        seen, agreement = _measured(layers, input_rms, correlation, framework, networks, seed, predicted)
        measured |= {framework: seen, "agreement": agreement}
        contradicted = {f.id for f in findings} ^ {f.id for f in _findings(layers, seen, input_rms, correlation)}
        if contradicted:
            verdict, findings = CANNOT_DECIDE, []
            notes.append(
                f"prediction and measurement disagree on {', '.join(sorted(contradicted))}: the layers are too "
                "narrow for "
                f"the theory, or {networks} networks too few; raise --width or --networks"
            )
        elif not agreement["within_5_percent"]:
            notes.append(
                f"measured and predicted size differ by up to {100 * agreement['largest_difference']:.0f} % "
                "(standard error "
                f"{100 * agreement['standard_error']:.0f} %): narrow layers spread around the prediction"
            )
    return Report(TOOL, verdict, findings, measured, notes)


def _drifts(layer: Any) -> bool:
    from mean_field import moment_slope

    kind = layer.init.partition("*")[0]
    fixed = kind in ("unit", "critical") and layer.norm == "none" and not layer.residual
    return fixed and moment_slope(layer.activation, math.sqrt(layer.sigma_w2)) > STEEP


def _measured(
    layers: Sequence[Any], rms: float, correlation: float, framework: str, networks: int, seed: int, predicted: Mapping
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    import numpy as np
    from random_networks import measure

    result = measure(framework, layers, rms**2, correlation, networks, seed)
    forward, gradient = np.sqrt(result.pre), np.sqrt(result.gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = [
            np.abs(forward / predicted["forward_std"] - 1),
            np.abs(gradient / predicted["gradient_std"] - 1),
        ]
        errors = [result.pre_error / result.pre / 2, result.gradient_error / result.gradient / 2]
    worst = float(np.nan_to_num(np.max(away)))
    agreement = {
        "largest_difference": worst,
        "forward_difference": float(np.nan_to_num(away[0].max())),
        "gradient_difference": float(np.nan_to_num(away[1].max())),
        "standard_error": float(np.max(errors)),
        "within_5_percent": worst <= 0.05,
        "networks": networks,
    }
    seen = {"forward_std": forward, "gradient_std": gradient, "correlation": result.correlation}
    return {name: values.tolist() for name, values in seen.items()}, agreement


def _findings(layers: Sequence[Any], seen: Mapping[str, list], input_rms: float, correlation: float) -> list[Finding]:
    limit = math.exp(DEPTH_SCALES)
    depth, found = len(layers), []
    advice = _advice(layers)
    forward = _ratio(seen["forward_std"][-1], seen["forward_std"][0]) ** 2
    backward = _ratio(seen["gradient_std"][0], seen["gradient_std"][-1]) ** 2
    where = f"layers 1 to {depth}"
    for name, ratio, what in (("signal", forward, "the pre-activations"), ("gradient", backward, "the gradients")):
        if 1 / limit <= ratio <= limit:
            continue
        start, end = ("first", "last") if name == "signal" else ("last", "first")
        word = "vanishes" if ratio < 1 else "explodes"
        values = {f"std_ratio_{end}_to_{start}": math.sqrt(ratio), "per_layer_factor": _root(ratio, 2 * (depth - 1))}
        message = (
            f"the size of {what} changes by a factor {math.sqrt(ratio):.3g} from the {start} to the {end} of "
            f"{depth} layers; "
            f"the limit is a factor {math.sqrt(limit):.1f} either way"
        )
        found.append(Finding(f"{name}-{word}", where, message, values, advice))
    # how far two inputs are still told apart, as 1 - cosine
    apart = _ratio(1 - seen["correlation"][-1], 1 - correlation)
    if correlation < 1 and apart < 1 / limit:
        message = (
            f"two inputs with cosine {correlation:g} leave with cosine {seen['correlation'][-1]:.6f}: the last "
            "layer hardly "
            "tells inputs apart"
        )
        values = {"cosine_in": correlation, "cosine_out": seen["correlation"][-1]}
        found.append(Finding("correlation-collapses", where, message, values, advice))
    return found


def _advice(layers: Sequence[Any]) -> str:
    from mean_field import critical_point, moment_slope

    name = layers[-1].activation
    point = critical_point(name)
    if point is None or moment_slope(name, point[0]) > STEEP:
        return (
            f"no initialisation of a plain stack keeps signal and gradient of {name} at second moment 1, or "
            "real layers "
            "drift away from it: use residual connections with a norm, or another activation, and run again"
        )
    return (
        f"draw the weights with std {point[0]:.3f}/sqrt(fan_in) and the biases with std {point[1]:.3f} (--init "
        "critical), "
        "or add residual connections, and run again"
    )


def _ratio(a: float, b: float) -> float:
    if b == 0:
        return 1.0 if a == 0 else math.inf
    return a / b


def _root(value: float, order: int) -> float:
    return value ** (1 / order) if order > 0 and math.isfinite(value) else value


def _choice(entry: Mapping, name: str, default: str, allowed: Any, where: str) -> str:
    value = entry.get(name, default)
    # YAML reads a bare `none` as a word and `null` as None; both mean it here
    value = "none" if value is None else value
    if not isinstance(value, str) or value not in allowed:
        raise UnusableInput(f"{where}: {name} is {value!r}; choose from {', '.join(allowed)}")
    return value


def _number(
    entry: Mapping, name: str, default: Any, where: str, integer: bool = False, least: float = -math.inf
) -> Any:
    value = entry.get(name, default)
    kind = int if integer else (int, float)
    if value is None:
        raise UnusableInput(f"{where}: {name} is missing")
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value) or value < least:
        bound = f" of at least {least:g}" if least > -math.inf else ""
        raise UnusableInput(f"{where}: {name} is {value!r}; give {'a whole number' if integer else 'a number'}{bound}")
    return value


def gain_table() -> dict[str, dict[str, Any]]:
    """Per activation: the unit gain, what it does to gradient and signal per layer, and the critical gain and "
    "bias std."""
    from mean_field import ACTIVATIONS, critical_point, gradient_factor, moment_slope, unit_gain

    table = {}
    for name in ACTIVATIONS:
        point = critical_point(name)
        table[name] = {
            "unit_gain": unit_gain(name),
            "gradient_factor": gradient_factor(name),
            "moment_slope": moment_slope(name, unit_gain(name)),
            "critical_gain": point and point[0],
            "critical_bias_std": point and point[1],
        }
    return table


def _show(columns: Mapping[str, Sequence[Any]], first: str, rows: Sequence[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in (first, *columns):
        table.add_column(name.replace("_", " "), justify="right")
    for row, values in zip(rows, zip(*columns.values(), strict=True), strict=True):
        table.add_row(str(row), *("-" if value is None else f"{value:.4g}" for value in values))
    Console().print(table)


@app.command(help=help_text(__doc__))
def main(
    activation: Annotated[str, typer.Option(help="of every layer")] = "relu",
    depth: Annotated[int, typer.Option(help="number of layers")] = 20,
    width: Annotated[int, typer.Option(help="units of every layer, and of the input")] = 512,
    init: Annotated[str, typer.Option(help=", ".join(INITS))] = "he",
    gain: Annotated[float, typer.Option(help="multiplies the standard deviation of the initialisation")] = 1.0,
    std: Annotated[float | None, typer.Option(help="standard deviation of a weight, for --init normal")] = None,
    bias_std: Annotated[float, typer.Option(help="standard deviation of a bias")] = 0.0,
    norm: Annotated[str, typer.Option(help="none, layer or rms: between the linear map and the activation")] = "none",
    residual: Annotated[bool, typer.Option(help="add every layer's input to its output")] = False,
    layers: Annotated[Path | None, typer.Option(help="YAML or JSON file, instead of the options above")] = None,
    input_rms: Annotated[float, typer.Option(help="root mean square of the input's components")] = 1.0,
    input_correlation: Annotated[float, typer.Option(help="cosine between two inputs, from 0 to below 1")] = 0.5,
    framework: Annotated[str, typer.Option(help="torch, jax, or none for the prediction alone")] = "torch",
    networks: Annotated[int, typer.Option(help="random networks that are drawn")] = 16,
    gains: Annotated[bool, typer.Option("--gains", help="print the gains of all activations and end")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the measurement")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if gains:
            table = gain_table()
            if not as_json:
                names = ("unit_gain", "gradient_factor", "moment_slope", "critical_gain", "critical_bias_std")
                _show({name: [row[name] for row in table.values()] for name in names}, "activation", list(table))
            finish(Report(TOOL, "gains", measured={"gains": table}), as_json)
        where = "the options"
        given = {"depth": depth, "width": width, "networks": networks, "input_rms": input_rms, "seed": seed}
        for name in ("depth", "width", "networks"):
            _number(given, name, None, where, integer=True, least=1)
        _number(given, "seed", None, where, integer=True, least=0)
        if not (math.isfinite(input_rms) and input_rms > 0):
            raise UnusableInput(f"--input-rms is {input_rms}; give a number above 0")
        if not 0 <= input_correlation < 1:
            raise UnusableInput(f"--input-correlation is {input_correlation}; give a number from 0 to below 1")
        if framework not in ("torch", "jax", "none"):
            raise UnusableInput(f"--framework is {framework!r}; choose from torch, jax, none")
        if layers is not None:
            stack = read_layers(layers)
        else:
            entry = {"activation": activation, "fan_in": width, "fan_out": width, "init": init, "gain": gain}
            entry |= {"bias_std": bias_std, "norm": norm, "residual": residual}
            entry |= {} if std is None else {"std": std}
            stack = [make_layer(entry, where)] * depth
            if init in ("unit", "critical"):
                # no activation has shrunk the input: with the gain of the others it would enter above moment 1
                first = {"init": "normal", "std": gain / (input_rms * math.sqrt(width)), "gain": 1.0, "bias_std": 0.0}
                stack[0] = make_layer(entry | first, where)
        if framework != "none" and min(stack[0].fan_in, stack[-1].fan_out) < 4:
            raise UnusableInput(
                "the measurement needs at least 4 inputs and outputs; widen the layers or use --framework none"
            )
        report = analyse(stack, input_rms, input_correlation, framework, networks, seed)
        if not as_json:
            columns = {f"predicted {name}": values for name, values in report.measured["predicted"].items()}
            for name, values in report.measured.get(framework, {}).items():
                columns[f"measured {name}"] = values
            _show(columns, "layer", range(1, len(stack) + 1))
        finish(report, as_json)


if __name__ == "__main__":
    app()
