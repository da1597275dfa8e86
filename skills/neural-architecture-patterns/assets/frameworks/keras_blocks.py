"""The reference blocks of pytorch_blocks.py in Keras 3, with JAX below."""

import os

# before the import: without it Keras looks for TensorFlow. A backend that was chosen already stays.
os.environ.setdefault("KERAS_BACKEND", "jax")

import jax.numpy as jnp
import keras
import numpy as np
from keras import layers

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5  # the default of Keras is 1e-3 for both normalisations


def mlp_model(width: int, hidden: int, out: int) -> keras.Model:
    """W2 gelu(W1 x + b1) + b2 over the last axis; "gelu" is the exact one in Keras."""
    x = keras.Input((width,))
    # a layer of its own: within Dense, the output of `up` would be that behind the activation
    h = layers.Activation("gelu")(layers.Dense(hidden, name="up")(x))
    return keras.Model(x, layers.Dense(out, name="down")(h))


def attention_model(width: int, heads: int, hidden: int, dropout: float = 0.1) -> keras.Model:
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal, on inputs of (batch, length, width).

    Args:
        width: size of a token, divisible by heads.
        heads: number of heads.
        hidden: width of the MLP.
        dropout: rate on both residual branches.
    """
    x = keras.Input((None, width))
    h = layers.LayerNormalization(epsilon=EPSILON, name="norm1")(x)
    # key_dim is that of one head
    h = layers.MultiHeadAttention(heads, width // heads, name="attention")(h, h, use_causal_mask=True)
    y = x + layers.Dropout(dropout, name="drop1")(h)
    h = layers.LayerNormalization(epsilon=EPSILON, name="norm2")(y)
    h = layers.Activation("gelu")(layers.Dense(hidden, name="up")(h))
    h = layers.Dense(width, name="down")(h)
    return keras.Model(x, y + layers.Dropout(dropout, name="drop2")(h))


def conv_model(channels: int) -> keras.Model:
    """relu(x + norm(conv(relu(norm(conv(x)))))) on images of (batch, height, width, channels)."""

    def conv(name):
        return layers.Conv2D(channels, 3, padding="same", use_bias=False, data_format="channels_last", name=name)

    def norm(name):
        # 0.9 of the old statistics is kept: momentum=0.1 in PyTorch
        return layers.BatchNormalization(momentum=0.9, epsilon=EPSILON, name=name)

    x = keras.Input((None, None, channels))
    h = layers.ReLU()(norm("bn1")(conv("conv1")(x)))
    return keras.Model(x, layers.ReLU()(x + norm("bn2")(conv("conv2")(h))))


def target(model: keras.Model, x: np.ndarray) -> dict:
    """A functional Keras model for the tools: its variables by path, and a pure function of them.

    Args:
        model: a built model on the JAX backend.
        x: inputs of the model.
    """
    inner = keras.Model(model.inputs, {layer.name: layer.output for layer in model.layers})

    def call(which, params, inputs, train):
        split = [[params[v.path] for v in vs] for vs in (which.trainable_variables, which.non_trainable_variables)]
        return which.stateless_call(*split, inputs, training=train)[0]

    return {
        "params": {variable.path: variable.value for variable in model.variables},
        "apply": lambda params, inputs, train=False: call(model, params, inputs, train),
        "intermediates": lambda params, inputs: call(inner, params, inputs, False),
        "batch": (jnp.asarray(x), jnp.zeros(x.shape)),
        "loss_fn": lambda outputs, targets: jnp.mean((outputs - targets) ** 2),
    }


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def mlp() -> dict:
    return target(mlp_model(WIDTH, HIDDEN, WIDTH), inputs(BATCH, WIDTH))


def attention() -> dict:
    return target(attention_model(WIDTH, HEADS, HIDDEN), inputs(BATCH, LENGTH, WIDTH))


def conv() -> dict:
    return target(conv_model(CHANNELS), inputs(BATCH, CHANNELS, SIZE, SIZE).transpose(0, 2, 3, 1))
