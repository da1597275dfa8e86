"""From a description of an architecture to its parameters and multiply-adds, part by part, by formula.

A configuration is a mapping with the key `family` and the keys of that family (the fields of `Transformer`,
`EncoderDecoder`, `ResNet` and `UNet` in `dltools.architecture_keys`):

    transformer-decoder           GPT-2, Llama: a causal language model
    transformer-encoder           BERT; with `patch` a vision transformer
    transformer-encoder-decoder   Vaswani et al. 2017
    resnet                        He et al. 2016: ImageNet (table 1) and CIFAR-10 (section 4.2)
    unet                          the denoiser of Ho et al. 2020 (appendix B)

or a Hugging Face `config.json`, which has the key `model_type` instead (`dltools.hugging_face`).

What is counted as multiply-adds (MACs): matrix products, convolutions and the two products of attention, as
`torch.utils.flop_counter` and the usual tables do. Not counted: look-ups, normalisation, softmax, activation functions,
biases, residual sums, the angles of rotary positions. Attention counts every pair of positions, also those that a
causal mask hides. One multiply-add is 2 FLOPs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from dltools.architecture_keys import Architecture, EncoderDecoder, ResNet, Transformer, UNet, architecture
from dltools.report import UnusableInput

FLOPS_PER_MAC = 2

_LONGEST = "The sequence is taken as {} tokens, the longest that the configuration states."


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a network.

    Args:
        name: of the part.
        parameters: trainable numbers of its own.
        macs: multiply-adds of one forward pass over the whole batch.
        borrowed: parameters of another part that are multiplied here, as in a tied output.
    """

    name: str
    parameters: int
    macs: int = 0
    borrowed: int = 0


@dataclasses.dataclass(frozen=True)
class Counts:
    """What the formulas say about one forward pass.

    Args:
        family: as in the configuration.
        parts: in order; each parameter is in one part only (a tied matrix where it is used first).
        shapes: the sizes of the batch that the multiply-adds are for, such as batch 1 and sequence 1024.
        cache_elements: numbers in the key-value cache after the pass, of the whole batch; None without a cache.
        notes: how the configuration was understood.
    """

    family: str
    parts: Sequence[Part]
    shapes: Mapping[str, int]
    cache_elements: int | None = None
    notes: Sequence[str] = ()

    @property
    def parameters(self) -> int:
        """All trainable numbers; a tied matrix once."""
        return sum(part.parameters for part in self.parts)

    @property
    def macs(self) -> int:
        """Multiply-adds of one forward pass over the batch."""
        return sum(part.macs for part in self.parts)

    @property
    def multiplied(self) -> int:
        """Parameters that enter a product, which is what a pass must read; an embedding is only looked up."""
        return sum(part.parameters + part.borrowed for part in self.parts if part.macs)

    @property
    def flops(self) -> int:
        """2 per multiply-add."""
        return FLOPS_PER_MAC * self.macs

    def cache_bytes(self, bytes_per_element: int) -> int | None:
        """Bytes of the key-value cache; None where there is none."""
        return None if self.cache_elements is None else self.cache_elements * bytes_per_element


