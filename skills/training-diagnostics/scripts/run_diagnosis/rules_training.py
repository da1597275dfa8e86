"""Faults that show in the training loss, the learning rate and the gradient norm: one function for each.

A rule returns what it saw, or None. Thresholds without a source were chosen on the tuning half of the labelled logs.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from run_diagnosis.columns import Series
from run_diagnosis.features import Pieces, Run, as_part, level, noise, pieces, slope, window

DECIDED, LIKELY = "decided", "likely"


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a rule saw.

    Args:
        fault: its id.
        series: the column it shows in.
        steps: the steps where it shows.
        message: one sentence.
        values: the numbers behind it.
        sure: `decided` where the log leaves no other reading, else `likely`.
        why: what makes it so.
    """

    fault: str
    series: str
    steps: list[float]
    message: str
    values: dict[str, Any]
    sure: str
    why: str


def non_finite(run: Run) -> Seen | None:
    """NaN or infinity in a loss or, to the end of the run, in the gradient norm."""
    for role in ("train-loss", "val-loss", "grad-norm"):
        series = run.understood.series.get(role)
        if series is None:
            continue
        bad = ~np.isfinite(series.values)
        if not bad.any():
            continue
        to_the_end = bool(bad[-1])
        # a column that is NaN wherever it was not computed: finite values between, and at the end
        if not to_the_end and bad.mean() > 0.5:
            run.understood.notes.append(
                f"NaN in {series.name!r} is read as not logged: most rows have it, and values follow"
            )
            continue
        if role == "grad-norm" and not to_the_end:
            run.understood.notes.append(
                f"{int(bad.sum())} gradient norms are not finite and ordinary ones follow, as loss scaling in "
                "float16 does"
            )
            continue
        last_finite = np.flatnonzero(~bad)
        first = int(last_finite[-1]) + 1 if to_the_end and len(last_finite) else int(np.flatnonzero(bad)[0])
        values = {
            "first_step": series.steps[first],
            "value": str(series.values[first]),
            "rows": int(bad.sum()),
            "last_finite": series.values[first - 1] if first else None,
        }
        if to_the_end:
            text = f"{series.name} is not finite from step {series.steps[first]:g} to the end"
            return Seen(
                "non-finite",
                series.name,
                [series.steps[first], series.steps[-1]],
                text,
                values,
                DECIDED,
                "the value stands in the log and none that is finite follows",
            )
        text = f"{series.name} is not finite in {int(bad.sum())} rows, the first at step {series.steps[first]:g}"
        return Seen(
            "non-finite",
            series.name,
            list(series.steps[bad][:10]),
            text,
            values,
            LIKELY,
            "finite values follow, so the weights stayed finite: a batch or the loss itself made it",
        )
    return None


def diverging(run: Run) -> Seen | None:
    """The training loss leaves the level it had reached and does not come back."""
    if run.loss is None or len(run.loss) < 10:
        return None
    end = level(run.loss, 0.95, 1.0)
    lowest = min(run.best, run.start)
    gain = max(run.start - lowest, 0.0)
    # risen above the start, or back by half of all that was gained
    above = end > run.start + max(0.3 * abs(run.start), 0.5 * gain, 6 * run.error)
    lost = end > lowest + 0.5 * gain + 6 * run.error and gain > max(6 * run.error, 0.05 * abs(run.start))
    at = int(np.argmin(run.pieces.medians))
    if not above and not (lost and at < 0.8 * len(run.pieces.medians)):
        return None
    step = float(run.pieces.steps[at])
    values = {"lowest": lowest, "at_step": step, "final": end, "start": run.start, "noise": run.sigma}
    rise = run.lr_at(run.loss.steps[-1])
    at_best = run.lr_at(step)
    why = "the last twentieth lies above the start of the run" if above else "half of what was gained is lost again"
    if rise is not None and at_best is not None and rise > 2 * at_best:
        values["learning_rate"] = [at_best, rise]
        why += f", while the learning rate grew from {at_best:.3g} to {rise:.3g}"
    return Seen(
        "diverging",
        run.loss.name,
        [step, run.loss.steps[-1]],
        f"the loss rises from {lowest:.4g} at step {step:g} to {end:.4g} at the end and does not come back",
        values,
        DECIDED if above else LIKELY,
        why,
    )


