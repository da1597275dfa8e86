# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "typer", "rich", "matplotlib", "torch", "jax", "optax"]
# ///
"""Trains a model for some steps while the learning rate grows, and reads the limits off the curve of the loss.

    lr_range_test.py --target target.py:build --plot curve.png
    lr_range_test.py --target target.py:build --optimizer momentum --start 1e-4 --end 10 --json

A target is a function that returns {"model": ..., "batch": (inputs, targets), "loss_fn": ...}, in PyTorch or JAX. Give
it a batch of some hundred examples at least: minibatches are drawn from it. The state of the target is put back.

The rate grows by the same factor at every step (Smith 2017). The losses are the median over --repeats orders of the
data, smoothed around each step, without the lag of a running mean. Read from them:

    steepest      where the loss falls fastest per factor of the rate, before its minimum
    minimum       where it is lowest
    last_stable   the highest rate before the loss has risen again by a quarter of its fall
    diverges_at   the first rate where it is above its start, or not finite

Search learning rates around `steepest`, up to `last_stable`; that is the upper end for a constant rate of this
optimizer, batch size and model without warm-up. The right rate for a long run is often lower.

The optimizer is that of the target, else SGD; --optimizer sgd, momentum (0.9) or adam replaces it. An optax
transformation has its rate built in: give optax.inject_hyperparams(optax.adam)(learning_rate=1e-3), or --optimizer.

Verdict: range-found, no-divergence (the loss fell, and did not rise up to --end), or cannot-decide: the loss does not
move more than its noise, or rises from the start. Finding: non-finite-loss (in the first steps, at the lowest rate).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.pictures import check_picture, write_picture
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "lr-range-test"
OPTIMIZERS = ("target", "sgd", "momentum", "adam")
# share of the fall by which the loss must rise before a rate counts as unstable
RISE = 0.25
# the fall must be this share of the loss at the start, and this many times the noise
LEAST_FALL, NOISE_FACTOR = 0.05, 4.0
# width of the smoothing, as a share of all steps
SMOOTHING = 0.03

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def range_test(
    target: Any,
    *,
    start: float = 1e-5,
    end: float = 10.0,
    steps: int = 120,
    batch_size: int | None = None,
    optimizer: str = "target",
    repeats: int = 3,
    seed: int = 0,
    tick: Callable[[], None] = lambda: None,
) -> tuple[list[float], list[list[float]]]:
    """The losses of short trainings with a growing learning rate.

    Args:
        target: from `dltools.target.load`.
        start, end: the first and the last learning rate.
        steps: number of updates in each training.
        batch_size: examples in a step; by default 64, or the whole batch where it is smaller.
        optimizer: one of `OPTIMIZERS`.
        repeats: trainings, each with another order of the data.
        seed: of the orders and of dropout.
        tick: called after every step.

    Returns:
        The learning rates, and for each repeat the loss at each step, before its update; a repeat ends early with the
        first loss that is not finite or ten times that of the start.

    Raises:
        UnusableInput: the optimizer cannot be given a rate, or inputs and targets differ in length.
    """
    import numpy as np

    rates = np.geomspace(start, end, steps).tolist()
    size = min(batch_size or 64, target.batch_size)
    trainer = _torch_trainer if target.framework == "torch" else _jax_trainer
    losses = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, repeat])
        order: list[int] = []
        curve: list[float] = []
        with target.preserved():
            step = trainer(target, optimizer, seed + repeat)
            for rate in rates:
                if len(order) < size:
                    order = rng.permutation(target.batch_size).tolist()
                chosen, order = order[:size], order[size:]
                curve.append(step(_examples(target.batch, chosen), rate))
                tick()
                if not math.isfinite(curve[-1]) or curve[-1] > 10 * abs(curve[0]):
                    break
        losses.append(curve)
    return rates, losses


def judge(rates: Sequence[float], losses: Sequence[Sequence[float]]) -> Report:
    """Reads steepest point, minimum and limits off the curves.

    Args:
        rates: learning rates, growing by a constant factor.
        losses: for each repeat the losses, as from `range_test`; shorter than `rates` where training diverged.
    """
    import numpy as np

    if any(not math.isfinite(curve[0]) for curve in losses):
        message = f"the loss is {losses[0][0]} at the first step, before any update"
        step = "find the module that makes it: training-diagnostics, probe_model.py"
        return Report(TOOL, "faults", [Finding("non-finite-loss", "step 1", message, {"rate": rates[0]}, step)])
    # the median over repeats; a repeat that has ended counts as infinite
    full = np.full((len(losses), len(rates)), np.inf)
    for row, curve in zip(full, losses, strict=True):
        row[: len(curve)] = [loss if math.isfinite(loss) else math.inf for loss in curve]
    raw = np.median(full, axis=0)
    ended = int(np.argmax(~np.isfinite(raw))) if not np.isfinite(raw).all() else len(raw)
    few = max(3, len(rates) // 10)
    initial = float(np.median(raw[: min(few, ended)]))
    # capped, as otherwise the mean would carry a diverging loss back to rates where it was still low
    capped = np.minimum(raw[:ended], initial + max(initial - raw.min(), LEAST_FALL * abs(initial)))
    smooth = _smoothed(capped, max(1.0, SMOOTHING * len(rates)))
    curve = {"rates": list(rates[:ended]), "loss": raw[:ended].tolist(), "smoothed": smooth.tolist()}
    lowest = int(np.argmin(smooth))
    fall = initial - float(smooth[lowest])
    # the noise of one point is that of its residual; a loss near zero has none, so the start is what counts
    noise = float(np.std((capped - smooth)[: max(lowest, few)]))
    measured: dict[str, Any] = {"initial_loss": initial, "fall": fall, "noise": noise, "curve": curve}
    reason = ""
    if fall < max(LEAST_FALL * abs(initial), NOISE_FACTOR * noise):
        if ended < len(rates) or smooth[-1] > initial + max(LEAST_FALL * abs(initial), NOISE_FACTOR * noise):
            reason = (
                f"the loss never falls clearly below its start ({initial:.4g}) and then rises: lower --start, or the "
                "model does not learn (training-diagnostics)"
            )
        else:
            reason = (
                f"the loss stays at {initial:.4g} from rate {rates[0]:.3g} to {rates[-1]:.3g} (fall {fall:.2g}, noise "
                f"{noise:.2g}): no clear answer. Raise --end or --steps; if it stays flat, check that the model can "
                "fit one batch (training-diagnostics, sanity_suite.py)"
            )
    if reason:
        return Report(TOOL, CANNOT_DECIDE, measured=measured, notes=[reason])
    slope = np.gradient(smooth, np.log(rates[1] / rates[0]))
    steepest = int(np.argmin(slope[: lowest + 1]))
    rise = next((i for i in range(lowest, ended) if smooth[i] > smooth[lowest] + RISE * fall), ended)
    above = next((i for i in range(rise, ended) if smooth[i] > initial), ended)
    measured |= {
        "steepest": rates[steepest],
        "minimum": rates[lowest],
        "last_stable": rates[rise - 1] if rise < len(rates) else None,
        "diverges_at": rates[above] if above < len(rates) else None,
    }
    notes = [f"steepest at {rates[steepest]:.3g}, lowest loss {smooth[lowest]:.4g} at {rates[lowest]:.3g}"]
    if rise < len(rates):
        end = f"; diverges at {rates[above]:.3g}" if above < len(rates) else ""
        notes.append(f"last stable rate {rates[rise - 1]:.3g}{end}")
    else:
        notes.append(f"the loss has not risen again up to {rates[-1]:.3g}; raise --end to find the limit")
    return Report(TOOL, "range-found" if rise < len(rates) else "no-divergence", measured=measured, notes=notes)


def plot(report: Report, path: Path) -> None:
    """Draws the losses against the rates, with the points that were read off."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    curve = report.measured["curve"]
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogx(curve["rates"], curve["loss"], ".", color="tab:blue", alpha=0.4, label="median of the repeats")
    axes.semilogx(curve["rates"], curve["smoothed"], color="tab:blue", label="smoothed")
    for name, colour in (("steepest", "tab:green"), ("last_stable", "tab:orange"), ("diverges_at", "tab:red")):
        if report.measured.get(name) is not None:
            label = f"{name.replace('_', ' ')} {report.measured[name]:.3g}"
            axes.axvline(report.measured[name], color=colour, label=label)
    initial = report.measured["initial_loss"]
    axes.set(xlabel="learning rate", ylabel="loss", ylim=(min(0.0, min(curve["loss"])), 1.5 * initial))
    axes.legend()
    write_picture(path, figure)


