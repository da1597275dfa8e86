"""The reference blocks of pytorch_blocks.py in Equinox. A module acts on one example; `jax.vmap` brings the batch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5


class MLP(eqx.Module):
    """W2 gelu(W1 x + b1) + b2, with the exact GELU."""

    up: eqx.nn.Linear
    down: eqx.nn.Linear

    def __init__(self, width: int, hidden: int, out: int, *, key: jax.Array) -> None:
        first, second = jax.random.split(key)
        self.up, self.down = eqx.nn.Linear(width, hidden, key=first), eqx.nn.Linear(hidden, out, key=second)

    def __call__(self, x):
        """x: (width,)."""
        return self.down(jax.nn.gelu(self.up(x), approximate=False))


class AttentionBlock(eqx.Module):
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal.

    Args:
        width: size of a token, divisible by heads.
        heads: number of heads.
        hidden: width of the MLP.
        dropout: rate on both residual branches.
        key: for the weights.
    """

    norm1: eqx.nn.LayerNorm
    norm2: eqx.nn.LayerNorm
    attention: eqx.nn.MultiheadAttention
    up: eqx.nn.Linear
    down: eqx.nn.Linear
    drop: eqx.nn.Dropout

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.1, *, key: jax.Array) -> None:
        first, second, third = jax.random.split(key, 3)
        self.norm1, self.norm2 = eqx.nn.LayerNorm(width, EPSILON), eqx.nn.LayerNorm(width, EPSILON)
        biases = {f"use_{name}_bias": True for name in ("query", "key", "value", "output")}  # off by default
        self.attention = eqx.nn.MultiheadAttention(heads, width, **biases, key=first)
        self.up, self.down = eqx.nn.Linear(width, hidden, key=second), eqx.nn.Linear(hidden, width, key=third)
        self.drop = eqx.nn.Dropout(dropout)

    def __call__(self, x, key: jax.Array | None = None):
        """x: (length, width). Training needs a key; `eqx.nn.inference_mode` switches the dropout off."""
        first, second = (None, None) if key is None else jax.random.split(key)
        allowed = jnp.tril(jnp.ones((x.shape[0], x.shape[0]), bool))
        h = jax.vmap(self.norm1)(x)
        x = x + self.drop(self.attention(h, h, h, mask=allowed), key=first)
        h = jax.nn.gelu(jax.vmap(self.up)(jax.vmap(self.norm2)(x)), approximate=False)
        return x + self.drop(jax.vmap(self.down)(h), key=second)


class ConvBlock(eqx.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with 3x3 kernels and batch normalisation."""

    conv1: eqx.nn.Conv2d
    conv2: eqx.nn.Conv2d
    bn1: eqx.nn.BatchNorm
    bn2: eqx.nn.BatchNorm

    def __init__(self, channels: int, *, key: jax.Array) -> None:
        self.conv1, self.conv2 = (
            eqx.nn.Conv2d(channels, channels, 3, padding=1, use_bias=False, key=one) for one in jax.random.split(key)
        )
        # 0.9 of the old statistics is kept: momentum=0.1 in PyTorch; the default mode is none of the usual ones
        self.bn1, self.bn2 = (
            eqx.nn.BatchNorm(channels, axis_name="batch", eps=EPSILON, momentum=0.9, mode="batch") for _ in range(2)
        )

    def __call__(self, x, state: eqx.nn.State):
        """x: (channels, height, width), within a `jax.vmap` whose axis is called `batch`."""
        h, state = self.bn1(self.conv1(x), state)
        h, state = self.bn2(self.conv2(jax.nn.relu(h)), state)
        return jax.nn.relu(x + h), state


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _target(x: np.ndarray, **model: object) -> dict:
    return {
        **model,
        "batch": (jnp.asarray(x), jnp.zeros(x.shape)),
        "loss_fn": lambda outputs, targets: jnp.mean((outputs - targets) ** 2),
    }


def mlp() -> dict:
    return _target(inputs(BATCH, WIDTH), model=MLP(WIDTH, HIDDEN, WIDTH, key=jax.random.key(0)))


def attention() -> dict:
    model = AttentionBlock(WIDTH, HEADS, HIDDEN, key=jax.random.key(0))
    return _target(inputs(BATCH, LENGTH, WIDTH), model=model)


def conv() -> dict:
    """A model with state enters as `params` and `apply`; `params` holds both."""
    model, state = eqx.nn.make_with_state(ConvBlock)(CHANNELS, key=jax.random.key(0))
    arrays, static = eqx.partition(model, eqx.is_array)
    statistics = {
        name: dict(zip(("mean", "var"), state.get(getattr(model, name).batch_state_index), strict=True))
        for name in ("bn1", "bn2")
    }

    def apply(params, x, train=False):
        live = eqx.nn.inference_mode(eqx.combine(params["model"], static), value=not train)
        filled = jax.tree.map(lambda leaf: leaf, state)  # a copy: a state that was changed may not be used again
        for name, own in params["statistics"].items():
            filled = filled.set(getattr(live, name).batch_state_index, (own["mean"], own["var"]))
        return jax.vmap(live, axis_name="batch", in_axes=(0, None), out_axes=(0, None))(x, filled)[0]

    return _target(inputs(BATCH, CHANNELS, SIZE, SIZE), params={"model": arrays, "statistics": statistics}, apply=apply)