def learning_rate_too_high(run: Run) -> Seen | None:
    """The loss jumps above its start at once and stays poor, or only falls when the learning rate is lowered."""
    if run.loss is None or len(run.loss) < 20:
        return None
    drop = _first_drop(run)
    if drop is not None:
        step, before_rate, after_rate = drop
        before = run.loss.values[(run.loss.steps < step) & (run.loss.steps >= step - 0.3 * (step - run.loss.steps[0]))]
        after = run.loss.values[run.loss.steps > step + 0.5 * (run.loss.steps[-1] - step)]
        if len(before) >= 5 and len(after) >= 5:
            level_before, level_after = float(np.median(before)), float(np.median(after))
            stuck = level_before > 0.6 * run.start
            if (
                stuck
                and level_after < 0.7 * level_before
                and level_before - level_after > 3 * noise(before) / np.sqrt(len(before))
            ):
                return Seen(
                    "learning-rate-too-high",
                    run.loss.name,
                    [run.loss.steps[0], step],
                    f"at a learning rate of {before_rate:.3g} the loss made no way ({level_before:.4g}, start "
                    f"{run.start:.4g}); "
                    f"lowered to {after_rate:.3g} at step {step:g} it fell to {level_after:.4g}",
                    {
                        "before": level_before,
                        "after": level_after,
                        "start": run.start,
                        "learning_rate": [before_rate, after_rate],
                    },
                    DECIDED,
                    "the loss answered to the change of the learning rate alone",
                )
    early = window(run.loss, 0.0, 0.15)
    # the median of five rows, so that one bad batch does not count
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(early, 5), axis=1) if len(early) >= 5 else early[:1]
    peak = float(smooth.max())
    if peak > 1.6 * abs(run.start) + 5 * run.sigma and run.final > 0.25 * run.start:
        step = float(run.loss.steps[int(np.argmax(smooth))])
        return Seen(
            "learning-rate-too-high",
            run.loss.name,
            [run.loss.steps[0], step],
            f"the loss jumps from {run.start:.4g} to {peak:.4g} by step {step:g} and ends at {run.final:.4g}",
            {"start": run.start, "peak": peak, "at_step": step, "final": run.final},
            LIKELY,
            "an update that makes the loss worse at once was too long for this initialisation",
        )
    return None


def _first_drop(run: Run) -> tuple[float, float, float] | None:
    """The first step at which the learning rate falls to a third or less from one row to the next."""
    if run.lr is None or len(run.lr) < 4:
        return None
    values = run.lr.values
    at = np.flatnonzero((values[1:] <= values[:-1] / 3) & (values[:-1] > 0))
    if not len(at):
        return None
    first = int(at[0])
    if values[first + 1 :].max() > 0.5 * values[first]:
        # it comes back: what follows is not the answer to the cut
        return None
    return float(run.lr.steps[first + 1]), float(values[first]), float(values[first + 1])


def learning_rate_too_low(run: Run) -> Seen | None:
    """The loss falls all the way, little, and at the end no slower than before; validation falls with it.

    Without validation the same straight fall may be a network that memorises noise.
    """
    if run.loss is None or run.val is None or len(run.val) < 3 or len(run.loss) < 20 or run.final < 0.5 * run.start:
        return None
    epochs = run.epochs
    if epochs is not None and epochs < 5 or epochs is None and len(run.loss) < 200:
        return None
    if run.lr is not None and run.lr.values[-1] < 0.3 * run.lr.values.max():
        return None
    if level(run.val, 0.67, 1.0) > level(run.val, 0.33, 0.67):
        return None
    found = _straight_fall(run.pieces, run.error)
    if found is None and len(run.val) >= 8:
        # a batch is noisier than the validation set: a slow fall may show only there
        found = _straight_fall(pieces(run.val), noise(run.val.values))
    if found is None:
        return None
    early, late = found
    values = {
        "start": run.start,
        "final": run.final,
        "slope_first_half": early,
        "slope_second_half": late,
        "epochs": epochs,
        "learning_rate": run.lr_at(run.loss.steps[-1]),
    }
    return Seen(
        "learning-rate-too-low",
        run.loss.name,
        [run.loss.steps[0], run.loss.steps[-1]],
        f"the loss went from {run.start:.4g} to {run.final:.4g} over the whole run and still falls as fast as before",
        values,
        LIKELY,
        "the curve is straight where a run that gets anywhere bends",
    )


