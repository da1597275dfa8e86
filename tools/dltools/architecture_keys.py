"""What a configuration of an architecture may hold, read and checked; `dltools.architectures` counts from it."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from dltools.report import UnusableInput


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
        kv_heads: heads of keys and values, fewer for grouped queries (Ainslie et al. 2023); `heads` unless given.
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
    """The U-Net of Ho et al. 2020 (DDPM): residual blocks with group norm and a time embedding, some attention.

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
        raise UnusableInput(f"`blocks` has {len(net.blocks)} stages, `widths` {len(widths)}; give one number per stage")
    if net.block == "bottleneck" and any(width % 4 for width in widths):
        raise UnusableInput(f"`widths` {list(widths)}: bottlenecks need multiples of 4")
    return dataclasses.replace(net, stem_width=first, widths=widths)
