"""Bytes of weights, gradients, optimizer and activations, and the least time that arithmetic and memory allow."""

from __future__ import annotations

import dataclasses

from dltools.architecture_keys import Transformer

SIZES = {"float32": 4, "bfloat16": 2, "float16": 2, "float64": 8}
# values that the optimizer keeps for each parameter
STATES = {"sgd": 0, "momentum": 1, "adam": 2}


@dataclasses.dataclass(frozen=True)
class TrainingBytes:
    """Bytes that do not depend on the batch.

    Args:
        weights: in the type in which they are multiplied.
        gradients: in the same type.
        optimizer: its states, and with mixed precision the float32 copy of the weights that it updates.
    """

    weights: int
    gradients: int
    optimizer: int


def training_bytes(
    parameters: int, trainable: int, *, precision: str, optimizer: str, own_bytes: tuple[int, int] | None = None
) -> TrainingBytes:
    """Weights, gradients and states of an optimizer.

    In mixed precision weights and gradients have 16 bits, and the optimizer keeps float32 weights besides its states:
    16 bytes for each parameter with Adam (Rajbhandari et al. 2020, section 3.1).

    Args:
        parameters: how many.
        trainable: how many of them have a gradient.
        precision: a type, `mixed`, or `own`.
        optimizer: sgd, momentum or adam.
        own_bytes: for `own`, bytes of all parameters and of the trainable ones.
    """
    states = STATES[optimizer]
    if precision == "mixed":
        return TrainingBytes(2 * parameters, 2 * trainable, 4 * (1 + states) * trainable)
    if precision == "own" and own_bytes is not None:
        weights, gradients = own_bytes
    else:
        weights, gradients = SIZES[precision] * parameters, SIZES[precision] * trainable
    return TrainingBytes(weights, gradients, states * gradients)


def saved_bytes(net: Transformer, batch: int, tokens: int, size: int, *, fused: bool = True) -> tuple[int, int]:
    """Bytes that a plain pre-norm transformer keeps for the backward pass, without dropout.

    For each token a layer keeps the input and the output of both norms, queries, keys, values, the result of attention,
    and two vectors of the feed-forward width (four with a gate); the norms keep their statistics in float32 and fused
    attention one float32 for each head. Separate products keep the softmax of all pairs of positions instead.
    This is the count of Korthikanti et al. 2022 (section 4.1) without its dropout masks, and with fused attention
    (Dao et al. 2022) without its term in the square of the length.

    Args:
        net: the transformer.
        batch: examples.
        tokens: of each.
        size: bytes of an element.
        fused: attention as a fused kernel.

    Returns:
        Bytes with everything kept, and with each layer's input only (checkpointing, Chen et al. 2016), where one layer
        at a time is computed again.
    """
    d, positions = net.width, batch * tokens
    statistics = 4 * (2 if net.norm == "layernorm" else 1)
    attention = 4 * net.heads if fused else size * net.heads * tokens
    vectors = 5 * d + net.heads * net.head_width + 2 * net.kv_heads * net.head_width
    vectors += (4 if net.gated else 2) * net.feed_forward
    layer = positions * (size * vectors + 2 * statistics + attention)
    rest = positions * (2 * d * size + statistics) if net.final_norm else positions * d * size
    if net.lm_head:
        # what the cross-entropy keeps: the logarithms of the probabilities
        rest += positions * net.vocabulary * size
    return net.layers * layer + rest, net.layers * positions * d * size + layer + rest


@dataclasses.dataclass(frozen=True)
class Roofline:
    """The least time of one pass (Williams et al. 2009).

    Args:
        seconds: the longer of the two.
        compute: FLOPs / peak.
        memory: bytes / bandwidth.
        intensity: FLOPs for each byte.
        ridge: the intensity from which on arithmetic is the limit, peak / bandwidth.
    """

    seconds: float
    compute: float
    memory: float
    intensity: float
    ridge: float


def roofline(flops: int, moved: int, peak: float, bandwidth: float) -> Roofline:
    """The least time from arithmetic and memory traffic.

    Args:
        flops: of the pass.
        moved: bytes that must be read or written at least.
        peak: FLOP/s of the hardware in this precision.
        bandwidth: of its memory, bytes/s.
    """
    compute, memory = flops / peak, moved / bandwidth
    return Roofline(max(compute, memory), compute, memory, flops / max(moved, 1), peak / bandwidth)
