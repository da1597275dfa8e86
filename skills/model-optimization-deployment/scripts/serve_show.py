"""The measured load as a table and as a picture."""

from __future__ import annotations

from pathlib import Path

from dltools.pictures import write_picture
from dltools.report import Report


def plot(report: Report, path: Path) -> None:
    """Throughput against the number of clients, and latency against throughput; a colour for each variant."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for number, (name, run) in enumerate(report.measured["variants"].items()):
        for kind, style in (("clients", "-"), ("rate", ":")):
            levels = sorted((entry for entry in run["levels"] if kind in entry), key=lambda entry: entry[kind])
            label = f"{name}, {'closed loop' if kind == 'clients' else 'given rate'}"
            if kind == "clients" and levels:
                left.plot(
                    [e[kind] for e in levels], [e["throughput"] for e in levels], f"oC{number}", ls=style, label=name
                )
            for quantile, mark in (("p50_ms", "o"), ("p95_ms", "^")):
                points = [(entry["throughput"], entry[quantile]) for entry in levels if entry[quantile] is not None]
                if points:
                    right.plot(*zip(*points), f"{mark}C{number}", ls=style, label=f"{label}, {quantile[:3]}")
    left.set(xlabel="clients of a closed loop", ylabel="answers in a second")
    right.set(xlabel="answers in a second", ylabel="latency in ms")
    for axes in (left, right):
        axes.set_ylim(bottom=0)
        if axes.lines:
            axes.legend(fontsize="small")
    write_picture(path, figure)


def table(report: Report) -> None:
    """Prints a row for each variant and load."""
    from rich.console import Console
    from rich.table import Table

    rows = Table()
    columns = ("variant", "load", "answers/s", "mean ms", "p50 ms", "p95 ms", "p99 ms", "errors", "wrong")
    for column in columns:
        rows.add_column(column, justify="left" if column in columns[:2] else "right")
    for name, run in report.measured["variants"].items():
        for entry in run["levels"]:
            numbers = [entry[key] for key in ("throughput", "mean_ms", "p50_ms", "p95_ms", "p99_ms")]
            shown = ["-" if value is None else f"{value:.4g}" for value in numbers]
            rows.add_row(name, entry["level"], *shown, f"{entry['errors']}/{entry['requests']}", str(entry["wrong"]))
    Console(width=118).print(rows)
