"""Which trainings the labelled logs hold, and when a planted fault counts as present; see fault_corpus.py."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Any

import corpus_trainings
import numpy as np
from corpus_logs import Writing
from corpus_trainings import Recipe, Trace

FAULTS = (
    "non-finite",
    "diverging",
    "learning-rate-too-high",
    "learning-rate-too-low",
    "overfitting",
    "underfitting",
    "plateau",
    "loss-spikes",
    "resume-jump",
    "clipping-always-active",
    "loss-at-chance",
    "loss-floor",
    "constant-metric",
    "schedule-ended-early",
    "leakage-suspected",
    "labels-shuffled",
)
HEALTHY, UNDECIDABLE, NO_EFFECT = "healthy", "cannot-decide", "no-effect"

# data, network, settings that train well
_SOUND: dict[str, list[Recipe]] = {
    "tuning": [
        Recipe("synthetic", "relu3", lr=1e-3, epochs=12),
        Recipe("cancer", "relu1", lr=2e-3, epochs=20, weight_decay=0.05),
        Recipe("friedman", "relu3", lr=2e-3, epochs=20, weight_decay=0.05),
        Recipe("intervals", "conv1d", lr=5e-3, epochs=30),
        Recipe("iris", "relu1", lr=5e-3, epochs=40, batch=16, weight_decay=0.1),
        Recipe("synthetic", "jax-relu", framework="jax", lr=2e-3, epochs=10),
        Recipe("synthetic", "linear", optimizer="momentum", lr=0.05, epochs=12),
        Recipe("friedman-noisy", "relu1", lr=2e-3, epochs=20, weight_decay=0.1),
    ],
    "test": [
        Recipe("digits", "cnn", lr=3e-3, epochs=14, batch=64),
        Recipe("digits", "gelu2", lr=3e-3, epochs=14, batch=64, weight_decay=0.05),
        Recipe("wine", "tanh2", lr=3e-3, epochs=40, batch=16, weight_decay=0.1),
        Recipe("diabetes", "gelu2", lr=1e-3, epochs=25, batch=16, weight_decay=0.1),
        Recipe("rings", "conv2d", lr=5e-3, epochs=40),
        Recipe("digits", "jax-silu", framework="jax", lr=3e-3, epochs=14, batch=64),
        Recipe("wine", "tanh-norm", optimizer="momentum", lr=0.02, epochs=40, batch=16, weight_decay=1e-3),
    ],
}
_CLASSIFIERS = {"tuning": (0, 5, 6), "test": (0, 1, 5)}
_NARROW = {"tuning": "relu-narrow", "test": "gelu-narrow"}
_JAX_NARROW = {"tuning": "jax-relu-narrow", "test": "jax-silu-narrow"}
_DEEP = {"tuning": "sigmoid-deep", "test": "softsign-deep"}
_FIRST_SEED = {"tuning": 100, "test": 9000}
_STEPWISE = ("csv", "lightning", "jsonl", "hf", "wandb", "mlflow", "tensorboard", "semicolon")


@dataclasses.dataclass(frozen=True)
class Planted:
    """One log of the corpus.

    Args:
        name: unique, also the folder name.
        half: tuning or test.
        fault: what was planted: one of `FAULTS`, `healthy` or `cannot-decide`.
        recipe: the training.
        writing: how its log is written.
        also: further faults that are true of this training; naming them is no error.
        twin: the same training without the fault, where the effect is judged by comparison.
        classes: handed to the tool as --num-classes.
        kind: for `cannot-decide`: why nobody can decide.
    """

    name: str
    half: str
    fault: str
    recipe: Recipe
    writing: Writing
    also: tuple[str, ...] = ()
    twin: Recipe | None = None
    classes: int | None = None
    kind: str = ""


def _loss(trace: Trace, start: float = 0.0, end: float = 1.0) -> np.ndarray:
    """The training losses of a part of the run."""
    losses = np.array([row["loss"] for row in trace.steps])
    return losses[int(start * len(losses)) : max(int(end * len(losses)), int(start * len(losses)) + 1)]


def _column(trace: Trace, name: str) -> np.ndarray:
    return np.array([row[name] for row in trace.epochs])


def _halved(trace: Trace, twin: Trace) -> bool:
    """The twin ends at half the loss or less."""
    return bool(np.median(_loss(twin, 0.8)) <= 0.5 * np.median(_loss(trace, 0.8)))


def _spiked(planted: Planted, trace: Trace) -> bool:
    losses = _loss(trace)
    per_epoch, total, bad = corpus_trainings.layout(planted.recipe, corpus_trainings.load_data(planted.recipe))
    return sum(losses[step] >= 3 * np.mean(losses[max(0, step - 8) : step]) for step in bad) >= 3


def _resumed(trace: Trace) -> bool:
    steps = [row["step"] for row in trace.steps]
    back = int(np.flatnonzero(np.diff(steps) < 0)[0]) + 1
    losses = _loss(trace)
    return bool(np.mean(losses[back : back + 8]) >= 1.5 * np.mean(losses[back - 20 : back]))


def _moved(trace: Trace) -> bool:
    """First and last quarter differ: Welch's test on the training losses."""
    from scipy.stats import ttest_ind

    return bool(ttest_ind(_loss(trace, 0, 0.25), _loss(trace, 0.75), equal_var=False).pvalue < 1e-3)


