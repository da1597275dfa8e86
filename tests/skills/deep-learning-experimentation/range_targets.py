"""Targets on digits for the learning rate range test."""

import numpy as np
from sklearn.datasets import load_digits

DIGITS = load_digits()
INPUTS = (DIGITS.data / 16).astype(np.float32)
RNG = np.random.default_rng(0)
WEIGHTS = [(RNG.normal(size=shape) * (2 / shape[0]) ** 0.5).astype(np.float32) for shape in ((64, 64), (64, 10))]


def _torch(**more):
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    with torch.no_grad():
        for layer, weight in zip((model[0], model[2]), WEIGHTS, strict=True):
            layer.weight.copy_(torch.tensor(weight.T))
            layer.bias.zero_()
    batch = (torch.tensor(INPUTS), torch.tensor(DIGITS.target))
    return {"model": model, "batch": batch, "loss_fn": torch.nn.functional.cross_entropy, **more}


def torch_sgd():
    return _torch()


def torch_adam():
    import torch

    given = _torch()
    return {**given, "optimizer": torch.optim.Adam(given["model"].parameters(), lr=1e-3)}


def torch_flat():
    return _torch(loss_fn=lambda outputs, targets: outputs.sum() * 0 + 2.3)


def torch_detached():
    return _torch(loss_fn=lambda outputs, targets: outputs.detach().sum())


def torch_nan():
    return _torch(loss_fn=lambda outputs, targets: outputs.sum() * float("nan"))


def torch_named_inputs():
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(64, 10)
            self.norm = torch.nn.BatchNorm1d(10)

        def forward(self, pixels, scale):
            return self.norm(self.layer(pixels)) * scale

    given = _torch()
    inputs = {"pixels": given["batch"][0], "scale": torch.tensor(1.0)}
    return {**given, "model": Model(), "batch": (inputs, given["batch"][1])}


def _jax(**more):
    import jax.numpy as jnp
    import optax

    first, second = (jnp.asarray(weight) for weight in WEIGHTS)
    params = {"a": {"w": first, "b": jnp.zeros(64)}, "b": {"w": second, "b": jnp.zeros(10)}}

    def apply(params, inputs):
        hidden = jnp.maximum(inputs @ params["a"]["w"] + params["a"]["b"], 0)
        return hidden @ params["b"]["w"] + params["b"]["b"]

    def loss_fn(outputs, targets):
        return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()

    batch = (jnp.asarray(INPUTS), jnp.asarray(DIGITS.target))
    return {"params": params, "apply": apply, "batch": batch, "loss_fn": loss_fn, **more}


def jax_sgd():
    return _jax()


def jax_built_in():
    import optax

    return _jax(optimizer=optax.adam(1e-3))


def jax_injected():
    import optax

    return _jax(optimizer=optax.inject_hyperparams(optax.adam)(learning_rate=1e-3))
