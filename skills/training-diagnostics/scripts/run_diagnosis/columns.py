"""Says which column is which quantity, from its name, and puts the series in order."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import numpy as np
from dltools.report import CannotDecide, UnusableInput

from run_diagnosis.readers import Column, RawLog

ROLES = (
    "step",
    "epoch",
    "train-loss",
    "val-loss",
    "train-metric",
    "val-metric",
    "lr",
    "grad-norm",
    "clip-threshold",
    "clipped-fraction",
)
_VALIDATION = {"val", "valid", "validation", "eval", "evaluation", "dev", "holdout", "test", "testing"}
_TRAIN = {"train", "training", "trn", "tr", "fit"}
_LOSS = {
    "loss",
    "nll",
    "xent",
    "entropy",
    "ce",
    "bce",
    "mse",
    "mae",
    "rmse",
    "objective",
    "cost",
    "criterion",
    "elbo",
    "perplexity",
    "ppl",
}
_METRIC = {
    "acc",
    "accuracy",
    "top",
    "top1",
    "top5",
    "f1",
    "auc",
    "auroc",
    "auprc",
    "iou",
    "miou",
    "dice",
    "map",
    "ap",
    "bleu",
    "rouge",
    "r2",
    "score",
    "precision",
    "recall",
    "metric",
    "kappa",
    "mcc",
    "psnr",
    "error",
    "err",
    "wer",
    "cer",
}
_STEP = {
    "step",
    "steps",
    "globalstep",
    "trainerglobalstep",
    "trainglobalstep",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "it",
    "numupdates",
    "update",
    "updates",
    "batch",
    "nsteps",
    "totalsteps",
}
# more steps back than this are a log whose rows came out of order, not a run that was resumed
_MOST_RESTARTS = 20
_EPOCH = {"epoch", "epochs", "ep", "trainerepoch", "trainepoch"}
# of two columns that could hold the loss, the one without these words is the whole of it
_PARTIAL = {
    "aux",
    "reg",
    "regularization",
    "penalty",
    "kl",
    "box",
    "cls",
    "l1",
    "l2",
    "adv",
    "gen",
    "disc",
    "scaled",
    "best",
    "min",
    "max",
}


@dataclasses.dataclass
class Series:
    """One quantity over the run, in order of steps.

    Args:
        name: the name of its column.
        steps: float64 [n], ascending.
        values: float64 [n]; NaN and infinities are values that were logged as such.
        replaced: float64 [m, 2], steps and values of rows that a resumed run wrote again.
        back: steps at which the step counter went back.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray
    replaced: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 2)))
    back: list[float] = dataclasses.field(default_factory=list)

    @property
    def finite(self) -> Series:
        """The rows whose value is finite."""
        keep = np.isfinite(self.values)
        return dataclasses.replace(self, steps=self.steps[keep], values=self.values[keep])

    def __len__(self) -> int:
        return len(self.values)


@dataclasses.dataclass
class Understood:
    """The log with meaning: series by role, how that was decided, and what was odd."""

    series: dict[str, Series]
    roles: dict[str, str]
    unused: list[str]
    notes: list[str]


def name_words(name: str) -> list[str]:
    """The words of a column's name in lower case."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]


def role_of(name: str) -> str:
    """The role that a column's name suggests, or an empty string."""
    words = name_words(name)
    have = set(words)
    joined = "".join(words)
    if words and words[-1] in ("min", "max") and name.endswith(("__MIN", "__MAX")):
        return ""
    if joined in _STEP:
        return "step"
    if joined in _EPOCH:
        return "epoch"
    if have & {"lr", "learningrate"} or {"learning", "rate"} <= have:
        return "lr"
    if have & {"clipped", "clipping"} or ("clip" in have and have & {"frac", "fraction", "ratio", "rate"}):
        return "clipped-fraction"
    if "clip" in have or {"max", "norm"} <= have:
        return "clip-threshold"
    gradient = bool(have & {"grad", "grads", "gradient", "gradients", "gnorm", "gradnorm"})
    if gradient and (have & {"norm", "gnorm", "gradnorm", "l2"} or joined.endswith("norm")):
        return "grad-norm"
    if joined in ("totalnorm", "globalnorm"):
        return "grad-norm"
    side = "val" if have & _VALIDATION else "train"
    if have & _LOSS or joined.endswith("loss") or joined in ("j", "verlust", "perte"):
        return f"{side}-loss"
    if have & _METRIC or joined.endswith(("accuracy", "acc")):
        return f"{side}-metric"
    return ""


def _preference(name: str, role: str, column: Column) -> tuple[int, int, int, int]:
    """Smaller is better: an explicit side, no part of a loss, more rows, fewer words."""
    words = set(name_words(name))
    wrong = len(words & _PARTIAL)
    if role == "val-loss" or role == "val-metric":
        # a test set is looked at only where there is no validation set
        wrong += bool(words & {"test", "testing"} and not words & (_VALIDATION - {"test", "testing"}))
    if role.endswith("loss"):
        wrong += 2 * bool(words & {"mae", "rmse", "perplexity", "ppl"})
    if role == "train-metric" or role == "val-metric":
        wrong += bool(words & {"error", "err", "precision", "recall", "top5"})
    return wrong, -len(column.values), len(words), len(name)


