"""Levels, noise and trends of a run, in its own units: nothing here compares with a fixed number of some other run."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from run_diagnosis.columns import Series, Understood, name_words

# a series is read in this many pieces of equal length in steps
SEGMENTS = 50
# 1.4826 MAD estimates the standard deviation of a normal distribution (Hampel 1974)
MAD_TO_SIGMA = 1.4826


def window(series: Series, start: float, end: float) -> np.ndarray:
    """The values in a part of the run, `start` and `end` as parts of its steps; never empty for a series with rows."""
    first, last = series.steps[0], series.steps[-1]
    low = int(np.searchsorted(series.steps, first + start * (last - first), side="left"))
    high = int(np.searchsorted(series.steps, first + end * (last - first), side="right"))
    low = min(low, len(series) - 1)
    return series.values[low : max(high, low + 1)]


def level(series: Series, start: float, end: float) -> float:
    """The median in a part of the run."""
    return float(np.median(window(series, start, end)))


def noise(values: np.ndarray) -> float:
    """Standard deviation from one row to the next without the trend: MAD of the differences over the root of 2.

    Where more than half of the differences are zero the MAD says nothing, and their standard deviation is taken.
    """
    if len(values) < 3:
        return 0.0
    steps = np.diff(values)
    robust = MAD_TO_SIGMA * float(np.median(np.abs(steps - np.median(steps))))
    return (robust or float(steps.std())) / np.sqrt(2)


@dataclasses.dataclass(frozen=True)
class Pieces:
    """A series in pieces of equal length in steps: where each is centred, its median and the number of its rows."""

    steps: np.ndarray
    medians: np.ndarray
    counts: np.ndarray


def pieces(series: Series, count: int = SEGMENTS) -> Pieces:
    """Cuts a series into at most `count` pieces; pieces without rows are left out."""
    count = max(1, min(count, len(series)))
    edges = np.linspace(series.steps[0], series.steps[-1], count + 1)
    cuts = np.searchsorted(series.steps, edges[1:-1], side="right")
    bounds = np.unique(np.concatenate([[0], cuts, [len(series)]]))
    medians = np.array([np.median(series.values[low:high]) for low, high in zip(bounds[:-1], bounds[1:], strict=True)])
    middle = np.array([series.steps[(low + high - 1) // 2] for low, high in zip(bounds[:-1], bounds[1:], strict=True)])
    return Pieces(middle, medians, np.diff(bounds))


def slope(part: Pieces, start: float, end: float) -> tuple[float, float, float]:
    """Theil-Sen slope per step of the medians in a part of the pieces, with its 95 % interval (Sen 1968)."""
    from scipy.stats import theilslopes

    low, high = int(start * len(part.steps)), max(int(end * len(part.steps)), int(start * len(part.steps)) + 3)
    if len(part.steps[low:high]) < 3:
        return 0.0, -np.inf, np.inf
    found = theilslopes(part.medians[low:high], part.steps[low:high])
    return float(found[0]), float(found[2]), float(found[3])


class Run:
    """A run as the rules see it.

    Args:
        understood: the series by role.
        classes: number of classes if the user gave it.
    """

    def __init__(self, understood: Understood, classes: int | None = None) -> None:
        self.understood = understood
        self.classes = classes
        self.raw_loss = understood.series.get("train-loss")
        self.loss = self._finite("train-loss")
        self.val = self._finite("val-loss")
        self.train_metric = self._finite("train-metric")
        self.val_metric = self._finite("val-metric")
        self.lr = self._finite("lr")
        self.norm = self._finite("grad-norm")
        self.clip = self._finite("clip-threshold")
        self.clipped = self._finite("clipped-fraction")
        self.epoch = self._finite("epoch")

    def _finite(self, role: str) -> Series | None:
        series = self.understood.series.get(role)
        if series is None or not np.isfinite(series.values).any():
            return None
        return series.finite

    @property
    def epochs(self) -> float | None:
        """How many epochs the log covers, where it tells."""
        return None if self.epoch is None else float(self.epoch.values.max() - self.epoch.values.min()) + 1

    @property
    def steps_per_epoch(self) -> float | None:
        """Steps from one epoch to the next, where the log tells."""
        if self.epoch is None or self.epoch.values[-1] <= self.epoch.values[0]:
            return None
        values = self.epoch.values
        if np.all(values == np.round(values)):
            begins = self.epoch.steps[np.flatnonzero(np.diff(values) > 0) + 1]
            return float(np.median(np.diff(begins))) if len(begins) > 1 else None
        return float((self.epoch.steps[-1] - self.epoch.steps[0]) / (values[-1] - values[0]))

    @functools.cached_property
    def pieces(self) -> Pieces:
        """The training loss in pieces."""
        assert self.loss is not None
        return pieces(self.loss)

    @functools.cached_property
    def start(self) -> float:
        """Level of the training loss at the start: the median of the first rows (1 to 10, by the length of the log).

        Where the loss jumps up at once, the first row alone: it was made before any update.
        """
        assert self.loss is not None
        rows = self.loss.values[: max(1, min(10, max(5, len(self.loss) // 100), len(self.loss) // 40))]
        middle, first = float(np.median(rows)), float(rows[0])
        return first if middle > 1.5 * first > 0 else middle

    @functools.cached_property
    def final(self) -> float:
        """Level of the training loss over the last tenth of the steps."""
        assert self.loss is not None
        return level(self.loss, 0.9, 1.0)

    @functools.cached_property
    def best(self) -> float:
        """Lowest median of a piece of the training loss."""
        return float(self.pieces.medians.min())

    @functools.cached_property
    def sigma(self) -> float:
        """Noise of the training loss from row to row over the last half of the run."""
        assert self.loss is not None
        return noise(window(self.loss, 0.5, 1.0))

    @functools.cached_property
    def error(self) -> float:
        """Standard error of a median over a tenth of the run, from the noise of the rows (1.25 sigma / sqrt(n))."""
        assert self.loss is not None
        everywhere = max(noise(window(self.loss, 0.0, 0.3)), self.sigma)
        return 1.25 * everywhere / np.sqrt(max(1.0, len(self.loss) / 10))

    def lr_at(self, step: float) -> float | None:
        """The learning rate in force at a step."""
        if self.lr is None:
            return None
        return float(self.lr.values[max(0, int(np.searchsorted(self.lr.steps, step, side="right")) - 1)])

    def lr_rose(self, step: float, reach: float) -> bool:
        """The learning rate rose by half or more within `reach` steps before a step, or up to as far after it."""
        if self.lr is None:
            return False
        near = (self.lr.steps >= step - reach) & (self.lr.steps <= step + reach)
        values = self.lr.values[near]
        if len(values) < 2:
            return False
        lowest = np.minimum.accumulate(values)
        return bool(np.any(values > 1.5 * lowest))

    @property
    def chance(self) -> float | None:
        """Loss of a classifier that knows nothing: ln C."""
        return float(np.log(self.classes)) if self.classes else None

    def metric(self) -> Series | None:
        """The training metric, else the validation metric."""
        return self.train_metric if self.train_metric is not None else self.val_metric


def is_accuracy(series: Series, classes: int | None) -> bool:
    """Whether a metric is the part of examples that are classified rightly: by its name, or since there are classes."""
    words = set(name_words(series.name))
    return (
        bool(words & {"acc", "accuracy", "top1", "top"})
        or "".join(words).endswith("acc")
        or bool(classes and words & {"metric", "score"})
    )


def as_part(values: np.ndarray) -> np.ndarray | None:
    """A metric as a part of one: divided by 100 where it is in percent; None where it is neither."""
    if len(values) == 0 or values.min() < 0:
        return None
    if values.max() <= 1.0:
        return values
    return values / 100 if values.max() <= 100 and values.max() > 5 else None