def _straight_fall(curve: Pieces, error: float) -> tuple[float, float] | None:
    """Slopes of the two halves of a curve that falls through both, in the second not much slower than in the first."""
    early, _, _ = slope(curve, 0.0, 0.5)
    late, _, late_high = slope(curve, 0.5, 1.0)
    fallen = -late * (curve.steps[-1] - curve.steps[0])
    if late_high >= 0 or early >= 0 or late > 0.5 * early or fallen < 3 * error:
        return None
    return early, late


def plateau(run: Run) -> Seen | None:
    """A long flat stretch at a level that the run later left without a cut of the learning rate."""
    found = flat_stretch(run)
    if found is None or run.lr is None:
        return None
    first, last, flat, reached = found
    if run.lr.values[0] < 0.2 * run.lr.values.max() and first < run.loss.steps[0] + 0.05 * (
        run.loss.steps[-1] - run.loss.steps[0]
    ):
        # nothing moves during a warm-up
        return None
    # the middle half: at its ends the stretch may reach past a change of the learning rate
    quarter = (last - first) / 4
    rates = run.lr.values[(run.lr.steps >= first + quarter) & (run.lr.steps <= last - quarter)]
    if not len(rates):
        return None
    after = run.lr_at(last + 0.1 * (run.loss.steps[-1] - last)) or 0.0
    middle = float(np.median(rates))
    throughout = run.lr.values[(run.lr.steps >= first) & (run.lr.steps <= last)]
    small = bool(np.mean(throughout < 0.05 * run.lr.values.max()) >= 0.7)
    # a cut after the stretch, or a schedule that moves through it, is what the loss answers to
    if after < 0.6 * middle or not small and rates.max() > 2 * rates.min():
        return None
    values = {
        "level": flat,
        "final": reached,
        "start": run.start,
        "learning_rate_in_stretch": middle,
        "learning_rate_after": after,
    }
    why = (
        "the learning rate in the stretch is a small part of its maximum, and the loss fell when it came back"
        if small
        else "the loss later fell far below, so the stretch was not the end of what the network can do"
    )
    return Seen(
        "plateau",
        run.loss.name,
        [first, last],
        f"the loss stands at {flat:.4g} from step {first:g} to {last:g} and later reaches {reached:.4g}",
        values,
        DECIDED if small else LIKELY,
        why,
    )


