"""The reference blocks of pytorch_blocks.py in Flax Linen."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax.typing import DTypeLike

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5  # the default of Flax is 1e-6


class MLP(nn.Module):
    """W2 gelu(W1 x + b1) + b2 over the last axis, with the exact GELU."""

    hidden: int
    out: int
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x):
        # named: the automatic names follow the order of construction, and the outermost layer is constructed first
        h = nn.gelu(nn.Dense(self.hidden, dtype=self.dtype, name="up")(x), approximate=False)
        return nn.Dense(self.out, dtype=self.dtype, name="down")(h)


class AttentionBlock(nn.Module):
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal.

    Args:
        heads: number of heads; divides the width of the input.
        hidden: width of the MLP.
        dropout: rate on both residual branches.
        dtype: of the computation; None takes that of inputs and parameters together.
    """

    heads: int
    hidden: int
    dropout: float = 0.1
    dtype: DTypeLike | None = None

    @nn.compact
    def __call__(self, x, train: bool = False):
        """x: (batch, length, width); the result has the same shape. Training needs the stream `dropout`."""
        length, width = x.shape[1:]
        drop = nn.Dropout(self.dropout, deterministic=not train)
        h = nn.LayerNorm(EPSILON, dtype=self.dtype, name="norm1")(x)
        attention = nn.MultiHeadDotProductAttention(self.heads, dtype=self.dtype, name="attention")
        x = x + drop(attention(h, mask=jnp.tril(jnp.ones((length, length), bool))))
        h = nn.LayerNorm(EPSILON, dtype=self.dtype, name="norm2")(x)
        h = nn.gelu(nn.Dense(self.hidden, dtype=self.dtype, name="up")(h), approximate=False)
        return x + drop(nn.Dense(width, dtype=self.dtype, name="down")(h))


class ConvBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with 3x3 kernels and batch normalisation."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        """x: (batch, height, width, channels). Training changes the collection `batch_stats`."""

        def conv(name):
            return nn.Conv(x.shape[-1], (3, 3), use_bias=False, name=name)

        def norm(name):
            # 0.9 of the old statistics is kept: momentum=0.1 in PyTorch
            return nn.BatchNorm(use_running_average=not train, momentum=0.9, epsilon=EPSILON, name=name)

        h = nn.relu(norm("bn1")(conv("conv1")(x)))
        return nn.relu(x + norm("bn2")(conv("conv2")(h)))


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _target(model: nn.Module, x: np.ndarray) -> dict:
    return {
        "model": model,
        "params": jax.jit(model.init)(jax.random.key(0), x),
        "batch": (jnp.asarray(x), jnp.zeros(x.shape)),
        "loss_fn": lambda outputs, targets: jnp.mean((outputs - targets) ** 2),
    }


def mlp() -> dict:
    return _target(MLP(HIDDEN, WIDTH), inputs(BATCH, WIDTH))


def attention() -> dict:
    return _target(AttentionBlock(HEADS, HIDDEN), inputs(BATCH, LENGTH, WIDTH))


def conv() -> dict:
    return _target(ConvBlock(), inputs(BATCH, CHANNELS, SIZE, SIZE).transpose(0, 2, 3, 1))
