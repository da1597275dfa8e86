"""Small real trainings for the labelled logs: data sets, networks and one training loop each in PyTorch and JAX.

Everything is drawn from the seed of the recipe. The loops carry the switches by which a fault is planted; a recipe
that uses none of them is a plain training.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Recipe:
    """One training.

    Args:
        data: name of a data set of `load_data`.
        arch: name of a network of `torch_network` or `JAX_NETWORKS`.
        lr: peak learning rate.
        schedule: `constant`, `cosine`, `steps`, `warmup-cosine`, `restarts`, `growing`, `dip`, `drop` or `early`.
        label_noise: part of the training labels replaced by random ones.
        train_size: use only that many training examples.
        shuffle_labels: `train` or `validation` labels are permuted.
        leak: validate on training examples.
        twice: apply softmax or sigmoid before a loss that applies it again.
        nan_at: part of the run after which one batch holds an infinite input.
        ascend_at: part of the run after which the sign of the gradient is wrong.
        bad_batches: `epoch` (first batch of every epoch) or `random`: batches with inputs 30 times too large and
            wrong targets.
        resume: `sound`, `lost-weights` (the output layer starts anew) or `wrong-checkpoint`: the run is stopped
            at 60 % and continues from the checkpoint at 50 %.
        clip: threshold of the global gradient norm.
        stale_metric: the metric is computed from a copy of the network made before training.
        freeze: no parameter is handed to the optimizer.
    """

    data: str
    arch: str
    framework: str = "torch"
    optimizer: str = "adam"
    lr: float = 1e-3
    schedule: str = "constant"
    epochs: int = 20
    batch: int = 32
    seed: int = 0
    dropout: float = 0.0
    weight_decay: float = 0.0
    label_noise: float = 0.0
    train_size: int | None = None
    shuffle_labels: str = ""
    leak: bool = False
    twice: bool = False
    nan_at: float | None = None
    ascend_at: float | None = None
    bad_batches: str = ""
    resume: str = ""
    clip: float | None = None
    stale_metric: bool = False
    freeze: bool = False
    label_smoothing: float = 0.0


@dataclasses.dataclass
class Trace:
    """What a training wrote: one row a step, one row an epoch. `judge_loss` is a third split that no log contains."""

    kind: str
    classes: int
    steps: list[dict[str, float]] = dataclasses.field(default_factory=list)
    epochs: list[dict[str, float]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Data:
    """Three splits as float32 inputs and targets; `kind` is multi, binary, mask or regression."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    judge: tuple[np.ndarray, np.ndarray]
    kind: str
    classes: int


def _masks(rng: np.random.Generator, count: int, rings: bool) -> tuple[np.ndarray, np.ndarray]:
    """Noisy 12x12 images of rings, or noisy signals of length 48 with raised intervals, and their masks."""
    if rings:
        grid = np.mgrid[0:12, 0:12]
        centre = rng.uniform(3, 9, (count, 2, 1, 1))
        radius = rng.uniform(2, 4, (count, 1, 1))
        distance = np.sqrt(((grid[None] - centre) ** 2).sum(1))
        mask = (np.abs(distance - radius) < 0.8).astype(np.float32)[:, None]
    else:
        start = rng.integers(0, 36, (count, 1))
        length = rng.integers(3, 10, (count, 1))
        position = np.arange(48)[None]
        mask = ((position >= start) & (position < start + length)).astype(np.float32)[:, None]
    image = mask + rng.normal(0, 0.35, mask.shape)
    return image.astype(np.float32), mask


