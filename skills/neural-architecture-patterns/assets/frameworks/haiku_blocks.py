"""The reference blocks of pytorch_blocks.py in Haiku, for code that exists; new code goes to Flax NNX or Equinox."""

import functools

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5


def mlp_block(x, is_training: bool = False):
    """W2 gelu(W1 x + b1) + b2 over the last axis, with the exact GELU."""
    h = jax.nn.gelu(hk.Linear(HIDDEN, name="up")(x), approximate=False)
    return hk.Linear(x.shape[-1], name="down")(h)


def attention_block(x, is_training: bool = False, dropout: float = 0.1):
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal, on (batch, length, width)."""
    length, width = x.shape[1:]

    def norm(name):
        return hk.LayerNorm(axis=-1, create_scale=True, create_offset=True, eps=EPSILON, name=name)

    def drop(h):
        return hk.dropout(hk.next_rng_key(), dropout, h) if is_training else h

    attention = hk.MultiHeadAttention(
        HEADS, width // HEADS, w_init=hk.initializers.VarianceScaling(), model_size=width, name="attention"
    )
    h = norm("norm1")(x)
    # with an axis for the batch and one for the heads: Haiku does not add them
    x = x + drop(attention(h, h, h, mask=jnp.tril(jnp.ones((1, 1, length, length), bool))))
    h = jax.nn.gelu(hk.Linear(HIDDEN, name="up")(norm("norm2")(x)), approximate=False)
    return x + drop(hk.Linear(width, name="down")(h))


def conv_block(x, is_training: bool = False):
    """relu(x + norm(conv(relu(norm(conv(x)))))) on images of (batch, height, width, channels)."""

    def conv(name):
        return hk.Conv2D(x.shape[-1], 3, with_bias=False, name=name)

    def norm(name):
        # 0.9 of the old statistics is kept: momentum=0.1 in PyTorch
        return hk.BatchNorm(create_scale=True, create_offset=True, decay_rate=0.9, eps=EPSILON, name=name)

    h = jax.nn.relu(norm("bn1")(conv("conv1")(x), is_training))
    return jax.nn.relu(x + norm("bn2")(conv("conv2")(h), is_training))


def target(block, x: np.ndarray) -> dict:
    """A Haiku function for the tools: parameters and state in one dict, and a pure function of it.

    Args:
        block: a function of (inputs, is_training) that makes modules.
        x: inputs.
    """
    pure = hk.transform_with_state(block)
    # in training: otherwise batch normalisation asks for statistics that nobody has made yet
    params, state = jax.jit(functools.partial(pure.init, is_training=True))(jax.random.key(0), x)

    def apply(both, inputs, train=False, rng=None):
        parts = [{name: both[name] for name in part} for part in (params, state)]
        return pure.apply(*parts, rng, inputs, is_training=train)[0]

    def intermediates(both, inputs):
        seen = {}

        def note(call, args, kwargs, context):
            out = call(*args, **kwargs)
            if context.method_name == "__call__":
                seen[context.module.module_name] = out
            return out

        with hk.intercept_methods(note):
            apply(both, inputs)
        return seen

    return {
        "params": {**params, **state},
        "apply": apply,
        "intermediates": intermediates,
        "batch": (jnp.asarray(x), jnp.zeros(x.shape)),
        "loss_fn": lambda outputs, targets: jnp.mean((outputs - targets) ** 2),
    }


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def mlp() -> dict:
    return target(mlp_block, inputs(BATCH, WIDTH))


def attention() -> dict:
    return target(attention_block, inputs(BATCH, LENGTH, WIDTH))


def conv() -> dict:
    return target(conv_block, inputs(BATCH, CHANNELS, SIZE, SIZE).transpose(0, 2, 3, 1))
