"""Healthy models: a tuning half, from which the thresholds come, and a test half that no threshold has seen.

Every function without an underscore is a factory of the target contract; TUNING and TEST list them.
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


def _torch(model, x, y, optimizer, loss=F.cross_entropy, **more):
    return {
        "model": model,
        "batch": (torch.tensor(x), torch.tensor(y)),
        "loss_fn": loss,
        "optimizer": optimizer(model.parameters()),
        **more,
    }


def _adam(rate=1e-3):
    return lambda parameters: torch.optim.Adam(parameters, lr=rate)


def _adamw(rate=1e-3):
    return lambda parameters: torch.optim.AdamW(parameters, lr=rate)


def _sgd(rate=0.05):
    return lambda parameters: torch.optim.SGD(parameters, lr=rate, momentum=0.9)


def _cross_entropy(logits, y):
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


def _squared(outputs, y):
    return ((outputs - y) ** 2).mean()


def _jax(model, x, y, optimizer, loss=_cross_entropy, **more):
    return {"model": model, "batch": (jnp.asarray(x), jnp.asarray(y)), "loss_fn": loss, "optimizer": optimizer, **more}


def _linen(model, x, y, optimizer, seed, **more):
    return _jax(model, x, y, optimizer, params=model.init(jax.random.key(seed), jnp.asarray(x)), **more)


def _he(model):
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return model


class _Residual(nn.Module):
    def __init__(self, body, width):
        super().__init__()
        self.body, self.norm = body, nn.LayerNorm(width)

    def forward(self, x):
        return x + self.body(self.norm(x))


class _Recurrent(nn.Module):
    def __init__(self, cell, inputs, hidden, outputs):
        super().__init__()
        self.cell, self.head = cell(inputs, hidden, batch_first=True), nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


# test half, PyTorch


def torch_mlp_relu():
    torch.manual_seed(11)
    x, y = data.digits()
    return _torch(
        _he(nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 10))), x, y, _adam()
    )


def torch_mlp_gelu_layernorm():
    torch.manual_seed(12)
    x, y = data.digits(offset=1000)
    layers = [
        nn.Linear(64, 40),
        nn.LayerNorm(40),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(40, 40),
        nn.LayerNorm(40),
        nn.GELU(),
        nn.Linear(40, 10),
    ]
    return _torch(nn.Sequential(*layers), x, y, _adamw())


def torch_mlp_tanh():
    torch.manual_seed(13)
    x, y = data.iris()
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    for module in model[::2]:
        nn.init.xavier_normal_(module.weight)
    return _torch(model, x, y, _sgd())


def torch_cnn_batchnorm():
    torch.manual_seed(14)
    x, y = data.digits(offset=1100)
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    layers += [
        nn.Conv2d(8, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(192, 10),
    ]
    return _torch(nn.Sequential(*layers), x.reshape(-1, 1, 8, 8), y, _sgd())


def torch_cnn_dropout():
    torch.manual_seed(15)
    x, y = data.digits(offset=1300)
    layers = [
        nn.Conv2d(1, 10, 3),
        nn.LeakyReLU(),
        nn.Dropout2d(0.1),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(90, 32),
        nn.ELU(),
        nn.Dropout(0.3),
    ]
    return _torch(nn.Sequential(*layers, nn.Linear(32, 10)), x.reshape(-1, 1, 8, 8), y, _adam())


class _Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
        self.norm_1, self.norm_2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        # the branch starts at zero, as is usual for residual networks
        nn.init.zeros_(self.norm_2.weight)

    def forward(self, x):
        return F.relu(x + self.norm_2(self.second(F.relu(self.norm_1(self.first(x))))))


def torch_resnet_zero_branch():
    torch.manual_seed(16)
    x, y = data.digits(64, 1400)
    stem = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()]
    model = nn.Sequential(*stem, _Block(8), _Block(8), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 10))
    return _torch(model, x.reshape(-1, 1, 8, 8), y, _adamw())


class _Encoder(nn.Module):
    def __init__(self, features, width, classes, pre_norm):
        super().__init__()
        self.embed, self.position = nn.Linear(features, width), nn.Parameter(torch.randn(8, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, 4, 2 * width, dropout=0.1, activation="gelu", batch_first=True, norm_first=pre_norm
        )
        self.layers = nn.ModuleList(
            [layer, nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.1, batch_first=True, norm_first=pre_norm)]
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x):
        x = self.embed(x) + self.position[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x).mean(dim=1))


def torch_transformer():
    torch.manual_seed(17)
    x, y = data.digits(64, 1500)
    return _torch(_Encoder(8, 32, 10, True), x.reshape(-1, 8, 8), y, _adamw())


class _Causal(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.qkv, self.head = nn.Embedding(17, 24), nn.Linear(24, 72), nn.Linear(24, 17, bias=False)
        nn.init.normal_(self.embed.weight, std=0.02)
        self.head.weight = self.embed.weight
        self.register_buffer("mask", torch.triu(torch.ones(16, 16, dtype=torch.bool), 1))

    def forward(self, tokens):
        x = self.embed(tokens)
        q, k, v = self.qkv(F.layer_norm(x, (24,))).chunk(3, dim=-1)
        scores = (q @ k.transpose(1, 2) / 24**0.5).masked_fill(self.mask, float("-inf"))
        return self.head(F.layer_norm(x + scores.softmax(-1) @ v, (24,)))


def torch_language_model_tied():
    torch.manual_seed(18)
    rows = torch.tensor(data.digits(64, 1550)[0][:, :17] * 16).long()
    given = {"model": (model := _Causal()), "batch": (rows[:, :-1], rows[:, 1:])}
    return {
        **given,
        "loss_fn": lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten()),
        "optimizer": _adamw(3e-3)(model.parameters()),
    }


def torch_lstm():
    torch.manual_seed(19)
    x, y = data.digits(64, 1600)
    return _torch(_Recurrent(nn.LSTM, 8, 24, 10), x.reshape(-1, 8, 8), y, _adam(3e-3))


def torch_regression_silu():
    torch.manual_seed(20)
    x, y = data.friedman()
    return _torch(
        nn.Sequential(nn.Linear(10, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1)),
        x,
        y,
        _adam(),
        F.mse_loss,
    )


def torch_segmentation():
    torch.manual_seed(21)
    x, y = data.figures()
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1)
    )
    return _torch(_he(model), x[:, None], y, _adam(3e-3))


def torch_binary_sigmoid_bce():
    torch.manual_seed(22)
    x, y = data.iris(seed=8)
    # a sigmoid before a loss on probabilities is right
    model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 1), nn.Sigmoid())
    return _torch(model, x, np.float32(y[:, None] == 1), _adam(3e-3), F.binary_cross_entropy)


# test half, JAX


class _NnxMlp(nnx.Module):
    def __init__(self, sizes, activation, seed, rate=0.0):
        rngs = nnx.Rngs(seed)
        self.layers = nnx.List([nnx.Linear(a, b, rngs=rngs) for a, b in zip(sizes, sizes[1:], strict=False)])
        self.dropout, self.activation = nnx.Dropout(rate, rngs=rngs), activation

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = self.dropout(self.activation(layer(x)))
        return self.layers[-1](x)


def nnx_mlp_gelu():
    x, y = data.digits(64, 950)
    return _jax(_NnxMlp([64, 40, 40, 10], nnx.gelu, 31, 0.1), x, y, optax.adam(1e-3))


class _NnxCnn(nnx.Module):
    def __init__(self, seed):
        rngs = nnx.Rngs(seed)
        self.conv, self.norm, self.head = (
            nnx.Conv(1, 8, (3, 3), rngs=rngs),
            nnx.BatchNorm(8, rngs=rngs),
            nnx.Linear(512, 10, rngs=rngs),
        )

    def __call__(self, x):
        return self.head(nnx.relu(self.norm(self.conv(x))).reshape(x.shape[0], -1))


def nnx_cnn_batchnorm():
    x, y = data.digits(64, 1050)
    return _jax(_NnxCnn(32), x.reshape(-1, 8, 8, 1), y, optax.sgd(0.05, momentum=0.9))


class _NnxRecurrent(nnx.Module):
    def __init__(self, seed):
        rngs = nnx.Rngs(seed)
        self.cell, self.head = nnx.RNN(nnx.GRUCell(8, 20, rngs=rngs)), nnx.Linear(20, 10, rngs=rngs)

    def __call__(self, x):
        return self.head(self.cell(x)[:, -1])


def nnx_gru():
    x, y = data.digits(48, 1150)
    return _jax(_NnxRecurrent(33), x.reshape(-1, 8, 8), y, optax.adamw(3e-3))


class _LinenMlp(linen.Module):
    @linen.compact
    def __call__(self, x, train: bool = False):
        for width in (32, 32):
            x = linen.relu(linen.BatchNorm(use_running_average=not train)(linen.Dense(width)(x)))
            x = linen.Dropout(0.2, deterministic=not train)(x)
        return linen.Dense(10)(x)


def linen_mlp_batchnorm():
    x, y = data.digits(64, 1250)
    return _linen(_LinenMlp(), x, y, optax.adam(1e-3), 34)


class _LinenEncoder(linen.Module):
    @linen.compact
    def __call__(self, x, deterministic: bool = True):
        x = linen.Dense(24)(x) + self.param("position", linen.initializers.normal(0.02), (8, 24))
        y = linen.LayerNorm()(x)
        x = x + linen.MultiHeadDotProductAttention(num_heads=4, dropout_rate=0.1, deterministic=deterministic)(y, y)
        x = x + linen.Dense(24)(linen.gelu(linen.Dense(48)(linen.LayerNorm()(x))))
        return linen.Dense(10)(linen.LayerNorm()(x).mean(axis=1))


def linen_transformer():
    x, y = data.digits(48, 1350)
    return _linen(_LinenEncoder(), x.reshape(-1, 8, 8), y, optax.adamw(1e-3), 35)


class _LinenSegmentation(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.relu(linen.Conv(8, (3, 3))(x))
        return linen.Conv(2, (1, 1))(linen.relu(linen.Conv(8, (3, 3))(x)))


def linen_segmentation():
    x, y = data.figures(24)
    return _linen(_LinenSegmentation(), x[..., None], y, optax.adam(3e-3), 36)


def equinox_mlp_tanh():
    x, y = data.iris(seed=9)
    return _jax(eqx.nn.MLP(4, 3, 16, 2, jnp.tanh, key=jax.random.key(37)), x, y, optax.adam(3e-3))


class _EqxCnn(eqx.Module):
    conv: eqx.nn.Conv2d
    norm: eqx.nn.LayerNorm
    head: eqx.nn.Linear

    def __init__(self, seed):
        first, second = jax.random.split(jax.random.key(seed))
        self.conv, self.norm = eqx.nn.Conv2d(1, 6, 3, key=first), eqx.nn.LayerNorm(216)
        self.head = eqx.nn.Linear(216, 10, key=second)

    def __call__(self, x):
        return self.head(self.norm(jax.nn.relu(self.conv(x)).reshape(-1)))


def equinox_cnn():
    x, y = data.digits(48, 1450)
    return _jax(_EqxCnn(38), x.reshape(-1, 1, 8, 8), y, optax.adam(1e-3))


def _function(sizes, seed, activation):
    keys = jax.random.split(jax.random.key(seed), len(sizes))
    params = [
        {"w": jax.random.normal(key, (a, b)) * (1.5 / a) ** 0.5, "b": jnp.zeros(b)}
        for key, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]

    def apply(params, x):
        for layer in params[:-1]:
            x = activation(x @ layer["w"] + layer["b"])
        return x @ params[-1]["w"] + params[-1]["b"]

    return {"params": params, "apply": apply}


def function_regression():
    x, y = data.friedman(seed=10)
    given = _jax(None, x, y, optax.adam(1e-3), _squared)
    del given["model"]
    return {**given, **_function([10, 24, 24, 1], 39, jax.nn.silu)}


# tuning half


def tuning_torch_deep_relu():
    torch.manual_seed(1)
    x, y = data.wine()
    widths = [13, 40, 40, 40, 40, 40]
    layers = [layer for a, b in zip(widths, widths[1:], strict=False) for layer in (nn.Linear(a, b), nn.ReLU())]
    return _torch(_he(nn.Sequential(*layers, nn.Linear(40, 3))), x, y, _adam())


def tuning_torch_default_relu():
    torch.manual_seed(2)
    x, y = data.cancer()
    return _torch(
        nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)), x, y, _sgd(0.01)
    )


def tuning_torch_sigmoid():
    torch.manual_seed(3)
    x, y = data.cancer(seed=12)
    return _torch(nn.Sequential(nn.Linear(30, 24), nn.Sigmoid(), nn.Linear(24, 2)), x, y, _adam(3e-3))


def tuning_torch_selu_residual():
    torch.manual_seed(4)
    x, y = data.diabetes()
    blocks = [_Residual(nn.Sequential(nn.Linear(20, 40), nn.SELU(), nn.Linear(40, 20)), 20) for _ in range(4)]
    return _torch(nn.Sequential(nn.Linear(10, 20), *blocks, nn.Linear(20, 1)), x, y, _adamw(), F.mse_loss)


def tuning_torch_conv1d():
    torch.manual_seed(5)
    x, y, _ = data.stripes()
    layers = [
        nn.Conv1d(10, 16, 3, padding=1),
        nn.GroupNorm(4, 16),
        nn.Hardtanh(),
        nn.Conv1d(16, 16, 3),
        nn.ReLU6(),
        nn.Flatten(),
    ]
    return _torch(nn.Sequential(*layers, nn.Linear(128, 2)), x, y, _adam())


class _UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.middle, self.up = (
            nn.Conv2d(1, 8, 3, padding=1),
            nn.Conv2d(8, 16, 3, padding=1),
            nn.ConvTranspose2d(16, 8, 2, stride=2),
        )
        self.head = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        one = F.relu(self.down(x))
        two = F.relu(self.middle(F.max_pool2d(one, 2)))
        return self.head(torch.cat([one, F.relu(self.up(two))], dim=1))


def tuning_torch_unet():
    torch.manual_seed(6)
    x, _, masks = data.stripes(32)
    return _torch(_UNet(), x[:, None], masks, _adam(3e-3))


class _Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.layer(self.embed(x)).mean(dim=1))


def tuning_torch_tokens_postnorm():
    torch.manual_seed(7)
    x, y = data.tokens()
    return _torch(_Tokens(), x, y, _adamw())


def tuning_torch_gru_regression():
    torch.manual_seed(8)
    x, y = data.diabetes(seed=13)
    return _torch(_Recurrent(nn.GRU, 1, 16, 1), x[..., None], y, _adam(1e-2), F.l1_loss)


def tuning_nnx_relu():
    x, y = data.wine(seed=14)
    return _jax(_NnxMlp([13, 32, 32, 32, 3], nnx.relu, 51), x, y, optax.adam(1e-3))


class _LinenCnn(linen.Module):
    @linen.compact
    def __call__(self, x, train: bool = False):
        x = linen.silu(linen.BatchNorm(use_running_average=not train)(linen.Conv(8, (3, 3))(x)))
        return linen.Dense(2)(x.reshape(x.shape[0], -1))


def tuning_linen_cnn():
    x, y, _ = data.stripes(seed=15)
    return _linen(_LinenCnn(), x[..., None], y, optax.sgd(0.05), 52)


def tuning_equinox_relu():
    x, y = data.diabetes(seed=16)
    return _jax(eqx.nn.MLP(10, 1, 24, 3, key=jax.random.key(53)), x, y, optax.adam(1e-3), _squared)


def tuning_function_tanh():
    x, y = data.cancer(seed=17)
    given = _jax(None, x, y, optax.adam(1e-3))
    del given["model"]
    return {**given, **_function([30, 24, 24, 2], 54, jnp.tanh)}


_FACTORIES = {
    name: value
    for name, value in list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
}
TUNING = [name for name in _FACTORIES if name.startswith("tuning_")]
TEST = [name for name in _FACTORIES if not name.startswith("tuning_")]