def _smoothed(values: Any, width: float) -> Any:
    """Gaussian mean around each point; near an end it is over the points that there are."""
    import numpy as np

    index = np.arange(len(values))
    weights = np.exp(-0.5 * ((index[:, None] - index[None, :]) / width) ** 2)
    return (weights @ values) / weights.sum(axis=1)


def _examples(batch: tuple[Any, Any], chosen: list[int]) -> tuple[Any, Any]:
    def pick(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: pick(value) for name, value in part.items()}
        if isinstance(part, (tuple, list)):
            return type(part)(pick(value) for value in part)
        if not getattr(part, "shape", ()):
            return part
        if part.shape[0] <= max(chosen):
            raise UnusableInput(f"inputs and targets differ in length: one has the shape {tuple(part.shape)}")
        import numpy as np

        return part[np.asarray(chosen)]

    return pick(batch[0]), pick(batch[1])


def _torch_trainer(target: Any, name: str, seed: int) -> Callable[[tuple[Any, Any], float], float]:
    import torch

    parameters = list(target.parameters().values())
    if not parameters:
        raise UnusableInput("the model has no trainable floating-point parameter")
    if name == "target" and target.optimizer is not None:
        optimizer = target.optimizer
    elif name == "adam":
        optimizer = torch.optim.Adam(parameters)
    else:
        optimizer = torch.optim.SGD(parameters, lr=1.0, momentum=0.9 if name == "momentum" else 0.0)
    # the model is put back, with its mode and its generators, when `preserved` ends
    target.model.train()
    torch.manual_seed(seed)

    def step(batch: tuple[Any, Any], rate: float) -> float:
        for group in optimizer.param_groups:
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        optimizer.zero_grad()
        loss = target.loss_fn(target.forward(batch[0]), batch[1])
        value = target.scalar(loss)
        if not loss.requires_grad:
            raise UnusableInput("no gradient flows from the loss to the model: one of them is detached")
        if math.isfinite(value):
            loss.reshape(()).backward()
            optimizer.step()
        return value

    return step


