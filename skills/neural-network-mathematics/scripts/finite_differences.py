"""Compares a gradient with difference quotients and says whether a disagreement is the gradient's fault.

A single quotient at a single step decides little: it is wrong by truncation where the step is large, by rounding where
it is small, and altogether where the function has a kink. Here every quotient has an error bar:

    |D(h) - f'| is about |D(h) - D(10 h)| + 3 sigma / h,    D(h) = (f(x + h) - f(x - h)) / 2h,

with sigma the noise of f, estimated from a difference table (Hamming 1971; Moré & Wild 2011, "Estimating computational
noise", section 2). The step with the smallest bar is used. A kink is where the two one-sided quotients stay apart
while the step shrinks; for a smooth function their gap shrinks with it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np

# times the scale of the input; one decade apart, so that neighbours tell the truncation error
STEPS = tuple(10.0**-k for k in range(1, 11))
# how many error bars away a gradient has to be before it is called wrong
BARS = 10.0
# entries per input that are checked one by one; the others are covered by a random direction
ENTRIES = 64

OK, BUG, ROUND_OFF, KINK, UNSEEN = "ok", "bug", "round-off", "non-differentiable", "cannot-decide"


@dataclasses.dataclass(frozen=True)
class Function:
    """A real function of several arrays, with the gradient that is to be judged.

    Args:
        value: f(points), a float computed as exactly as the operation allows.
        gradient: one array per point, d/dRe + i d/dIm for complex ones.
        points: where to check; float or complex arrays.
        magnitude: sum of the absolute values of the terms that f adds up, for the size of rounding errors.
    """

    value: Callable[[Sequence[np.ndarray]], float]
    gradient: Callable[[Sequence[np.ndarray]], list[np.ndarray]]
    points: Sequence[np.ndarray]
    magnitude: float


@dataclasses.dataclass(frozen=True)
class Entry:
    """The judgement on one derivative.

    Args:
        index: of the entry in its input, or None for the random direction.
        verdict: `ok`, `bug`, `round-off`, `non-differentiable` or `cannot-decide`.
        analytic: what the gradient says.
        numeric: the best difference quotient.
        bar: how far the quotient may be from the derivative.
        left: one-sided quotient from below at the smallest telling step, where there is a kink.
        right: the same from above.
        errors: |quotient - gradient| for each of `STEPS`.
    """

    index: tuple[int, ...] | None
    verdict: str
    analytic: float
    numeric: float
    bar: float
    left: float
    right: float
    errors: np.ndarray


@dataclasses.dataclass(frozen=True)
class InputResult:
    """All entries of one input, and the numbers that sum them up.

    Args:
        entries: those that were checked.
        scale: the largest derivative with respect to this input.
        checked: entries checked one by one.
        size: entries that the input has.
    """

    entries: list[Entry]
    scale: float
    checked: int
    size: int

    @property
    def verdict(self) -> str:
        """The gravest of the entries'."""
        seen = {entry.verdict for entry in self.entries}
        return next((verdict for verdict in (BUG, KINK, UNSEEN, ROUND_OFF) if verdict in seen), OK)

    @property
    def worst(self) -> Entry:
        """The entry that decides the verdict: of those that have it, the one that is furthest off."""
        deciding = [entry for entry in self.entries if entry.verdict == self.verdict]
        return max(deciding, key=lambda entry: np.nan_to_num(abs(entry.analytic - entry.numeric), nan=math.inf))

    @property
    def max_abs_error(self) -> float:
        """Largest |gradient - quotient|."""
        return max(abs(entry.analytic - entry.numeric) for entry in self.entries)

    @property
    def max_rel_error(self) -> float:
        """The same in units of the largest derivative with respect to this input."""
        return self.max_abs_error / self.scale if self.scale > 0 else 0.0

    @property
    def resolution(self) -> float:
        """Largest error bar in units of the largest derivative: a smaller error would not be seen."""
        return max(entry.bar for entry in self.entries) / self.scale if self.scale > 0 else 0.0

    def curve(self) -> list[float]:
        """Largest error over the entries for each of `STEPS`, in units of the largest derivative."""
        errors = np.array([entry.errors for entry in self.entries])
        finite = np.where(np.isfinite(errors), errors, -math.inf).max(0)
        return np.where(finite >= 0, finite / (self.scale or 1.0), math.nan).tolist()


