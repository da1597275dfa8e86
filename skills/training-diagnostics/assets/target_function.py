"""A target in plain JAX: parameters and a function. Replace what the comments name; keep the keys."""

import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits


def apply(params, inputs, train=False, rng=None):
    hidden = jax.nn.relu(inputs @ params["hidden"]["w"] + params["hidden"]["b"])
    if train:
        kept = jax.random.bernoulli(rng, 0.9, hidden.shape)
        hidden = jnp.where(kept, hidden / 0.9, 0.0)
    return hidden @ params["head"]["w"] + params["head"]["b"]


def build() -> dict:
    first, second = jax.random.split(jax.random.key(0))
    params = {  # your parameters: any pytree
        "hidden": {"w": jax.random.normal(first, (64, 128)) * (2 / 64) ** 0.5, "b": jnp.zeros(128)},
        # logits start near zero, so the loss starts near ln(10)
        "head": {"w": jax.random.normal(second, (128, 10)) * 0.01, "b": jnp.zeros(10)},
    }
    # your data: one real batch, preprocessed exactly as in training
    digits = load_digits()
    inputs = jnp.asarray(digits.data[:128] / 16.0, jnp.float32)
    targets = jnp.asarray(digits.target[:128])
    return {
        "params": params,
        "apply": apply,
        "batch": (inputs, targets),
        "loss_fn": lambda logits, y: optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(),
        "optimizer": optax.adam(1e-3),
        "num_classes": 10,
        "properties": {"batch_independent": True},
    }
