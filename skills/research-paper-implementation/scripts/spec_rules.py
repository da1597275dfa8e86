"""What a specification leaves open, and where its values contradict each other or the hardware."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import spec_formulas
import spec_units
from dltools.report import Finding
from spec_formulas import FormulaError, Quantity
from spec_names import EXPECTED, STANDARD
from spec_reading import Entry
from spec_values import Values

# A backward pass costs about two forward ones: a product for the inputs, one for the weights (Kaplan et al. 2020, 2.1).
PASSES = 3
NETWORK_FLOPS_TOLERANCE = 0.05
# float32 includes tf32: frameworks may use it for float32 products without being asked
_SINGLE, _HALF, _BRAIN = ("float32", "tf32"), ("float16",), ("bfloat16",)
PRECISIONS = {
    **dict.fromkeys(("bf16", "bfloat16"), _BRAIN),
    **dict.fromkeys(("fp16", "float16", "half"), _HALF),
    **dict.fromkeys(("mixed", "amp"), _HALF + _BRAIN),
    **dict.fromkeys(("fp32", "float32", "single"), _SINGLE),
    "tf32": ("tf32",),
}


@dataclasses.dataclass(frozen=True)
class Relation:
    """A standard name that follows from others.

    Args:
        name: what is computed.
        formula: over standard names.
        tolerance: relative difference that the rounding of papers explains.
    """

    name: str
    formula: str
    tolerance: float


# 2 %: sizes such as "1.3 million images" are rounded; 10 %: times are rounded more
RELATIONS = (
    Relation("steps", "epochs * training_examples / batch_size", 0.02),
    Relation("epochs", "steps * batch_size / training_examples", 0.02),
    Relation("tokens_per_batch", "batch_size * sequence_length", 0.02),
    Relation("total_examples", "steps * batch_size", 0.02),
    Relation("total_examples", "epochs * training_examples", 0.02),
    Relation("total_tokens", "steps * tokens_per_batch", 0.02),
    Relation("total_tokens", "steps * batch_size * sequence_length", 0.02),
    Relation("total_tokens", "epochs * training_tokens", 0.02),
    Relation("batch_size", "device_batch_size * devices * gradient_accumulation", 0.0),
    Relation("batch_size", "device_batch_size * devices", 0.0),
    Relation("training_time", "steps * time_per_step", 0.1),
    Relation("training_time", "steps / steps_per_second", 0.1),
    Relation("device_time", "training_time * devices", 0.1),
    Relation("width", "heads * head_width", 0.0),
)


def missing(values: Values) -> list[dict[str, Any]]:
    """What the paper leaves open, in the order in which to ask for it."""
    named = {entry.name: entry for entry in values.specification.entries.values()}
    words = " ".join(str(named[name].value).lower() for name in ("optimizer", "loss", "objective") if name in named)
    found: list[dict[str, Any]] = []
    covered: set[str] = set()
    for rank, one in enumerate(EXPECTED, 1):
        covered.update(one.any_of)
        if one.only_with and not any(part in words for part in one.only_with):
            continue
        present = [named[name] for name in one.any_of if name in named]
        if all(entry.status == "missing" for entry in present):
            where = present[0].place if present else values.specification.document.where((one.section,))
            found.append(
                {
                    "name": one.name,
                    "rank": rank,
                    "section": one.section,
                    "where": where,
                    "why": one.why,
                    "source": one.source,
                    "entries": list(one.any_of),
                }
            )
    for entry in values.specification.entries.values():
        if entry.status == "missing" and entry.name not in covered:
            found.append(
                {
                    "name": entry.path,
                    "rank": len(EXPECTED) + 1,
                    "section": entry.section,
                    "where": entry.place,
                    "why": "the specification marks it as missing",
                    "source": "",
                    "entries": [entry.name],
                }
            )
    return found


def agreements(values: Values) -> list[Finding]:
    """Formulas, networks and relations against what is stated. Recorded conflicts become notes."""
    findings: list[Finding] = []
    targets = set()
    for result in values.results.values():
        derived = result.derived
        if derived.agrees_with is None:
            continue
        entry = values.entry(derived.agrees_with)
        if entry is None:
            message = f"agrees_with names {derived.agrees_with!r}, which is no entry (or more than one)"
            findings.append(Finding("bad-formula", derived.place, message, {}, "write section.name"))
            continue
        targets.add(entry.path)
        findings += _against(values, entry, result.quantity, derived.formula, derived.tolerance, derived.place)
    findings += _networks(values, targets)
    findings += _relations(values)
    return findings


def implied(values: Values) -> dict[str, dict[str, Any]]:
    """Standard values that the paper does not state and that follow from those it does."""
    result: dict[str, dict[str, Any]] = {}
    for relation in RELATIONS:
        entry = values.standard.get(relation.name)
        if (
            (entry is not None and entry.number is not None)
            or relation.name in result
            or relation.name in values.results
        ):
            continue
        quantity = _of_relation(values, relation)
        if quantity is not None:
            unit = spec_units.parse(STANDARD[relation.name].unit)
            result[relation.name] = {
                "value": quantity.value / unit.factor,
                "unit": unit.text,
                "formula": relation.formula,
            }
    steps, per_epoch = _steps(values), _quantity(values, "training_examples / batch_size")
    if per_epoch is not None:
        result["steps_per_epoch"] = {
            "value": per_epoch.value,
            "unit": "steps",
            "formula": "training_examples / batch_size",
        }
    for name, label in (("warmup_steps", "warmup_share"), ("decay_end_step", "decay_end_share")):
        part = values.of_standard(name)
        if part is not None and steps:
            result[label] = {"value": part.value / steps, "unit": "1", "formula": f"{name} / steps"}
    return result


def orders(values: Values) -> list[Finding]:
    """What must be smaller than something else: warmup, decay, learning rates, heads."""
    findings: list[Finding] = []
    steps = _steps(values)
    warmup, end = values.of_standard("warmup_steps"), values.of_standard("decay_end_step")
    if warmup and steps and warmup.value >= steps:
        findings.append(
            _contradiction(
                values,
                "warmup_steps",
                f"the warmup of {warmup.value:,.0f} steps is as long as training or longer ({steps:,.0f} steps)",
                {"warmup_steps": warmup.value, "steps": steps},
                "check whether one of them is counted in epochs, examples or tokens",
            )
        )
    if end and steps and abs(end.value / steps - 1) > 0.02:
        share = (1 - end.value / steps) * 100
        what = (
            f"the decay ends at step {end.value:,.0f}, yet {steps:,.0f} steps are run: "
            f"the last {share:.0f} percent run at the final rate"
            if share > 0
            else f"the decay ends at step {end.value:,.0f}, after the last of {steps:,.0f} steps: "
            "the final rate is never reached"
        )
        findings.append(
            _contradiction(
                values,
                "decay_end_step",
                what,
                {"decay_end_step": end.value, "steps": steps},
                "find out whether warmup is part of decay_end_step, and which of both numbers was run",
            )
        )
    epochs, warmup_epochs = values.of_standard("epochs"), values.of_standard("warmup_epochs")
    if epochs and warmup_epochs and warmup_epochs.value >= epochs.value:
        message = (
            f"the warmup of {warmup_epochs.value:g} epochs is as long as training or longer ({epochs.value:g} epochs)"
        )
        findings.append(_contradiction(values, "warmup_epochs", message, {}, "check the units"))
    rates = {name: values.of_standard(name) for name in ("learning_rate", "final_learning_rate", "stop_learning_rate")}
    peak, final, stop = (one.value if one else None for one in rates.values())
    if peak is not None and final is not None and final > peak:
        message = f"the final learning rate {final:g} is above the peak {peak:g}"
        findings.append(
            _contradiction(
                values, "final_learning_rate", message, {"peak": peak, "final": final}, "check the exponents"
            )
        )
    if final is not None and stop is not None and stop < final:
        message = (
            f"training is to stop below a rate of {stop:g}, which the schedule never reaches: it ends at {final:g}"
        )
        findings.append(
            _contradiction(
                values,
                "stop_learning_rate",
                message,
                {"stop": stop, "final": final},
                "drop the rule or lower the floor",
            )
        )
    width, heads = values.of_standard("width"), values.of_standard("heads")
    if width and heads and heads.value and values.of_standard("head_width") is None and width.value % heads.value:
        message = f"{heads.value:g} heads do not divide the width {width.value:g}, and no width of a head is stated"
        findings.append(
            _contradiction(
                values, "heads", message, {"width": width.value, "heads": heads.value}, "look for the width of a head"
            )
        )
    for entry in values.specification.entries.values():
        if entry.status == "in-conflict" and all(value == entry.value for value, _ in entry.competing):
            message = f"{entry.path} is in conflict, yet all its values are {entry.value!r}"
            findings.append(Finding("contradiction", entry.place, message, {}, "note what the places really say"))
    return findings


def throughput(values: Values) -> tuple[list[Finding], dict[str, Any]]:
    """The arithmetic that the stated times need, against the peak of the hardware."""
    findings: list[Finding] = []
    shown: dict[str, Any] = {}
    forward = _forward(values)
    devices = values.of_standard("devices")
    peaks = _peaks(values, findings)
    latency, latency_batch = values.of_standard("latency"), values.of_standard("latency_batch_size")
    if forward and latency and latency_batch:
        needed = forward.value * latency_batch.value / latency.value
        shown["inference"] = {"flop_per_second_per_device": needed}
        findings += _judge(
            values,
            "latency",
            needed,
            peaks,
            shown["inference"],
            f"a latency of {latency.value:g} s for {latency_batch.value:g} examples",
        )
    total = values.of_standard("training_flops")
    time = (
        values.of_standard("training_time")
        or _quantity(values, "steps * time_per_step")
        or _quantity(values, "steps / steps_per_second")
    )
    rate = _quantity(values, "batch_size * steps_per_second") or _quantity(values, "batch_size / time_per_step")
    needed, name = None, "training_time"
    if total and time:
        needed = total.value / time.value
    elif forward and rate:
        needed = PASSES * forward.value * rate.value
        name = "steps_per_second" if "steps_per_second" in values.standard else "time_per_step"
    elif forward and time:
        seen = (
            values.of_standard("total_examples")
            or _quantity(values, "epochs * training_examples")
            or _quantity(values, "steps * batch_size")
        )
        needed = PASSES * forward.value * seen.value / time.value if seen else None
    if needed is not None and devices:
        needed /= devices.value
        shown["training"] = {"flop_per_second_per_device": needed}
        findings += _judge(values, name, needed, peaks, shown["training"], "the stated training speed")
    return findings, shown


def _judge(
    values: Values, name: str, needed: float, peaks: dict[str, float], shown: dict[str, Any], what: str
) -> list[Finding]:
    if not peaks:
        values.notes.append(
            f"{what} needs {needed / 1e12:.3g} TFLOP/s on each device; "
            "the accelerator is not stated, or not in the table"
        )
        return []
    fastest = max(peaks, key=lambda one: peaks[one])
    shown |= {"peak": peaks[fastest], "precision": fastest, "share_of_peak": needed / peaks[fastest]}
    accelerator = _text(values, "accelerator")
    if needed > peaks[fastest]:
        message = (
            f"{what} needs {needed / 1e12:.3g} TFLOP/s on each device; the peak of {accelerator or 'the device'} "
            f"in {fastest} is {peaks[fastest] / 1e12:.3g} TFLOP/s"
        )
        return [
            Finding(
                "implausible-throughput",
                _place(values, name),
                message,
                {
                    "needed_flop_per_second": needed,
                    "peak_flop_per_second": peaks[fastest],
                    "times_peak": needed / peaks[fastest],
                },
                "check the precision, the number of devices, and whether multiply-adds were counted as FLOPs",
            )
        ]
    slower = [one for one in peaks if needed > peaks[one]]
    if slower:
        values.notes.append(
            f"{what} needs {needed / 1e12:.3g} TFLOP/s on each device: too much for {', '.join(slower)} "
            f"on {accelerator}, possible in {fastest}; the precision is not stated"
        )
    return []


def _against(
    values: Values, entry: Entry, computed: Quantity, formula: str, tolerance: float, place: str
) -> list[Finding]:
    """A computed number against an entry and its competing values."""
    stated = list(values.numbers(entry))
    if not stated:
        if entry.value is not None and values.units[entry.path] is not None:
            values.notes.append(f"{entry.path} is no number, so {formula!r} is compared with nothing")
        return []
    unit = values.units[entry.path]
    if dict(stated[0][0].dimensions) != dict(computed.dimensions):
        message = (
            f"{spec_formulas.shown(computed.dimensions)} is compared with {entry.path}, which is in {entry.unit!r}"
        )
        return [Finding("wrong-unit", place, message, {}, "compare the same quantity")]
    off = [_off(computed.value, one.value) for one, _ in stated]
    values_shown = {
        "stated": stated[0][0].value / unit.factor,
        "computed": computed.value / unit.factor,
        "unit": entry.unit,
        "difference": off[0],
    }
    if abs(off[0]) <= tolerance:
        return []
    if any(abs(one) <= tolerance for one in off[1:]):
        known = f"; computed: {computed.value / unit.factor:.6g}"
        if known not in values.known_conflicts[entry.place]:
            values.known_conflicts[entry.place] += known
        return []
    hint = ""
    if "FLOP" in computed.dimensions and abs(off[0] - 1) < 0.1:
        hint = ": multiply-adds counted as FLOPs? One multiply-add is 2 FLOPs (unit MAC)"
    message = (
        f"{entry.path} is stated as {entry.number:.6g} {entry.unit}, computed as {computed.value / unit.factor:.6g} "
        f"({off[0]:+.1%}) by {formula}{hint}"
    )
    return [
        Finding(
            "contradiction",
            entry.place,
            message,
            values_shown,
            f"compare {entry.source} with the values in the formula",
        )
    ]


def _networks(values: Values, targets: set[str]) -> list[Finding]:
    """The only network's size against stated sizes, where no formula does that already."""
    if len(values.networks) != 1:
        return []
    (name, counts), *_ = values.networks.items()
    findings = []
    for standard, quantity, tolerance in (
        ("parameters", Quantity(float(counts.parameters)), 0.01),
        ("forward_flops", Quantity(float(counts.flops), {"FLOP": 1, "example": -1}), NETWORK_FLOPS_TOLERANCE),
    ):
        entry = values.standard.get(standard)
        if entry is not None and entry.path not in targets and values.units[entry.path] is not None:
            findings += _against(values, entry, quantity, f"networks.{name}", tolerance, entry.place)
    return findings


