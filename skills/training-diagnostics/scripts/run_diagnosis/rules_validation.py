"""Faults that show in validation, in metrics, or in the level of the loss: one function for each."""

from __future__ import annotations

import math

import numpy as np

from run_diagnosis.columns import Series, name_words
from run_diagnosis.features import Run, as_part, is_accuracy, level, noise, pieces, slope, window
from run_diagnosis.rules_training import DECIDED, LIKELY, Seen


def smoothed(series: Series) -> np.ndarray:
    """Running median of three, so that one lucky evaluation is no minimum."""
    values = series.values
    if len(values) < 5:
        return values
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], middle, values[-1:]])


def overfitting(run: Run) -> Seen | None:
    """The validation loss passes a minimum and rises while the training loss goes on falling."""
    if run.val is None or len(run.val) < 6:
        return None
    values = smoothed(run.val)
    at = int(np.argmin(values[:-1]))
    lowest, end = float(values[at]), float(np.median(run.val.values[-max(3, len(values) // 10) :]))
    step = float(run.val.steps[at])
    after = run.val.values[at:]
    if len(after) < 4 or end - lowest < max(0.15 * abs(lowest), 3 * noise(after) / math.sqrt(min(len(after), 10))):
        return None
    values_seen = {"lowest_validation": lowest, "at_step": step, "final_validation": end}
    if run.loss is None:
        return Seen(
            "overfitting",
            run.val.name,
            [step, run.val.steps[-1]],
            f"the validation loss rises from {lowest:.4g} at step {step:g} to {end:.4g}",
            values_seen,
            LIKELY,
            "there is no training loss to set beside it",
        )
    then = run.loss.values[(run.loss.steps <= step)][-max(3, len(run.loss) // 20) :]
    if not len(then):
        return None
    training_then = float(np.median(then))
    if run.final > training_then - run.error:
        return None
    values_seen |= {"training_then": training_then, "final_training": run.final}
    return Seen(
        "overfitting",
        run.val.name,
        [step, run.val.steps[-1]],
        f"the validation loss rises from {lowest:.4g} at step {step:g} to {end:.4g}, the training loss falls from "
        f"{training_then:.4g} to {run.final:.4g}",
        values_seen,
        DECIDED,
        "both curves stand in the log and part by more than their noise",
    )


def labels_shuffled(run: Run) -> Seen | None:
    """The training loss falls, the validation loss never gets below that of the untrained network."""
    if run.loss is None or run.val is None or len(run.val) < 5:
        return None
    chance = run.chance if run.chance is not None else run.start
    if run.final > 0.85 * chance:
        return None
    lowest = float(smoothed(run.val).min())
    if lowest < 0.93 * chance or lowest < 0.9 * float(run.val.values[0]):
        return None
    values = {
        "untrained": chance,
        "final_training": run.final,
        "lowest_validation": lowest,
        "final_validation": float(run.val.values[-1]),
    }
    why = "a network that learns anything of the inputs gets below the untrained one at least for a while"
    metric = run.val_metric
    part = as_part(metric.values) if metric is not None else None
    if part is not None:
        classes = run.classes or round(math.exp(run.start))
        best = float(np.median(np.sort(part)[-3:]))
        values["best_metric"] = best
        if classes > 1 and best > 2.5 / classes and best > 0.5:
            return None
    return Seen(
        "labels-shuffled",
        run.val.name,
        [run.val.steps[0], run.val.steps[-1]],
        f"the training loss falls to {run.final:.4g}, the validation loss never goes below {lowest:.4g}, where an "
        "untrained "
        f"network has {chance:.4g}",
        values,
        DECIDED if part is not None else LIKELY,
        why,
    )


def loss_at_chance(run: Run) -> Seen | None:
    """The loss stays where a network that knows nothing is."""
    if run.loss is None or len(run.loss) < 10:
        return None
    end = level(run.loss, 0.6, 1.0)
    chance = run.chance
    metric = run.metric()
    part = as_part(metric.values) if metric is not None else None
    near = None
    if chance is not None:
        # an untrained network is no better than guessing, and may be a little worse
        near = 0.96 * chance < end < 1.3 * chance
    elif end > 0:
        classes = round(math.exp(min(end, 12.0)))
        if classes >= 2 and abs(end / math.log(classes) - 1) < 0.02:
            if part is not None:
                near = bool(np.median(part[len(part) // 2 :]) < 1.6 / classes)
            elif classes == 2 or classes <= 20 and abs(run.start - end) < 0.03 * end:
                near = True
            chance = math.log(classes)
    span = run.loss.steps[-1] - run.loss.steps[0]
    trend, _, high = slope(run.pieces, 0.2, 1.0)
    moving = high < 0 and -trend * span > 3 * run.error
    if run.val is not None and len(run.val) >= 8:
        falling, _, highest = slope(pieces(run.val), 0.5, 1.0)
        moving |= highest < 0 and -falling * span > 0.002 * abs(end)
    first = level(run.loss, 0.0, 0.2)
    fallen = first - end
    unmoved = abs(first - end) < max(0.02 * abs(first), 2 * run.error)
    enough = run.error < 0.02 * abs(end) and (run.epochs is None or run.epochs >= 3)
    # at the level of guessing a fall of a few percent is no way out; elsewhere any clear fall is
    if not enough or not near and (moving or not unmoved) or near and moving and fallen > 0.04 * abs(end):
        return None
    values = {"level": end, "start": run.start, "noise": run.sigma}
    if chance is not None and near:
        values["chance"] = chance
        text = f"the loss stays at {end:.4g}; who knows nothing has ln({round(math.exp(chance))}) = {chance:.4g}"
        return Seen(
            "loss-at-chance",
            run.loss.name,
            [run.loss.steps[0], run.loss.steps[-1]],
            text,
            values,
            DECIDED,
            "the level is that of guessing, and it does not fall",
        )
    return Seen(
        "loss-at-chance",
        run.loss.name,
        [run.loss.steps[0], run.loss.steps[-1]],
        f"the loss starts at {run.start:.4g} and is at {end:.4g} at the end: nothing was learned",
        values,
        LIKELY,
        "the level of guessing is not known (--num-classes); the loss did not move by more than its noise",
    )


def double_activation_floor(classes: int) -> float:
    """Lowest cross-entropy with softmax applied twice: -ln(e / (e + C - 1)), since the largest logit is then 1.

    Args:
        classes: number of classes C; with 2, sigmoid applied twice has this floor for the positive class
            and ln 2 for the negative one.
    """
    return math.log(1 + (classes - 1) / math.e)


def attainable(accuracy: float, classes: int) -> float:
    """Cross-entropy that any classifier of this accuracy reaches by saying every prediction with that confidence.

    Args:
        accuracy: part of the examples that are classified rightly.
        classes: number of classes.

    Returns:
        The entropy of the accuracy plus (1 - accuracy) ln(C - 1), in nats: Fano's inequality with equality.
    """
    wrong = 1 - accuracy
    entropy = -sum(p * math.log(p) for p in (accuracy, wrong) if p > 0)
    return entropy + (wrong * math.log(classes - 1) if classes > 2 else 0.0)


def loss_floor(run: Run) -> Seen | None:
    """The metric says that the network is good, the loss stands at the floor of an activation that is applied twice."""
    if run.loss is None or len(run.loss) < 10 or run.final <= 0:
        return None
    metric = run.metric()
    part = as_part(metric.values) if metric is not None and "r2" not in name_words(metric.name) else None
    if part is None:
        return None
    accuracy = float(np.median(part[-max(1, len(part) // 5) :]))
    classes = run.classes or max(2, round(math.exp(min(run.start, 12.0))))
    if accuracy < 0.75:
        return None
    floor = double_activation_floor(classes)
    ceiling = math.log(2) * 1.02 if classes == 2 else 1.15 * floor
    lowest = float(np.quantile(window(run.loss, 0.5, 1.0), 0.02))
    if not 0.98 * floor <= run.final <= ceiling or lowest < 0.9 * floor:
        return None
    possible = attainable(min(accuracy, 1.0), classes)
    if run.final < 1.3 * possible:
        return None
    values = {
        "level": run.final,
        "floor": floor,
        "metric": accuracy,
        "attainable_at_this_metric": possible,
        "classes": classes,
    }
    if classes == 2:
        text = f"the loss stands at {run.final:.4g}; sigmoid applied twice ends at {floor:.4g} to {math.log(2):.4g}"
    else:
        text = f"the loss stands at {run.final:.4g}; softmax applied twice ends at {floor:.4g} with {classes} classes"
    return Seen(
        "loss-floor",
        run.loss.name,
        [float(run.pieces.steps[len(run.pieces.steps) // 2]), run.loss.steps[-1]],
        f"{text}, while the metric is {accuracy:.3g}",
        values,
        LIKELY,
        "at this metric a far lower loss is possible, and the level is that of the known mistake",
    )


def constant_metric(run: Run) -> Seen | None:
    """A metric does not change from the first evaluation to the last while the loss does."""
    for series in (run.val_metric, run.train_metric):
        if series is None or len(series) < 6 or run.loss is None and run.val is None:
            continue
        value = float(series.values[0])
        if not np.all(series.values == value):
            continue
        judge = run.loss if run.loss is not None else run.val
        assert judge is not None
        first, last = level(judge, 0.0, 0.1), level(judge, 0.9, 1.0)
        if first - last < 0.2 * abs(first):
            continue
        part = as_part(series.values)
        if part is not None and part[0] >= 0.95:
            continue
        values = {"metric": value, "evaluations": len(series), "loss_first": first, "loss_last": last}
        loss = run.val if series is run.val_metric and run.val is not None else run.loss
        lowest = level(loss, 0.9, 1.0) if loss is not None else math.inf
        # a wrongly classified example has p <= 1/2 on its class and costs ln 2 or more
        if part is not None and is_accuracy(series, run.classes) and lowest < 0.95 * (1 - part[0]) * math.log(2):
            values["least_loss_at_this_metric"] = (1 - part[0]) * math.log(2)
            return Seen(
                "constant-metric",
                series.name,
                [series.steps[0], series.steps[-1]],
                f"{series.name} is {value:.4g} in all {len(series)} evaluations; as an accuracy it would need a "
                f"cross-entropy of at least {values['least_loss_at_this_metric']:.3g}, and the loss is {lowest:.3g}",
                values,
                DECIDED,
                "every wrong answer costs ln 2 or more, so this metric is not that of these outputs",
            )
        return Seen(
            "constant-metric",
            series.name,
            [series.steps[0], series.steps[-1]],
            f"{series.name} is {value:.4g} in all {len(series)} evaluations while the loss goes from {first:.4g} to "
            f"{last:.4g}",
            values,
            LIKELY,
            "the same number to the last digit while the network changed",
        )
    return None


def leakage_suspected(run: Run) -> Seen | None:
    """The validation loss keeps pace with a training loss that goes to almost nothing over several epochs.

    On the last part of the way down, from a tenth of its start, a network learns its examples by heart; on those
    that it never saw the loss falls less.
    """
    if run.loss is None or run.val is None or len(run.val) < 8 or run.start <= 0 or run.final <= 0:
        return None
    if run.epochs is not None and run.epochs < 3 or run.val.values.min() <= 0:
        return None
    low = np.flatnonzero(run.pieces.medians <= 0.1 * run.start)
    if not len(low):
        return None
    at = float(run.pieces.steps[low[0]])
    since = np.flatnonzero(run.val.steps >= at)
    if len(since) < 5:
        return None
    values = smoothed(run.val)
    end = float(np.median(values[-max(3, len(values) // 10) :]))
    then = float(np.interp(run.val.steps[since[0]], run.pieces.steps, run.pieces.medians))
    training_fall = math.log(then / run.final) if then > 0 else 0.0
    validation_fall = math.log(float(values[since[0]]) / end)
    # both on the logarithm: a fall to a third or less, of which validation makes nearly all
    if training_fall < math.log(3) or validation_fall < 0.85 * training_fall or not 0.7 < end / run.final < 1.35:
        return None
    seen = {
        "final_training": run.final,
        "final_validation": end,
        "start": run.start,
        "training_fell_to": math.exp(-training_fall),
        "validation_fell_to": math.exp(-validation_fall),
        "since_step": at,
    }
    return Seen(
        "leakage-suspected",
        run.val.name,
        [at, run.val.steps[-1]],
        f"training loss {run.final:.3g} and validation loss {end:.3g}: from step {at:g} on both fell alike, to "
        f"{math.exp(-training_fall):.2g} and {math.exp(-validation_fall):.2g} of what they were",
        seen,
        LIKELY,
        "a network that learns its training data by heart does worse on examples it never saw",
    )


def underfitting(run: Run) -> Seen | None:
    """Training and validation level off together, at a level and a metric that are poor."""
    if run.loss is None or len(run.loss) < 10 or run.final < 0.25 * run.start:
        return None
    metric = run.metric()
    # of another metric, such as the coefficient of determination, nobody knows how high it could be
    part = as_part(metric.values) if metric is not None and is_accuracy(metric, run.classes) else None
    if part is None:
        return None
    end_metric = float(np.median(part[-max(1, len(part) // 5) :]))
    if end_metric > 0.85:
        return None
    late = level(run.loss, 0.5, 0.75) - level(run.loss, 0.75, 1.0)
    gain = run.start - run.final
    if gain < 4 * run.error or late > max(0.12 * gain, 2 * run.error):
        return None
    values = {"final_training": run.final, "start": run.start, "metric": end_metric, "gained_in_last_quarter": late}
    if run.val is not None:
        end = float(np.median(run.val.values[-3:]))
        values["final_validation"] = end
        if end > 1.35 * run.final:
            return None
    return Seen(
        "underfitting",
        run.loss.name,
        [float(run.pieces.steps[len(run.pieces.steps) // 2]), run.loss.steps[-1]],
        f"the training loss levels off at {run.final:.4g} (start {run.start:.4g}) with a metric of {end_metric:.3g}; "
        "validation is no worse",
        values,
        LIKELY,
        "the network does not fit even the data it is trained on",
    )


def poor_metric_of_unknown_kind(run: Run) -> str | None:
    """The name of a low metric whose name does not say what it is, in a run that kept more than half of its loss."""
    metric = run.metric()
    if metric is None or run.final < 0.5 * run.start or is_accuracy(metric, run.classes):
        return None
    part = as_part(metric.values)
    low = part is not None and float(np.median(part[-max(1, len(part) // 5) :])) <= 0.8
    return repr(metric.name) if low and set(name_words(metric.name)) & {"metric", "score"} else None


def validation_followed(run: Run) -> bool:
    """The validation loss fell by more than its noise and ends near its best."""
    if run.val is None or len(run.val) < 5:
        return False
    values = smoothed(run.val)
    end = float(np.median(values[-max(2, len(values) // 10) :]))
    error = noise(run.val.values) / math.sqrt(3)
    first = max(float(values[0]), run.start if run.loss is not None else float(values[0]))
    return first - end > 3 * error and end - float(values.min()) <= max(0.15 * abs(float(values.min())), 3 * error)