def load_data(recipe: Recipe) -> Data:
    """The data set of a recipe, split at random by its seed, with the planted faults of labels and splits."""
    from sklearn import datasets

    rng = np.random.default_rng(recipe.seed)
    name = recipe.data
    if name in ("rings", "intervals"):
        x, y = _masks(rng, 420, name == "rings")
        kind, classes = "mask", 2
    else:
        if name == "synthetic":
            x, y = datasets.make_classification(
                1500,
                20,
                n_informative=12,
                n_redundant=2,
                n_classes=6,
                n_clusters_per_class=1,
                class_sep=2.0,
                flip_y=0.0,
                random_state=recipe.seed,
            )
        elif name in ("friedman", "friedman-noisy"):
            noise = 1.0 if name == "friedman" else 4.0
            x, y = datasets.make_friedman1(900, noise=noise, random_state=recipe.seed)
        else:
            bunch = {
                "digits": datasets.load_digits,
                "cancer": datasets.load_breast_cancer,
                "wine": datasets.load_wine,
                "diabetes": datasets.load_diabetes,
                "iris": datasets.load_iris,
            }[name]()
            x, y = bunch.data, bunch.target
        x = (x - x.mean(0)) / (x.std(0) + 1e-3)
        if name in ("friedman", "friedman-noisy", "diabetes"):
            kind, classes = "regression", 0
            y = ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
        else:
            classes = int(y.max()) + 1
            kind = "binary" if classes == 2 else "multi"
            y = y.astype(np.float32)[:, None] if classes == 2 else y.astype(np.int64)
        x = x.astype(np.float32)
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    first, second = int(0.6 * len(x)), int(0.8 * len(x))
    train, validation, judge = (x[:first], y[:first]), (x[first:second], y[first:second]), (x[second:], y[second:])
    if recipe.train_size:
        train = (train[0][: recipe.train_size], train[1][: recipe.train_size])
    if recipe.label_noise:
        noisy = rng.random(len(train[1])) < recipe.label_noise
        targets = train[1].copy()
        targets[noisy] = rng.permutation(train[1])[noisy]
        train = (train[0], targets)
    if recipe.shuffle_labels == "train":
        train = (train[0], rng.permutation(train[1]))
    elif recipe.shuffle_labels == "validation":
        validation = (validation[0], rng.permutation(validation[1]))
    if recipe.leak:
        size = min(len(validation[0]), len(train[0]))
        validation = (train[0][:size], train[1][:size])
    return Data(train, validation, judge, kind, classes)


def learning_rate(recipe: Recipe, step: int, total: int) -> float:
    """The scheduled learning rate of a step."""
    part = step / total
    factor = 1.0
    if recipe.schedule == "cosine":
        factor = 0.5 * (1 + math.cos(math.pi * part))
    elif recipe.schedule == "steps":
        factor = 0.1 ** ((part >= 0.6) + (part >= 0.85))
    elif recipe.schedule == "warmup-cosine":
        factor = part / 0.1 if part < 0.1 else 0.5 * (1 + math.cos(math.pi * (part - 0.1) / 0.9))
        factor = max(factor, 1 / total)
    elif recipe.schedule == "restarts":
        factor = 0.5 * (1 + math.cos(math.pi * ((3 * part) % 1.0)))
    elif recipe.schedule == "growing":
        # a decay with the wrong sign in the exponent
        factor = 10 ** (6.0 * max(0.0, part - 0.4))
    elif recipe.schedule == "dip":
        factor = 1e-4 if 0.12 <= part < 0.62 else 1.0
    elif recipe.schedule == "drop":
        factor = 0.005 if part >= 0.6 else 1.0
    elif recipe.schedule == "early":
        # counted in other steps than the run has: the schedule is over before a quarter of the run
        factor = 0.5 * (1 + math.cos(math.pi * min(1.0, part / 0.2)))
    return recipe.lr * factor


def run(recipe: Recipe) -> Trace:
    """Trains and returns the trace."""
    return _run_jax(recipe) if recipe.framework == "jax" else _run_torch(recipe)


