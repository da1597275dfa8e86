"""A specification against a configuration file and against a model that was built."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import spec_reading
from dltools.report import Finding, UnusableInput
from spec_names import CANONICAL
from spec_reading import Document, Entry, as_number
from spec_values import Values

SAME = 1e-6  # relative; a configuration repeats a number, it does not round it
BETAS = ("beta1", "beta2")


def against_config(values: Values, path: Path, mapping: Mapping[str, str]) -> tuple[list[Finding], dict[str, Any]]:
    """The values that a configuration file (YAML or JSON, nested or flat) sets differently.

    Args:
        values: the specification.
        path: the configuration file.
        mapping: from entries of the specification (name or section.name) to keys of the file (a.b.c or the last part).

    Raises:
        UnusableInput: the file cannot be read, is no mapping, or `mapping` names what is not there.
    """
    document = spec_reading.read(path)
    if not isinstance(document.content, dict):
        raise UnusableInput(f"{path} holds no mapping of names to values")
    leaves = _leaves(document)
    chosen = _mapped(values, leaves, mapping, path)
    for keys, value in leaves.items():
        if keys in chosen.values() or value is None:  # null leaves it to a default
            continue
        entry = _same_name(values, str(keys[-1]))
        if entry is not None and entry.path not in chosen:
            chosen[entry.path] = keys
    findings, equal, fills = [], [], {}
    for path_of_entry, keys in chosen.items():
        entry, value = values.specification.entries[path_of_entry], leaves[keys]
        if keys in document.numbers_as_text:
            values.notes.append(
                f"{document.where(keys)}: {document.numbers_as_text[keys]} is text to PyYAML, not a number; "
                "code that reads it so gets a string"
            )
        if entry.status == "missing":
            fills[entry.path] = value
            values.notes.append(f"{document.where(keys)} fills what the paper leaves open: {entry.path} = {value}")
        elif _equal(entry.value, value):
            equal.append(entry.path)
        elif any(_equal(other, value) for other, _ in entry.competing):
            equal.append(entry.path)
            values.notes.append(f"{document.where(keys)} takes {value}, one of the values in conflict for {entry.path}")
        elif isinstance(entry.value, str) and isinstance(value, str) and " " in entry.value:
            # a description, not a name: only a reader can compare it
            values.notes.append(f"{document.where(keys)} is {value!r}; the paper says {entry.value!r}: compare by eye")
        else:
            findings.append(_differs(entry, value, document.where(keys)))
    unmatched = [keys for keys in leaves if keys not in chosen.values()]
    suggestions = _suggestions(values, unmatched, chosen)
    for key, name in suggestions.items():
        values.notes.append(
            f"{path.name}: `{key}` is compared with nothing; if it means {name}, give --map {name}={key}"
        )
    return findings, {
        "file": path.name, "compared": sorted(chosen), "equal": sorted(equal), "fills": fills,
        "not_compared": [".".join(map(str, keys)) for keys in unmatched], "suggestions": suggestions,
    }  # fmt: skip


def against_model(values: Values, sizes: Mapping[str, int], name: str) -> tuple[list[Finding], dict[str, Any]]:
    """The parameter counts of a model that was built, in all and part by part, against the specification.

    Args:
        values: the specification.
        sizes: numbers in each trainable parameter, by its name.
        name: of the model, for the findings.
    """
    total = sum(sizes.values())
    parts: dict[str, int] = {}
    for parameter, size in sizes.items():
        parts[parameter.split(".")[0]] = parts.get(parameter.split(".")[0], 0) + size
    findings = []
    expected, origin, place = _expected_parameters(values)
    if expected is None:
        values.notes.append("the specification gives no parameter count to compare the model with")
    elif abs(total / expected - 1) > SAME:
        findings.append(
            Finding(
                "model-differs",
                place,
                f"{name} has {total:,} trainable parameters; {origin} gives {expected:,.0f} ({total - expected:+,.0f})",
                {"model": total, "specification": expected, "difference": total - expected, "parts": parts},
                _explained(values, total - expected),
            )
        )
    for result in values.results.values():
        prefix = result.derived.part
        if prefix is None:
            continue
        own = sum(
            size for parameter, size in sizes.items() if parameter == prefix or parameter.startswith(prefix + ".")
        )
        if own != round(result.quantity.value):
            wanted = result.quantity.value
            message = (
                f"`{prefix}` of {name} has {own:,} trainable parameters; derived.{result.derived.name} gives "
                f"{wanted:,.0f} ({own - wanted:+,.0f})"
            )
            numbers = {"model": own, "specification": result.quantity.value, "difference": own - result.quantity.value}
            findings.append(
                Finding("model-differs", result.derived.place, message, numbers, "compare the shapes of this part")
            )
    return findings, {"parameters": total, "parts": parts, "expected": expected, "expected_from": origin}


def _expected_parameters(values: Values) -> tuple[float | None, str, str]:
    """The exact count where a formula or the only network gives one; a rounded one of the paper says less."""
    whole = values.results.get("parameter_count")
    if whole is not None:
        return whole.quantity.value, "derived.parameter_count", whole.derived.place
    if len(values.networks) == 1:
        (name, counts), *_ = values.networks.items()
        return float(counts.parameters), f"networks.{name}", values.specification.document.where(("networks", name))
    entry = values.standard.get("parameters")
    if entry is not None and entry.number is not None:
        return entry.number, entry.path, entry.place
    return None, "", ""


def _explained(values: Values, difference: float) -> str:
    """A difference that equals a part of the network is mostly that part: left out, or not shared."""
    for counts in values.networks.values():
        for part in counts.parts:
            if part.parameters and part.parameters == abs(difference):
                slip = "there twice" if difference > 0 else "left out"
                return f"the difference is exactly the part `{part.name}`: is it {slip}?"
    return "compare the parts in `values` with those of the network in `measured`"


def _leaves(document: Document) -> dict[tuple[Any, ...], Any]:
    leaves: dict[tuple[Any, ...], Any] = {}
    for keys, value in spec_reading.flattened(document):
        if keys and str(keys[-1]).lower() in ("betas", "adam_betas") and isinstance(value, list) and len(value) == 2:
            for name, one in zip(BETAS, value, strict=True):
                leaves[(*keys, name)] = one
        elif keys:
            leaves[keys] = value
    return leaves


def _mapped(
    values: Values, leaves: Mapping[tuple[Any, ...], Any], mapping: Mapping[str, str], path: Path
) -> dict[str, tuple[Any, ...]]:
    chosen = {}
    for name, key in mapping.items():
        entry = values.entry(name)
        if entry is None:
            close = difflib.get_close_matches(name, [*values.specification.entries], 1, 0.4)
            raise UnusableInput(
                f"--map {name}={key}: the specification has no single value {name!r}"
                + (f"; did you mean {close[0]}?" if close else "")
            )
        fitting = [keys for keys in leaves if ".".join(map(str, keys)) == key] or [
            keys for keys in leaves if str(keys[-1]) == key
        ]
        if len(fitting) != 1:
            raise UnusableInput(
                f"--map {name}={key}: {path.name} has {len(fitting) or 'no'} key {key!r}; give its whole path"
            )
        chosen[entry.path] = fitting[0]
    return chosen


def _same_name(values: Values, key: str) -> Entry | None:
    key = key.lower().replace("-", "_")
    exact = values.entry(key)
    if exact is not None:
        return exact
    canonical = CANONICAL.get(key)
    return values.standard.get(canonical) if canonical else None


def _equal(stated: Any, given: Any) -> bool:
    a, b = as_number(stated), as_number(given)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=SAME, abs_tol=0.0)
    if isinstance(stated, str) and isinstance(given, str):
        return stated.casefold().replace("-", "").replace("_", "") == given.casefold().replace("-", "").replace("_", "")
    return type(stated) is type(given) and stated == given


def _differs(entry: Entry, value: Any, where: str) -> Finding:
    factor = {}
    a, b = as_number(entry.value), as_number(value)
    if a and b is not None:
        factor = {"ratio": b / a}
    unit = "" if entry.unit == "1" else f" {entry.unit}"
    message = f"is {value}; the paper says {entry.value}{unit} ({entry.status}, {entry.source})"
    numbers = {"config": value, "paper": entry.value, "status": entry.status, **factor}
    step = (
        "take the paper's value first; change it later, alone"
        if entry.status == "stated"
        else "check which of both the authors ran"
    )
    return Finding("config-differs", where, message, numbers, step, {"entry": entry.path})


def _suggestions(values: Values, unmatched: list[tuple[Any, ...]], chosen: Mapping[str, Any]) -> dict[str, str]:
    """For keys that were compared with nothing: the entry with a name close by."""
    free = {entry.name: entry.path for entry in values.specification.entries.values() if entry.path not in chosen}
    aliases = {
        alias: free[entry.name]
        for alias, name in CANONICAL.items()
        if (entry := values.standard.get(name)) and entry.name in free
    }
    known = {**aliases, **free}
    result = {}
    for keys in unmatched:
        close = difflib.get_close_matches(str(keys[-1]).lower(), known, 1, 0.75)
        if close:
            result[".".join(map(str, keys))] = known[close[0]]
    return result
