"""From a log to a report: runs the rules, drops what another finding explains, and earns or refuses `healthy`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from dltools.report import CANNOT_DECIDE, CannotDecide, Finding, Report

from run_diagnosis import rules_training as training
from run_diagnosis import rules_validation as validation
from run_diagnosis.advice import ADVICE
from run_diagnosis.columns import Understood, understand
from run_diagnosis.features import Run
from run_diagnosis.readers import read_log

TOOL = "diagnose_run"

# in this order the findings are reported: what makes the rest meaningless first
RULES = (
    training.non_finite,
    training.diverging,
    training.learning_rate_too_high,
    validation.loss_at_chance,
    validation.labels_shuffled,
    validation.loss_floor,
    validation.leakage_suspected,
    validation.constant_metric,
    training.resume_jump,
    training.schedule_ended_early,
    training.clipping_always_active,
    training.learning_rate_too_low,
    training.plateau,
    validation.underfitting,
    validation.overfitting,
    training.loss_spikes,
)
# a finding on the left explains the trace that those on the right report
EXPLAINS = {
    "non-finite": {
        "diverging",
        "learning-rate-too-high",
        "resume-jump",
        "loss-spikes",
        "overfitting",
        "plateau",
        "underfitting",
        "learning-rate-too-low",
        "loss-at-chance",
        "leakage-suspected",
        "schedule-ended-early",
        "constant-metric",
    },
    "diverging": {"overfitting", "resume-jump", "plateau", "underfitting", "labels-shuffled", "loss-at-chance"},
    "learning-rate-too-high": {
        "resume-jump",
        "loss-spikes",
        "plateau",
        "underfitting",
        "loss-at-chance",
        "overfitting",
        "learning-rate-too-low",
    },
    "loss-at-chance": {"underfitting", "plateau", "constant-metric", "overfitting"},
    "labels-shuffled": {"overfitting", "underfitting", "plateau"},
    "loss-spikes": {"underfitting", "plateau"},
    "loss-floor": {"underfitting", "plateau", "learning-rate-too-low"},
    "schedule-ended-early": {
        "underfitting",
        "plateau",
        "learning-rate-too-low",
        "loss-floor",
        "loss-at-chance",
        "labels-shuffled",
    },
    "resume-jump": {"plateau", "overfitting", "learning-rate-too-low"},
    "plateau": {"underfitting"},
}


def diagnose(path: Path, mapping: Mapping[str, str] | None = None, num_classes: int | None = None) -> Report:
    """Reads a log and judges it; a log without a readable loss gives the verdict `cannot-decide`."""
    try:
        return examine(path, mapping, num_classes)[0]
    except CannotDecide as reason:
        return Report(TOOL, CANNOT_DECIDE, notes=[str(reason)])


def examine(path: Path, mapping: Mapping[str, str] | None = None, num_classes: int | None = None) -> tuple[Report, Run]:
    """Reads a log and judges it.

    Args:
        path: what `read_log` reads.
        mapping: role → column, from the user.
        num_classes: number of classes of a classifier, for the loss of guessing.

    Returns:
        The report and the run behind it, for the plot.

    Raises:
        UnusableInput: the log cannot be read.
        CannotDecide: no column can be read as a loss, or there are too few rows to say anything.
    """
    log = read_log(path)
    understood = understand(log, mapping)
    run = Run(understood, num_classes)
    seen = [found for rule in RULES if (found := rule(run)) is not None]
    explained = set().union(*(EXPLAINS.get(found.fault, set()) for found in seen)) if seen else set()
    seen = [found for found in seen if found.fault not in explained]
    notes = [_roles(log.format, understood), *understood.notes]
    if seen:
        verdict = "faults"
    else:
        missing = reasons(run)
        verdict = CANNOT_DECIDE if missing else "healthy"
        notes = [*missing, *notes]
    return Report(TOOL, verdict, [_finding(found) for found in seen], _measured(run), notes), run


def reasons(run: Run) -> list[str]:
    """What is missing before a run without findings may be called healthy; empty if nothing is."""
    found = []
    if run.loss is None:
        return [
            "there is no training loss: whether the network fits its training data is open; log it beside validation"
        ]
    rows, steps = len(run.loss), run.loss.steps[-1] - run.loss.steps[0]
    if rows < 8:
        return [f"the training loss has {rows} rows; log at least a few dozen before judging the run"]
    if run.start - run.final < 5 * run.error:
        found.append(
            f"the training loss goes from {run.start:.4g} to {run.final:.4g} and one level is known to about "
            f"{run.error:.2g}: "
            "the noise hides whether it falls; run longer, or log the mean over many batches"
        )
    elif run.final > 0.67 * run.start:
        found.append(
            f"the training loss fell from {run.start:.4g} to {run.final:.4g} only: whether that is the noise of "
            "the task or a "
            "network that cannot do more shows in a metric, a baseline or a larger network"
        )
    elif (open_metric := validation.poor_metric_of_unknown_kind(run)) is not None:
        found.append(
            f"the training loss ends at {run.final:.4g} (start {run.start:.4g}) and {open_metric} is low: if it "
            "is an accuracy, "
            "give --num-classes or name the column so; else a baseline or a larger network shows what is possible"
        )
    if run.val is None:
        found.append(
            "there is no validation loss: overfitting, leaks and wrong labels cannot be seen; log it every epoch"
        )
    elif len(run.val) < 5:
        found.append(f"the validation loss has {len(run.val)} rows; at least 5 are needed to see where it goes")
    elif not found and not validation.validation_followed(run):
        found.append(
            "the validation loss neither clearly follows the training loss nor clearly leaves it; evaluate on "
            "more examples"
        )
    stretch = training.flat_stretch(run) if run.lr is None else None
    if stretch is not None:
        first, last, flat, _ = stretch
        found.append(
            f"the loss stands at {flat:.4g} from step {first:g} to {last:g} and then falls: a cut of the learning "
            "rate and a "
            "plateau look alike; log the learning rate"
        )
    jump = training.level_jump(run)
    if jump is not None and run.lr is None and steps > 0:
        found.append(
            f"the loss steps up from {jump[1]:.4g} to {jump[2]:.4g} at step {jump[0]:g}: a warm restart and a "
            "damaged resume "
            "look alike; log the learning rate and mark restarts"
        )
    return found


def _roles(kind: str, understood: Understood) -> str:
    pairs = ", ".join(f"{role} = {name!r}" for role, name in understood.roles.items())
    text = f"read as {kind}: {pairs}"
    if understood.unused:
        shown = ", ".join(map(repr, understood.unused[:6]))
        text += f"; not used: {shown}" + (
            f" and {len(understood.unused) - 6} more" if len(understood.unused) > 6 else ""
        )
    return text + " (--map changes it)"


def _finding(seen: training.Seen) -> Finding:
    advice = ADVICE[seen.fault]
    return Finding(
        seen.fault,
        seen.series,
        seen.message,
        seen.values,
        advice.next_measurement,
        {
            "fault": seen.fault,
            "steps": [float(step) for step in seen.steps],
            "how_sure": {"class": seen.sure, "why": seen.why},
            "alternatives": list(advice.alternatives),
            "next_measurement": advice.next_measurement,
            "fix": advice.fix,
            "check": advice.check,
        },
    )


def _measured(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if run.loss is not None:
        found |= {
            "rows": len(run.loss),
            "first_step": run.loss.steps[0],
            "last_step": run.loss.steps[-1],
            "start": run.start,
            "final": run.final,
            "noise": run.sigma,
        }
    if run.val is not None:
        found |= {
            "validations": len(run.val),
            "lowest_validation": float(run.val.values.min()),
            "final_validation": float(np.median(run.val.values[-3:])),
        }
    return found