def check(function: Function, tolerance: float = 1e-5, seed: int = 0) -> list[InputResult]:
    """Judges the gradient with respect to every input.

    Args:
        function: what to check.
        tolerance: relative error of a derivative that is still right.
        seed: for the random direction and for which entries of a large input are checked.
    """
    rng = np.random.default_rng(seed)
    gradients = [np.asarray(gradient) for gradient in function.gradient(function.points)]
    noise = estimate_noise(function, rng)
    return [
        _check_input(function, position, gradient, noise, tolerance, rng) for position, gradient in enumerate(gradients)
    ]


def scale_of(point: np.ndarray) -> float:
    """The size that steps are relative to: the largest absolute entry, 1 for an input that is all zero."""
    largest = float(np.max(np.abs(point), initial=0.0))
    return largest if largest > 0 else 1.0


def estimate_noise(function: Function, rng: np.random.Generator) -> float:
    """The standard deviation of the rounding noise of f, by a difference table along a random direction.

    The points lie on one side of x only, so that a kink or a jump at x is not taken for noise. Where f does not move at
    all, eps times its magnitude is returned.
    """
    epsilon = max(np.finfo(point.dtype).eps for point in function.points)
    least = float(np.finfo(np.float64).eps) * function.magnitude
    directions = [_random_direction(point, rng) for point in function.points]
    noise = 0.0
    for exponent in range(int(math.log10(epsilon)), -2):
        h = 10.0**exponent
        values = np.array(
            [
                function.value(
                    [(x + j * h * d).astype(x.dtype) for x, d in zip(function.points, directions, strict=True)]
                )
                for j in range(1, 9)
            ]
        )
        if not np.isfinite(values).all():
            break
        if len(set(values.tolist())) >= 5:
            orders = range(3, 7)
            factors = [math.factorial(k) ** 2 / math.factorial(2 * k) for k in orders]
            moments = [factor * np.mean(np.diff(values, k) ** 2) for k, factor in zip(orders, factors, strict=True)]
            noise = math.sqrt(max(moments))
            break
    return max(noise, least)


