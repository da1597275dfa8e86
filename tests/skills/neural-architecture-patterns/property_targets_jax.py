"""JAX models in every form that a target may have: each breaks one declared property or is the right twin of one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx

BATCH, TIME, WIDTH, VOCABULARY = 4, 10, 8, 7


def weights(**shapes):
    draw = np.random.default_rng(0)
    return {name: jnp.asarray(draw.normal(size=shape) / shape[0] ** 0.5, jnp.float32) for name, shape in shapes.items()}


def floats(*shape):
    return jnp.asarray(np.random.default_rng(1).normal(size=shape or (BATCH, TIME, WIDTH)), jnp.float32)


def tokens():
    return jnp.asarray(np.random.default_rng(2).integers(1, VOCABULARY, (BATCH, TIME)))


def built(make, inputs, **properties):
    def build():
        return {
            **make(),
            "batch": (inputs, jnp.zeros(BATCH)),
            "loss_fn": lambda out, _: out.mean(),
            "properties": properties,
        }

    return build


# ---- plain functions


def attention(params, x, keep):
    """keep: broadcasts to (batch, queries, keys), true where a query may look."""
    scores = (x @ params["q"]) @ (x @ params["k"]).swapaxes(1, 2) / WIDTH**0.5
    return x + jax.nn.softmax(jnp.where(keep, scores, -1e9), axis=-1) @ (x @ params["v"])


ATTENTION = {name: (WIDTH, WIDTH) for name in "qkv"}


def language_model(diagonal, placed=True):
    """tokens -> logits; `diagonal` of the causal mask, 0 where it is right."""

    def apply(params, inputs):
        x = params["embedding"][inputs]
        if placed:
            x = x + params["place"][: inputs.shape[1]]
        return attention(params, x, jnp.tril(jnp.ones((x.shape[1], x.shape[1]), bool), diagonal)) @ params["head"]

    shapes = {"embedding": (VOCABULARY, WIDTH), "place": (TIME, WIDTH), "head": (WIDTH, VOCABULARY), **ATTENTION}
    return lambda: {"params": weights(**shapes), "apply": apply}


no_causal_mask = built(language_model(TIME), tokens(), causal=True)
no_causal_mask_right = built(language_model(0), tokens(), causal=True)
mask_off_by_one = built(language_model(1), tokens(), causal=True)
first_row_sees_all = built(language_model(-1), tokens(), causal=True)
transformer_without_positions = built(language_model(TIME, placed=False), tokens(), permutation_equivariant=False)
transformer_without_positions_right = built(language_model(TIME), tokens(), permutation_equivariant=False)


def pooled(on_queries=False, masked=True):
    def apply(params, inputs):
        x, mask = inputs["x"], inputs["mask"].astype(bool)
        x = attention(params, x, mask[:, :, None] if on_queries else mask[:, None, :])
        weight = mask[:, :, None] if masked else jnp.ones_like(x[:, :, :1])
        return (x * weight).sum(1) / weight.sum(1)

    return lambda: {"params": weights(**ATTENTION), "apply": apply}


MASKED = {"x": floats(), "mask": jnp.ones((BATCH, TIME), bool)}
mask_on_queries = built(pooled(on_queries=True), MASKED, padding_mask="mask")
mean_over_padding = built(pooled(masked=False), MASKED, padding_mask="mask")
mean_over_padding_right = built(pooled(), MASKED, padding_mask="mask")


def with_lengths(whole):
    """The last state, taken at the end of the array if wrong and at the end of each sequence if right."""

    def apply(params, inputs):
        states = jax.lax.associative_scan(lambda a, b: a + b, inputs["x"] @ params["w"], axis=1)
        last = jnp.full(inputs["x"].shape[0], inputs["x"].shape[1] - 1) if whole else inputs["lengths"] - 1
        return jnp.take_along_axis(states, last[:, None, None], axis=1)[:, 0]

    return lambda: {"params": weights(w=(WIDTH, WIDTH)), "apply": apply}


LENGTHS = {"x": floats(), "lengths": jnp.full(BATCH, TIME)}
last_of_array = built(with_lengths(True), LENGTHS, padding_mask={"lengths": "lengths"})
last_of_array_right = built(with_lengths(False), LENGTHS, padding_mask={"lengths": "lengths"})


# ---- Flax NNX


class SetModel(nnx.Module):
    def __init__(self, placed):
        self.layer, self.placed = nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(0)), placed

    def __call__(self, x):
        x = x * jnp.arange(1, TIME + 1)[:, None] if self.placed else x
        return self.layer(x) + x.mean(1, keepdims=True)


placed_set = built(lambda: {"model": SetModel(True)}, floats(), permutation_equivariant=True)
placed_set_right = built(lambda: {"model": SetModel(False)}, floats(), permutation_equivariant=True)


class Dropped(nnx.Module):
    def __init__(self, called):
        self.layer, self.drop, self.called = (
            nnx.Linear(WIDTH, WIDTH, rngs=nnx.Rngs(0)),
            nnx.Dropout(0.5, rngs=nnx.Rngs(1)),
            called,
        )

    def __call__(self, x):
        return self.drop(self.layer(x)) if self.called else self.layer(x)


dropout_never_on = built(lambda: {"model": Dropped(False)}, floats(), train_flag=True)
dropout_never_on_right = built(lambda: {"model": Dropped(True)}, floats(), train_flag=True)


class Convolution(nnx.Module):
    def __init__(self, stride):
        self.a = nnx.Conv(2, 4, (3, 3), rngs=nnx.Rngs(0))
        self.b = nnx.Conv(4, 4, (3, 3), strides=stride, rngs=nnx.Rngs(1))

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


strided_convolution = built(lambda: {"model": Convolution(2)}, floats(2, 16, 16, 2), shift_equivariant=True)
strided_convolution_right = built(lambda: {"model": Convolution(1)}, floats(2, 16, 16, 2), shift_equivariant=True)


# ---- Linen


class UnmaskedEncoder(linen.Module):
    """A block as it is often written: dtype is not passed on, `train` is not used, and there is no mask."""

    passed_on: bool

    @linen.compact
    def __call__(self, x, train: bool):
        dtype = jnp.bfloat16 if self.passed_on else jnp.float32
        y = linen.MultiHeadAttention(
            2, dtype=dtype, dropout_rate=0.2 if self.passed_on else 0.0, deterministic=not train
        )(x)
        return linen.LayerNorm(dtype=dtype)(x.astype(dtype) + y)


def encoder(passed_on):
    def make():
        model = UnmaskedEncoder(passed_on)
        return {"model": model, "params": model.init(jax.random.key(0), floats(), train=False)["params"]}

    return make


dtype_not_passed_on = built(encoder(False), floats().astype(jnp.bfloat16), dtype="bfloat16", train_flag=False)
dtype_not_passed_on_right = built(encoder(True), floats().astype(jnp.bfloat16), dtype="bfloat16", train_flag=False)
train_not_used = built(encoder(False), floats())
train_not_used_right = built(encoder(True), floats())


class BatchNormed(linen.Module):
    running: bool

    @linen.compact
    def __call__(self, x, train: bool):
        return linen.BatchNorm(use_running_average=not train if self.running else False)(linen.Dense(WIDTH)(x))


def batch_normed(running):
    def make():
        model = BatchNormed(running)
        return {"model": model, "params": model.init(jax.random.key(0), floats(), train=False)}

    return make


batch_norm_declared_independent = built(batch_normed(True), floats(), batch_independent={"train": True})
batch_norm_right = built(batch_normed(True), floats(), batch_independent=True)


# ---- Equinox, which is called on one example


class Causal(eqx.Module):
    layer: eqx.nn.Conv1d
    left: int
    right: int

    def __init__(self, left, right):
        self.layer, self.left, self.right = eqx.nn.Conv1d(WIDTH, WIDTH, 3, key=jax.random.key(0)), left, right

    def __call__(self, x):
        return self.layer(jnp.pad(x, ((0, 0), (self.left, self.right))))


conv_both_ways = built(lambda: {"model": Causal(1, 1)}, floats(BATCH, WIDTH, TIME), causal={"axis": 2})
conv_both_ways_right = built(lambda: {"model": Causal(2, 0)}, floats(BATCH, WIDTH, TIME), causal={"axis": 2})


def reshaped(wrong):
    def apply(params, inputs):
        x = inputs @ params["w"]
        return x.reshape(TIME, BATCH, WIDTH).swapaxes(0, 1) if wrong else x

    return lambda: {"params": weights(w=(WIDTH, WIDTH)), "apply": apply}


reshape_across_batch = built(reshaped(True), floats(), batch_independent=True)
reshape_across_batch_right = built(reshaped(False), floats(), batch_independent=True)
