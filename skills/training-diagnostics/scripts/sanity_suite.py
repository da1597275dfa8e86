# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "rich", "numpy", "scipy", "torch", "jax", "flax", "equinox", "optax"]
# ///
"""Runs the checks that a model should pass before it is trained for long, all on one batch.

- initial loss: is it that of a model that prefers nothing?
- reduction: is the loss one number, and a mean?
- activation: does a softmax or sigmoid come before a loss that applies it too?
- determinism: do two calls with one seed agree?
- dropout: is it active in training, and is all noise off in evaluation?
- batch: does the output of an example depend on the other examples?
- inputs: do they have an effect, and does training on zeros do worse?
- labels: do they fit the inputs better than shuffled ones?
- overfit: can a copy of the model learn a few examples by heart? (Karpathy 2019)

Each answers passed, failed, or cannot-decide with the reason. The model is trained on a copy of its state; everything
is put back afterwards, and proven to be by a hash.

Example:

    python sanity_suite.py --target target.py:build
    python sanity_suite.py --target target.py:build --steps 1000 --seconds 120 --json

`target.py` holds a function `build()` that returns a dict with `model`, `batch` and `loss_fn`; templates for PyTorch,
Flax NNX, Linen, Equinox and plain JAX are in the folder `assets` of this skill. The training uses the target's
optimizer, and Adam where there is none or where it does not arrive.

Findings: init-loss-unexpected, activation-applied-twice, cannot-overfit, input-ignored, labels-misaligned,
batch-mixing, dropout-inactive, active-in-eval, loss-reduction, nondeterministic; and those of probe_model that explain
a failure. Each is defined in references/sanity-checks.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer

from dltools.report import Finding, Report, answering, finish, help_text

TOOL = "sanity_suite"
# findings of the probe that stop a training
STOPPING = ("non-finite-activation", "non-finite-loss", "non-finite-gradient")
# findings that leave no model able to learn by heart
ENDING = ("activation-applied-twice", "input-ignored")
EXPLAINING = (
    "frozen-parameters",
    "no-gradient",
    "dead-units",
    "saturated-units",
    "vanishing-gradients",
    "exploding-activations",
    "symmetric-init",
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def run_suite(
    target: Any, *, steps: int = 500, seconds: float = 45.0, seed: int = 0, tick: Callable[[], None] = lambda: None
) -> Report:
    """Runs all checks.

    Args:
        target: a `dltools.target.Target`. It is left as it was.
        steps: at most so many steps for each training.
        seconds: at most so long for all trainings together.
        seed: of dropout, other noise, and random orders.
        tick: called after each step.

    Returns:
        A report with the verdict `healthy`, `faults` or `cannot-decide`; `measured` has the status of each check.

    Raises:
        UnusableInput: the model or the loss raises, or there is nothing to train.
    """
    import sanity_checks as checks
    from dltools.target import users_code
    from expected_loss import expected_loss
    from probe_judging import initial_loss
    from probe_model import probe
    from sanity_labels import labels

    done: dict[str, checks.Check] = {}
    with users_code("the target"), target.preserved():
        outputs = target.outputs(seed=seed)
        target.loss_fn(outputs, target.targets)
    done["loss-reduction"] = checks.loss_reduction(target, seed)
    if done["loss-reduction"].values == {} and done["loss-reduction"].findings:
        # nothing else can be said without one number
        return _report(done, [])
    probed = probe(target, seed=seed)
    stopping = [finding for finding in probed.findings if finding.id in STOPPING]
    with target.preserved():
        expected = expected_loss(target, target.outputs(seed=seed))
    start = initial_loss(probed.measured["loss"], expected)
    if stopping:
        done["initial-loss"] = checks.undecided("values are not finite")
    elif not expected.kind:
        done["initial-loss"] = checks.undecided(expected.why)
    else:
        values = {"loss": probed.measured["loss"], "expected": expected.untrained}
        done["initial-loss"] = checks.decided(start, expected.kind, **values)
    done["activation-applied-twice"] = (
        checks.undecided("values are not finite") if stopping else checks.applied_twice(target, expected, seed)
    )
    done["determinism"] = checks.determinism(target, seed)
    deterministic = done["determinism"].status == checks.PASSED
    done["dropout"], done["evaluation-mode"] = checks.modes(target, seed, deterministic)
    quiet = deterministic and done["evaluation-mode"].status == checks.PASSED and not stopping
    noisy = "values are not finite" if stopping else "the outputs change from call to call"
    done["batch-mixing"] = checks.batch_mixing(target, seed) if quiet else checks.undecided(noisy)
    done["input"] = checks.input_has_effect(target, seed) if quiet else checks.undecided(noisy)
    done["labels"] = labels(target, expected, seed)
    if stopping:
        done["overfit"] = done["zero-input"] = checks.undecided("values are not finite")
    else:
        common = {"steps": steps, "seed": seed, "compiled": {}, "tick": tick}
        done["overfit"], runs = checks.overfit(target, seconds=seconds * 0.8, **common)
        best = min(runs, key=lambda run: run.lowest)
        done["zero-input"] = checks.zero_input(target, best, seconds=seconds * 0.2, **common)
    explaining = stopping
    if not stopping and any(done[name].findings for name in ("overfit", "input", "initial-loss")):
        explaining = [finding for finding in probed.findings if finding.id in EXPLAINING]
    return _report(done, explaining)


def _report(done: dict[str, Any], explaining: list[Finding]) -> Report:
    own = {finding.id: finding for check in done.values() for finding in check.findings}
    if any(name in own for name in ENDING):
        # what another finding explains is left out
        own.pop("cannot-overfit", None)
    findings = [*own.values(), *explaining] if "input-ignored" in own else [*explaining, *own.values()]
    undecided = [name for name, check in done.items() if check.status == "cannot-decide"]
    # a suite in which the central checks say nothing has decided nothing
    central = [done[name].status for name in ("overfit", "input") if name in done]
    verdict = "faults" if findings else "cannot-decide" if "cannot-decide" in central else "healthy"
    notes = [f"{name}: cannot decide, {done[name].reason}." for name in undecided]
    measured = {
        "checks": {
            name: {"status": check.status, "reason": check.reason, "values": check.values}
            for name, check in done.items()
        }
    }
    return Report(TOOL, verdict, tuple(findings), measured, tuple(notes))


def _table(report: Report) -> str:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=118, highlight=False)
    table = Table("check", "answer", "why")
    for name, check in report.measured["checks"].items():
        table.add_row(name, check["status"], check["reason"])
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option("--target", help="FILE.py:factory, the model with its batch and loss.")],
    steps: Annotated[int, typer.Option(min=1, help="At most so many steps for each training.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="At most so long for all trainings together.")] = 45.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of dropout, other noise and random orders.")] = 0,
    device: Annotated[str, typer.Option(help="Device of a PyTorch model, such as cpu or cuda:0.")] = "cpu",
    timeout: Annotated[float, typer.Option(help="Seconds that loading the target may take.")] = 60.0,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when the tool itself fails.")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        from rich.console import Console
        from rich.progress import Progress

        from dltools.target import load

        loaded = load(target, timeout=timeout, device=device)
        with Progress(
            console=Console(stderr=True), disable=as_json or not sys.stderr.isatty(), transient=True
        ) as progress:
            bar = progress.add_task("training on one batch", total=None)
            report = run_suite(loaded, steps=steps, seconds=seconds, seed=seed, tick=lambda: progress.advance(bar))
        if not as_json:
            print(_table(report), file=sys.stderr)
    finish(report, as_json)


if __name__ == "__main__":
    app()