def _relations(values: Values) -> list[Finding]:
    """Stated standard values against what follows from the others; one finding for a value, whatever leads to it."""
    findings: list[Finding] = []
    seen: set[frozenset[str]] = set()
    wrong: set[str] = set()
    for relation in RELATIONS:
        entry = values.standard.get(relation.name)
        used = spec_formulas.names(spec_formulas.parse(relation.formula))
        if entry is None or entry.number is None or values.units[entry.path] is None:
            continue
        if (
            relation.formula == "device_batch_size * devices"
            and values.of_standard("gradient_accumulation") is not None
        ):
            continue
        # steps from epochs and epochs from steps are one statement
        group = frozenset((relation.name, *used))
        computed = None if group in seen or entry.path in wrong else _of_relation(values, relation)
        if computed is not None:
            seen.add(group)
            found = _against(values, entry, computed, relation.formula, relation.tolerance, entry.place)
            findings += found
            wrong.update(entry.path for _ in found)
    return findings


def _of_relation(values: Values, relation: Relation) -> Quantity | None:
    computed = _quantity(values, relation.formula)
    if computed is None or relation.name != "steps":
        return computed
    # the last batch counts as a step
    return Quantity(float(math.ceil(computed.value)), computed.dimensions)


def _quantity(values: Values, formula: str) -> Quantity | None:
    """A formula over standard names; None where one of them has no number."""

    def look_up(name: str) -> Quantity:
        known = values.of_standard(name)
        if known is None:
            raise FormulaError(name)
        return known

    try:
        return spec_formulas.evaluate(spec_formulas.parse(formula), look_up)
    except FormulaError:
        return None