def _random_direction(point: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = scale_of(point)
    direction = size * rng.uniform(0.5, 1.0, point.shape) * rng.choice([-1.0, 1.0], point.shape)
    if np.iscomplexobj(point):
        direction = direction + 1j * size * rng.uniform(0.5, 1.0, point.shape) * rng.choice([-1.0, 1.0], point.shape)
    return direction


def _check_input(
    function: Function, position: int, gradient: np.ndarray, noise: float, tolerance: float, rng: np.random.Generator
) -> InputResult:
    point = function.points[position]
    chosen = np.arange(point.size)
    if point.size > ENTRIES:
        chosen = np.sort(rng.choice(point.size, ENTRIES, replace=False))
    directions: list[tuple[tuple[int, ...] | None, np.ndarray]] = []
    for flat in chosen:
        index = tuple(int(i) for i in np.unravel_index(flat, point.shape))
        for unit in (1, 1j) if np.iscomplexobj(point) else (1,):
            direction = np.zeros(point.shape, point.dtype)
            direction[index] = unit
            directions.append((index, direction))
    if point.size > ENTRIES:
        direction = _random_direction(point, rng)
        directions.append((None, direction / np.linalg.norm(direction)))
    # only where the direction goes: a NaN elsewhere in the gradient is not its fault
    analytic = [float(np.sum((np.conj(gradient[d != 0]) * d[d != 0]).real)) for _, d in directions]
    tables = [_quotients(function, position, direction) for _, direction in directions]
    best = [_best(table, noise) for table in tables]
    # a derivative below this cannot be told from 0 by any quotient
    floor = 1e-6 * function.magnitude / scale_of(point)
    finite = [abs(x) for x in (*analytic, *(b[0] for b in best)) if math.isfinite(x)]
    scale = max([floor, *finite])
    entries = [
        _judge(index, a, b, table, noise, tolerance, scale)
        for (index, _), a, b, table in zip(directions, analytic, best, tables, strict=True)
    ]
    return InputResult(entries, scale, len(chosen), point.size)


@dataclasses.dataclass(frozen=True)
class _Table:
    h: np.ndarray
    central: np.ndarray
    right: np.ndarray
    left: np.ndarray


def _quotients(function: Function, position: int, direction: np.ndarray) -> _Table:
    points, x = list(function.points), function.points[position]
    here = function.value(points)
    rows = []
    for step in STEPS:
        h = step * scale_of(x)
        above, below = (x + h * direction).astype(x.dtype), (x - h * direction).astype(x.dtype)
        # the steps that were really taken, after rounding to the grid of the dtype
        up, down = (float(np.sum((np.conj(direction) * d).real)) for d in (above - x, x - below))
        square = float(np.sum(np.abs(direction) ** 2))
        up, down = up / square, down / square
        high = function.value([*points[:position], above, *points[position + 1 :]])
        low = function.value([*points[:position], below, *points[position + 1 :]])
        if up <= 0 or down <= 0:
            rows.append((h, math.nan, math.nan, math.nan))
        else:
            rows.append((h, (high - low) / (up + down), (high - here) / up, (here - low) / down))
    return _Table(*np.array(rows).T)


def _best(table: _Table, noise: float) -> tuple[float, float]:
    """The quotient with the smallest error bar that no smaller step contradicts, and the bar.

    Steps longer than the wavelength of the function give quotients that are small, agree by chance, and mean nothing.
    """
    with np.errstate(invalid="ignore"):
        bars = np.abs(table.central[1:] - table.central[:-1]) + 3 * noise / table.h[1:]
    central = table.central[1:]
    for k in np.argsort(np.where(np.isfinite(bars), bars, math.inf)):
        later = np.isfinite(bars) & (np.arange(len(bars)) > k)
        if np.isfinite(bars[k]) and (np.abs(central - central[k])[later] <= BARS * (bars + bars[k])[later]).all():
            return float(central[k]), float(bars[k])
    return math.nan, math.inf


def _kink(table: _Table, noise: float, least: float) -> int | None:
    """The smallest telling step at which the one-sided quotients stay apart, or None for a smooth function.

    Args:
        table: the quotients, from the largest step to the smallest.
        noise: of the function.
        least: a gap below this does not matter.
    """
    with np.errstate(invalid="ignore"):
        gap = np.abs(table.right - table.left)
    doubt = 4 * noise / table.h
    gap = np.where(np.isnan(gap), np.where(np.isnan(table.right) & np.isnan(table.left), 0.0, math.inf), gap)
    telling = [k for k in range(len(gap)) if gap[k] > 20 * doubt[k] and gap[k] > least]
    if not telling:
        return None
    k = telling[-1]
    # a smaller step that shows no gap proves that the kink, if any, lies beside x
    if any(gap[j] + doubt[j] < 0.1 * gap[k] for j in range(k + 1, len(gap))):
        return None
    # two telling steps are needed to see that the gap does not shrink
    if k == 0 or gap[k - 1] <= 20 * doubt[k - 1]:
        return None
    return k if math.isinf(gap[k]) or gap[k] > 0.5 * gap[k - 1] else None


def _judge(
    index: tuple[int, ...] | None,
    analytic: float,
    best: tuple[float, float],
    table: _Table,
    noise: float,
    tolerance: float,
    scale: float,
) -> Entry:
    numeric, bar = best
    with np.errstate(invalid="ignore"):
        errors = np.abs(table.central - analytic)
    size = max(abs(analytic), abs(numeric)) if math.isfinite(analytic + numeric) else scale
    # a gradient is itself computed in floating point: entries far below the largest one are not held to their own size
    allowed = tolerance * (size + 0.1 * scale)
    left = right = math.nan
    k = _kink(table, noise, allowed)
    if k is not None:
        left, right = float(table.left[k]), float(table.right[k])
        verdict = KINK
        # any value between the one-sided derivatives is a subgradient; quotients that still grow have no limit
        grows = abs(right - left) > 2 * abs(table.right[k - 1] - table.left[k - 1])
        if math.isfinite(left + right) and not grows:
            slack = allowed + 20 * noise / table.h[k] + 0.1 * abs(right - left)
            if not min(left, right) - slack <= analytic <= max(left, right) + slack:
                verdict = BUG
    elif not math.isfinite(numeric):
        verdict = KINK
    elif not math.isfinite(analytic):
        verdict = BUG
    elif abs(analytic - numeric) > allowed + BARS * bar:
        verdict = BUG
    elif bar > 0.1 * scale:
        verdict = UNSEEN
    elif bar > tolerance * scale:
        verdict = ROUND_OFF
    else:
        verdict = OK
    return Entry(index, verdict, analytic, numeric, bar, left, right, errors)