def _jax_trainer(target: Any, name: str, seed: int) -> Callable[[tuple[Any, Any], float], float]:
    import jax
    import jax.numpy as jnp
    import optax

    leaves, structure = jax.tree.flatten(target.params)
    trained = [i for i, leaf in enumerate(leaves) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    if not trained:
        raise UnusableInput("the parameters hold no floating-point array")
    if name == "target" and target.optimizer is not None:
        transform, injected = target.optimizer, True
    else:
        transform = optax.scale_by_adam() if name == "adam" else optax.trace(0.9 if name == "momentum" else 0.0)
        injected = False
    floats = [leaves[i] for i in trained]
    memory = transform.init(floats)
    if injected and "learning_rate" not in (getattr(memory, "hyperparams", None) or {}):
        raise UnusableInput(
            "the optax transformation of the target has its learning rate built in; give "
            "optax.inject_hyperparams(optax.adam)(learning_rate=1e-3), or choose --optimizer sgd, momentum or adam"
        )

    @jax.jit
    def update(floats: list, memory: Any, other: Any, inputs: Any, targets: Any, rate: Any, key: Any) -> tuple:
        def loss_of(floats: list) -> tuple:
            merged = list(leaves)
            for index, value in zip(trained, floats, strict=True):
                merged[index] = value
            params = jax.tree.unflatten(structure, merged)
            outputs, changed = target.call(params, inputs, train=True, seed=key, other=other)
            return jnp.asarray(target.loss_fn(outputs, targets)).reshape(()), changed

        (loss, changed), gradients = jax.value_and_grad(loss_of, has_aux=True)(floats)
        if injected:
            memory = memory._replace(hyperparams={**memory.hyperparams, "learning_rate": rate})
        updates, memory = transform.update(gradients, memory, floats)
        if not injected:
            updates = [-rate * update for update in updates]
        return loss, optax.apply_updates(floats, updates), memory, changed

    state = [floats, memory, target.other, seed * 1_000_003]

    def step(batch: tuple[Any, Any], rate: float) -> float:
        rate_array = jnp.asarray(rate, jnp.float32)
        loss, *state[:3] = update(*state[:3], *batch, rate_array, state[3])
        state[3] += 1
        return float(loss)

    return step


@app.command(help=help_text(__doc__))
def main(
    target: Annotated[str, typer.Option(help="FILE.py:factory")],
    start: Annotated[float, typer.Option(help="first learning rate")] = 1e-5,
    end: Annotated[float, typer.Option(help="last learning rate")] = 10.0,
    steps: Annotated[int, typer.Option(help="updates, at least 30")] = 120,
    batch_size: Annotated[int | None, typer.Option(help="examples in a step; 64, or the whole batch")] = None,
    optimizer: Annotated[str, typer.Option(help=", ".join(OPTIMIZERS))] = "target",
    repeats: Annotated[int, typer.Option(help="trainings with another order of the data")] = 3,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="picture (.png, .svg, .pdf)")] = None,
    device: Annotated[str, typer.Option(help="for PyTorch, such as cuda:0")] = "cpu",
    timeout: Annotated[float, typer.Option(help="seconds for the factory")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the order of the data and of dropout")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if not (0 < start < end and math.isfinite(end)):
            raise UnusableInput(f"--start {start:g} and --end {end:g}: both above 0, and start below end")
        if steps < 30 or repeats < 1 or (batch_size is not None and batch_size < 1) or seed < 0:
            raise UnusableInput("--steps must be at least 30, --repeats and --batch-size at least 1, --seed at least 0")
        if optimizer not in OPTIMIZERS:
            raise UnusableInput(f"--optimizer is {optimizer!r}; choose from {', '.join(OPTIMIZERS)}")
        check_picture(plot_to)
        from dltools.target import load
        from rich.console import Console
        from rich.progress import Progress

        loaded = load(target, timeout=timeout, device=device)
        with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
            bar = progress.add_task("training", total=steps * repeats)
            rates, losses = range_test(
                loaded, start=start, end=end, steps=steps, batch_size=batch_size, optimizer=optimizer, repeats=repeats,
                seed=seed, tick=lambda: progress.advance(bar),
            )  # fmt: skip
        report = judge(rates, losses)
        if plot_to is not None and "curve" in report.measured:
            plot(report, plot_to)
        finish(report, as_json)


if __name__ == "__main__":
    app()
