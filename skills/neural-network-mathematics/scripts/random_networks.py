"""Real random networks in PyTorch and JAX, measured layer by layer: the check on `mean_field`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mean_field import Layer

INPUTS = 4  # per network; more inputs say little, because they share the weights


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Averages over the networks; arrays of shape (layers,).

    Args:
        pre: mean square of the pre-activations.
        gradient: mean square of the gradient at the layer's output, for a gradient of mean square 1 at the last.
        correlation: cosine of the pre-activations of two inputs.
        pre_error: standard error of `pre`, from the spread between networks.
        gradient_error: standard error of `gradient`.
    """

    pre: np.ndarray
    gradient: np.ndarray
    correlation: np.ndarray
    pre_error: np.ndarray
    gradient_error: np.ndarray


def measure(
    framework: str, layers: Sequence[Layer], input_moment: float, correlation: float, networks: int, seed: int
) -> Measurement:
    """Draws networks, sends inputs of the given second moment and correlation through, and gradients back.

    Args:
        framework: `torch` or `jax`; both run in float64, so that what vanishes is seen and not rounded to 0.
        layers: fully connected, the fan_out of each being the fan_in of the next.
        input_moment: mean square of the components of an input, exactly.
        correlation: cosine between two inputs, exactly.
        networks: how many are drawn.
        seed: of all draws.
    """
    run = {"torch": _run_torch, "jax": _run_jax}[framework]
    rng = np.random.default_rng(seed)
    results = []
    for number in range(networks):
        inputs = _inputs(rng, layers[0].fan_in, input_moment, correlation)
        back = rng.standard_normal((INPUTS, layers[-1].fan_out))
        pres, gradients = run(layers, inputs, back, int(rng.integers(2**31)))
        results.append(
            (
                [np.mean(z**2) for z in pres],
                [np.mean(g**2) / np.mean(back**2) for g in gradients],
                [_mean_product(z) for z in pres],
            )
        )
    pre, gradient, product = (np.array(column) for column in zip(*results, strict=True))
    spread = math.sqrt(networks) if networks > 1 else math.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return Measurement(
            pre.mean(0),
            gradient.mean(0),
            product.mean(0) / pre.mean(0),
            pre.std(0, ddof=networks > 1) / spread,
            gradient.std(0, ddof=networks > 1) / spread,
        )


