"""A target in Flax Linen. Replace what the comments name; keep the keys."""

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from sklearn.datasets import load_digits


class Classifier(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.relu(nn.Dense(128, kernel_init=nn.initializers.he_normal(), name="hidden")(x))
        x = nn.Dropout(0.1, deterministic=not train)(x)
        # logits start near zero, so the loss starts near ln(10)
        return nn.Dense(10, kernel_init=nn.initializers.normal(0.01), name="head")(x)


def build() -> dict:
    # your data: one real batch, preprocessed exactly as in training
    digits = load_digits()
    inputs = jnp.asarray(digits.data[:128] / 16.0, jnp.float32)
    targets = jnp.asarray(digits.target[:128])
    model = Classifier()  # your model
    return {
        "model": model,
        "params": model.init(jax.random.key(0), inputs),
        "batch": (inputs, targets),
        "loss_fn": lambda logits, y: optax.softmax_cross_entropy_with_integer_labels(logits, y).mean(),
        "optimizer": optax.adam(1e-3),
        "num_classes": 10,
        "properties": {"batch_independent": True},
    }