def torch_network(arch: str, features: tuple[int, ...], outputs: int, dropout: float) -> Any:
    """The networks of both halves; which half uses which stands in fault_corpus.py."""
    import torch.nn as nn

    def perceptron(widths: list[int], activation: type, normed: bool = False) -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        size = int(np.prod(features))
        for width in widths:
            layers.append(nn.Linear(size, width))
            if normed:
                layers.append(nn.LayerNorm(width))
            layers.append(activation())
            if dropout:
                layers.append(nn.Dropout(dropout))
            size = width
        return nn.Sequential(*layers, nn.Linear(size, outputs))

    if arch == "linear":
        return perceptron([], nn.ReLU)
    if arch == "relu1":
        return perceptron([64], nn.ReLU)
    if arch == "relu3":
        return perceptron([64, 64, 64], nn.ReLU)
    if arch == "relu-narrow":
        return perceptron([1], nn.ReLU)
    if arch == "sigmoid-deep":
        return perceptron([32] * 10, nn.Sigmoid)
    if arch == "gelu2":
        return perceptron([64, 64], nn.GELU)
    if arch == "gelu-wide":
        return perceptron([256, 256], nn.GELU)
    if arch == "gelu-narrow":
        return perceptron([1], nn.GELU)
    if arch == "tanh2":
        return perceptron([48, 48], nn.Tanh)
    if arch == "tanh-norm":
        return perceptron([48, 48], nn.Tanh, normed=True)
    if arch == "tanh-narrow":
        return perceptron([1], nn.Tanh)
    if arch == "softsign-deep":
        # ten layers whose default initialisation shrinks every signal to nothing
        network = perceptron([24] * 10, nn.Softsign)
        for parameter in network.parameters():
            parameter.data *= 0.2
        return network
    if arch == "conv1d":
        return nn.Sequential(
            nn.Conv1d(1, 12, 7, padding=3),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv1d(12, 12, 7, padding=3),
            nn.ReLU(),
            nn.Conv1d(12, 1, 1),
        )
    if arch == "conv2d":
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(8, 1, 1),
        )
    if arch == "cnn":
        return nn.Sequential(
            nn.Unflatten(1, (1, 8, 8)),
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.SiLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(256, outputs),
        )
    raise ValueError(arch)


def _metric(outputs: np.ndarray, targets: np.ndarray, kind: str) -> float:
    """Accuracy, the Dice coefficient of a mask, or the coefficient of determination."""
    if kind == "multi":
        return float((outputs.argmax(1) == targets).mean())
    if kind == "binary":
        return float(((outputs > 0) == (targets > 0.5)).mean())
    if kind == "mask":
        guess, truth = outputs > 0, targets > 0.5
        return float((2 * (guess & truth).sum() + 1) / (guess.sum() + truth.sum() + 1))
    return float(1 - ((outputs - targets) ** 2).mean() / targets.var())


