"""A target in Equinox. Replace what the comments name; keep the keys."""

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from sklearn.datasets import load_digits


class Classifier(eqx.Module):
    hidden: eqx.nn.Linear
    dropout: eqx.nn.Dropout
    head: eqx.nn.Linear

    def __init__(self, key):
        first, second, third = jax.random.split(key, 3)
        # eqx.nn.Linear draws from a uniform distribution that is too narrow for ReLU; draw He normal instead
        hidden = eqx.nn.Linear(64, 128, key=first)
        weight = jax.random.normal(second, hidden.weight.shape) * (2 / 64) ** 0.5
        self.hidden = eqx.tree_at(lambda layer: layer.weight, hidden, weight)
        self.dropout = eqx.nn.Dropout(0.1)
        # logits start near zero, so the loss starts near ln(10)
        head = eqx.nn.Linear(128, 10, key=third)
        self.head = eqx.tree_at(lambda layer: layer.weight, head, head.weight * 0.1)

    def __call__(self, x, key=None):  # one example: the tools map over the batch
        return self.head(self.dropout(jax.nn.relu(self.hidden(x)), key=key))


def build() -> dict:
    # your data: one real batch, preprocessed exactly as in training
    digits = load_digits()
    inputs = jnp.asarray(digits.data[:128] / 16.0, jnp.float32)
    targets = jnp.asarray(digits.target[:128])
    return {
        "model": Classifier(jax.random.key(0)),  # your model
        "batch": (inputs, targets),
        "loss_fn": lambda logits, y: optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(),
        "optimizer": optax.adam(1e-3),
        "num_classes": 10,
        "properties": {"batch_independent": True},
    }