def understand(log: RawLog, mapping: Mapping[str, str] | None = None) -> Understood:
    """Gives columns their roles and orders every series by step.

    Args:
        log: the columns that were read.
        mapping: role → column, from the user; decides before the names do.

    Raises:
        UnusableInput: an unknown role, or a column that is not there.
        CannotDecide: no column can be read as a loss.
    """
    mapping = dict(mapping or {})
    for role, name in mapping.items():
        if role not in ROLES:
            raise UnusableInput(f"--map {role}=…: the roles are {', '.join(ROLES)}")
        if name not in log.columns:
            raise UnusableInput(f"--map {role}={name}: there is no such column; the columns are {_listed(log)}")
    notes = list(log.notes)
    chosen = dict(mapping)
    candidates: dict[str, list[str]] = {}
    for name in log.columns:
        role = role_of(name)
        if role and name not in mapping.values():
            candidates.setdefault(role, []).append(name)
    for role, names in candidates.items():
        if role in chosen:
            continue
        chosen[role] = min(names, key=lambda name: _preference(name, role, log.columns[name]))
    if "train-loss" not in chosen and "val-loss" not in chosen:
        raise CannotDecide(
            f"no column reads as a loss; name it with --map train-loss=COLUMN; the columns are {_listed(log)}"
        )
    unused = [name for name in log.columns if name not in chosen.values()]
    if len(candidates.get("train-loss", ())) > 1 and "train-loss" not in mapping:
        others = [name for name in candidates["train-loss"] if name != chosen["train-loss"]]
        notes.append(f"judged the loss in {chosen['train-loss']!r}, not {', '.join(map(repr, others[:4]))}")
    axis = _axis(log, chosen, notes)
    series: dict[str, Series] = {}
    for role, name in chosen.items():
        if role == "step":
            continue
        column = log.columns[name]
        steps = column.steps if column.steps is not None else axis[column.rows]
        series[role] = _ordered(name, steps, column.values, notes if role == "train-loss" else [])
    return Understood(series, chosen, unused, notes)


def _listed(log: RawLog) -> str:
    names = list(log.columns)
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _axis(log: RawLog, chosen: dict[str, str], notes: list[str]) -> np.ndarray:
    """Steps of every row of a table: the step column, else the epoch, else the number of the row."""
    size = 1 + max((int(column.rows[-1]) for column in log.columns.values() if len(column.rows)), default=0)
    if any(column.steps is not None for column in log.columns.values()):
        chosen.pop("step", None)
        return np.arange(size, dtype=float)
    for role in ("step", "epoch"):
        if role not in chosen:
            continue
        column = log.columns[chosen[role]]
        keep = np.isfinite(column.values)
        rows, values = column.rows[keep], column.values[keep]
        if role == "epoch" and len(values) > 2 * len(np.unique(values)):
            continue
        if not len(values):
            continue
        if role == "step" and _restarts_each_epoch(values):
            notes.append(f"{chosen[role]!r} counts within an epoch; rows are counted instead")
            break
        axis = np.empty(size)
        # a row without a step belongs to the row before it
        at = np.clip(np.searchsorted(rows, np.arange(size), side="right") - 1, 0, None)
        axis[:] = values[at]
        return axis
    else:
        notes.append("there is no step column; rows are counted")
    return np.arange(size, dtype=float)


def _restarts_each_epoch(steps: np.ndarray) -> bool:
    """The counter returns to its first value again and again, in turns of like length."""
    drops = np.flatnonzero(np.diff(steps) < 0)
    if len(drops) < 3:
        return False
    turns = np.diff(drops)
    back = steps[drops + 1]
    return bool(
        np.all(back <= steps[0] + 1e-9 + 0.05 * (steps.max() - steps.min())) and turns.max() <= 1.5 * turns.min() + 1
    )


def _ordered(name: str, steps: np.ndarray, values: np.ndarray, notes: list[str]) -> Series:
    """Sorts rows that came out of order; where a resumed run repeats steps, its rows replace the older ones."""
    replaced: list[np.ndarray] = []
    back: list[float] = []
    drops = np.flatnonzero(np.diff(steps) < 0) + 1
    if len(drops):
        if len(drops) <= _MOST_RESTARTS:
            keep = np.ones(len(steps), bool)
            for drop in drops:
                high = steps[:drop].max()
                again = steps[drop:]
                ends = np.flatnonzero(again > high)
                length = int(ends[0]) if len(ends) else len(again)
                # one or two late rows are disorder; several ascending ones are a run that went back
                if length >= 3 and np.all(np.diff(again[:length]) >= 0):
                    old = keep & (np.arange(len(steps)) < drop) & (steps >= steps[drop])
                    replaced.append(np.column_stack([steps[old], values[old]]))
                    keep &= ~old
                    back.append(float(steps[drop]))
            steps, values = steps[keep], values[keep]
        if np.any(np.diff(steps) < 0):
            order = np.argsort(steps, kind="stable")
            notes.append(f"{int(np.sum(np.diff(steps) < 0))} rows of {name!r} came out of order; sorted by step")
            steps, values = steps[order], values[order]
        if back:
            shown = ", ".join(f"{step:g}" for step in back[:3])
            notes.append(f"the step counter goes back to {shown}; the later rows are judged")
    return Series(name, steps, values, np.concatenate(replaced) if replaced else np.zeros((0, 2)), back)
