"""From a description of an architecture to its parameters and multiply-adds, part by part, by formula.

A configuration is a mapping with the key `family` and the keys of that family (the fields of `Transformer`,
`EncoderDecoder`, `ResNet` and `UNet` below):

    transformer-decoder           GPT-2, Llama: a causal language model
    transformer-encoder           BERT; with `patch` a vision transformer
    transformer-encoder-decoder   Vaswani et al. 2017
    resnet                        He et al. 2016: ImageNet (section 3.4) and CIFAR-10 (section 4.2)
    unet                          the denoiser of Ho et al. 2020 (appendix B)

or a Hugging Face `config.json`, which has the key `model_type` instead (`dltools.hugging_face`).

What is counted as multiply-adds (MACs): matrix products, convolutions and the two products of attention, as
`torch.utils.flop_counter` and the usual tables do. Not counted: look-ups, normalisation, softmax, activation functions,
biases, residual sums, the angles of rotary positions. Attention counts every pair of positions, also those that a causal
mask hides. One multiply-add is 2 FLOPs.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dltools.report import UnusableInput

FLOPS_PER_MAC = 2

_LONGEST = "The sequence is taken as {} tokens, the longest that the configuration states."


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a network: its trainable parameters, and the multiply-adds of one forward pass over the whole batch."""

    name: str
    parameters: int
    macs: int = 0


