"""The tables that `model_budget` shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def _count(value: float) -> str:
    return f"{value:,.0f} parameters"


def _scaled(value: float, unit: str) -> str:
    for power, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= power:
            return f"{value / power:.4g} {prefix}{unit}"
    return f"{value:.4g} {unit}"


def _flops(value: float) -> str:
    return _scaled(value, "FLOPs")


def _size(value: float) -> str:
    return _scaled(value, "B")


SHOWN = {"parameters": _count, "flops": _flops, "memory": _size}


def tables(measured: Mapping[str, Any], *, train: bool) -> None:
    """Prints parts, operations and memory for a person.

    Args:
        measured: of a report of `model_budget`.
        train: with what training needs.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100, highlight=False)
    flops, memory = measured["flops"], measured["memory"]
    parts = Table(
        "part", title=f"{measured['source']}: " + ", ".join(f"{k} {v}" for k, v in measured["shapes"].items())
    )
    parts.add_column("parameters", justify="right")
    parts.add_column("FLOPs, forward", justify="right")
    for part in measured["parts"]:
        parts.add_row(part["part"], f"{part['parameters']:,}", _flops(part["flops"]) if part["flops"] else "-")
    if any(part["flops"] is None for part in measured["parts"]):
        for name, amount in measured["operators"].items():
            parts.add_row(f"({name})", "-", _flops(amount))
    parts.add_section()
    parts.add_row("all", f"{measured['parameters']['total']:,}", f"{_flops(flops['forward'])}")
    whole = Table("what", "amount", title=f"precision {measured['precision']}, optimizer {measured['optimizer']}")
    whole.add_row("MACs of the forward pass (1 MAC = 2 FLOPs)", _scaled(flops["macs"], "MACs"))
    if train and flops["training_step"] is not None:
        whole.add_row("FLOPs of a training step", _flops(flops["training_step"]))
    names = ("weights", "buffers", "gradients", "optimizer", "activations", "activations_checkpointed", "kv_cache")
    hidden = () if train else ("gradients", "optimizer", "activations", "activations_checkpointed")
    for name in names:
        if memory.get(name) and name not in hidden:
            whole.add_row(name.replace("_", ", ").replace("kv, cache", "key-value cache"), _size(memory[name]))
    total = memory["training" if train else "inference"]
    whole.add_section()
    whole.add_row(f"memory of {'training' if train else 'inference'}", "not known" if total is None else _size(total))
    if "least_time" in measured:
        least = measured["least_time"]
        whole.add_row(
            f"least time of a forward pass on {least['hardware']}",
            f"{1e3 * least['forward']:.4g} ms ({least['forward_limit']}: {least['forward_intensity']:.3g} FLOPs/B, "
            f"ridge {least['ridge']:.3g})",
        )
        if train and "training_step" in least:
            whole.add_row("least time of a training step", f"{1e3 * least['training_step']:.4g} ms")
    console.print(parts, whole)
    for entry in measured["not_counted"]:
        console.print(
            f"not counted: {entry['operator']} ({entry['calls']} x) at {entry['where'] or 'the model itself'}"
        )