def _is_finite(trace: Trace) -> bool:
    return bool(np.isfinite(_loss(trace)).all())


# when a planted fault counts as present; (planted, trace, trace of the twin)
EFFECTS: dict[str, Callable[[Planted, Trace, Any], bool]] = {
    "non-finite": lambda planted, trace, twin: not np.isfinite(_loss(trace)[-1]),
    "diverging": lambda planted, trace, twin: (
        _is_finite(trace) and np.median(_loss(trace, 0.95)) >= 1.5 * _loss(trace)[0]
    ),
    "learning-rate-too-high": lambda planted, trace, twin: (
        _is_finite(trace)
        and (_halved(trace, twin) or planted.recipe.schedule == "drop")
        and np.mean(_loss(trace, 0, 0.05)) > 1.2 * _loss(trace)[0]
    ),
    "learning-rate-too-low": lambda planted, trace, twin: _halved(trace, twin) and _moved(trace),
    "overfitting": lambda planted, trace, twin: (
        _column(trace, "judge_loss")[-1] >= 1.2 * _column(trace, "judge_loss").min()
        and _column(trace, "val_loss")[-1] >= 1.2 * _column(trace, "val_loss").min()
    ),
    # where not even that is learned, the trace is that of a network at chance
    "underfitting": lambda planted, trace, twin: (
        _halved(trace, twin)
        and _column(trace, "metric")[-1] <= _column(twin, "metric")[-1] - 0.1
        and np.median(_loss(trace, 0.8)) < 0.9 * math.log(trace.classes)
        and np.mean(_loss(trace, 0.75)) >= 0.9 * np.mean(_loss(trace, 0.5, 0.75))
    ),
    "plateau": lambda planted, trace, twin: (
        np.mean(_loss(trace, 0.2, 0.6)) >= 1.5 * np.mean(_loss(trace, 0.9))
        and abs(np.mean(_loss(trace, 0.2, 0.4)) / np.mean(_loss(trace, 0.4, 0.6)) - 1) <= 0.1
    ),
    "loss-spikes": lambda planted, trace, twin: _spiked(planted, trace),
    "resume-jump": lambda planted, trace, twin: _resumed(trace),
    "clipping-always-active": lambda planted, trace, twin: (
        np.mean([row["grad_norm"] > planted.recipe.clip for row in trace.steps]) > 0.5
    ),
    "loss-at-chance": lambda planted, trace, twin: (
        abs(np.median(_loss(trace, 0.5)) / math.log(trace.classes) - 1) <= 0.05 and _halved(trace, twin)
    ),
    "loss-floor": lambda planted, trace, twin: (
        np.median(_loss(trace, 0.8)) >= 2 * np.median(_loss(twin, 0.8)) and _column(trace, "metric")[-1] >= 0.8
    ),
    "constant-metric": lambda planted, trace, twin: (
        len(set(_column(trace, "val_metric"))) == 1 and np.median(_loss(trace, 0.8)) <= 0.5 * _loss(trace)[0]
    ),
    "schedule-ended-early": lambda planted, trace, twin: (
        np.median(_loss(twin, 0.9)) <= 0.8 * np.median(_loss(trace, 0.9))
    ),
    "leakage-suspected": lambda planted, trace, twin: (
        _column(trace, "judge_loss")[-1] >= 3 * _column(trace, "val_loss")[-1]
    ),
    "labels-shuffled": lambda planted, trace, twin: (
        np.median(_loss(trace, 0.9)) <= 0.8 * _loss(trace)[0]
        and _column(trace, "val_loss").min() >= 0.9 * math.log(trace.classes)
    ),
    # on both held-out splits the loss ends close to its best, and training took the loss down
    HEALTHY: lambda planted, trace, twin: (
        all(_column(trace, name)[-1] <= 1.1 * _column(trace, name).min() for name in ("val_loss", "judge_loss"))
        and np.median(_loss(trace, 0.9)) <= 0.6 * _loss(trace)[0]
    ),
    # where the noise is what hides everything, it must do so by Welch's test
    UNDECIDABLE: lambda planted, trace, twin: (
        _is_finite(trace) and (planted.kind != "noise" or not _moved_in_log(planted, trace))
    ),
}