@dataclasses.dataclass(frozen=True)
class Counts:
    """What the formulas say about one forward pass.

    Args:
        family: as in the configuration.
        parts: in the order of the computation; each parameter is in one part only (a tied matrix where it is first used).
        shapes: the sizes of the batch that the multiply-adds are for, such as batch 1 and sequence 1024.
        cache_elements: numbers in the key-value cache after the pass, for the whole batch; None where there is no cache.
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
    def flops(self) -> int:
        """2 per multiply-add."""
        return FLOPS_PER_MAC * self.macs

    def cache_bytes(self, bytes_per_element: int) -> int | None:
        """Bytes of the key-value cache; None where there is none."""
        return None if self.cache_elements is None else self.cache_elements * bytes_per_element


@dataclasses.dataclass(frozen=True)
class Transformer:
    """A stack of equal transformer layers, on tokens or on patches of an image.

    Args:
        family: transformer-decoder or transformer-encoder.
        layers: number of layers.
        width: d, the size of a token's vector.
        heads: of the queries; divides `width` unless `head_width` is given.
        feed_forward: width within the feed-forward layer; 4 d unless given.
        vocabulary: tokens of the input; 0 for images.
        kv_heads: heads of keys and values (grouped-query attention, Ainslie et al. 2023); as many as `heads` unless given.
        head_width: d / heads unless given.
        gated: the feed-forward layer has three matrices instead of two (Shazeer 2020), as in Llama.
        norm: layernorm (scale and shift) or rmsnorm (scale, Zhang & Sennrich 2019).
        final_norm: a norm after the last layer (pre-norm networks have one).
        embedding_norm: a norm after the embeddings (BERT).
        qk_norm: an RMS norm over each head's queries and keys, shared by the heads.
        qkv_bias: biases in the projections to queries, keys and values.
        output_bias: a bias in the projection after attention.
        feed_forward_bias: biases in the feed-forward layer.
        positions: learned positions of text; 0 for rotary or sinusoidal ones.
        context: the longest sequence where it is not learned; taken as length when none is asked for.
        token_types: BERT's segments.
        lm_head: next-token logits (decoder), or the masked-token head of BERT: dense, norm, output with a bias.
        tied: the logits use the matrix of the embedding.
        pooler: a dense layer on the first token (BERT).
        classes: a linear classifier with bias on one token; 0 for none.
        window: positions that the key-value cache keeps (sliding window); 0 for all.
        patch: side of a patch; makes this a vision transformer (Dosovitskiy et al. 2021) with learned positions.
        image: side of the image in pixels.
        channels: of the image.
        class_token: a learned token before the patches.
    """

    family: str
    layers: int
    width: int
    heads: int
    feed_forward: int = 0
    vocabulary: int = 0
    kv_heads: int = 0
    head_width: int = 0
    gated: bool = False
    norm: str = "layernorm"
    final_norm: bool = True
    embedding_norm: bool = False
    qk_norm: bool = False
    qkv_bias: bool = True
    output_bias: bool = True
    feed_forward_bias: bool = True
    positions: int = 0
    context: int = 0
    token_types: int = 0
    lm_head: bool = False
    tied: bool = True
    pooler: bool = False
    classes: int = 0
    window: int = 0
    patch: int = 0
    image: int = 0
    channels: int = 3
    class_token: bool = True

    OPTIONAL_ZERO = ("vocabulary", "positions", "context", "token_types", "classes", "window", "patch", "image")


@dataclasses.dataclass(frozen=True)
class EncoderDecoder:
    """The transformer of Vaswani et al. 2017: post-norm, sinusoidal positions, cross-attention in each decoder layer.

    Args:
        family: transformer-encoder-decoder.
        layers: of the encoder, and of the decoder.
        width: d, the size of a token's vector (d_model).
        heads: h; divides d.
        feed_forward: d_ff; 4 d unless given.
        vocabulary: tokens of the source.
        target_vocabulary: tokens of the target; 0 where both share one vocabulary and one embedding (section 3.4).
        tied: the logits use the matrix of the target's embedding (section 3.4).
        attention_bias: biases in the four projections of attention (the paper writes none).
        feed_forward_bias: biases in the feed-forward layer (equation 2 has them).
        final_norm: a further norm after each stack, as pre-norm networks have.
        positions: learned positions, in the encoder and in the decoder; 0 for sinusoidal ones.
        context: the longest sequence where positions are not learned; taken as length when none is asked for.
    """

    family: str
    layers: int
    width: int
    heads: int
    vocabulary: int
    feed_forward: int = 0
    target_vocabulary: int = 0
    tied: bool = True
    attention_bias: bool = False
    feed_forward_bias: bool = True
    final_norm: bool = False
    positions: int = 0
    context: int = 0

    OPTIONAL_ZERO = ("target_vocabulary", "positions", "context")


@dataclasses.dataclass(frozen=True)
class ResNet:
    """A residual network with batch normalisation; convolutions without bias, one linear layer at the end.

    Args:
        family: resnet.
        blocks: residual blocks of each stage, such as 3, 4, 6, 3 for ResNet-50.
        block: bottleneck (1x1, 3x3, 1x1, the inner width a quarter) or basic (3x3, 3x3).
        widths: channels that leave each stage; unless given, 64 doubled at each stage (16 with the CIFAR stem), times 4
            for bottlenecks.
        stem: imagenet (7x7 stride 2, then max-pooling stride 2) or cifar (3x3 stride 1).
        stem_width: channels after the stem; 64, or 16 for cifar, unless given.
        shortcut: where the shape changes: projection (option B, 1x1 convolution) or padding (option A, no parameters).
        stride_in: which convolution of a bottleneck has the stride: 3x3 as in torchvision, or 1x1 as in the paper.
        classes: of the linear layer at the end; 0 for none.
        image: side of the image in pixels.
        channels: of the image.
    """

    family: str
    blocks: tuple[int, ...]
    block: str = "bottleneck"
    widths: tuple[int, ...] = ()
    stem: str = "imagenet"
    stem_width: int = 0
    shortcut: str = "projection"
    stride_in: str = "3x3"
    classes: int = 1000
    image: int = 0
    channels: int = 3

    OPTIONAL_ZERO = ("classes", "image")


@dataclasses.dataclass(frozen=True)
class UNet:
    """The U-Net of Ho et al. 2020 (DDPM): residual blocks with group norm and a time embedding, attention at some sizes.

    Args:
        family: unet.
        width: channels at full resolution.
        multipliers: of `width` at each level; each level after the first has half the side.
        image: side of the image in pixels; it says at which levels attention stands.
        blocks: residual blocks of a level on the way down; one more on the way up.
        attention: sides of the feature map at which attention follows each residual block; always once in the middle.
        channels: of the image.
        out_channels: those of the image unless given.
        time_width: of the time embedding; 4 times `width` unless given.
    """

    family: str
    width: int
    multipliers: tuple[int, ...]
    image: int
    blocks: int = 2
    attention: tuple[int, ...] = (16,)
    channels: int = 3
    out_channels: int = 0
    time_width: int = 0

    OPTIONAL_ZERO = ()


FAMILIES: dict[str, type] = {
    "transformer-decoder": Transformer,
    "transformer-encoder": Transformer,
    "transformer-encoder-decoder": EncoderDecoder,
    "resnet": ResNet,
    "unet": UNet,
}
CHOICES = {
    "norm": ("layernorm", "rmsnorm"),
    "block": ("bottleneck", "basic"),
    "stem": ("imagenet", "cifar"),
    "shortcut": ("projection", "padding"),
    "stride_in": ("3x3", "1x1"),
}

Architecture = Transformer | EncoderDecoder | ResNet | UNet


def architecture(config: Mapping[str, Any]) -> Architecture:
    """Reads a configuration, with its defaults filled in.

    Args:
        config: keys as described in this module, or a Hugging Face configuration.

    Raises:
        UnusableInput: a key is missing, unknown, of the wrong type or does not fit the others.
    """
    if "family" not in config:
        if "model_type" in config:
            from dltools.hugging_face import from_hugging_face

            return from_hugging_face(config)
        raise UnusableInput(
            f"the configuration has neither `family` ({', '.join(FAMILIES)}) nor Hugging Face's `model_type`"
        )
    family = config["family"]
    if family not in FAMILIES:
        raise UnusableInput(f"`family` is {family!r}; it must be one of {', '.join(FAMILIES)}")
    given = _checked(FAMILIES[family], config)
    return _filled(FAMILIES[family](**given))


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
    for name, value in (("batch", batch), ("sequence", sequence), ("target_sequence", target_sequence), ("image", image)):
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
        parts.append(Part("language-model head", 0 if net.tied else d * net.vocabulary, batch * n * d * net.vocabulary))
    elif net.lm_head:
        # dense (d, d) with bias, norm, output with a bias for each token
        own = d * d + d + _norm(net.norm, d) + net.vocabulary + (0 if net.tied else d * net.vocabulary)
        parts.append(Part("masked-token head", own, batch * n * (d * d + d * net.vocabulary)))
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
        Part("output", 0 if net.tied else d * rows, batch * m * d * rows),
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


def _checked(kind: type, config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a configuration, each of the type that its field has."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    given: dict[str, Any] = {}
    for key, value in config.items():
        if key not in fields:
            close = difflib.get_close_matches(str(key), fields, 1)
            hint = f"; did you mean `{close[0]}`?" if close else f"; known are {', '.join(fields)}"
            raise UnusableInput(f"{config['family']} has no key `{key}`{hint}")
        given[key] = _value(kind, fields[key], value)
    missing = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in given]
    if missing:
        raise UnusableInput(f"{config['family']} needs {', '.join(f'`{name}`' for name in missing)}")
    return given


def _value(kind: type, field: dataclasses.Field, value: Any) -> Any:
    name = field.name
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise UnusableInput(f"`{name}` is {value!r}; it must be one of {', '.join(CHOICES[name])}")
        return value
    if field.type == "str":
        return value
    if field.type == "bool":
        if not isinstance(value, bool):
            raise UnusableInput(f"`{name}` is {value!r}; it must be true or false")
        return value
    if field.type.startswith("tuple"):
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise UnusableInput(f"`{name}` is {value!r}; it must be a list of whole numbers")
        return tuple(_whole(f"{name}", item, 1) for item in value)
    return _whole(name, value, 0 if name in kind.OPTIONAL_ZERO else 1)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UnusableInput(f"`{name}` is {value!r}; it must be a whole number of at least {least}")
    return value


def _filled(net: Architecture) -> Architecture:
    """Defaults that follow from other keys, and whether the keys fit each other."""
    if isinstance(net, ResNet):
        return _filled_resnet(net)
    if isinstance(net, UNet):
        return net
    feed_forward = net.feed_forward or 4 * net.width
    if isinstance(net, EncoderDecoder):
        if net.width % net.heads:
            raise UnusableInput(f"`width` {net.width} is not a multiple of `heads` {net.heads}")
        return dataclasses.replace(net, feed_forward=feed_forward)
    if not net.head_width and net.width % net.heads:
        raise UnusableInput(f"`width` {net.width} is not a multiple of `heads` {net.heads}; give `head_width`")
    kv_heads = net.kv_heads or net.heads
    if net.heads % kv_heads:
        raise UnusableInput(f"`heads` {net.heads} is not a multiple of `kv_heads` {kv_heads}")
    if bool(net.patch) == bool(net.vocabulary):
        raise UnusableInput("a transformer reads tokens or patches: give either `vocabulary` or `patch`")
    if net.lm_head and not net.vocabulary:
        raise UnusableInput("`lm_head` needs a `vocabulary`")
    if net.family == "transformer-decoder" and net.patch:
        raise UnusableInput("a transformer-decoder reads tokens; `patch` belongs to transformer-encoder")
    return dataclasses.replace(
        net, feed_forward=feed_forward, kv_heads=kv_heads, head_width=net.head_width or net.width // net.heads
    )


def _filled_resnet(net: ResNet) -> ResNet:
    first = net.stem_width or (64 if net.stem == "imagenet" else 16)
    expansion = 4 if net.block == "bottleneck" else 1
    widths = net.widths or tuple(first * expansion * 2**stage for stage in range(len(net.blocks)))
    if not net.blocks or len(widths) != len(net.blocks):
        raise UnusableInput(f"`blocks` has {len(net.blocks)} stages and `widths` {len(widths)}; give one number per stage")
    if net.block == "bottleneck" and any(width % 4 for width in widths):
        raise UnusableInput(f"`widths` {list(widths)}: the inner width of a bottleneck is a quarter, so give multiples of 4")
    return dataclasses.replace(net, stem_width=first, widths=widths)