def count(
    config: Mapping[str, Any] | Architecture,
    *,
    batch: int = 1,
    sequence: int | None = None,
    target_sequence: int | None = None,
    cached: int = 0,
    image: int | None = None,
) -> Counts:
    """Parameters and multiply-adds of one forward pass, part by part.

    Args:
        config: a configuration, or what `architecture` made of it.
        batch: examples.
        sequence: tokens of each (of the source in an encoder-decoder); the learned or stated context unless given.
        target_sequence: tokens of the target in an encoder-decoder; as many as `sequence` unless given.
        cached: tokens in a decoder's key-value cache before the pass: `sequence=1, cached=n` is one step of generation.
        image: side of the image in pixels; the configuration's unless given.

    Raises:
        UnusableInput: as for `architecture`, or a size is missing or does not fit.
    """
    known = config if isinstance(config, Architecture) else architecture(config)
    sizes = {"batch": batch, "sequence": sequence, "target_sequence": target_sequence, "image": image}
    for name, value in sizes.items():
        if value is not None and value < 1:
            raise UnusableInput(f"{name} is {value}; it must be at least 1")
    if cached < 0 or (cached and known.family != "transformer-decoder"):
        raise UnusableInput(f"cached is {cached}; only a transformer-decoder has a cache, of 0 tokens or more")
    if isinstance(known, (ResNet, UNet)):
        counts = (_resnet if isinstance(known, ResNet) else _unet)(known, batch, image or known.image)
        assumed = [] if image else [f"The image is taken as {known.image} x {known.image} pixels."]
    elif isinstance(known, EncoderDecoder):
        counts = _encoder_decoder(known, batch, sequence, target_sequence)
        assumed = [] if sequence else [_LONGEST.format(counts.shapes["sequence"])]
    else:
        counts = _transformer(known, batch, sequence, cached, image)
        assumed = [] if sequence or known.patch else [_LONGEST.format(counts.shapes["sequence"])]
    return dataclasses.replace(counts, notes=tuple(assumed))


