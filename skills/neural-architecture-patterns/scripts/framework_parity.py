# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "rich", "numpy", "pyyaml", "jsonschema", "torch", "jax", "flax", "equinox", "optax"]
# ///
"""Copies the weights of one model into its port and compares the two, layer by layer.

It answers: is every tensor carried over? Do the shapes fit, and if not, which change of layout makes them fit? Given
the same weights and the same input, do both models give the same output, and which layer is the first that does not?

Example:

\b
    python framework_parity.py --left torch_model.py:build --right flax_model.py:build --mapping mapping.yaml
    python framework_parity.py --left old.py:build --right new.py:build --mapping mapping.yaml --write weights.npz

LEFT and RIGHT are functions that return a dict with `model`, `batch` and `loss_fn`: PyTorch, Flax NNX, Linen or
Equinox. Anything else in JAX, such as Keras or Haiku, returns `params` and `apply` instead of `model`, and
`intermediates(params, inputs)`, a dict of arrays, if its layers are to be compared; assets/frameworks/ of this skill has
all six. The input is that of LEFT's batch; both models run in evaluation mode.

The mapping is a YAML file; its schema is assets/framework-mapping.schema.json:

\b
    activations: [0, 2, 3, 1]        # images: channels first on the left, channels last on the right
    tensors:
      - {left: conv.weight, right: conv.kernel, steps: [{permute: [2, 3, 1, 0]}]}
      - {left: "blocks.{i}.up.weight", right: blocks.up.kernel, repeat: 12, steps: [{permute: [1, 0]}, {stack: 0}]}
    layers:
      - {left: attention, right: attention}
    ignore: {left: ["*.num_updates"]}

Layers are compared whose tensors are mapped one to one, and those under `layers`. Where the inputs of a layer agree and
its outputs do not, the fault is inside; where the inputs differ already, it is before: an activation function, a
residual, the order of flattened axes.

A layer agrees when the largest difference is at most `--tolerance` times the largest value of the left layer, or times
1 where all values are smaller. Tensors that hold one value throughout (zero biases, running statistics that were never
updated) are filled with other values first, equally on both sides: a mix-up among them would not show.

Verdict: parity; parity-broken (the outputs differ); layers-differ (they agree, but a layer does not); mapping-faulty.
Findings: parity-broken, layer-differs, shape-mismatch, unmapped-tensor, unknown-tensor, unknown-layer. A finding of
shape-mismatch names the steps that would make the shapes fit.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.report import CannotDecide, Finding, Report, UnusableInput, answering, finish, help_text, write_atomic

TOOL = "framework-parity"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclasses.dataclass(frozen=True)
class Compared:
    """One pair of layers.

    Args:
        left, right: their names.
        outputs: largest difference of the outputs, as a share of the scale of the left outputs.
        inputs: the same for the inputs; None where they are not seen on both sides.
        absolute: largest difference of the outputs.
        relative: root mean square difference over root mean square of the left outputs.
        shapes: of the outputs, where they do not agree; else None.
    """

    left: str
    right: str
    outputs: float
    inputs: float | None
    absolute: float
    relative: float
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def agrees(self, tolerance: float) -> bool:
        """Whether the outputs agree."""
        return self.shapes is None and self.outputs <= tolerance

    @property
    def name(self) -> str:
        """One name for both where they are equal."""
        return self.left if self.left == self.right else f"{self.left} / {self.right}"


def compare(left: Any, right: Any, mapping: Any, tolerance: float = 1e-5, seed: int = 0) -> Report:
    """Carries the weights over and compares the models.

    Args:
        left: a `dltools.target.Target`: the model that has the weights.
        right: the model that gets them. Both are left as they were.
        mapping: a `parity_mapping.FrameworkMapping`.
        tolerance: largest difference of two layers that agree, as a share of their largest value or of 1.
        seed: of the numbers that replace constant tensors.

    Raises:
        UnusableInput: a model raises, or has no tensors.
        CannotDecide: the left model gives values that are not finite.
    """
    from parity_recording import Side, inputs_of, mapped

    sides = (Side.of("left", left), Side.of("right", right))
    findings = _names_checked(sides, mapping)
    values, filled = _filled(sides[0].tensors, mapping, seed)
    converted, misfits = convert(values, sides[1].tensors, mapping)
    findings = misfits + findings
    notes = _notes(sides, filled)
    measured: dict[str, Any] = {"tensors": len(converted), "tolerance": tolerance}
    if misfits or any(finding.id == "unknown-tensor" for finding in findings):
        notes.append("The outputs were not compared: correct the mapping first.")
        return Report(TOOL, "mapping-faulty", findings, {**measured, "layers": []}, notes)
    inputs = inputs_of(left)
    ours = sides[0].run(inputs, {name: values[name] for name in filled})
    try:
        theirs = sides[1].run(mapped(mapping.turned, inputs), converted)
    except UnusableInput as error:
        hint = "it gets the inputs of the left batch, whose axes `activations` of the mapping can reorder"
        raise UnusableInput(f"{error}; {hint}") from error
    pairs, unknown = _pairs(mapping, ours, theirs)
    results = [_compared(a, b, ours, theirs, mapping) for a, b in pairs]
    measured["layers"] = [_row(one, tolerance) for one in results]
    wrong = [one for one in results if not one.agrees(tolerance)]
    broken = results[-1] in wrong
    if broken:
        trial = _Trial(sides[1], mapped(mapping.turned, inputs), converted, ours, mapping, tolerance)
        findings.insert(0, _broken(results, wrong, mapping, trial))
    else:
        findings += [_differs(one, tolerance) for one in wrong]
    findings += unknown
    missing = [name for name in _left_layers(mapping) if name not in {one.left for one in results}]
    if missing:
        notes.append(
            f"Not compared, because one side does not show its output or the shapes differ: {', '.join(missing)}."
        )
    faulty = "layers-differ" if wrong else "mapping-faulty" if findings else "parity"
    verdict = "parity-broken" if broken else faulty
    return Report(TOOL, verdict, findings, measured, notes)


def convert(left: Mapping[str, Any], right: Mapping[str, Any], mapping: Any) -> tuple[dict[str, Any], list[Finding]]:
    """The right model's tensors from the left one's, and what does not fit.

    Args:
        left: numpy arrays by name.
        right: the right model's own arrays, for their shapes.
        mapping: a FrameworkMapping. Entries with names that are not there are left out.
    """
    from parity_mapping import DoesNotFit, suggestion

    made: dict[str, Any] = {}
    findings = []
    for entry in mapping.entries:
        if not all(name in left for name in entry.left) or not all(name in right for name in entry.right):
            continue
        given = [left[name] for name in entry.left]
        wanted = [right[name].shape for name in entry.right]
        try:
            values = entry.convert(given)
            why = "after the steps of the mapping" if entry.steps else "as it is"
            fits = [value.shape for value in values] == wanted
            seen = _shapes([value.shape for value in values])
        except DoesNotFit as error:
            fits, why, seen = False, str(error), _shapes([value.shape for value in given])
        if fits:
            made.update(zip(entry.right, values, strict=True))
            continue
        steps = suggestion([value.shape for value in given], wanted)
        findings.append(
            Finding(
                "shape-mismatch",
                f"{entry.where}: {', '.join(entry.left)} -> {', '.join(entry.right)}",
                f"{seen} ({why}) is not {_shapes(wanted)}",
                {"left": [list(value.shape) for value in given], "right": [list(shape) for shape in wanted]},
                f"try `steps: {steps}`; the shapes fit then, and the outputs say whether the order is right"
                if steps
                else "no change of layout makes the shapes fit: compare the widths and heads of the two models",
                {"suggestion": steps},
            )
        )
    return made, findings


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join("x".join(map(str, shape)) or "scalar" for shape in shapes)


def _names_checked(sides: Sequence[Any], mapping: Any) -> list[Finding]:
    """Names that the models do not have, and tensors that the mapping forgot."""
    findings = []
    named = [{name for entry in mapping.entries for name in getattr(entry, side.side)} for side in sides]
    for side, names in zip(sides, named, strict=True):
        if not side.tensors:
            raise UnusableInput(f"the {side.side} model has no floating-point tensor to map")
        for entry in mapping.entries:
            for name in getattr(entry, side.side):
                if name not in side.tensors:
                    close = difflib.get_close_matches(name, side.tensors, 3, 0.4)
                    findings.append(
                        Finding(
                            "unknown-tensor",
                            f"{side.side} {name}",
                            f"{entry.where} names a tensor that the {side.side} model does not have",
                            {"similar": close},
                            "take a name that the model has; those that no entry names are listed as unmapped-tensor",
                        )
                    )
    forgotten = [_forgotten(side, names, mapping) for side, names in zip(sides, named, strict=True)]
    for side, here, there in ((sides[0], *forgotten), (sides[1], *reversed(forgotten))):
        for name, array in here.items():
            partners = [other for other, theirs in there.items() if sorted(theirs.shape) == sorted(array.shape)]
            what = (
                "nothing of it arrives on the right"
                if side.side == "left"
                else "it keeps the value that the right model has"
            )
            findings.append(
                Finding(
                    "unmapped-tensor",
                    f"{side.side} {name}",
                    f"no entry of the mapping names this tensor; {what}",
                    {"shape": list(array.shape), "candidates": partners},
                    f"map it, or put it under `ignore: {{{side.side}: [...]}}` if it needs no partner",
                )
            )
    return findings


def _forgotten(side: Any, named: set[str], mapping: Any) -> dict[str, Any]:
    # tied weights have several names, and one of them is enough
    covered = {side.twins.get(name, name) for name in named}
    return {
        name: array
        for name, array in side.tensors.items()
        if side.twins.get(name, name) not in covered and name not in side.twins and not mapping.skips(side.side, name)
    }


def _filled(tensors: Mapping[str, Any], mapping: Any, seed: int) -> tuple[dict[str, Any], list[str]]:
    """The left tensors with other values where a mapped one holds a single value, and the names of those."""
    import numpy as np

    rng = np.random.default_rng(seed)
    values, filled = dict(tensors), []
    for name in sorted({name for entry in mapping.entries for name in entry.left if name in tensors}):
        array = tensors[name]
        if array.size > 1 and np.all(array == array.flat[0]):
            # upwards only: variances stay positive
            values[name] = (array + 0.1 * rng.random(array.shape)).astype(array.dtype)
            filled.append(name)
    return values, filled


def _pairs(
    mapping: Any, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[list[tuple[str, str]], list[Finding]]:
    """The pairs of layers in the order of the left model, the output last; and layers that the file names in vain."""
    from parity_recording import OUTPUT

    wanted: dict[str, set[str]] = {}
    for entry in mapping.entries:
        # a tensor that becomes several, or comes from several, says nothing about layers
        if len(entry.left) == len(entry.right) == 1 and _module(entry.left[0]):
            wanted.setdefault(_module(entry.left[0]), set()).add(_module(entry.right[0]))
    pairs = {left: right for left, (right, *more) in ((a, tuple(b)) for a, b in wanted.items()) if not more}
    pairs = {a: b for a, b in pairs.items() if a in ours and b in theirs and _alike(a, b, ours, theirs, mapping)}
    findings = []
    for left, right in mapping.layers:
        for side, name, there in (("left", left, ours), ("right", right, theirs)):
            if name not in there:
                findings.append(
                    Finding(
                        "unknown-layer",
                        f"{side} {name}",
                        f"the mapping compares a layer that the {side} model does not show",
                        {"similar": difflib.get_close_matches(name, there, 3, 0.4)},
                        "take the path of a module that is called; with `apply`, a key of `intermediates`",
                    )
                )
        if left in ours and right in theirs:
            pairs[left] = right
    order = list(ours)
    return [*sorted(pairs.items(), key=lambda pair: order.index(pair[0])), (OUTPUT, OUTPUT)], findings


def _module(tensor: str) -> str:
    """The path of the module that a tensor belongs to: weights of Keras are named with a slash."""
    cut = max(tensor.rfind("."), tensor.rfind("/"))
    return tensor[:cut] if cut > 0 else ""


def _left_layers(mapping: Any) -> list[str]:
    found = [_module(entry.left[0]) for entry in mapping.entries if len(entry.left) == len(entry.right) == 1]
    return list(dict.fromkeys(name for name in found if name))


def _alike(left: str, right: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], mapping: Any) -> bool:
    return mapping.turned(ours[left].outputs).shape == theirs[right].outputs.shape


def _compared(left: str, right: str, ours: Mapping[str, Any], theirs: Mapping[str, Any], mapping: Any) -> Compared:
    import numpy as np

    mine, other = mapping.turned(ours[left].outputs), theirs[right].outputs
    if not np.isfinite(mine).all():
        raise CannotDecide(f"the left model gives NaN or infinity at {left}; compare on an input where it does not")
    if mine.shape != other.shape:
        return Compared(left, right, float("inf"), None, float("inf"), float("inf"), (mine.shape, other.shape))
    given = None
    if ours[left].inputs is not None and theirs[right].inputs is not None:
        first, second = mapping.turned(ours[left].inputs), theirs[right].inputs
        given = _difference(first, second)[0] if first.shape == second.shape else None
    return Compared(left, right, _difference(mine, other)[0], given, *_difference(mine, other)[1:])


def _difference(left: Any, right: Any) -> tuple[float, float, float]:
    """(as a share of the scale, absolute, relative), all infinite where the right one is not finite."""
    import numpy as np

    if not np.isfinite(right).all():
        return float("inf"), float("inf"), float("inf")
    a, b = left.astype(np.float64), right.astype(np.float64)
    gap = np.abs(a - b)
    largest = float(gap.max(initial=0.0))
    size = float(np.sqrt(np.mean(a**2))) if a.size else 0.0
    rms = float(np.sqrt(np.mean(gap**2))) if a.size else 0.0
    return largest / max(1.0, float(np.abs(a).max(initial=0.0))), largest, rms / size if size else float(rms > 0)


def _row(one: Compared, tolerance: float) -> dict[str, Any]:
    return {
        "left": one.left,
        "right": one.right,
        "max_abs_difference": one.absolute,
        "relative_difference": one.relative,
        "inputs_differ_by": one.inputs,
        "agrees": one.agrees(tolerance),
    }


@dataclasses.dataclass(frozen=True)
class _Trial:
    """Runs the right model again with the axes of one tensor in another order."""

    right: Any
    inputs: Any
    tensors: Mapping[str, Any]
    ours: Mapping[str, Any]
    mapping: Any
    tolerance: float

    def mends(self, one: Compared) -> tuple[str, str] | None:
        """The tensor of the layer and the permutation that make it agree, where the shape allows several."""
        import numpy as np
        from parity_mapping import USUAL

        for name, array in self.tensors.items():
            if _module(name) != one.right:
                continue
            for order in USUAL:
                if len(order) != array.ndim or np.transpose(array, order).shape != array.shape:
                    continue
                theirs = self.right.run(self.inputs, {**self.tensors, name: np.transpose(array, order)})
                if _compared(one.left, one.right, self.ours, theirs, self.mapping).agrees(self.tolerance):
                    return name, f"permute: {list(order)}"
        return None


def _broken(results: list[Compared], wrong: list[Compared], mapping: Any, trial: _Trial) -> Finding:
    from parity_recording import OUTPUT

    first = wrong[0]
    position = results.index(first)
    before = results[position - 1].name if position else "the input"
    if first.shapes is not None:
        return Finding(
            "shape-mismatch",
            f"layer {first.name}",
            f"the left layer gives {_shapes(first.shapes[:1])}, the right one {_shapes(first.shapes[1:])}",
            {"left": list(first.shapes[0]), "right": list(first.shapes[1])},
            "set `activations` to the order of axes of the right model, or compare strides, padding and widths",
        )
    inside = first.inputs is not None and first.inputs <= trial.tolerance
    values = {
        "max_abs_difference": first.absolute,
        "relative_difference": first.relative,
        "inputs_differ_by": first.inputs,
        "tolerance": trial.tolerance,
        "layers_that_differ": len(wrong),
        "layers_compared": len(results),
    }
    said = f"the outputs differ by up to {first.absolute:.2g}"
    mended = trial.mends(first) if inside or first.inputs is None else None
    if mended:
        name, step = mended
        message = f"{said}; with `{step}` more on {name} they agree: its shape is the same both ways"
        return Finding("parity-broken", first.name, message, values, f"add {{{step}}} to the steps of {name}")
    tensors = [name for entry in mapping.entries for name in entry.right if _module(name) == first.right]
    if inside:
        message = f"its inputs agree and {said}: the fault is in this layer"
        flat = tensors and all(trial.tensors[name].ndim == 1 for name in tensors)
        step = (
            "a normalisation: compare its epsilon (the defaults of the frameworks differ), which statistics it uses, and "
            "which of its tensors went where"
            if flat
            else "compare the layer's settings (padding, strides, scale, heads) and the order of the elements of "
            + (", ".join(tensors) or "its tensors")
        )
    else:
        message = f"{said}, and {before} is the last that agrees" if position else said
        if first.inputs is not None:
            message = (
                f"its inputs differ already, by up to {first.inputs:.2g}: the fault is between {before} and this layer"
            )
        end = "the end" if first.left == OUTPUT else first.name
        step = (
            f"compare what happens between {before} and {end}: activation function (GELU exact or by tanh), residual, "
            "mask, order of flattened axes, a layer that was not mapped"
        )
    return Finding("parity-broken", first.name, message, values, step)


def _differs(one: Compared, tolerance: float) -> Finding:
    """A layer that differs although the output of the model does not."""
    return Finding(
        "layer-differs",
        one.name,
        f"its outputs differ by up to {one.absolute:.2g}, but the output of the model agrees",
        {"max_abs_difference": one.absolute, "relative_difference": one.relative, "tolerance": tolerance},
        "see whether the two layers end at the same place (an activation may be part of one), or whether what differs "
        "is switched off later, such as by a residual scale near zero",
    )


def _notes(sides: Sequence[Any], filled: Sequence[str]) -> list[str]:
    notes = []
    if filled:
        shown = ", ".join(filled[:6]) + (", ..." if len(filled) > 6 else "")
        notes.append(f"Held one value throughout, and were filled with others for the comparison: {shown}.")
    if sides[0].dtypes != sides[1].dtypes:
        left, right = (", ".join(sorted(side.dtypes)) for side in sides)
        notes.append(f"The left model holds {left}, the right one {right}: rounding alone makes a difference.")
    return notes


def weights(left: Any, right: Any, mapping: Any) -> bytes:
    """The right model's tensors with the left model's values, as an npz file.

    Args:
        left, right: targets.
        mapping: a FrameworkMapping that fits them.

    Raises:
        UnusableInput: an entry of the mapping does not fit.
    """
    import numpy as np
    from parity_recording import Side

    own = Side.of("right", right).tensors
    made, misfits = convert(Side.of("left", left).tensors, own, mapping)
    if misfits or len(made) != sum(len(entry.right) for entry in mapping.entries):
        raise UnusableInput("--write: the mapping does not fit, so there are no weights to write; run without it first")
    stream = io.BytesIO()
    np.savez(stream, **{name: array.astype(own[name].dtype) for name, array in made.items()})
    return stream.getvalue()


def _shown(report: Report) -> str:
    """The table for a person."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=118, highlight=False)
    table = Table("left", "right", "largest difference", "relative", "inputs", "agrees", title="layers")
    for row in report.measured["layers"]:
        given = row["inputs_differ_by"]
        table.add_row(
            row["left"],
            row["right"],
            f"{row['max_abs_difference']:.1e}",
            f"{row['relative_difference']:.1e}",
            "-" if given is None else f"{given:.1e}",
            "yes" if row["agrees"] else "no",
        )
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@app.command(help=help_text(__doc__))
def main(
    left: Annotated[str, typer.Option("--left", help="FILE.py:factory of the model that has the weights.")],
    right: Annotated[str, typer.Option("--right", help="FILE.py:factory of the model that gets them.")],
    mapping: Annotated[Path, typer.Option("--mapping", help="YAML file: which tensor becomes which.")],
    tolerance: Annotated[float, typer.Option(help="Largest difference of layers that agree.")] = 1e-5,
    write: Annotated[
        Path | None, typer.Option(help="Write the right model's weights into this .npz file, if the models agree.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the numbers that replace constant tensors.")] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds that loading each target may take.")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when the tool itself fails.")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load
        from parity_mapping import read_mapping

        if not tolerance > 0:
            raise UnusableInput(f"--tolerance {tolerance} must be above 0")
        read = read_mapping(mapping)
        sides = [load(spec, timeout=timeout) for spec in (left, right)]
        report = compare(*sides, read, tolerance=tolerance, seed=seed)
        if write is not None:
            if report.verdict == "parity":
                write_atomic(write, weights(*sides, read))
            else:
                report = dataclasses.replace(
                    report, notes=[*report.notes, f"{write} was not written: the models differ."]
                )
        if not as_json and report.measured["layers"]:
            print(_shown(report), file=sys.stderr)
    finish(report, as_json)


if __name__ == "__main__":
    app()
