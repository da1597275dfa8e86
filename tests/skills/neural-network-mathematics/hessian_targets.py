"""Small models for hessian_top, in PyTorch and JAX."""

import torch
from torch import nn

torch.set_num_threads(1)


def _data(features=6, classes=3, rows=40):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, features, generator=generator), torch.arange(rows) % classes


def mlp():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 18), nn.Tanh(), nn.Dropout(0.5), nn.Linear(18, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return {"model": model, "batch": _data(), "loss_fn": nn.functional.cross_entropy, "optimizer": optimizer}


def too_fast():
    given = mlp()
    given["optimizer"] = torch.optim.SGD(given["model"].parameters(), lr=20.0)
    return given


def adam():
    given = mlp()
    given["optimizer"] = torch.optim.Adam(given["model"].parameters())
    return given


def attention():
    torch.manual_seed(0)
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten(), nn.Linear(32, 3))
    x = torch.randn(5, 4, 8)
    return {"model": model, "batch": (x, torch.arange(5) % 3), "loss_fn": nn.functional.cross_entropy}


def quadratic():
    """Loss 1/2 sum(c w^2) with c = 1 ... 100, so that the eigenvalues are known."""

    class Weights(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones(100))

        def forward(self, c):
            return 0.5 * c * self.w**2

    c = torch.arange(1.0, 101.0)
    return {"model": Weights(), "batch": (c[None], torch.zeros(1)), "loss_fn": lambda y, _: y.sum()}


def _cross_entropy(logits, labels):
    import jax
    import jax.numpy as jnp

    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1).mean()


def function():
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(0), 2)
    params = {"a": jax.random.normal(keys[0], (6, 18)) / 6, "b": jax.random.normal(keys[1], (18, 3)) / 6}
    x, y = _data()

    def apply(params, x):
        return jnp.tanh(x @ params["a"]) @ params["b"]

    return {"params": params, "apply": apply, "batch": (jnp.array(x), jnp.array(y)), "loss_fn": _cross_entropy}


def nnx_model():
    import jax.numpy as jnp
    from flax import nnx

    model = nnx.Sequential(nnx.Linear(6, 18, rngs=nnx.Rngs(0)), nnx.tanh, nnx.Linear(18, 3, rngs=nnx.Rngs(1)))
    x, y = _data()
    return {"model": model, "batch": (jnp.array(x), jnp.array(y)), "loss_fn": _cross_entropy}


def not_finite():
    given = mlp()
    given["loss_fn"] = lambda outputs, targets: outputs.sum() * float("nan")
    return given


def frozen():
    given = mlp()
    given["model"].requires_grad_(False)
    given.pop("optimizer")
    return given