def flat_stretch(run: Run) -> tuple[float, float, float, float] | None:
    """First and last step of a flat stretch that is followed by a fall, its level, and the level after the fall.

    A loss that is merely converging falls ever more slowly; what follows a plateau is faster than the plateau. Both are
    judged on the logarithm of the loss, so that a plateau at a small loss counts like one at a large loss.
    """
    if run.loss is None or len(run.loss) < 30 or run.start - run.final < 6 * run.error:
        return None
    steps, medians = run.pieces.steps, run.pieces.medians
    size = len(medians)
    if size < 20:
        return None
    y = np.log(medians) if medians.min() > 0 else medians / max(run.start - run.best, 1e-12)
    rough = noise(y[size // 5 :])
    for length in range(int(0.6 * size), int(0.2 * size) - 1, -2):
        centred = np.arange(length) - (length - 1) / 2
        for low in range(0, size - length - 2):
            high = low + length
            inside, following = y[low:high], y[high + size // 20 : high + size // 20 + max(3, size // 4)]
            if len(following) < 2:
                continue
            trend = float(centred @ inside / (centred @ centred))
            drop = float(np.median(inside) - np.median(following))
            expected = max(0.0, -trend) * (length + len(following)) / 2
            if abs(trend) * length < 0.15 and drop > max(0.4, 3 * expected, 4 * rough):
                if _validation_moves(run, steps[low], steps[high - 1]):
                    continue
                flat = float(np.median(medians[low:high]))
                lowest = float(np.median(medians[max(high, size - size // 10) :]))
                if flat - lowest > 0.03 * (run.start - run.best):
                    return float(steps[low]), float(steps[high - 1]), flat, lowest
    return None


def _validation_moves(run: Run, first: float, last: float) -> bool:
    """The validation loss falls through the stretch, so the network was learning."""
    if run.val is None:
        return False
    inside = run.val.values[(run.val.steps >= first) & (run.val.steps <= last)]
    if len(inside) < 4 or inside.min() <= 0:
        return False
    third = max(1, len(inside) // 4)
    return bool(np.log(np.median(inside[:third]) / np.median(inside[-third:])) > 0.15)


def loss_spikes(run: Run) -> Seen | None:
    """Short rises far above the level around them that go back to it."""
    if run.loss is None or len(run.loss) < 60:
        return None
    groups = spikes(run)
    if len(groups) < 3:
        return None
    steps = np.array([step for step, _, _ in groups])
    spacing = np.diff(steps)
    values: dict[str, Any] = {
        "spikes": len(groups),
        "highest": max(value for _, value, _ in groups),
        "level_around": float(np.median([around for _, _, around in groups])),
        "noise": run.sigma,
    }
    why = "each rises far above the noise of its surroundings and goes back"
    if len(spacing) >= 3:
        unit = float(np.median(spacing))
        # a spike that was missed leaves a gap of two periods
        multiples = spacing / unit
        if np.mean(np.abs(multiples - np.round(multiples)) < 0.05) >= 0.8 and unit > 0:
            values["period"] = unit
            epoch = run.steps_per_epoch
            if epoch:
                values["steps_per_epoch"] = epoch
            boundary = epoch is not None and abs(unit / epoch - 1) < 0.05
            why += f"; they come every {unit:g} steps" + (", once an epoch" if boundary else "")
    return Seen(
        "loss-spikes",
        run.loss.name,
        [float(step) for step in steps[:50]],
        f"{len(groups)} spikes up to {values['highest']:.4g}, from a level of {values['level_around']:.4g}",
        values,
        DECIDED,
        why,
    )


def spikes(run: Run) -> list[tuple[float, float, float]]:
    """Step, value and surrounding level of every spike of the training loss."""
    series = run.loss
    assert series is not None
    size = len(series)
    width = int(np.clip(size // 60, 12, 200))
    count = size // width
    blocks = series.values[: count * width].reshape(count, width)
    middle = np.median(blocks, axis=1)
    spread = 1.4826 * np.median(np.abs(blocks - middle[:, None]), axis=1)
    # the level between blocks is joined by lines, so that a steep descent is no spike
    centres = (np.arange(count) + 0.5) * width
    around = np.interp(np.arange(size), centres, middle)
    scale = np.interp(np.arange(size), centres, np.maximum(spread, np.median(spread)))
    rise = series.values - around
    # where nearly everything is fitted, single hard examples make the batches heavy-tailed: only a rise to the order of
    # the start counts there
    fitted = np.abs(around) < 0.1 * abs(run.start)
    least = np.where(fitted, 0.5 * abs(run.start), np.maximum(0.5 * np.abs(around), 0.1 * abs(run.start)))
    high = rise > np.maximum(10 * scale, least)
    high[: max(5, size // 50)] = False
    at = np.flatnonzero(high)
    if not len(at):
        return []
    groups = []
    for group in np.split(at, np.flatnonzero(np.diff(at) > 3) + 1):
        # longer than a quarter of a block is a change of level, not a spike
        if group[-1] - group[0] < max(6, width // 4) and group[-1] < size - 2:
            top = int(group[np.argmax(series.values[group])])
            groups.append((float(series.steps[top]), float(series.values[top]), float(around[top])))
    return groups


def resume_jump(run: Run) -> Seen | None:
    """The loss after a restart lies above the loss before it by more than noise."""
    series = run.understood.series.get("train-loss")
    if series is None or run.loss is None:
        return None
    for back in series.back:
        old = series.replaced[np.isfinite(series.replaced[:, 1])]
        after = run.loss.values[run.loss.steps >= back][:10]
        again = run.loss.steps[run.loss.steps >= back][:10]
        before = old[(old[:, 0] >= back) & (old[:, 0] <= again[-1])][:, 1] if len(again) else old[:0, 1]
        earlier = run.loss.values[run.loss.steps < back][-20:]
        if len(before) < 3:
            before = earlier
        if len(after) < 3 or len(before) < 3:
            continue
        old_level, new_level = float(np.median(before)), float(np.median(after))
        spread = max(noise(np.concatenate([earlier, before])), 1e-12)
        if new_level > 1.25 * old_level and new_level - old_level > 3 * spread * 1.25 / np.sqrt(
            min(len(before), len(after))
        ):
            return Seen(
                "resume-jump",
                run.loss.name,
                [back],
                f"the run goes back to step {back:g}; there the loss was {old_level:.4g} and is now {new_level:.4g}",
                {"before": old_level, "after": new_level, "noise": spread, "step": back},
                DECIDED,
                "the same steps were logged twice and differ by more than the noise",
            )
    jump = level_jump(run)
    # where single batches hurt the network again and again, a rise after one of them is no resume
    if jump is not None and run.lr is not None and len(spikes(run)) < 3:
        step, before_level, after_level = jump
        return Seen(
            "resume-jump",
            run.loss.name,
            [step],
            f"at step {step:g} the loss steps up from {before_level:.4g} to {after_level:.4g} and comes down slowly",
            {"before": before_level, "after": after_level, "step": step, "learning_rate": run.lr_at(step)},
            LIKELY,
            "the learning rate did not change there; the log does not say that the run was resumed",
        )
    return None


def level_jump(run: Run) -> tuple[float, float, float] | None:
    """The largest step up of the training loss that lasts and that no rise of the learning rate explains."""
    series = run.loss
    if series is None or len(series) < 60:
        return None
    width = int(np.clip(len(series) // 60, 6, 500))
    count = len(series) // width
    blocks = series.values[: count * width].reshape(count, width)
    middle = np.median(blocks, axis=1)
    spread = 1.4826 * np.median(np.abs(blocks - middle[:, None]), axis=1)
    best = None
    for index in range(3, count - 1):
        before = float(np.median(middle[index - 2 : index]))
        after = float(middle[index])
        local = max(float(np.median(spread[index - 2 : index + 1])), 1e-12)
        rise = after - before
        if rise < max(0.8 * abs(before), 0.1 * abs(run.start), 4 * local):
            continue
        step = float(series.steps[index * width])
        reach = 2.0 * float(series.steps[min(len(series) - 1, (index + 1) * width)] - step)
        if run.lr_rose(step, reach):
            continue
        # one high block is a bad stretch of data; a damaged network takes longer to come back
        if middle[-1] > before + 0.7 * rise or middle[index + 1] < before + 0.25 * rise:
            continue
        if best is None or rise > best[2] - best[1]:
            best = (step, before, after)
    return best


def clipping_always_active(run: Run) -> Seen | None:
    """The gradient is clipped in more than half of the logged steps."""
    if run.clipped is not None and len(run.clipped) >= 10:
        part = as_part(run.clipped.values)
        if part is not None and part.mean() > 0.5:
            return _clipped(run.clipped, float(part.mean()), {}, "the log holds the part of clipped steps")
    if run.norm is None or len(run.norm) < 20:
        return None
    if run.clip is not None and len(run.clip) and (run.clip.values > 0).all():
        at = np.clip(np.searchsorted(run.clip.steps, run.norm.steps, side="right") - 1, 0, None)
        threshold = run.clip.values[at]
        part = float(np.mean(run.norm.values >= threshold * (1 - 1e-4)))
        if part > 0.5:
            return _clipped(
                run.norm, part, {"threshold": float(np.median(threshold))}, "norm and threshold both stand in the log"
            )
        return None
    top = float(run.norm.values.max())
    part = float(np.mean(run.norm.values >= top * (1 - 1e-3)))
    if top > 0 and part > 0.5:
        return _clipped(
            run.norm,
            part,
            {"threshold": top},
            "so many norms equal to their maximum only come from a norm logged after clipping",
        )
    return None


def _clipped(series: Series, part: float, values: dict[str, Any], why: str) -> Seen:
    values = {"clipped_part": part, "median_norm": float(np.median(series.values)), **values}
    return Seen(
        "clipping-always-active",
        series.name,
        [series.steps[0], series.steps[-1]],
        f"the gradient is clipped in {part:.0%} of the logged steps: its length carries no information any more",
        values,
        DECIDED,
        why,
    )


def schedule_ended_early(run: Run) -> Seen | None:
    """The learning rate is at zero, or a thousandth of its maximum, for a fifth of the run or more, to the end."""
    if run.lr is None or run.loss is None or len(run.lr) < 10 or run.lr.values.max() <= 0:
        return None
    small = run.lr.values <= 1e-3 * run.lr.values.max()
    if not small[-1]:
        return None
    large = np.flatnonzero(~small)
    ended = float(run.lr.steps[large[-1] + 1])
    part = (run.lr.steps[-1] - ended) / max(run.lr.steps[-1] - run.lr.steps[0], 1e-12)
    if part < 0.2:
        return None
    values = {
        "ended_at_step": ended,
        "part_of_run_left": float(part),
        "final": run.final,
        "learning_rate": [float(run.lr.values.max()), float(run.lr.values[-1])],
    }
    return Seen(
        "schedule-ended-early",
        run.lr.name,
        [ended, run.lr.steps[-1]],
        f"the learning rate is used up at step {ended:g}; the last {part:.0%} of the run trains nothing",
        values,
        DECIDED,
        "the learning rate stands in the log",
    )