def _steps(values: Values) -> float | None:
    stated = values.of_standard("steps")
    computed = stated or _quantity(values, "epochs * training_examples / batch_size")
    return computed.value if computed else None


def _forward(values: Values) -> Quantity | None:
    """FLOPs of one example's forward pass: computed where a single network is, else stated."""
    if len(values.networks) == 1:
        return Quantity(float(next(iter(values.networks.values())).flops), {"FLOP": 1, "example": -1})
    return values.of_standard("forward_flops")


def _peaks(values: Values, findings: list[Finding]) -> dict[str, float]:
    """Peak FLOP/s of one device by data type: what the specification states, else the table; only those in question."""
    from dltools.hardware import HARDWARE

    stated = values.of_standard("device_flops")
    if stated is not None:
        return {"the stated precision": stated.value}
    words = set(re.findall(r"[a-z0-9]+", _text(values, "accelerator").lower()))
    device = next((one for name, one in HARDWARE.items() if _model(name) <= words), None)
    if device is None:
        return {}
    precision = _text(values, "precision").lower()
    asked = next((types for word, types in PRECISIONS.items() if word in precision), tuple(device.peak))
    peaks = {name: device.peak[name] for name in asked if name in device.peak}
    if not peaks:
        message = f"{_text(values, 'accelerator')} has no {asked[0]} arithmetic of its own ({device.source})"
        findings.append(
            _contradiction(
                values,
                "precision",
                message,
                {"has": list(device.peak)},
                "accelerator or precision is misreported; on cards without bfloat16, float16 needs loss scaling",
            )
        )
    return peaks


def _model(name: str) -> set[str]:
    """The words of a device's name up to its number: v100 of v100-sxm2-32gb, tpu and v3 of tpu-v3."""
    words = name.split("-")
    numbered = next((i for i, word in enumerate(words) if any(letter.isdigit() for letter in word)), len(words) - 1)
    return set(words[: numbered + 1])


def _text(values: Values, name: str) -> str:
    found = values.specification.named(name)
    return found[0].value if found and isinstance(found[0].value, str) else ""


def _place(values: Values, name: str) -> str:
    entry = values.standard.get(name)
    return entry.place if entry else values.specification.document.where(("hardware",))


def _contradiction(values: Values, name: str, message: str, numbers: dict[str, Any], next_step: str) -> Finding:
    return Finding("contradiction", _place(values, name), message, numbers, next_step)


def _off(computed: float, stated: float) -> float:
    if stated == 0:
        return 0.0 if computed == 0 else math.inf
    return computed / stated - 1
