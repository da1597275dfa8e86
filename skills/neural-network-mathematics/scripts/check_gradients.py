# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "typer", "rich", "torch", "jax"]
# ///
"""Checks a backward pass against difference quotients, and says what a disagreement means.

The target's factory returns {"op": callable, "inputs": tuple} with torch tensors or JAX arrays:

    def cube():
        return {"op": MyCube.apply, "inputs": (torch.tensor([1.0, -2.0, 0.5]),)}

    check_gradients.py --target target.py:cube
    check_gradients.py --target target.py:cube --second-order --json

Inputs are converted to float64, integers and everything else are held fixed. Every entry (64 of a larger input, and a
random direction over all of it) is compared with central quotients at ten steps, each with an error bar.

Verdicts:
    ok                  every derivative agrees within the tolerance
    bug                 a derivative differs by more than the tolerance and 10 error bars
    non-differentiable  the one-sided derivatives differ at these inputs (ReLU at 0, a tie in max): nothing is wrong
                        with the code, but no check decides here; move the inputs
    round-off           no disagreement, but the operation computes so coarsely (float32) that an error of the size of
                        the tolerance could not be seen
    cannot-decide       the operation is random, has no (second) derivative, or rounding hides even gross errors

Findings: wrong-gradient, wrong-second-derivative, non-differentiable-point. Parameters of a module are not inputs:
write op as a function of them (torch.func.functional_call) to check their gradients as well. A straight-through
estimator is called a bug, because its gradient is not the derivative of its forward pass.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "check-gradients"
ORDER = ("bug", "non-differentiable", CANNOT_DECIDE, "round-off", "ok")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def analyse(
    op: Any, inputs: tuple[Any, ...], framework: str, second_order: bool = False, tolerance: float = 1e-5, seed: int = 0
) -> Report:
    """Checks the first, and if asked the second, derivatives of an operation.

    Args:
        op: the operation, called as op(*inputs).
        inputs: arrays, and anything else that op takes.
        framework: `torch` or `jax`.
        second_order: check the derivative of the gradient as well.
        tolerance: relative error of a derivative that is still right.
        seed: of the random cotangents and directions.

    Raises:
        UnusableInput: the operation raises, or there is nothing to differentiate.
        CannotDecide: the operation is random, or has no derivative of that order.
    """
    import finite_differences
    from differentiable import build

    subject = build(framework, op, inputs, seed)
    verdict, findings, notes = "ok", [], _notes(subject)
    measured: dict[str, Any] = {"steps": list(finite_differences.STEPS)}
    for order in ("first", "second") if second_order else ("first",):
        if verdict in ("bug", "non-differentiable"):
            notes.append("the second derivatives were not checked, because the first are not in order")
            break
        results = finite_differences.check(subject.function(order == "second"), tolerance, seed)
        measured[order] = {}
        for where, result in zip(subject.names(order == "second"), results, strict=True):
            measured[order][where] = {
                "verdict": result.verdict,
                "max_abs_error": result.max_abs_error,
                "max_rel_error": result.max_rel_error,
                "resolution": result.resolution,
                "entries_checked": result.checked,
                "entries": result.size,
                "error_by_step": result.curve(),
            }
            verdict = min(verdict, result.verdict, key=ORDER.index)
            if result.verdict in ("bug", "non-differentiable"):
                findings.append(_finding(order, where, result))
            elif result.verdict != "ok":
                notes.append(_coarse(where, result, subject.double))
    return Report(TOOL, verdict, findings, measured, notes)


def _notes(subject: Any) -> list[str]:
    notes = []
    if not subject.double:
        notes.append("op does not run in float64; it was checked in the precision of its inputs")
    fixed = [i for i in range(len(subject.inputs)) if i not in subject.positions]
    if fixed:
        notes.append(f"held fixed, because not floating-point arrays: {', '.join(f'inputs[{i}]' for i in fixed)}")
    for position in subject.changed:
        notes.append(
            f"op overwrites inputs[{position}] in place: callers lose their data, and autograd refuses leaves; it was "
            "checked on copies"
        )
    return notes


def _finding(order: str, where: str, result: Any) -> Finding:
    worst = result.worst
    place = (
        f"entry {list(worst.index)}"
        if worst.index
        else ("the only entry" if worst.index == () else "a random direction")
    )
    values = {
        "entry": list(worst.index) if worst.index is not None else "random direction",
        "gradient": worst.analytic,
        "quotient": worst.numeric,
        "error_bar": worst.bar,
        "entries_affected": sum(entry.verdict == result.verdict for entry in result.entries),
        "entries_checked": result.checked,
    }
    if result.verdict == "non-differentiable":
        values |= {"left": worst.left, "right": worst.right}
        message = (
            f"at {place} the derivative from below ({worst.left:.6g}) and from above ({worst.right:.6g}) "
            "differ; the code "
            f"returns {worst.analytic:.6g}"
        )
        if not math.isfinite(worst.left + worst.right):
            message = f"{place} lies at the edge of where op is finite: there is no derivative from both sides"
        return Finding(
            "non-differentiable-point", where, message, values,
            "repeat the check with inputs moved by a random 1e-2; if it is ok there, this kink is all there is",
        )  # fmt: skip
    name, word = (
        ("wrong-gradient", "derivative") if order == "first" else ("wrong-second-derivative", "second derivative")
    )
    message = (
        f"the {word} of {place} is {worst.analytic:.6g}, the difference quotient {worst.numeric:.6g} "
        f"(+- {worst.bar:.1g})"
    )
    return Finding(name, where, message + _hint(result), values, _next_step(order))


def _hint(result: Any) -> str:
    """What a constant ratio of gradient and quotient betrays."""
    pairs = [(e.analytic, e.numeric, e.bar) for e in result.entries if abs(e.numeric) > 1e3 * e.bar]
    if not pairs or not all(math.isfinite(a) for a, _, _ in pairs):
        return "; the gradient is not finite" if any(not math.isfinite(e.analytic) for e in result.entries) else ""
    ratios = [a / n for a, n, _ in pairs]
    if all(a == 0 for a, _, _ in pairs):
        return (
            "; no gradient arrives at all: the graph is cut (detach, .data, stop_gradient, numpy) or the rule returns 0"
        )
    if abs(ratios[0] - 1) > 1e-3 and max(ratios) - min(ratios) <= 1e-4 * abs(ratios[0]):
        return f"; the gradient is {ratios[0]:.4g} times the quotient in every entry: look for a constant factor"
    return ""


def _next_step(order: str) -> str:
    if order == "first":
        return "derive the backward rule again for this input, on one entry by hand, and run the check again"
    return (
        "the backward rule must itself be differentiable: build it from differentiable operations on saved "
        "inputs, without "
        "detach or values that the forward pass computed outside the graph"
    )


def _coarse(where: str, result: Any, double: bool) -> str:
    advice = "let op keep float64 inputs in float64" if double else "let op accept float64 inputs"
    return (
        f"{where}: the forward pass is too coarse to see errors below {result.resolution:.1g} of the largest "
        "derivative "
        f"(largest difference seen {result.max_rel_error:.1g}); {advice}, then run again"
    )


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    for order in ("first", "second"):
        if order not in report.measured:
            continue
        print(f"{order} derivatives, relative error by step:")
        table = Table()
        table.add_column("step", justify="right")
        for where, row in report.measured[order].items():
            table.add_column(f"{where}: {row['verdict']}", justify="right")
        curves = [row["error_by_step"] for row in report.measured[order].values()]
        for step, errors in zip(report.measured["steps"], zip(*curves, strict=True), strict=True):
            table.add_row(f"{step:.0e}", *(f"{error:.1e}" for error in errors))
        Console().print(table)


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option(help="FILE.py:factory")],
    second_order: Annotated[bool, typer.Option("--second-order", help="check second derivatives as well")] = False,
    tolerance: Annotated[float, typer.Option(help="relative error that is still right")] = 1e-5,
    timeout: Annotated[float, typer.Option(help="seconds for importing the target and calling its factory")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the random cotangents and directions")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from dltools.target import load_operation

        if not 0 < tolerance < 1:
            raise UnusableInput(f"--tolerance is {tolerance}; give a number between 0 and 1, such as 1e-5")
        if seed < 0:
            raise UnusableInput(f"--seed is {seed}; give 0 or more")
        operation = load_operation(target, timeout=timeout)
        report = analyse(operation.op, operation.inputs, operation.framework, second_order, tolerance, seed)
        if not as_json:
            _show(report)
        finish(report, as_json)


if __name__ == "__main__":
    app()
