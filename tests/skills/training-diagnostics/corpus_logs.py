"""Writes a trace as the log of some training tool: its file format, its column names, its logging interval."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from corpus_trainings import Recipe, Trace

STYLES = ("csv", "lightning", "keras", "jsonl", "hf", "wandb", "mlflow", "tensorboard", "semicolon")

# style -> the names of step, epoch, train loss, validation loss, train metric, validation metric, learning rate,
# gradient norm and clipping threshold
_NAMES = {
    "csv": ("step", "epoch", "train_loss", "val_loss", "train_acc", "val_acc", "lr", "grad_norm", "clip_threshold"),
    "lightning": (
        "step",
        "epoch",
        "train_loss_step",
        "val_loss",
        "train_accuracy",
        "val_accuracy",
        "lr-AdamW",
        "grad_2.0_norm_total",
        "max_grad_norm",
    ),
    "keras": ("", "epoch", "loss", "val_loss", "accuracy", "val_accuracy", "learning_rate", "", ""),
    "jsonl": (
        "iteration",
        "ep",
        "training/objective",
        "dev/objective",
        "training/score",
        "dev/score",
        "sched.lr",
        "gnorm",
        "clip_norm",
    ),
    "hf": (
        "step",
        "epoch",
        "loss",
        "eval_loss",
        "train_accuracy",
        "eval_accuracy",
        "learning_rate",
        "grad_norm",
        "max_grad_norm",
    ),
    "wandb": (
        "_step",
        "trainer/epoch",
        "train/loss",
        "valid/loss",
        "train/accuracy",
        "valid/accuracy",
        "optim/LearningRate",
        "optim/gradient_norm",
        "optim/max_norm",
    ),
    "mlflow": (
        "step",
        "epoch",
        "training_loss",
        "validation_loss",
        "training_metric",
        "validation_metric",
        "lr",
        "grad_norm",
        "clip_value",
    ),
    "tensorboard": (
        "step",
        "epoch",
        "Loss/train",
        "Loss/validation",
        "Accuracy/train",
        "Accuracy/validation",
        "LR",
        "GradNorm/total",
        "Clip/threshold",
    ),
    "semicolon": (
        "Global Step",
        "Epoch",
        "Cross Entropy (train)",
        "Cross Entropy (test)",
        "Top-1 (train)",
        "Top-1 (test)",
        "Learning Rate",
        "Grad Norm",
        "Clip Threshold",
    ),
}


@dataclasses.dataclass(frozen=True)
class Writing:
    """How a trace is written.

    Args:
        style: one of `STYLES`.
        without: quantities that are left out: val, lr, grad_norm, metric, epoch, clip.
        rows: keep only that many of the first logged rows.
        every: log each that many steps only.
        marker: where a resumed run goes back, the steps go back; without it they count on.
        norm: `before` or `after`: the gradient norm is that before or after clipping.
    """

    style: str = "csv"
    without: frozenset[str] = frozenset()
    rows: int | None = None
    every: int = 1
    marker: bool = True
    norm: str = "before"


def write(trace: Trace, recipe: Recipe, how: Writing, folder: Path) -> Path:
    """Writes the log into the folder and returns the path to hand to the tool."""
    rows = list(_rows(trace, recipe, how))[: how.rows]
    folder.mkdir(parents=True, exist_ok=True)
    if how.style in ("mlflow", "tensorboard"):
        return {"mlflow": _mlflow, "tensorboard": _tensorboard}[how.style](rows, folder)
    if how.style == "jsonl":
        path = folder / "log.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
    if how.style == "hf":
        path = folder / "trainer_state.json"
        path.write_text(json.dumps({"best_metric": None, "global_step": len(rows), "log_history": rows}))
        return path
    path = folder / {"lightning": "metrics.csv", "keras": "training.csv"}.get(how.style, "log.csv")
    header = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, header, delimiter=";" if how.style == "semicolon" else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _rows(trace: Trace, recipe: Recipe, how: Writing) -> Iterator[dict[str, Any]]:
    names = _NAMES[how.style]
    other = {"mask": "dice", "regression": "r2"}.get(trace.kind)
    if other:
        # the metric of a mask or a regression is no accuracy
        names = tuple(re.sub("accuracy|acc(?![a-z])|Top-1", other, re.sub("Accuracy", other, name)) for name in names)
    step, epoch, loss, val_loss, metric, val_metric, rate, norm, clip = names
    ended = iter(trace.epochs)

    def validation(row: dict[str, float], last: int) -> dict[str, Any]:
        found: dict[str, Any] = {step: last, epoch: row["epoch"]}
        if "metric" not in how.without:
            found[metric] = row["metric"]
        if "val" not in how.without:
            found[val_loss] = row["val_loss"]
            if "metric" not in how.without:
                found[val_metric] = row["val_metric"]
        return found

    if how.style == "keras":
        for row in trace.epochs:
            found = {epoch: row["epoch"]}
            if "metric" not in how.without:
                found[metric] = row["metric"]
            found[loss] = row["loss"]
            if "val" not in how.without:
                if "metric" not in how.without:
                    found[val_metric] = row["val_metric"]
                found[val_loss] = row["val_loss"]
            if "lr" not in how.without:
                found[rate] = row["lr"]
            yield found
        return
    window: list[float] = []
    for index, row in enumerate(trace.steps):
        counted = row["step"] if how.marker else index
        window.append(row["loss"])
        if len(window) == how.every:
            found = {step: counted, loss: float(np.mean(window))}
            window = []
            if "epoch" not in how.without:
                found[epoch] = row["epoch"]
            if "lr" not in how.without:
                found[rate] = row["lr"]
            if "grad_norm" not in how.without:
                after = how.norm == "after" and recipe.clip is not None
                found[norm] = min(row["grad_norm"], recipe.clip) if after else row["grad_norm"]
            if recipe.clip is not None and "clip" not in how.without:
                found[clip] = recipe.clip
            yield found
        if index + 1 == len(trace.steps) or trace.steps[index + 1]["epoch"] != row["epoch"]:
            found = validation(next(ended), counted)
            if "epoch" in how.without:
                del found[epoch]
            if len(found) > 2 - ("epoch" in how.without):
                yield found


def _mlflow(rows: list[dict[str, Any]], folder: Path) -> Path:
    run = folder / "mlruns" / "0" / "4c1f0e"
    for index, row in enumerate(rows):
        for name, value in row.items():
            if name == "step":
                continue
            path = run / "metrics" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as stream:
                stream.write(f"{1700000000000 + 50 * index} {value} {row['step']}\n")
    return folder / "mlruns"


def _tensorboard(rows: list[dict[str, Any]], folder: Path) -> Path:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    for index, row in enumerate(rows):
        values = [Summary.Value(tag=name, simple_value=value) for name, value in row.items() if name != "step"]
        writer.add_event(Event(step=int(row["step"]), wall_time=1.7e9 + index, summary=Summary(value=values)))
    writer.close()
    return folder
