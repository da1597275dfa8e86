"""The report as text for a terminal and as Markdown, and the curves with the findings marked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from dltools.report import Report, UnusableInput

from run_diagnosis.columns import Series
from run_diagnosis.features import Run, pieces

# a curve with more rows is drawn by the lowest and highest value of each of this many stretches
_MOST_POINTS = 2000


def text(report: Report) -> str:
    """The report for a terminal."""
    lines = [f"{report.tool}: {report.verdict}"]
    for finding in report.findings:
        details = finding.details
        sure = details["how_sure"]
        lines += ["", f"{finding.id} in {finding.where!r}", f"  {finding.message}"]
        lines.append(
            "  seen: " + "; ".join(f"{name.replace('_', ' ')} {_short(v)}" for name, v in finding.values.items())
        )
        lines.append(f"  how sure: {sure['class']}: {sure['why']}")
        lines += ["  what else leaves this trace:"] + [f"    - {other}" for other in details["alternatives"]]
        lines.append(f"  next measurement: {details['next_measurement']}")
        lines.append(f"  first fix: {details['fix']}")
        lines.append(f"  it worked if: {details['check']}")
    if report.notes:
        lines += [""] + [f"note: {note}" for note in report.notes]
    return "\n".join(lines)


def markdown(report: Report, log: Path) -> str:
    """The report as a Markdown document."""
    lines = [f"# {report.tool}: {report.verdict}", "", f"Log: `{log}`", ""]
    for finding in report.findings:
        details = finding.details
        lines += [f"## {finding.id}", "", f"{finding.message}. Seen in `{finding.where}`.", ""]
        lines += ["| value | seen |", "|---|---|"]
        lines += [f"| {name.replace('_', ' ')} | {_short(value)} |" for name, value in finding.values.items()]
        sure = details["how_sure"]
        lines += ["", f"- How sure: {sure['class']}. {_sentence(sure['why'])}"]
        lines.append("- What else leaves this trace: " + "; ".join(details["alternatives"]) + ".")
        lines.append(f"- Next measurement: {details['next_measurement']}.")
        lines.append(f"- First fix: {details['fix']}.")
        lines.append(f"- It worked if {details['check']}.")
        lines.append("")
    if report.notes:
        lines += ["## Notes", ""] + [f"- {_sentence(note)}" for note in report.notes] + [""]
    return "\n".join(lines)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ")")) else ".")


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def plot(report: Report, run: Run, path: Path) -> bytes:
    """The curves with the findings marked, as PNG or SVG by the suffix of the path.

    Raises:
        UnusableInput: another suffix.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise UnusableInput(f"--plot {path}: the name must end in .png or .svg")
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    panels: list[list[tuple[Series | None, str, str]]] = [
        [(run.loss, "training loss", "tab:blue"), (run.val, "validation loss", "tab:orange")],
        [(run.train_metric, "training metric", "tab:blue"), (run.val_metric, "validation metric", "tab:orange")],
        [(run.lr, "learning rate", "tab:green")],
        [(run.norm, "gradient norm", "tab:purple"), (run.clip, "clipping threshold", "black")],
    ]
    kept = [[curve for curve in panel if curve[0] is not None and len(curve[0])] for panel in panels]
    kept = [panel for panel in kept if panel]
    heights = [3.0 if index == 0 else 1.3 for index in range(len(kept))]
    figure, axes = pyplot.subplots(
        len(kept),
        1,
        sharex=True,
        squeeze=False,
        figsize=(10, 1.2 + sum(heights)),
        height_ratios=heights,
        layout="constrained",
    )
    for axis, panel in zip(axes[:, 0], kept, strict=True):
        for series, label, colour in panel:
            assert series is not None
            _curve(axis, series, label, colour)
        axis.grid(alpha=0.25)
        axis.legend(loc="upper right", fontsize=8, framealpha=0.9)
        axis.margins(x=0.01)
    _mark(axes[:, 0], kept, report)
    axes[-1, 0].set_xlabel("step")
    found = ", ".join(finding.id for finding in report.findings)
    figure.suptitle(f"{report.verdict}" + (f": {found}" if found else ""), fontsize=11)
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=130, metadata={"Date": None} if kind == "svg" else None)
    pyplot.close(figure)
    return stream.getvalue()


def _curve(axis: Any, series: Series, label: str, colour: str) -> None:
    steps, values = series.steps, series.values
    if len(values) > _MOST_POINTS:
        size = len(values) // (_MOST_POINTS // 2)
        count = len(values) // size
        blocks = values[: count * size].reshape(count, size)
        values = np.column_stack([blocks.min(1), blocks.max(1)]).ravel()
        steps = np.repeat(steps[: count * size : size], 2)
    if len(series) > 150 and label.endswith("loss"):
        smooth = pieces(series)
        axis.plot(steps, values, color=colour, alpha=0.3, linewidth=0.7)
        axis.plot(smooth.steps, smooth.medians, color=colour, linewidth=1.6, label=label)
    else:
        axis.plot(steps, values, color=colour, linewidth=1.3, label=label, marker="." if len(values) < 60 else "")
    low, high = float(series.values.min()), float(series.values.max())
    if low > 0 and high / low > 30:
        axis.set_yscale("log")


def _mark(axes: Any, panels: list[list[tuple[Series | None, str, str]]], report: Report) -> None:
    """Shades or rules the steps of each finding in the panel of its column, with the name beside it."""
    for number, finding in enumerate(report.findings):
        index = next(
            (
                i
                for i, panel in enumerate(panels)
                if any(s is not None and s.name == finding.where for s, _, _ in panel)
            ),
            0,
        )
        axis, steps = axes[index], finding.details["steps"]
        colour = ("tab:red", "tab:brown", "tab:pink", "tab:gray", "tab:olive")[number % 5]
        if len(steps) == 2:
            axis.axvspan(steps[0], steps[1], color=colour, alpha=0.12)
        else:
            for step in steps:
                axis.axvline(step, color=colour, linewidth=0.9, linestyle="--", alpha=0.8)
        axis.annotate(
            finding.id,
            (steps[0], 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -11 - 12 * number),
            textcoords="offset points",
            fontsize=8,
            color=colour,
            fontweight="bold",
            annotation_clip=False,
        )
