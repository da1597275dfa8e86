"""The reference blocks of pytorch_blocks.py in Flax NNX."""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax.typing import DTypeLike

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5  # the default of Flax is 1e-6


class MLP(nnx.Module):
    """W2 gelu(W1 x + b1) + b2 over the last axis, with the exact GELU."""

    def __init__(self, width: int, hidden: int, out: int, *, dtype: DTypeLike | None = None, rngs: nnx.Rngs) -> None:
        self.up = nnx.Linear(width, hidden, dtype=dtype, rngs=rngs)
        self.down = nnx.Linear(hidden, out, dtype=dtype, rngs=rngs)

    def __call__(self, x):
        return self.down(nnx.gelu(self.up(x), approximate=False))


class AttentionBlock(nnx.Module):
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal.

    Args:
        width: size of a token, divisible by heads.
        heads: number of heads.
        hidden: width of the MLP.
        dropout: rate on both residual branches.
        dtype: of the computation; None takes that of inputs and parameters together.
        rngs: the streams `params` and `dropout`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        dropout: float = 0.1,
        *,
        dtype: DTypeLike | None = None,
        rngs: nnx.Rngs,
    ) -> None:
        self.norm1, self.norm2 = (nnx.LayerNorm(width, epsilon=EPSILON, dtype=dtype, rngs=rngs) for _ in range(2))
        self.attention = nnx.MultiHeadAttention(heads, width, decode=False, dtype=dtype, rngs=rngs)
        self.up = nnx.Linear(width, hidden, dtype=dtype, rngs=rngs)
        self.down = nnx.Linear(hidden, width, dtype=dtype, rngs=rngs)
        self.drop = nnx.Dropout(dropout, rngs=rngs)

    def __call__(self, x):
        """x: (batch, length, width); the result has the same shape. train() and eval() switch the dropout."""
        allowed = jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool))
        x = x + self.drop(self.attention(self.norm1(x), mask=allowed))
        return x + self.drop(self.down(nnx.gelu(self.up(self.norm2(x)), approximate=False)))


class ConvBlock(nnx.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with 3x3 kernels and batch normalisation."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs) -> None:
        self.conv1, self.conv2 = (nnx.Conv(channels, channels, (3, 3), use_bias=False, rngs=rngs) for _ in range(2))
        # 0.9 of the old statistics is kept: momentum=0.1 in PyTorch
        self.bn1, self.bn2 = (nnx.BatchNorm(channels, momentum=0.9, epsilon=EPSILON, rngs=rngs) for _ in range(2))

    def __call__(self, x):
        """x: (batch, height, width, channels)."""
        h = nnx.relu(self.bn1(self.conv1(x)))
        return nnx.relu(x + self.bn2(self.conv2(h)))


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _target(model: nnx.Module, x: np.ndarray) -> dict:
    return {
        "model": model,
        "batch": (jnp.asarray(x), jnp.zeros(x.shape)),
        "loss_fn": lambda outputs, targets: jnp.mean((outputs - targets) ** 2),
    }


def mlp() -> dict:
    return _target(MLP(WIDTH, HIDDEN, WIDTH, rngs=nnx.Rngs(0)), inputs(BATCH, WIDTH))


def attention() -> dict:
    return _target(AttentionBlock(WIDTH, HEADS, HIDDEN, rngs=nnx.Rngs(0)), inputs(BATCH, LENGTH, WIDTH))


def conv() -> dict:
    x = inputs(BATCH, CHANNELS, SIZE, SIZE).transpose(0, 2, 3, 1)
    return _target(ConvBlock(CHANNELS, rngs=nnx.Rngs(0)), x)
