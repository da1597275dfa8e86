"""A target in Flax NNX. Replace what the comments name; keep the keys."""

import jax.numpy as jnp
import optax
from flax import nnx
from sklearn.datasets import load_digits


class Classifier(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(64, 128, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        # logits start near zero, so the loss starts near ln(10)
        self.head = nnx.Linear(128, 10, kernel_init=nnx.initializers.normal(0.01), rngs=rngs)

    def __call__(self, x):
        return self.head(self.dropout(nnx.relu(self.hidden(x))))


def build() -> dict:
    # your data: one real batch, preprocessed exactly as in training
    digits = load_digits()
    inputs = jnp.asarray(digits.data[:128] / 16.0, jnp.float32)
    targets = jnp.asarray(digits.target[:128])
    return {
        "model": Classifier(nnx.Rngs(0)),  # your model
        "batch": (inputs, targets),
        "loss_fn": lambda logits, y: optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(),
        "optimizer": optax.adam(1e-3),
        "num_classes": 10,
        "properties": {"batch_independent": True},
    }