def _moved_in_log(planted: Planted, trace: Trace) -> bool:
    from scipy.stats import ttest_ind

    losses = _loss(trace)[: planted.writing.rows]
    return bool(ttest_ind(losses[: len(losses) // 2], losses[len(losses) // 2 :], equal_var=False).pvalue < 0.05)


def also_true(planted: Planted, trace: Trace) -> list[str]:
    """Faults beside the planted one that are in the trace: naming them is no error."""
    held_out = _column(trace, "val_loss")
    found = [*planted.also]
    if held_out[-1] > 1.1 * held_out.min():
        found.append("overfitting")
    if trace.classes > 1 and abs(np.median(_loss(trace, 0.5)) / math.log(trace.classes) - 1) <= 0.05:
        found.append("loss-at-chance")
    return found


def plan(half: str) -> list[Planted]:
    """Every log of one half."""
    sound = _SOUND[half]
    found: list[Planted] = []
    seeds = iter(range(_FIRST_SEED[half], _FIRST_SEED[half] + 900))
    per_fault = 6
    styles = _cycle(_STEPWISE)

    def add(fault: str, recipe: Recipe, style: str | None = None, **more: Any) -> None:
        writing = more.pop("writing", {})
        twin = more.pop("twin", None)
        seed = next(seeds)
        recipe = dataclasses.replace(recipe, seed=seed)
        found.append(
            Planted(
                f"{half}-{fault}-{seed}",
                half,
                fault,
                recipe,
                Writing(style or next(styles), **writing),
                twin=dataclasses.replace(twin, seed=seed) if twin else None,
                **more,
            )
        )

    def change(index: int, **changes: Any) -> Recipe:
        return dataclasses.replace(sound[index % len(sound)], **changes)

    classifiers = [sound[index] for index in _CLASSIFIERS[half]]

    def classifier(index: int, **changes: Any) -> Recipe:
        return dataclasses.replace(classifiers[index % len(classifiers)], **changes)

    for index in range(per_fault):
        if index % 2:
            add("non-finite", change(index, nan_at=0.3 + 0.1 * index), "keras" if index == 3 else None)
        else:
            add("non-finite", classifier(index, nan_at=0.25 + 0.1 * index))
    for index in range(per_fault):
        if index % 2:
            add("diverging", change(index, ascend_at=0.3, epochs=40), also=("learning-rate-too-high",))
        else:
            add(
                "diverging",
                change(index, schedule="growing", optimizer="adam", epochs=24),
                also=("learning-rate-too-high", "loss-spikes"),
            )
    for index in range(per_fault):
        twin = classifier(index, epochs=16)
        recipe = dataclasses.replace(twin, optimizer="adam", lr=0.5, schedule="drop" if index % 3 == 2 else "constant")
        add(
            "learning-rate-too-high",
            recipe,
            twin=twin,
            also=("diverging", "loss-at-chance", "loss-spikes", "underfitting"),
        )
    for index in range(per_fault):
        twin = change((0, 1, 2, 5, 6, 4)[index], epochs=30)
        rate = twin.lr / (300 if twin.optimizer == "adam" else 1000)
        add("learning-rate-too-low", dataclasses.replace(twin, lr=rate), twin=twin)
    for index in range(per_fault):
        size = 120 if sound[index % len(sound)].data in ("rings", "intervals") else 80
        add(
            "overfitting",
            change(index, train_size=size, label_noise=0.3, epochs=150, batch=20, weight_decay=0.0),
            "keras" if index % 3 == 1 else None,
        )
    for index in range(per_fault):
        decayed = index % 3 == 1
        twin = classifier(0 if decayed else index, epochs=30)
        narrow = (_JAX_NARROW if twin.framework == "jax" else _NARROW)[half]
        if twin.arch == "cnn":
            twin = dataclasses.replace(twin, arch="gelu2")
        limit: dict[str, Any] = {"arch": narrow, "lr": 1e-2, "optimizer": "adam"}
        recipe = dataclasses.replace(
            twin, **({"weight_decay": 15.0 if half == "tuning" else 18.0} if decayed else limit)
        )
        # the name of the metric need not say that it is an accuracy: the number of classes does
        add("underfitting", recipe, twin=twin, classes={"synthetic": 6, "digits": 10}[twin.data])
    for index in range(per_fault):
        add(
            "plateau",
            classifier(index, schedule="dip", epochs=24) if index % 2 else change(index, schedule="dip", epochs=30),
        )
    for index in range(per_fault):
        add("loss-spikes", change(index, bad_batches="random" if index % 2 else "epoch"))
    for index in range(per_fault):
        chosen = [i for i, recipe in enumerate(sound) if recipe.framework == "torch"]
        add(
            "resume-jump",
            change(chosen[index % len(chosen)], resume="wrong-checkpoint" if index % 2 else "lost-weights"),
        )
    for index in range(per_fault):
        style = ("csv", "hf", "wandb", "lightning", "jsonl", "semicolon")[index]
        norm = "after" if index % 2 else "before"
        add(
            "clipping-always-active",
            change(index, clip=0.002, epochs=12),
            style,
            writing={"norm": norm, "without": frozenset({"clip"}) if norm == "after" else frozenset()},
            also=("learning-rate-too-low",),
        )
    for index in range(per_fault):
        twin = classifier(index % 2)
        if index % 2 and twin.framework == "torch":
            recipe = dataclasses.replace(twin, arch=_DEEP[half])
        else:
            recipe = dataclasses.replace(twin, freeze=True)
        add(
            "loss-at-chance",
            recipe,
            "keras" if index == 2 else None,
            twin=twin,
            also=("constant-metric",),
            classes=(6 if half == "tuning" else 10) if index % 2 else None,
        )
    for index in range(per_fault):
        twin = change((0, 3, 5, 1, 0, 4)[index] if half == "tuning" else (0, 4, 5, 2, 1, 4)[index], epochs=30)
        classes = {"synthetic": 6, "digits": 10, "wine": 3}.get(twin.data, 2)
        add(
            "loss-floor",
            dataclasses.replace(twin, twice=True, weight_decay=0.0, lr=max(twin.lr, 5e-3)),
            twin=twin,
            classes=classes,
        )
    for index in range(per_fault):
        add(
            "constant-metric",
            classifier(index, stale_metric=True) if index % 2 else change((0, 1)[index // 2 % 2], stale_metric=True),
            "keras" if index % 3 == 1 else None,
        )
    for index in range(per_fault):
        twin = change(index, schedule="cosine", epochs=30)
        twin = dataclasses.replace(twin, lr=twin.lr / (5 if twin.optimizer == "adam" else 10))
        add(
            "schedule-ended-early",
            dataclasses.replace(twin, schedule="early"),
            "keras" if index == 3 else None,
            twin=twin,
            also=("plateau", "underfitting"),
        )
    for index in range(per_fault):
        add(
            "leakage-suspected",
            classifier(index % 2, leak=True, label_noise=0.2, train_size=240, epochs=120, weight_decay=0.0),
            "keras" if index % 3 == 2 else None,
        )
    for index in range(per_fault):
        add(
            "labels-shuffled",
            classifier(
                index % 2,
                shuffle_labels="validation" if index % 2 else "train",
                epochs=40,
                weight_decay=0.0,
                train_size=None if index % 2 else 300,
            ),
            also=("overfitting",),
        )

    schedules = ("constant", "cosine", "steps", "warmup-cosine", "restarts")
    for index in range(40 if half == "tuning" else 105):
        schedule = schedules[(index // len(sound)) % len(schedules)]
        dropout = 0.3 if index % 4 == 1 else 0.0
        base = change(index)
        if base.framework == "jax":
            dropout = 0.0
        resume = "sound" if index % 9 == 4 and base.framework == "torch" else ""
        clip = 20.0 if index % 6 == 3 else None
        smoothing = (
            0.1 if index % 10 == 7 and base.data in ("digits", "synthetic") and base.framework == "torch" else 0.0
        )
        recipe = dataclasses.replace(
            base,
            schedule=schedule,
            dropout=dropout,
            resume=resume,
            clip=clip,
            label_smoothing=smoothing,
            epochs=base.epochs + (10 if schedule == "restarts" else 4 * (index % 3)),
        )
        keras = index % 8 == 6 and not resume and recipe.epochs >= 20
        writing = {} if keras else {"every": (1, 1, 5)[index % 3] if recipe.epochs >= 20 else 1}
        if schedule == "constant" and index % 5 == 2:
            writing["without"] = frozenset({"lr", "grad_norm"})
        add(HEALTHY, recipe, "keras" if keras else None, writing=writing)

    for index in range(3 if half == "tuning" else 5):
        add(UNDECIDABLE, change(index), writing={"rows": 6 + 2 * index}, kind="truncated")
        add(UNDECIDABLE, change(index, epochs=3 + index % 2), "keras", kind="few-epochs")
        add(
            UNDECIDABLE,
            change(index, batch=1, epochs=1, lr=1e-5, optimizer="sgd"),
            kind="noise",
            writing={"rows": 60, "without": frozenset({"val", "metric", "lr", "grad_norm"})},
        )
        add(UNDECIDABLE, change(index), kind="no-validation", writing={"without": frozenset({"val", "metric"})})
        # a warm restart and an optimizer or layer lost at a resume leave the same trace
        if index % 2:
            add(
                UNDECIDABLE,
                change((0, 2, 3)[index % 3], schedule="restarts", optimizer="momentum", lr=0.05, epochs=30),
                kind="jump",
                writing={"without": frozenset({"lr", "grad_norm", "val", "metric"})},
            )
        else:
            add(
                UNDECIDABLE,
                change((0, 2, 3)[index % 3], resume="lost-weights"),
                kind="jump",
                writing={"marker": False, "without": frozenset({"lr", "grad_norm", "val", "metric", "epoch"})},
            )
        # little capacity and noisy targets level off alike; only the metric or a larger network would tell
        if index % 2:
            add(
                UNDECIDABLE,
                change(0 if half == "tuning" else 1, label_noise=0.7, epochs=16, weight_decay=0.1),
                kind="floor-or-capacity",
                writing={"without": frozenset({"metric", "val"})},
            )
        else:
            add(
                UNDECIDABLE,
                classifier(2 if half == "tuning" else 1, arch=_NARROW[half], optimizer="adam", lr=1e-2, epochs=30),
                kind="floor-or-capacity",
                writing={"without": frozenset({"metric", "val"})},
            )
    return found


def _cycle(items: tuple[str, ...]) -> Iterator[str]:
    while True:
        yield from items