def _inputs(rng: np.random.Generator, width: int, moment: float, correlation: float) -> np.ndarray:
    # orthonormal rows mixed by the Cholesky factor of the wanted Gram matrix: moment and cosines are exact
    rows = np.linalg.qr(rng.standard_normal((width, INPUTS)))[0].T
    gram = np.full((INPUTS, INPUTS), correlation) + (1 - correlation) * np.eye(INPUTS)
    values, vectors = np.linalg.eigh(gram)
    return math.sqrt(width * moment) * (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T @ rows


def _mean_product(z: np.ndarray) -> float:
    gram = z @ z.T / z.shape[1]
    return float((gram.sum() - np.trace(gram)) / (len(z) * (len(z) - 1)))


def _run_torch(layers: Sequence[Layer], inputs: np.ndarray, back: np.ndarray, seed: int) -> tuple[list, list]:
    import torch
    from torch import nn
    from torch.nn import functional as F

    # the draws must not disturb, or depend on, the caller's generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        h, pres, outs = torch.from_numpy(inputs), [], []
        for layer in layers:
            linear = nn.Linear(layer.fan_in, layer.fan_out, dtype=torch.float64)
            _init_torch(linear, layer)
            z = linear(h)
            pres.append(z.detach().numpy())
            if layer.norm == "layer":
                z = F.layer_norm(z, z.shape[-1:], eps=0.0)
            elif layer.norm == "rms":
                z = z / z.square().mean(-1, keepdim=True).sqrt()
            out = _torch_activation(layer.activation)(z)
            h = out + h if layer.residual else out
            if not h.requires_grad:
                h.requires_grad_()
            outs.append(h)
        gradients = torch.autograd.grad(h, outs, torch.from_numpy(back))
    return pres, [gradient.numpy() for gradient in gradients]


def _torch_activation(name: str) -> Callable:
    import torch
    from torch.nn import functional as F

    return {
        "linear": lambda x: x, "relu": F.relu, "leaky-relu": F.leaky_relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
        "gelu": F.gelu, "silu": F.silu, "elu": F.elu, "selu": F.selu, "softplus": F.softplus,
    }[name]  # fmt: skip


def _init_torch(linear: Any, layer: Layer) -> None:
    import torch
    from torch.nn import init

    name, _, gain = layer.init.partition("*")
    with torch.no_grad():
        if name == "he":
            init.kaiming_normal_(linear.weight, nonlinearity="relu")
        elif name == "xavier":
            init.xavier_normal_(linear.weight)
        elif name == "lecun":
            init.kaiming_normal_(linear.weight, nonlinearity="linear")
        elif name == "orthogonal":
            init.orthogonal_(linear.weight)
        elif name != "torch-default":
            init.normal_(linear.weight, std=math.sqrt(layer.weight_variance))
            gain = ""
        linear.weight.mul_(float(gain or 1))
        if name != "torch-default":
            init.normal_(linear.bias, std=math.sqrt(layer.bias_variance))


def _run_jax(layers: Sequence[Layer], inputs: np.ndarray, back: np.ndarray, seed: int) -> tuple[list, list]:
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(seed), (len(layers), 2))
        weights = [_weights_jax(layer, *pair) for layer, pair in zip(layers, keys, strict=True)]

        def forward(shifts: list, h: Any) -> tuple[Any, list]:
            pres = []
            for layer, (w, b), shift in zip(layers, weights, shifts, strict=True):
                z = h @ w + b
                pres.append(z)
                if layer.norm != "none":
                    centred = z - z.mean(-1, keepdims=True) if layer.norm == "layer" else z
                    z = centred / jnp.sqrt(jnp.square(centred).mean(-1, keepdims=True))
                out = _jax_activation(layer.activation)(z)
                # the gradient at a layer's output is the gradient of a zero that is added to it
                h = (out + h if layer.residual else out) + shift
            return h, pres

        zeros = [jnp.zeros((INPUTS, layer.fan_out)) for layer in layers]
        _, pull, pres = jax.vjp(lambda shifts: forward(shifts, jnp.asarray(inputs)), zeros, has_aux=True)
        (gradients,) = pull(jnp.asarray(back))
        return [np.asarray(z) for z in pres], [np.asarray(g) for g in gradients]


def _jax_activation(name: str) -> Callable:
    import jax

    return {
        "linear": lambda x: x, "relu": jax.nn.relu, "leaky-relu": jax.nn.leaky_relu, "tanh": jax.numpy.tanh,
        "sigmoid": jax.nn.sigmoid,
        # jax.nn.gelu is the tanh approximation unless told otherwise
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "silu": jax.nn.silu, "elu": jax.nn.elu, "selu": jax.nn.selu, "softplus": jax.nn.softplus,
    }[name]  # fmt: skip


def _weights_jax(layer: Layer, weight_key: Any, bias_key: Any) -> tuple[Any, Any]:
    import jax
    import jax.numpy as jnp

    initializers = jax.nn.initializers
    name, _, gain = layer.init.partition("*")
    draw = {
        "he": initializers.he_normal(),
        "xavier": initializers.glorot_normal(),
        "lecun": initializers.lecun_normal(),
        "orthogonal": initializers.orthogonal(),
        "torch-default": initializers.variance_scaling(1 / 3, "fan_in", "uniform"),
    }.get(name)
    if draw is None:
        draw, gain = initializers.normal(math.sqrt(layer.weight_variance)), ""
    w = float(gain or 1) * draw(weight_key, (layer.fan_in, layer.fan_out), jnp.float64)
    return w, math.sqrt(layer.bias_variance) * jax.random.normal(bias_key, (layer.fan_out,), jnp.float64)
