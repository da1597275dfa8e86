"""Hugging Face configurations (`config.json`) in the keys of `dltools.architecture_keys`.

A `config.json` leaves out what is the default of its class, so the defaults of transformers 5 stand here; a test
compares them with the library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dltools.architecture_keys import Architecture, architecture
from dltools.report import UnusableInput


def from_hugging_face(config: Mapping[str, Any]) -> Architecture:
    """Translates a configuration.

    Args:
        config: the content of a `config.json`; the model's class is its first name under `architectures`, else the
            usual one: a language model for decoders, the bare model with its pooler for BERT, a classifier for images.

    Raises:
        UnusableInput: a type or class of model that is not known here, or an option that would change the counts.
    """
    kind = config["model_type"]
    if kind not in _READERS:
        raise UnusableInput(
            f"`model_type` is {kind!r}; formulas are there for {', '.join(_READERS)}; count the model itself"
        )
    reader, known, refused = _READERS[kind]
    named = (config.get("architectures") or [next(iter(known))])[0]
    if named not in known:
        raise UnusableInput(f"`architectures` is {named!r}; formulas are there for {', '.join(known)}")
    for option in refused:
        if config.get(option):
            raise UnusableInput(f"`{option}` is set, and changes the counts; count the model itself")
    return architecture(reader(config, known[named]))


def _gpt2(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    width = config.get("n_embd", 768)
    return {
        "family": "transformer-decoder",
        "layers": config.get("n_layer", 12),
        "width": width,
        "heads": config.get("n_head", 12),
        "feed_forward": config.get("n_inner") or 4 * width,
        "vocabulary": config.get("vocab_size", 50257),
        "positions": config.get("n_positions", 1024),
        "tied": config.get("tie_word_embeddings", True),
        **head,
    }


def _llama_like(
    *, kv_heads: int | None, feed_forward: int, vocabulary: int, context: int, qkv_bias: bool = False, **more: Any
) -> Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]:
    """Models of Llama's form: RMS norm, gated feed-forward, rotary positions; they differ in biases and defaults."""

    def read(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
        width, heads = config.get("hidden_size", 4096), config.get("num_attention_heads", 32)
        bias = bool(config.get("attention_bias", False))
        # a null means as many as heads, as in configurations older than grouped queries
        read_kv = config.get("num_key_value_heads", heads if kv_heads is None else kv_heads) or heads
        given = {
            "family": "transformer-decoder",
            "layers": config.get("num_hidden_layers", 32),
            "width": width,
            "heads": heads,
            "kv_heads": read_kv,
            "feed_forward": config.get("intermediate_size", feed_forward),
            "vocabulary": config.get("vocab_size", vocabulary),
            "context": config.get("max_position_embeddings", context),
            "gated": True,
            "norm": "rmsnorm",
            "qkv_bias": qkv_bias or bias,
            "output_bias": bias,
            "feed_forward_bias": bool(config.get("mlp_bias", False)),
            "tied": config.get("tie_word_embeddings", False),
            **more,
            **head,
        }
        if config.get("head_dim") or "head_width" in more:
            given["head_width"] = config.get("head_dim") or more["head_width"]
        return given

    return read


def _mistral(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    read = _llama_like(kv_heads=8, feed_forward=14336, vocabulary=32000, context=131072)
    return {**read(config, head), "window": config.get("sliding_window", 4096) or 0}


def _bert(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    return {
        "family": "transformer-encoder",
        "layers": config.get("num_hidden_layers", 12),
        "width": config.get("hidden_size", 768),
        "heads": config.get("num_attention_heads", 12),
        "feed_forward": config.get("intermediate_size", 3072),
        "vocabulary": config.get("vocab_size", 30522),
        "positions": config.get("max_position_embeddings", 512),
        "token_types": config.get("type_vocab_size", 2),
        "embedding_norm": True,
        "final_norm": False,
        "tied": config.get("tie_word_embeddings", True),
        **head,
        **({"classes": _labels(config)} if "classes" in head else {}),
    }


def _vit(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    return {
        "family": "transformer-encoder",
        "layers": config.get("num_hidden_layers", 12),
        "width": config.get("hidden_size", 768),
        "heads": config.get("num_attention_heads", 12),
        "feed_forward": config.get("intermediate_size", 3072),
        "patch": config.get("patch_size", 16),
        "image": config.get("image_size", 224),
        "channels": config.get("num_channels", 3),
        "qkv_bias": config.get("qkv_bias", True),
        **head,
        **({"classes": _labels(config)} if "classes" in head else {}),
    }


def _resnet(config: Mapping[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    return {
        "family": "resnet",
        "blocks": config.get("depths", [3, 4, 6, 3]),
        "block": config.get("layer_type", "bottleneck"),
        "widths": config.get("hidden_sizes", [256, 512, 1024, 2048]),
        "stem_width": config.get("embedding_size", 64),
        "stride_in": "1x1" if config.get("downsample_in_bottleneck") else "3x3",
        "channels": config.get("num_channels", 3),
        # the configuration has no size of the image; ImageNet networks are counted at this one
        "image": 224,
        "classes": _labels(config) if "classes" in head else 0,
    }


def _labels(config: Mapping[str, Any]) -> int:
    # transformers' own default is two labels
    return len(config.get("id2label") or ()) or config.get("num_labels", 2)


_LM, _BARE = {"lm_head": True}, {}
# model_type: (reader, {class: head}, options that change the counts)
_READERS: dict[str, tuple[Callable[..., dict[str, Any]], dict[str, dict[str, Any]], tuple[str, ...]]] = {
    "gpt2": (_gpt2, {"GPT2LMHeadModel": _LM, "GPT2Model": _BARE}, ("add_cross_attention",)),
    "llama": (
        _llama_like(kv_heads=None, feed_forward=11008, vocabulary=32000, context=2048),
        {"LlamaForCausalLM": _LM, "LlamaModel": _BARE},
        (),
    ),
    "mistral": (_mistral, {"MistralForCausalLM": _LM, "MistralModel": _BARE}, ()),
    "qwen2": (
        _llama_like(kv_heads=32, feed_forward=22016, vocabulary=151936, context=32768, qkv_bias=True),
        {"Qwen2ForCausalLM": _LM, "Qwen2Model": _BARE},
        ("use_sliding_window",),
    ),
    "qwen3": (
        _llama_like(kv_heads=32, feed_forward=22016, vocabulary=151936, context=32768, qk_norm=True, head_width=128),
        {"Qwen3ForCausalLM": _LM, "Qwen3Model": _BARE},
        ("use_sliding_window",),
    ),
    "bert": (
        _bert,
        {
            "BertModel": {"pooler": True},
            "BertForMaskedLM": _LM,
            "BertForSequenceClassification": {"pooler": True, "classes": 2},
        },
        ("is_decoder", "add_cross_attention"),
    ),
    "vit": (_vit, {"ViTForImageClassification": {"classes": 2}, "ViTModel": {"pooler": True}}, ()),
    "resnet": (
        _resnet,
        {"ResNetForImageClassification": {"classes": 2}, "ResNetModel": _BARE},
        ("downsample_in_first_stage",),
    ),
}
