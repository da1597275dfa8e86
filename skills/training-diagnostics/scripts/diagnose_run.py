# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "pandas", "scipy", "typer", "rich", "matplotlib", "tensorboard"]
# ///
"""Reads the log of a training run and says what is wrong with it, how sure that is, and what to measure next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / "tools"), str(Path(__file__).resolve().parent)]

import typer  # noqa: E402
from dltools.report import UnusableInput, answering, finish, help_text, write_atomic  # noqa: E402

TOOL = "diagnose_run"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

HELP = """Reads the log of a training run and says what is wrong with it.

    diagnose_run.py runs/7/metrics.csv
    diagnose_run.py outputs/trainer_state.json --json
    diagnose_run.py log.csv --map train-loss=objective --num-classes 10 --plot curves.png

PATH is a table (CSV, TSV; Keras CSVLogger, Lightning and W&B exports), JSON or JSON Lines, a Hugging Face
trainer_state.json, a folder of TensorBoard events, or an MLflow folder. Columns are recognised by their names; the
report says how, and --map ROLE=COLUMN overrides it. Roles: step, epoch, train-loss, val-loss, train-metric, val-metric,
lr, grad-norm, clip-threshold, clipped-fraction.

The verdict is `healthy` (training and validation fell by more than their noise and nothing was found), `faults`, or
`cannot-decide` with what is missing. Every finding carries what else leaves the same trace and the measurement that
separates them."""


@app.command(help=help_text(HELP))
def main(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The log: a file or a folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    mapping: Annotated[list[str] | None, typer.Option("--map", help="ROLE=COLUMN; may be repeated.")] = None,
    num_classes: Annotated[
        int | None, typer.Option(help="Classes of the classifier: gives the loss of guessing.")
    ] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the report as Markdown.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write the curves with the findings marked, .png or .svg.")] = None,
    seed: Annotated[int, typer.Option(help="As in every tool; this one draws nothing at random.")] = 0,
    debug: Annotated[bool, typer.Option(help="Show the traceback of an unexpected error.")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        roles = {}
        for pair in mapping or []:
            role, equals, column = pair.partition("=")
            if not equals or not column:
                raise UnusableInput(f"--map {pair}: write ROLE=COLUMN, for example --map train-loss=objective")
            roles[role] = column
        if num_classes is not None and num_classes < 2:
            raise UnusableInput(f"--num-classes {num_classes}: a classifier has at least 2 classes")
        from run_diagnosis import examine, show

        report, run = examine(path, roles, num_classes)
        if markdown is not None:
            write_atomic(markdown, show.markdown(report, path))
        if plot is not None:
            write_atomic(plot, show.plot(report, run, plot))
        if as_json:
            finish(report, as_json)
        print(show.text(report))
        raise SystemExit(report.exit_status)


if __name__ == "__main__":
    app()
