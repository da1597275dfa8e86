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
ITEMS = {
    "weights": "weights",
    "buffers": "buffers",
    "gradients": "gradients",
    "optimizer": "optimizer",
    "activations": "activations",
    "activations_checkpointed": "  or with each layer checkpointed",
    "kv_cache": "key-value cache",
}
# what inference needs
LIGHT = ("weights", "buffers", "kv_cache")


def tables(measured: Mapping[str, Any], *, train: bool) -> None:
    """Prints parts, operations and memory for a person.

    Args:
        measured: of a report of `model_budget`.
        train: with what training needs.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    def table(*columns: str) -> Table:
        made = Table(box=box.SIMPLE_HEAD)
        for index, column in enumerate(columns):
            made.add_column(column, justify="right" if index else "left")
        return made

    console = Console(width=118, highlight=False, markup=False)
    flops, memory = measured["flops"], measured["memory"]
    at_least = " at least" if measured["not_counted"] else ""
    sizes = [f"{name.replace('_', ' ')} {size}" for name, size in measured["shapes"].items()]
    how = [f"{measured['precision']} precision", f"optimizer {measured['optimizer']}"]
    console.print(", ".join([measured["source"], *sizes, *how]))
    parts = table("part", "parameters", f"forward FLOPs{at_least}")
    for part in measured["parts"]:
        parts.add_row(part["part"], f"{part['parameters']:,}", _flops(part["flops"]) if part["flops"] else "-")
    if any(part["flops"] is None for part in measured["parts"]):
        for name, amount in measured["operators"].items():
            parts.add_row(f"({name})", "-", _flops(amount))
    parts.add_section()
    parts.add_row("all", f"{measured['parameters']['total']:,}", _flops(flops["forward"]))
    whole = table("whole", "amount")
    whole.add_row(f"forward pass{at_least} (1 MAC = 2 FLOPs)", _scaled(flops["macs"], "MACs"))
    if train and flops["training_step"] is not None:
        whole.add_row(f"training step{at_least}", _flops(flops["training_step"]))
    for name, words in ITEMS.items():
        if memory.get(name) and (train or name in LIGHT):
            whole.add_row(words, _size(memory[name]))
    total = memory["training" if train else "inference"]
    whole.add_row(f"memory of {'training' if train else 'inference'}", "not known" if total is None else _size(total))
    if "least_time" in measured:
        least = measured["least_time"]
        whole.add_row("least time of a forward pass", f"{1e3 * least['forward']:.4g} ms")
        whole.add_row(f"  its limit on {least['hardware']}", least["forward_limit"])
        whole.add_row("  FLOPs for each byte read", f"{least['forward_intensity']:.4g}")
        whole.add_row("  from which on arithmetic is the limit", f"{least['ridge']:.4g}")
        if train and "training_step" in least:
            whole.add_row("least time of a training step", f"{1e3 * least['training_step']:.4g} ms")
    console.print(parts, whole)
    for entry in measured["not_counted"]:
        where = entry["where"] or "the model itself"
        console.print(f"not counted: {entry['operator']}, {entry['calls']} calls, at {where}")