def _transformer(net: Transformer, batch: int, sequence: int | None, cached: int, image: int | None) -> Counts:
    d, norm = net.width, _norm(net.norm, net.width)
    shapes = {"batch": batch}
    parts = []
    if net.patch:
        side = _given("image", image or net.image)
        if side % net.patch:
            raise UnusableInput(f"an image of {side} pixels cannot be cut into patches of {net.patch}")
        patches = (side // net.patch) ** 2
        n = patches + net.class_token
        shapes |= {"image": side, "tokens": n}
        # the patches are a convolution whose kernel and stride are the patch
        weights = net.channels * net.patch**2 * d
        parts.append(Part("patch embedding", weights + d, batch * patches * weights))
        parts.append(Part("positions and class token", n * d + (d if net.class_token else 0)))
    else:
        n = _length("sequence", sequence, net.positions, net.context, cached)
        shapes |= {"sequence": n} | ({"cached": cached} if cached else {})
        # looked up, not multiplied
        parts.append(Part("token embedding", net.vocabulary * d))
        if net.positions or net.token_types:
            parts.append(Part("positions and token types", (net.positions + net.token_types) * d))
    if net.embedding_norm:
        parts.append(Part("embedding norm", norm))
    query, value = net.heads * net.head_width, net.kv_heads * net.head_width
    # Q (d, query), K and V (d, value), output (query, d)
    weights = 2 * d * query + 2 * d * value
    biases = (query + 2 * value if net.qkv_bias else 0) + (d if net.output_bias else 0)
    norms = 2 * norm + (2 * net.head_width if net.qk_norm else 0)
    parts += [
        Part("attention projections", net.layers * (weights + biases), net.layers * batch * n * weights),
        # Q K^T and its product with V: n queries, all keys, every head of the queries
        Part("attention scores", 0, net.layers * batch * 2 * n * (n + cached) * query),
        _feed_forward(net, net.layers, batch * n),
        Part("norms", net.layers * norms + (norm if net.final_norm else 0)),
    ]
    parts += _heads(net, batch, n)
    kept = min(n + cached, net.window) if net.window else n + cached
    cache = 2 * net.layers * batch * value * kept if net.family == "transformer-decoder" else None
    return Counts(net.family, tuple(parts), shapes, cache)


def _heads(net: Transformer, batch: int, n: int) -> list[Part]:
    d = net.width
    parts = []
    if net.lm_head and net.family == "transformer-decoder":
        weights = d * net.vocabulary
        own, borrowed = (0, weights) if net.tied else (weights, 0)
        parts.append(Part("language-model head", own, batch * n * weights, borrowed))
    elif net.lm_head:
        # dense (d, d) with bias, norm, output with a bias for each token
        own = d * d + d + _norm(net.norm, d) + net.vocabulary + (0 if net.tied else d * net.vocabulary)
        borrowed = d * net.vocabulary if net.tied else 0
        parts.append(Part("masked-token head", own, batch * n * (d * d + d * net.vocabulary), borrowed))
    if net.pooler:
        parts.append(Part("pooler", d * d + d, batch * d * d))
    if net.classes:
        parts.append(Part("classifier", d * net.classes + net.classes, batch * d * net.classes))
    return parts


def _encoder_decoder(net: EncoderDecoder, batch: int, sequence: int | None, target: int | None) -> Counts:
    d, norm = net.width, _norm("layernorm", net.width)
    n = _length("sequence", sequence, net.positions, net.context, 0)
    m = _length("target_sequence", target or n, net.positions, net.context, 0)
    projections = 4 * d * d + (4 * d if net.attention_bias else 0)
    rows = net.target_vocabulary or net.vocabulary
    embeddings = (net.vocabulary + net.target_vocabulary + 2 * net.positions) * d
    ends = norm if net.final_norm else 0
    parts = (
        Part("embeddings", embeddings),
        Part("encoder self-attention", net.layers * projections, net.layers * batch * (4 * n * d * d + 2 * n * n * d)),
        dataclasses.replace(_feed_forward(net, net.layers, batch * n), name="encoder feed-forward"),
        Part("encoder norms", net.layers * 2 * norm + ends),
        Part("decoder self-attention", net.layers * projections, net.layers * batch * (4 * m * d * d + 2 * m * m * d)),
        # queries and output from the target, keys and values from the source
        Part(
            "cross-attention",
            net.layers * projections,
            net.layers * batch * (2 * m * d * d + 2 * n * d * d + 2 * m * n * d),
        ),
        dataclasses.replace(_feed_forward(net, net.layers, batch * m), name="decoder feed-forward"),
        Part("decoder norms", net.layers * 3 * norm + ends),
        Part("output", 0 if net.tied else d * rows, batch * m * d * rows, d * rows if net.tied else 0),
    )
    # the decoder keeps its own keys and values, and those of the source
    cache = 2 * net.layers * batch * d * (m + n)
    return Counts(net.family, parts, {"batch": batch, "sequence": n, "target_sequence": m}, cache)


def _resnet(net: ResNet, batch: int, image: int) -> Counts:
    side = _given("image", image)
    shapes = {"batch": batch, "image": side}
    kernel, stride = (7, 2) if net.stem == "imagenet" else (3, 1)
    side = _strided(side, stride)
    weights = net.channels * net.stem_width * kernel**2
    parts = [Part("stem", weights + 2 * net.stem_width, batch * weights * side**2)]
    if net.stem == "imagenet":
        # max-pooling 3x3, stride 2
        side = _strided(side, 2)
    entering = net.stem_width
    for stage, (blocks, width) in enumerate(zip(net.blocks, net.widths, strict=True)):
        parameters = macs = 0
        for index in range(blocks):
            stride = 2 if index == 0 and stage > 0 else 1
            own, work = _block(net, entering, width, side, stride)
            parameters, macs = parameters + own, macs + work
            entering, side = width, _strided(side, stride)
        parts.append(Part(f"stage {stage + 1}", parameters, batch * macs))
    if net.classes:
        weights = entering * net.classes
        parts.append(Part("classifier", weights + net.classes, batch * weights))
    return Counts(net.family, tuple(parts), shapes)


def _block(net: ResNet, entering: int, width: int, side: int, stride: int) -> tuple[int, int]:
    """Parameters and multiply-adds (of one image) of a residual block; `side` is that of its input."""
    after = _strided(side, stride)
    if net.block == "bottleneck":
        inner = width // 4
        middle = side if net.stride_in == "3x3" else after
        # (input channels, output channels, kernel, side of the output)
        convolutions = [(entering, inner, 1, middle), (inner, inner, 3, after), (inner, width, 1, after)]
    else:
        convolutions = [(entering, width, 3, after), (width, width, 3, after)]
    if net.shortcut == "projection" and (entering != width or stride != 1):
        convolutions.append((entering, width, 1, after))
    weights = [(a * b * k * k, b, s) for a, b, k, s in convolutions]
    # each convolution has a batch norm: a scale and a shift for each channel
    return sum(w + 2 * b for w, b, _ in weights), sum(w * s * s for w, _, s in weights)


def _unet(net: UNet, batch: int, image: int) -> Counts:
    d, time = net.width, net.time_width or 4 * net.width
    widths = [d * multiplier for multiplier in net.multipliers]
    levels = len(widths)
    if image % 2 ** (levels - 1):
        raise UnusableInput(f"an image of {image} pixels cannot be halved {levels - 1} times")
    sides = [image >> level for level in range(levels)]

    def convolution(a: int, b: int, side: int, kernel: int = 3) -> tuple[int, int]:
        return a * b * kernel**2 + b, a * b * kernel**2 * side**2

    def dense(a: int, b: int) -> tuple[int, int]:
        return a * b + b, a * b

    def residual(a: int, b: int, side: int) -> list[tuple[int, int]]:
        # norm and convolution twice, the time embedding in between, a 1x1 convolution where the width changes
        own = [(2 * a, 0), convolution(a, b, side), dense(time, b), (2 * b, 0), convolution(b, b, side)]
        return own + ([convolution(a, b, side, 1)] if a != b else [])

    def attention(a: int, side: int) -> list[tuple[int, int]]:
        # norm; queries, keys, values, output; both products over side^2 positions
        return [(2 * a, 0), *[convolution(a, a, side, 1)] * 4, (0, 2 * side**4 * a)]

    down, up = [convolution(net.channels, d, image)], []
    skips, entering = [d], d
    # the attention of a level depends on its side at the size of the configuration, not at another that is asked for
    attends = [net.image >> level in net.attention for level in range(levels)]
    for level, (width, side) in enumerate(zip(widths, sides, strict=True)):
        for _ in range(net.blocks):
            down += residual(entering, width, side) + (attention(width, side) if attends[level] else [])
            entering = width
            skips.append(width)
        if level < levels - 1:
            down.append(convolution(width, width, side // 2))
            skips.append(width)
    last = sides[-1]
    middle = residual(entering, entering, last) + attention(entering, last) + residual(entering, entering, last)
    for level in reversed(range(levels)):
        width, side = widths[level], sides[level]
        for _ in range(net.blocks + 1):
            up += residual(entering + skips.pop(), width, side) + (attention(width, side) if attends[level] else [])
            entering = width
        if level:
            up.append(convolution(width, width, side * 2))
    up += [(2 * entering, 0), convolution(entering, net.out_channels or net.channels, image)]
    parts = tuple(
        Part(name, sum(own for own, _ in pieces), batch * sum(work for _, work in pieces))
        for name, pieces in (
            ("time embedding", [dense(d, time), dense(time, time)]),
            ("down", down),
            ("middle", middle),
            ("up", up),
        )
    )
    return Counts(net.family, parts, {"batch": batch, "image": image})


def _feed_forward(net: Transformer | EncoderDecoder, layers: int, tokens: int) -> Part:
    gated = isinstance(net, Transformer) and net.gated
    matrices = 3 if gated else 2
    weights = matrices * net.width * net.feed_forward
    biases = net.width + (matrices - 1) * net.feed_forward if net.feed_forward_bias else 0
    return Part("feed-forward", layers * (weights + biases), layers * tokens * weights)


def _norm(kind: str, width: int) -> int:
    return 2 * width if kind == "layernorm" else width


def _strided(side: int, stride: int) -> int:
    # kernels are odd and padded by (kernel - 1) / 2
    return -(-side // stride)


def _given(name: str, value: int) -> int:
    if not value:
        raise UnusableInput(f"the configuration has no `{name}`; add it, or give it as an option")
    return value


def _length(name: str, asked: int | None, positions: int, context: int, cached: int) -> int:
    length = asked or positions or context
    if not length:
        raise UnusableInput(f"the multiply-adds depend on the length; the configuration states none, so give `{name}`")
    if positions and length + cached > positions:
        raise UnusableInput(f"{length + cached} tokens are more than the {positions} learned positions of the model")
    return length
