"""Models with one planted fault each, and beside each its twin without the fault.

Every function without an underscore is a factory of the target contract. FAULTS maps its name to (tool, finding id).
The twin has `_right` appended, made by the same code with the fault left out.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import corpus_data as data
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from flax import linen, nnx
from torch import nn

F = nn.functional
FAULTS = {}
TUNING_FAULTS = {}


def _plant(tool, finding, registry=FAULTS):
    """Registers a factory `name(fault)` as `name` and `name_right`."""

    def register(make):
        name = make.__name__.removeprefix("_")
        registry[name] = (tool, finding)
        globals()[name] = lambda: make(True)
        globals()[f"{name}_right"] = lambda: make(False)
        return make

    return register


def _torch(model, x, y, loss=F.cross_entropy, optimizer=None, **more):
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    optimizer = optimizer or torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    return {"model": model, "batch": (x, y), "loss_fn": loss, "optimizer": optimizer, **more}


def _cross_entropy(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def _jax(model, x, y, loss=_cross_entropy, optimizer=None, **more):
    x, y = jnp.asarray(x), jnp.asarray(y)
    given = {"batch": (x, y), "loss_fn": loss, "optimizer": optimizer or optax.adam(3e-3), **more}
    return given if model is None else {"model": model, **given}


def _function(params, apply, x, y, **more):
    return _jax(None, x, y, params=params, apply=apply, **more)


def _draw(sizes, seed, gain=2.0):
    keys = jax.random.split(jax.random.key(seed), len(sizes))
    return {
        f"layer_{i:02}": {"w": jax.random.normal(keys[i], (a, b)) * (gain / a) ** 0.5, "b": jnp.zeros(b)}
        for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False))
    }


def _mlp(params, x, activation=jax.nn.relu):
    names = list(params)
    for name in names[:-1]:
        x = activation(x @ params[name]["w"] + params[name]["b"])
    return x @ params[names[-1]]["w"] + params[names[-1]]["b"]


def _stack(sizes, activation, gain="relu"):
    layers = []
    for a, b in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(a, b), activation()]
        nn.init.xavier_normal_(layers[-2].weight, gain=nn.init.calculate_gain(gain))
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


class _Nnx(nnx.Module):
    """Two layers and dropout, with room for faults in `forward`."""

    def __init__(self, forward, seed=0, width=24, features=64, classes=10, rate=0.0, deterministic=None, more=None):
        rngs = nnx.Rngs(seed)
        self.hidden, self.head = nnx.Linear(features, width, rngs=rngs), nnx.Linear(width, classes, rngs=rngs)
        self.dropout = nnx.Dropout(rate, deterministic=deterministic, rngs=rngs)
        self.forward = forward
        if more:
            more(self, rngs)

    def __call__(self, x):
        return self.forward(self, x)


class _Torch(nn.Module):
    """Two layers, with room for faults in `run`."""

    def __init__(self, run, seed=0, width=24, features=64, classes=10, more=None):
        super().__init__()
        torch.manual_seed(seed)
        self.hidden, self.head, self.run = nn.Linear(features, width), nn.Linear(width, classes), run
        if more:
            more(self)

    def forward(self, x):
        return self.run(self, x)


def _plain_torch(m, x):
    return m.head(F.relu(m.hidden(x)))


def _plain_nnx(m, x):
    return m.head(nnx.relu(m.hidden(x)))


# probe_model


@_plant("probe_model", "dead-units")
def _torch_dead(fault):
    torch.manual_seed(1)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 10))
    if fault:
        nn.init.constant_(model[0].bias, -20.0)
    x, y = data.digits(64)
    return _torch(model, x.reshape(-1, 1, 8, 8), y)


@_plant("probe_model", "dead-units")
def _torch_dead_functional_gelu(fault):
    def more(m):
        if fault:
            nn.init.constant_(m.hidden.bias, -30.0)

    return _torch(_Torch(lambda m, x: m.head(F.gelu(m.hidden(x))), 2, more=more), *data.digits(64, 1000))


@_plant("probe_model", "dead-units")
def _linen_dead(fault):
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            bias = linen.initializers.constant(-20.0 if fault else 0.0)
            return linen.Dense(10)(linen.relu(linen.Dense(24, bias_init=bias)(x)))

    x, y = data.digits(64)
    return _jax(Model(), x, y, params=Model().init(jax.random.key(3), jnp.asarray(x)))


@_plant("probe_model", "dead-units")
def _function_dead(fault):
    params = _draw([64, 24, 10], 4)
    params["layer_00"]["b"] -= 20.0 * fault
    return _function(params, _mlp, *data.digits(64))


@_plant("probe_model", "vanishing-gradients")
def _torch_sigmoid_20(fault):
    torch.manual_seed(5)
    sizes = [64] + [32] * (20 if fault else 2) + [10]
    return _torch(_stack(sizes, nn.Sigmoid if fault else nn.Tanh, "sigmoid"), *data.digits(64))


@_plant("probe_model", "vanishing-gradients")
def _function_sigmoid_20(fault):
    activation = jax.nn.sigmoid if fault else jnp.tanh
    params = _draw([64] + [32] * (20 if fault else 2) + [10], 6, 1.0)
    return _function(params, lambda p, x: _mlp(p, x, activation), *data.digits(64))


@_plant("probe_model", "exploding-activations")
def _torch_wide_init(fault):
    torch.manual_seed(7)
    model = _stack([64, 48, 48, 48, 48, 10], nn.ReLU)
    if fault:
        for module in model[::2]:
            nn.init.normal_(module.weight)
    return _torch(model, *data.digits(64))


@_plant("probe_model", "exploding-activations")
def _nnx_wide_init(fault):
    def forward(m, x):
        for layer in m.layers:
            x = nnx.relu(layer(x))
        return m.head(x)

    def more(m, rngs):
        init = nnx.initializers.normal(1.0) if fault else nnx.initializers.he_normal()
        m.hidden = nnx.Linear(64, 48, kernel_init=init, rngs=rngs)
        m.layers = nnx.List([m.hidden] + [nnx.Linear(48, 48, kernel_init=init, rngs=rngs) for _ in range(3)])
        del m.hidden

    return _jax(_Nnx(forward, 8, 48, more=more), *data.digits(64))


@_plant("probe_model", "exploding-activations")
def _function_wide_init(fault):
    params = _draw([64, 48, 48, 48, 48, 10], 9)
    params = jax.tree.map(lambda w: w * (48 / 2) ** 0.5, params) if fault else params
    return _function(params, _mlp, *data.digits(64))


@_plant("probe_model", "init-loss-unexpected")
def _torch_confident_head(fault):
    def more(m):
        m.head.weight.data *= 60.0 if fault else 1.0

    return _torch(_Torch(_plain_torch, 10, more=more), *data.digits(64))


@_plant("probe_model", "init-loss-unexpected")
def _equinox_targets_off_centre(fault):
    x, y = data.friedman(64)
    return _jax(
        eqx.nn.MLP(10, 1, 16, 1, key=jax.random.key(11)), x, y + 20.0 * fault, lambda o, t: ((o - t) ** 2).mean()
    )


@_plant("probe_model", "non-finite-activation")
def _torch_half_overflow(fault):
    def more(m):
        # sums beyond 65504, the largest float16
        m.hidden.weight.data *= 2e5 if fault else 1.0

    model = _Torch(_plain_torch, 12, more=more).half()
    x, y = data.digits(64)
    return _torch(model, np.float16(x), y, lambda o, t: F.cross_entropy(o.float(), t))


@_plant("probe_model", "non-finite-activation")
def _function_half_overflow(fault):
    params = _draw([64, 24, 10], 13)
    params["layer_00"]["w"] *= 5e4 if fault else 1.0
    params = jax.tree.map(lambda w: w.astype(jnp.float16), params)
    x, y = data.digits(64)
    return _function(params, lambda p, x: _mlp(p, x).astype(jnp.float32), np.float16(x), y)


class _LogLayer(nn.Module):
    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return torch.log(x + self.eps)


@_plant("probe_model", "non-finite-activation")
def _torch_log_of_zero(fault):
    torch.manual_seed(14)
    layers = [nn.Linear(64, 24), nn.ReLU(), _LogLayer(0.0 if fault else 1.0), nn.BatchNorm1d(24), nn.Linear(24, 10)]
    return _torch(nn.Sequential(*layers), *data.digits(64))


@_plant("probe_model", "non-finite-activation")
def _linen_log_of_zero(fault):
    class Log(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.LayerNorm()(jnp.log(x + (0.0 if fault else 1.0)))

    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Dense(10)(Log()(linen.relu(linen.Dense(24)(x))))

    x, y = data.digits(64)
    return _jax(Model(), x, y, params=Model().init(jax.random.key(15), jnp.asarray(x)))


@_plant("probe_model", "non-finite-loss")
def _torch_log_in_loss(fault):
    torch.manual_seed(16)
    model = nn.Sequential(nn.Linear(64, 10), nn.Softmax(1), nn.Threshold(0.09, 0.0 if fault else 0.01))
    return _torch(model, *data.digits(64), lambda p, t: -torch.log(p[torch.arange(len(t)), t]).mean())


@_plant("probe_model", "non-finite-loss")
def _nnx_log_in_loss(fault):
    least = 0.0 if fault else 0.01

    def forward(m, x):
        p = nnx.softmax(m.head(nnx.relu(m.hidden(x))))
        return jnp.where(p > 0.09, p, least)

    return _jax(_Nnx(forward, 17), *data.digits(64), lambda p, t: -jnp.log(p[jnp.arange(len(t)), t]).mean())


@_plant("probe_model", "non-finite-gradient")
def _torch_root_of_zero(fault):
    eps = 0.0 if fault else 1e-6
    # a unit that is switched off: the derivative of the root is infinite there, and zero times infinity is NaN
    kept = torch.arange(24) > 3
    return _torch(_Torch(lambda m, x: m.head(torch.sqrt((m.hidden(x) * kept) ** 2 + eps)), 18), *data.digits(64))


@_plant("probe_model", "non-finite-gradient")
def _nnx_root_of_zero(fault):
    eps = 0.0 if fault else 1e-6
    kept = jnp.arange(24) > 3
    return _jax(_Nnx(lambda m, x: m.head(jnp.sqrt((m.hidden(x) * kept) ** 2 + eps)), 19), *data.digits(64))


@_plant("probe_model", "frozen-parameters")
def _torch_frozen(fault):
    def more(m):
        m.hidden.requires_grad_(not fault)

    return _torch(_Torch(_plain_torch, 20, more=more), *data.digits(64))


@_plant("probe_model", "frozen-parameters")
def _torch_not_in_optimizer(fault):
    model = _Torch(_plain_torch, 21)
    held = model.head if fault else model
    return _torch(model, *data.digits(64), optimizer=torch.optim.SGD(held.parameters(), lr=0.1))


@_plant("probe_model", "frozen-parameters")
def _function_masked_optimizer(fault):
    labels = {"layer_00": "still" if fault else "moves", "layer_01": "moves"}
    optimizer = optax.multi_transform({"moves": optax.adam(3e-3), "still": optax.set_to_zero()}, labels)
    return _function(_draw([64, 24, 10], 22), _mlp, *data.digits(64), optimizer=optimizer)


@_plant("probe_model", "no-gradient")
def _torch_detached(fault):
    def run(m, x):
        h = F.relu(m.hidden(x))
        return m.head(x @ m.skip + (h.detach() if fault else h))

    def more(m):
        m.skip = nn.Parameter(torch.randn(64, 24) * 0.1)

    return _torch(_Torch(run, 23, more=more), *data.digits(64))


@_plant("probe_model", "no-gradient")
def _nnx_stop_gradient(fault):
    def forward(m, x):
        h = nnx.relu(m.hidden(x))
        return m.head(jax.lax.stop_gradient(h) if fault else h)

    return _jax(_Nnx(forward, 24), *data.digits(64))


@_plant("probe_model", "no-gradient")
def _equinox_stop_gradient(fault):
    class Model(eqx.Module):
        first: eqx.nn.Linear
        second: eqx.nn.Linear

        def __call__(self, x):
            first = jax.lax.stop_gradient(self.first) if fault else self.first
            return self.second(jax.nn.relu(first(x)))

    keys = jax.random.split(jax.random.key(25))
    return _jax(Model(eqx.nn.Linear(64, 24, key=keys[0]), eqx.nn.Linear(24, 10, key=keys[1])), *data.digits(64))


@_plant("probe_model", "symmetric-init")
def _torch_constant_init(fault):
    def more(m):
        if fault:
            for parameter in m.parameters():
                nn.init.constant_(parameter, 0.02)

    return _torch(_Torch(_plain_torch, 26, more=more), *data.digits(64))


@_plant("probe_model", "symmetric-init")
def _function_constant_init(fault):
    params = _draw([64, 24, 10], 27)
    params = jax.tree.map(lambda w: jnp.full_like(w, 0.02), params) if fault else params
    return _function(params, _mlp, *data.digits(64))


@_plant("probe_model", "unused-module")
def _torch_unused(fault):
    def more(m):
        m.extra = nn.Sequential(nn.Linear(24, 24), nn.LayerNorm(24))

    def run(m, x):
        h = F.relu(m.hidden(x))
        return m.head(h if fault else h + m.extra(h))

    return _torch(_Torch(run, 28, more=more), *data.digits(64))


@_plant("probe_model", "unused-module")
def _nnx_unused(fault):
    def more(m, rngs):
        m.extra = nnx.Linear(24, 24, rngs=rngs)

    def forward(m, x):
        h = nnx.relu(m.hidden(x))
        return m.head(h if fault else h + m.extra(h))

    return _jax(_Nnx(forward, 29, more=more), *data.digits(64))


@_plant("probe_model", "unused-module")
def _function_unused(fault):
    params = _draw([64, 24, 10], 30)
    params["extra"] = {"w": jnp.ones((10, 10)) * jax.random.normal(jax.random.key(1), (10, 10))}

    def apply(params, x):
        out = _mlp({name: params[name] for name in ("layer_00", "layer_01")}, x)
        return out if fault else out + 0.1 * out @ params["extra"]["w"]

    return _function(params, apply, *data.digits(64))


@_plant("probe_model", "dtype-changed")
def _torch_float64_constant(fault):
    scale = torch.tensor(np.linspace(0.5, 1.5, 24), dtype=torch.float64 if fault else torch.float32)

    def more(m):
        m.scale = _Scale(scale)

    return _torch(
        _Torch(lambda m, x: m.head(m.scale(F.relu(m.hidden(x))).to(m.head.weight.dtype)), 31, more=more),
        *data.digits(64),
    )


class _Scale(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.register_buffer("scale", scale)

    def forward(self, x):
        return x * self.scale


@_plant("probe_model", "dtype-changed")
def _nnx_bfloat16_lost(fault):
    def more(m, rngs):
        kind = {"param_dtype": jnp.bfloat16, "rngs": rngs} | ({} if fault else {"dtype": jnp.bfloat16})
        m.hidden, m.head = nnx.Linear(64, 24, **kind), nnx.Linear(24, 10, **kind)

    return _jax(_Nnx(_plain_nnx, 32, more=more), *data.digits(64))


@_plant("probe_model", "dtype-changed")
def _linen_declared_dtype(fault):
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            x = linen.relu(linen.Dense(24, dtype=jnp.bfloat16)(x))
            return linen.Dense(10, dtype=jnp.float32 if fault else jnp.bfloat16)(x)

    x, y = data.digits(64)
    params = Model().init(jax.random.key(33), jnp.asarray(x))
    return _jax(Model(), x, y, params=params, properties={"dtype": "bfloat16"})


@_plant("probe_model", "saturated-units")
def _torch_saturated_tanh(fault):
    torch.manual_seed(34)
    model = nn.Sequential(nn.Linear(64, 24), nn.Tanh(), nn.Linear(24, 10))
    model[0].weight.data *= 40.0 if fault else 1.0
    return _torch(model, *data.digits(64))


@_plant("probe_model", "saturated-units")
def _equinox_saturated_tanh(fault):
    model = eqx.nn.MLP(64, 10, 24, 1, jnp.tanh, key=jax.random.key(35))
    if fault:
        model = eqx.tree_at(lambda m: m.layers[0].weight, model, model.layers[0].weight * 40)
    return _jax(model, *data.digits(64))


# sanity_suite


@_plant("sanity_suite", "activation-applied-twice")
def _torch_softmax_before_cross_entropy(fault):
    return _torch(
        _Torch(lambda m, x: F.softmax(_plain_torch(m, x), 1) if fault else _plain_torch(m, x), 40), *data.digits(64)
    )


@_plant("sanity_suite", "activation-applied-twice")
def _linen_softmax_before_cross_entropy(fault):
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            x = linen.Dense(10)(linen.relu(linen.Dense(24)(x)))
            return linen.softmax(x) if fault else x

    x, y = data.digits(64)
    return _jax(Model(), x, y, params=Model().init(jax.random.key(41), jnp.asarray(x)))


@_plant("sanity_suite", "activation-applied-twice")
def _torch_softmax_in_loss(fault):
    def loss(o, t):
        return F.cross_entropy(F.softmax(o, 1) if fault else o, t)

    return _torch(_Torch(_plain_torch, 42), *data.digits(64), loss)


@_plant("sanity_suite", "activation-applied-twice")
def _torch_double_sigmoid(fault):
    torch.manual_seed(43)
    layers = [nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)] + [nn.Sigmoid()] * fault
    x, y = data.iris(64)
    return _torch(nn.Sequential(*layers), x, np.float32(y[:, None] == 0), F.binary_cross_entropy_with_logits)


@_plant("sanity_suite", "activation-applied-twice")
def _function_double_sigmoid(fault):
    def apply(params, x):
        out = _mlp(params, x)
        return jax.nn.sigmoid(out) if fault else out

    x, y = data.iris(64)

    def loss(o, t):
        return optax.sigmoid_binary_cross_entropy(o, t).mean()

    return _function(_draw([4, 16, 1], 44), apply, x, np.float32(y[:, None] == 0), loss=loss)


@_plant("sanity_suite", "loss-reduction")
def _torch_sum(fault):
    return _torch(_Torch(_plain_torch, 45), *data.digits(64), nn.CrossEntropyLoss(reduction="sum" if fault else "mean"))


@_plant("sanity_suite", "loss-reduction")
def _torch_unreduced(fault):
    return _torch(
        _Torch(_plain_torch, 46), *data.digits(64), nn.CrossEntropyLoss(reduction="none" if fault else "mean")
    )


@_plant("sanity_suite", "loss-reduction")
def _nnx_unreduced(fault):
    def loss(o, t):
        each = optax.softmax_cross_entropy_with_integer_labels(o, t)
        return each if fault else each.mean()

    return _jax(_Nnx(_plain_nnx, 47), *data.digits(64), loss)


@_plant("sanity_suite", "loss-reduction")
def _function_sum(fault):
    def loss(o, t):
        each = optax.softmax_cross_entropy_with_integer_labels(o, t)
        return each.sum() if fault else each.mean()

    return _function(_draw([64, 24, 10], 48), _mlp, *data.digits(64), loss=loss)


@_plant("sanity_suite", "labels-misaligned")
def _torch_labels_shifted(fault):
    x, y = data.digits(96)
    return _torch(_Torch(_plain_torch, 49), x, np.roll(y, 1) if fault else y)


@_plant("sanity_suite", "labels-misaligned")
def _equinox_labels_shifted(fault):
    x, y = data.digits(96, 1000)
    return _jax(eqx.nn.MLP(64, 10, 24, 1, key=jax.random.key(50)), x, np.roll(y, -2) if fault else y)


@_plant("sanity_suite", "labels-misaligned")
def _torch_masks_transposed(fault):
    torch.manual_seed(51)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 3, padding=1))
    x, masks = data.figures()
    return _torch(model, x[:, None], masks.transpose(0, 2, 1).copy() if fault else masks)


@_plant("sanity_suite", "labels-misaligned")
def _linen_masks_transposed(fault):
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x):
            return linen.Conv(2, (3, 3))(linen.relu(linen.Conv(8, (3, 3))(x)))

    x, masks = data.figures()
    params = Model().init(jax.random.key(52), jnp.asarray(x[..., None]))
    return _jax(Model(), x[..., None], masks.transpose(0, 2, 1) if fault else masks, params=params)


@_plant("sanity_suite", "labels-misaligned")
def _function_broadcast_targets(fault):
    x, y = data.friedman(64)
    loss = lambda o, t: ((o - t) ** 2).mean()  # noqa: E731
    return _function(_draw([10, 24, 1], 53), _mlp, x, y[:, 0] if fault else y, loss=loss)


@_plant("sanity_suite", "batch-mixing")
def _torch_view_mixes(fault):
    def run(m, x):
        h = F.relu(m.hidden(x))
        return m.head(h.reshape(24, -1).T.contiguous() if fault else h)

    return _torch(_Torch(run, 54), *data.digits(64))


@_plant("sanity_suite", "batch-mixing")
def _torch_softmax_over_batch(fault):
    return _torch(_Torch(lambda m, x: m.head(F.softmax(m.hidden(x), 0 if fault else 1)), 55), *data.digits(64))


@_plant("sanity_suite", "batch-mixing")
def _nnx_reshape_mixes(fault):
    def forward(m, x):
        h = nnx.relu(m.hidden(x))
        return m.head(h.reshape(24, -1).T if fault else h)

    return _jax(_Nnx(forward, 56), *data.digits(64))


@_plant("sanity_suite", "dropout-inactive")
def _torch_dropout_left_in_eval(fault):
    class Model(_Torch):
        def train(self, mode=True):
            super().train(mode)
            self.dropout.train(mode and not fault)
            return self

    def more(m):
        m.dropout = nn.Dropout(0.3)

    return _torch(Model(lambda m, x: m.head(m.dropout(F.relu(m.hidden(x)))), 57, more=more), *data.digits(64))


@_plant("sanity_suite", "dropout-inactive")
def _torch_functional_dropout_off(fault):
    def run(m, x):
        return m.head(F.dropout(F.relu(m.hidden(x)), 0.3, training=False if fault else m.training))

    return _torch(_Torch(run, 58), *data.digits(64))


@_plant("sanity_suite", "dropout-inactive")
def _linen_dropout_deterministic(fault):
    class Model(linen.Module):
        @linen.compact
        def __call__(self, x, train: bool = False):
            x = linen.relu(linen.Dense(24)(x))
            return linen.Dense(10)(linen.Dropout(0.3, deterministic=True if fault else not train)(x))

    x, y = data.digits(64)
    return _jax(Model(), x, y, params=Model().init(jax.random.key(59), jnp.asarray(x)))


@_plant("sanity_suite", "active-in-eval")
def _torch_functional_dropout_always(fault):
    def run(m, x):
        return m.head(F.dropout(F.relu(m.hidden(x)), 0.3, training=True if fault else m.training))

    return _torch(_Torch(run, 60), *data.digits(64))


@_plant("sanity_suite", "active-in-eval")
def _function_dropout_always(fault):
    def apply(params, x, train=False, rng=None):
        x = jax.nn.relu(x @ params["layer_00"]["w"] + params["layer_00"]["b"])
        if train or fault:
            x = jnp.where(jax.random.bernoulli(rng, 0.7, x.shape), x / 0.7, 0.0)
        return x @ params["layer_01"]["w"] + params["layer_01"]["b"]

    return _function(_draw([64, 24, 10], 61), apply, *data.digits(64))


@_plant("sanity_suite", "input-ignored")
def _torch_input_zeroed(fault):
    return _torch(_Torch(lambda m, x: _plain_torch(m, x * 0 if fault else x), 62), *data.digits(64))


@_plant("sanity_suite", "input-ignored")
def _nnx_input_overwritten(fault):
    def forward(m, x):
        x = jnp.ones_like(x) if fault else x
        return m.head(nnx.relu(m.hidden(x)))

    return _jax(_Nnx(forward, 63), *data.digits(64))


@_plant("sanity_suite", "cannot-overfit")
def _torch_nothing_reaches_the_head(fault):
    def run(m, x):
        # one bit of each image is left
        return m.head(F.relu(m.hidden((x.mean(dim=1, keepdim=True) > 0.3).float().expand(-1, 64) if fault else x)))

    return _torch(_Torch(run, 64), *data.digits(64))


@_plant("sanity_suite", "cannot-overfit")
def _function_too_little_passes(fault):
    def apply(params, x):
        return _mlp(params, jnp.broadcast_to(x.mean(axis=1, keepdims=True) > 0.3, x.shape) * 1.0 if fault else x)

    return _function(_draw([64, 24, 10], 65), apply, *data.digits(64))


@_plant("sanity_suite", "nondeterministic")
def _torch_numpy_noise(fault):
    def run(m, x):
        noise = torch.tensor(np.random.randn(*x.shape), dtype=x.dtype) if fault else 0.0
        return _plain_torch(m, x + 0.1 * noise)

    return _torch(_Torch(run, 66), *data.digits(64))


@_plant("sanity_suite", "nondeterministic")
def _function_numpy_noise(fault):
    def apply(params, x):
        noise = np.float32(np.random.randn(*x.shape)) if fault else 0.0
        return _mlp(params, x + 0.1 * noise)

    return _function(_draw([64, 24, 10], 67), apply, *data.digits(64))


@_plant("sanity_suite", "init-loss-unexpected")
def _torch_confident_start(fault):
    def more(m):
        m.head.weight.data *= 60.0 if fault else 1.0

    return _torch(_Torch(_plain_torch, 68, more=more), *data.digits(64, 1100))


# tuning half: one fault for each threshold


@_plant("probe_model", "vanishing-gradients", TUNING_FAULTS)
def _tuning_relu_default_20(fault):
    torch.manual_seed(1)
    sizes = [13] + [32] * (20 if fault else 2)
    layers = [layer for a, b in zip(sizes, sizes[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
    return _torch(nn.Sequential(*layers, nn.Linear(32, 3)), *data.wine(64))


@_plant("probe_model", "dead-units", TUNING_FAULTS)
def _tuning_dead(fault):
    params = _draw([30, 24, 2], 2)
    params["layer_00"]["b"] -= 12.0 * fault
    return _function(params, _mlp, *data.cancer(64))


@_plant("probe_model", "saturated-units", TUNING_FAULTS)
def _tuning_saturated_sigmoid(fault):
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(30, 24), nn.Sigmoid(), nn.Linear(24, 2))
    model[0].weight.data *= 30.0 if fault else 1.0
    return _torch(model, *data.cancer(64))


@_plant("probe_model", "exploding-activations", TUNING_FAULTS)
def _tuning_exploding(fault):
    torch.manual_seed(4)
    model = _stack([10, 40, 40, 40, 1], nn.ReLU)
    if fault:
        for module in model[::2]:
            nn.init.normal_(module.weight)
    return _torch(model, *data.diabetes(64), F.mse_loss)