def layout(recipe: Recipe, data: Data) -> tuple[int, int, set[int]]:
    """Steps per epoch, steps of the run, and the steps whose batch is bad."""
    per_epoch = max(1, len(data.train[0]) // recipe.batch)
    total = per_epoch * recipe.epochs
    bad: set[int] = set()
    if recipe.bad_batches == "epoch":
        bad = set(range(3 * per_epoch, total, per_epoch))
    elif recipe.bad_batches == "random":
        bad = {int(step) for step in np.random.default_rng(recipe.seed).integers(total // 5, int(0.95 * total), 6)}
    return per_epoch, total, bad


def _batches(recipe: Recipe, data: Data, per_epoch: int, epoch: int) -> Any:
    order = np.random.default_rng([recipe.seed, epoch]).permutation(len(data.train[0]))
    for index in range(per_epoch):
        yield order[index * recipe.batch : (index + 1) * recipe.batch]


def _batch(
    recipe: Recipe, data: Data, chosen: np.ndarray, step: int, total: int, bad: set[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a step, with the planted faults of single batches."""
    inputs, targets = data.train[0][chosen], data.train[1][chosen]
    if step in bad:
        inputs = inputs * 30
        targets = {"multi": (targets + 1) % max(data.classes, 1), "regression": targets}.get(data.kind, 1 - targets)
    if recipe.nan_at is not None and step == int(recipe.nan_at * total):
        inputs = inputs.copy()
        inputs[0] = np.inf
    return inputs, targets


def _run_torch(recipe: Recipe) -> Trace:
    import torch
    import torch.nn.functional as functional

    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    data = load_data(recipe)
    outputs = data.classes if data.kind == "multi" else 1
    network = torch_network(recipe.arch, data.train[0].shape[1:], outputs, recipe.dropout)
    stale = copy.deepcopy(network).eval()
    if recipe.optimizer == "adam":
        optimizer: Any = torch.optim.AdamW(network.parameters(), recipe.lr, weight_decay=recipe.weight_decay)
    else:
        momentum = 0.9 if recipe.optimizer == "momentum" else 0.0
        optimizer = torch.optim.SGD(
            network.parameters(), recipe.lr, momentum=momentum, weight_decay=recipe.weight_decay
        )

    def loss_of(scores: Any, targets: Any) -> Any:
        if data.kind == "multi":
            scores = scores.softmax(1) if recipe.twice else scores
            return functional.cross_entropy(scores, targets, label_smoothing=recipe.label_smoothing)
        if data.kind == "regression":
            return functional.mse_loss(scores, targets)
        return functional.binary_cross_entropy_with_logits(scores.sigmoid() if recipe.twice else scores, targets)

    def evaluate(split: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
        network.eval()
        with torch.no_grad():
            scores = network(torch.from_numpy(split[0]))
            loss = float(loss_of(scores, torch.from_numpy(split[1])))
            shown = stale(torch.from_numpy(split[0])) if recipe.stale_metric else scores
        network.train()
        return loss, _metric(shown.numpy(), split[1], data.kind)

    per_epoch, total, bad = layout(recipe, data)
    trace = Trace(data.kind, data.classes)
    network.train()
    step = epoch = 0
    saved: Any = None
    resumed = not recipe.resume
    half, stop = int(0.5 * recipe.epochs), int(0.6 * recipe.epochs)
    while epoch < recipe.epochs:
        if recipe.resume and saved is None and epoch == (0 if recipe.resume == "wrong-checkpoint" else half):
            saved = copy.deepcopy((network.state_dict(), optimizer.state_dict()))
        if not resumed and epoch == stop:
            resumed = True
            network.load_state_dict(saved[0])
            optimizer.load_state_dict(saved[1])
            if recipe.resume == "lost-weights":
                for module in list(network.modules())[-1:]:
                    module.reset_parameters()
            epoch, step = half, half * per_epoch
        losses, metrics = [], []
        for chosen in _batches(recipe, data, per_epoch, epoch):
            inputs, targets = map(torch.from_numpy, _batch(recipe, data, chosen, step, total, bad))
            rate = learning_rate(recipe, step, total)
            for group in optimizer.param_groups:
                group["lr"] = rate
            scores = network(inputs)
            loss = loss_of(scores, targets)
            optimizer.zero_grad()
            loss.backward()
            if recipe.ascend_at is not None and step >= recipe.ascend_at * total:
                for parameter in network.parameters():
                    parameter.grad.neg_()
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip or math.inf)
            if not recipe.freeze:
                optimizer.step()
            losses.append(float(loss.detach()))
            shown = (stale(inputs) if recipe.stale_metric else scores).detach().numpy()
            metrics.append(_metric(shown, targets.numpy(), data.kind))
            trace.steps.append({"step": step, "epoch": epoch, "loss": losses[-1], "lr": rate, "grad_norm": float(norm)})
            step += 1
        _end_of_epoch(trace, step, epoch, losses, metrics, rate, evaluate(data.validation), evaluate(data.judge))
        epoch += 1
    return trace


def _end_of_epoch(
    trace: Trace,
    step: int,
    epoch: int,
    losses: list[float],
    metrics: list[float],
    rate: float,
    validation: tuple[float, float],
    judge: tuple[float, float],
) -> None:
    trace.epochs.append(
        {
            "step": step - 1,
            "epoch": epoch,
            "loss": float(np.mean(losses)),
            "metric": float(np.mean(metrics)),
            "lr": rate,
            "val_loss": validation[0],
            "val_metric": validation[1],
            "judge_loss": judge[0],
        }
    )


# widths of the hidden layers and the activation
JAX_NETWORKS = {
    "jax-relu": ([64, 64], "relu"),
    "jax-relu-narrow": ([1], "relu"),
    "jax-silu": ([96, 48], "silu"),
    "jax-silu-narrow": ([1], "silu"),
}
_COMPILED: dict[Any, Any] = {}


def _jax_step(arch: str, optimizer: str, kind: str, twice: bool) -> Any:
    """The compiled training step and evaluation of one kind of recipe; compiled once a process."""
    import jax
    import jax.numpy as jnp
    import optax

    key = (arch, optimizer, kind, twice)
    if key in _COMPILED:
        return _COMPILED[key]
    activation = getattr(jax.nn, JAX_NETWORKS[arch][1])
    transform = {
        "adam": optax.scale_by_adam(),
        "sgd": optax.identity(),
        "momentum": optax.trace(0.9),
    }[optimizer]

    def forward(params: Any, x: Any) -> Any:
        for weight, bias in params[:-1]:
            x = activation(x @ weight + bias)
        return x @ params[-1][0] + params[-1][1]

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        scores = forward(params, x)
        if kind == "multi":
            scores = jax.nn.softmax(scores) if twice else scores
            return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean(), scores
        if kind == "regression":
            return ((scores - y) ** 2).mean(), scores
        return optax.sigmoid_binary_cross_entropy(jax.nn.sigmoid(scores) if twice else scores, y).mean(), scores

    def update(params: Any, state: Any, x: Any, y: Any, rate: Any, clip: Any, sign: Any) -> Any:
        (loss, scores), grads = jax.value_and_grad(loss_of, has_aux=True)(params, x, y)
        norm = optax.global_norm(grads)
        factor = jnp.minimum(1.0, clip / (norm + 1e-6)) * sign
        updates, state = transform.update(jax.tree.map(lambda g: g * factor, grads), state)
        return jax.tree.map(lambda p, u: p - rate * u, params, updates), state, loss, scores, norm

    _COMPILED[key] = (transform, jax.jit(update), jax.jit(loss_of))
    return _COMPILED[key]


def _run_jax(recipe: Recipe) -> Trace:
    import jax.numpy as jnp

    data = load_data(recipe)
    transform, update, loss_of = _jax_step(recipe.arch, recipe.optimizer, data.kind, recipe.twice)
    rng = np.random.default_rng(recipe.seed)
    sizes = [data.train[0].shape[1], *JAX_NETWORKS[recipe.arch][0], data.classes if data.kind == "multi" else 1]
    params = [
        (jnp.asarray(rng.normal(0, 1 / math.sqrt(fan_in), (fan_in, fan_out)), jnp.float32), jnp.zeros(fan_out))
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    start, state = params, transform.init(params)

    def evaluate(split: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
        loss, scores = loss_of(params, split[0], split[1])
        if recipe.stale_metric:
            scores = loss_of(start, split[0], split[1])[1]
        return float(loss), _metric(np.asarray(scores), split[1], data.kind)

    per_epoch, total, bad = layout(recipe, data)
    trace = Trace(data.kind, data.classes)
    step = 0
    for epoch in range(recipe.epochs):
        losses, metrics = [], []
        for chosen in _batches(recipe, data, per_epoch, epoch):
            inputs, targets = _batch(recipe, data, chosen, step, total, bad)
            rate = learning_rate(recipe, step, total)
            sign = -1.0 if recipe.ascend_at is not None and step >= recipe.ascend_at * total else 1.0
            if recipe.stale_metric:
                metrics.append(_metric(np.asarray(loss_of(start, inputs, targets)[1]), targets, data.kind))
            params, state, loss, scores, norm = update(
                params, state, inputs, targets, 0.0 if recipe.freeze else rate, recipe.clip or jnp.inf, sign
            )
            losses.append(float(loss))
            if not recipe.stale_metric:
                metrics.append(_metric(np.asarray(scores), targets, data.kind))
            trace.steps.append({"step": step, "epoch": epoch, "loss": losses[-1], "lr": rate, "grad_norm": float(norm)})
            step += 1
        _end_of_epoch(trace, step, epoch, losses, metrics, rate, evaluate(data.validation), evaluate(data.judge))
    return trace
