"""Counting by formula, against the papers, real model classes and real caches."""

import math
import sys
from pathlib import Path

import pytest
import torch
import transformers
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dltools.architecture_keys import architecture
from dltools.architectures import count
from dltools.hardware import HARDWARE, hardware
from dltools.report import UnusableInput

torch.set_num_threads(1)

GPT2 = {
    "family": "transformer-decoder",
    "layers": 12,
    "width": 768,
    "heads": 12,
    "vocabulary": 50257,
    "positions": 1024,
    "lm_head": True,
}
NAMED = [
    ("GPT-2 small", {"model_type": "gpt2"}, 124_439_808),
    ("BERT-base", {"model_type": "bert"}, 109_482_240),
    ("Llama-2-7B", {"model_type": "llama", "tie_word_embeddings": False}, 6_738_415_616),
    ("ViT-B/16", {"model_type": "vit", "id2label": {str(i): str(i) for i in range(1000)}}, 86_567_656),
    ("ResNet-50", {"model_type": "resnet", "num_labels": 1000}, 25_557_032),
]


@pytest.mark.parametrize(("name", "config", "expected"), NAMED, ids=[name for name, *_ in NAMED])
def test_parameters_of_known_models_are_exact(name, config, expected):
    assert count(config).parameters == expected


def test_own_keys_say_the_same_as_a_hugging_face_configuration():
    own, theirs = count(GPT2, sequence=128), count({"model_type": "gpt2"}, sequence=128)
    assert own.parts == theirs.parts
    assert own.cache_elements == theirs.cache_elements


# -- against model classes of transformers, on the meta device

SMALL = {
    "gpt2": {"n_layer": 2, "n_embd": 48, "n_head": 4, "vocab_size": 90, "n_positions": 40},
    "llama": {
        "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 100, "vocab_size": 90, "head_dim": 16, "max_position_embeddings": 64,
    },
    "bert": {
        "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 100,
        "vocab_size": 90, "max_position_embeddings": 40,
    },
    "vit": {
        "num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 100,
        "image_size": 24, "patch_size": 8, "num_channels": 1,
    },
    "resnet": {"embedding_size": 12, "hidden_sizes": [20, 40], "depths": [2, 1]},
}  # fmt: skip
SMALL |= {kind: SMALL["llama"] for kind in ("mistral", "qwen2", "qwen3")}
CASES = [
    ("gpt2", "GPT2LMHeadModel", {}),
    ("gpt2", "GPT2Model", {"n_inner": 70}),
    ("gpt2", "GPT2LMHeadModel", {"tie_word_embeddings": False}),
    ("llama", "LlamaForCausalLM", {}),
    ("llama", "LlamaForCausalLM", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": True}),
    ("llama", "LlamaModel", {"num_key_value_heads": None}),
    ("mistral", "MistralForCausalLM", {"sliding_window": None}),
    ("qwen2", "Qwen2ForCausalLM", {}),
    ("qwen3", "Qwen3ForCausalLM", {"tie_word_embeddings": True}),
    ("bert", "BertModel", {}),
    ("bert", "BertForMaskedLM", {}),
    ("bert", "BertForSequenceClassification", {"num_labels": 7}),
    ("vit", "ViTForImageClassification", {"num_labels": 10}),
    ("vit", "ViTModel", {"qkv_bias": False}),
    ("resnet", "ResNetForImageClassification", {"num_labels": 5}),
    ("resnet", "ResNetModel", {"layer_type": "basic"}),
    ("resnet", "ResNetModel", {"downsample_in_bottleneck": True}),
]


def meta_model(name, config):
    with torch.device("meta"):
        return getattr(transformers, name)(config).eval()


def inputs_of(kind, config, batch, length):
    if kind in ("vit", "resnet"):
        side = getattr(config, "image_size", 32)
        return {"pixel_values": torch.zeros(batch, config.num_channels, side, side, device="meta")}
    return {"input_ids": torch.zeros(batch, length, dtype=torch.long, device="meta")}


@pytest.mark.parametrize(("kind", "name", "changes"), CASES, ids=[f"{n}-{'-'.join(c) or 'plain'}" for _, n, c in CASES])
def test_parameters_and_products_are_those_of_the_class(kind, name, changes):
    config = transformers.AutoConfig.for_model(kind, **{**SMALL[kind], **changes})
    model = meta_model(name, config)
    # on the meta device attention is two products, which the counter knows
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(**inputs_of(kind, config, 2, 24))
    given = {**config.to_dict(), "architectures": [name]}
    sizes = {"image": 32} if kind == "resnet" else {} if kind == "vit" else {"sequence": 24}
    found = count(given, batch=2, **sizes)
    assert found.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert found.flops == counter.get_total_flops()


@pytest.mark.parametrize("kind", list(SMALL))
def test_defaults_are_those_of_the_library(kind):
    config = transformers.AutoConfig.for_model(kind)
    name = transformers.models.auto.modeling_auto.MODEL_MAPPING_NAMES[kind]
    model = meta_model(name, config)
    # a config.json holds the differences from the defaults only
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert count({"model_type": kind, "architectures": [name]}).parameters == expected


# -- caches


def tiny_llama():
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=50,
    )  # fmt: skip
    return config, transformers.LlamaForCausalLM(config).eval()


def held(cache):
    return sum(t.numel() * t.element_size() for layer in cache.layers for t in (layer.keys, layer.values))


def test_cache_bytes_are_those_of_a_real_cache():
    config, model = tiny_llama()
    with torch.no_grad():
        cache = model(torch.zeros(3, 17, dtype=torch.long), use_cache=True).past_key_values
    found = count(config.to_dict() | {"architectures": ["LlamaForCausalLM"]}, batch=3, sequence=17)
    assert held(cache) == found.cache_bytes(4) == 13_056


def test_a_step_of_generation_has_the_products_and_the_cache_of_a_real_one():
    config, model = tiny_llama()
    with torch.no_grad(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        cache = model(torch.zeros(3, 16, dtype=torch.long), use_cache=True).past_key_values
        with FlopCounterMode(display=False) as counter:
            cache = model(torch.zeros(3, 1, dtype=torch.long), past_key_values=cache).past_key_values
    found = count(config.to_dict() | {"architectures": ["LlamaForCausalLM"]}, batch=3, sequence=1, cached=16)
    assert found.flops == counter.get_total_flops()
    assert found.cache_bytes(4) == held(cache)


def test_a_window_bounds_the_cache():
    decoder = {**GPT2, "positions": 0, "window": 64}
    assert count(decoder, sequence=50).cache_elements == 2 * 12 * 768 * 50
    assert count(decoder, sequence=5000).cache_elements == 2 * 12 * 768 * 64


# -- the other families


def test_encoder_decoder_is_that_of_torch():
    net = {
        "family": "transformer-encoder-decoder", "layers": 2, "width": 32, "heads": 4, "feed_forward": 80,
        "vocabulary": 70, "attention_bias": True, "final_norm": True,
    }  # fmt: skip
    with torch.device("meta"):
        model = nn.Transformer(32, 4, 2, 2, 80, batch_first=True)
        source, target = torch.zeros(3, 11, 32), torch.zeros(3, 7, 32)
    with FlopCounterMode(display=False) as counter:
        model(source, target)
    found = count(net, batch=3, sequence=11, target_sequence=7)
    without = [part for part in found.parts if part.name not in ("embeddings", "output")]
    assert sum(part.parameters for part in without) == sum(p.numel() for p in model.parameters())
    assert sum(2 * part.macs for part in without) == counter.get_total_flops()
    assert found.parts[-1].macs == 3 * 7 * 32 * 70
    assert found.cache_elements == 2 * 2 * 3 * 32 * (11 + 7)


def test_vocabularies_may_be_shared_or_not():
    net = {"family": "transformer-encoder-decoder", "layers": 1, "width": 8, "heads": 2, "vocabulary": 50, "context": 5}
    shared = count(net).parameters
    assert count({**net, "target_vocabulary": 30}).parameters == shared + 30 * 8
    assert count({**net, "tied": False}).parameters == shared + 50 * 8


def test_transformer_base_is_near_the_65_million_of_the_paper():
    # Vaswani et al. 2017, table 3: 65 and 213 million; the shared vocabulary of about 37000 tokens is in section 5.1
    net = {"family": "transformer-encoder-decoder", "layers": 6, "heads": 8, "vocabulary": 37000, "context": 25}
    assert count({**net, "width": 512}).parameters == pytest.approx(65e6, rel=0.04)
    assert count({**net, "width": 1024, "heads": 16}).parameters == pytest.approx(213e6, rel=0.01)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_cifar_resnets_have_the_parameters_of_the_paper(depth, millions):
    # He et al. 2016, table 6: 6 n + 2 layers, shortcuts without parameters
    net = {
        "family": "resnet", "block": "basic", "stem": "cifar", "shortcut": "padding", "classes": 10, "image": 32,
        "blocks": [(depth - 2) // 6] * 3,
    }  # fmt: skip
    found = count(net).parameters / 1e6
    assert found == pytest.approx(millions, abs=0.05 if depth == 110 else 0.006)


@pytest.mark.parametrize(("block", "blocks", "giga"), [("basic", [2, 2, 2, 2], 1.8), ("basic", [3, 4, 6, 3], 3.6),
                                                       ("bottleneck", [3, 4, 6, 3], 3.8),
                                                       ("bottleneck", [3, 4, 23, 3], 7.6),
                                                       ("bottleneck", [3, 8, 36, 3], 11.3)])  # fmt: skip
def test_the_flops_of_the_resnet_paper_are_multiply_adds(block, blocks, giga):
    # He et al. 2016, table 1, whose "FLOPs" are multiply-adds (section 3.3)
    net = {"family": "resnet", "block": block, "blocks": blocks, "stride_in": "1x1", "image": 224}
    assert count(net).macs / 1e9 == pytest.approx(giga, rel=0.03)


class DiffusionBlock(nn.Module):
    def __init__(self, a, b, time):
        super().__init__()
        self.norm1, self.conv1, self.time = nn.GroupNorm(4, a), nn.Conv2d(a, b, 3, padding=1), nn.Linear(time, b)
        self.norm2, self.conv2 = nn.GroupNorm(4, b), nn.Conv2d(b, b, 3, padding=1)
        self.short = nn.Conv2d(a, b, 1) if a != b else nn.Identity()

    def forward(self, x, t):
        h = self.conv1(self.norm1(x).sigmoid()) + self.time(t)[:, :, None, None]
        return self.short(x) + self.conv2(self.norm2(h).sigmoid())


class DiffusionAttention(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.norm = nn.GroupNorm(4, a)
        self.q, self.k, self.v, self.out = (nn.Conv2d(a, a, 1) for _ in range(4))

    def forward(self, x, t):
        h = self.norm(x)
        q, k, v = (layer(h).flatten(2) for layer in (self.q, self.k, self.v))
        weights = (q.transpose(1, 2) @ k).softmax(-1)
        return x + self.out((v @ weights.transpose(1, 2)).reshape(x.shape))


class DiffusionUNet(nn.Module):
    """Ho et al. 2020, written down again: width 8, multipliers 1 2, attention at half the side."""

    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(8, 32), nn.Linear(32, 32))
        self.stem, self.shrink = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, 2, 1)
        self.grow = nn.Conv2d(16, 16, 3, 1, 1)
        block, attention = DiffusionBlock, DiffusionAttention
        self.down1 = nn.ModuleList([block(8, 8, 32), block(8, 8, 32)])
        self.down2 = nn.ModuleList([block(8, 16, 32), attention(16), block(16, 16, 32), attention(16)])
        self.middle = nn.ModuleList([block(16, 16, 32), attention(16), block(16, 16, 32)])
        self.up2 = nn.ModuleList(
            [block(32, 16, 32), attention(16), block(32, 16, 32), attention(16), block(24, 16, 32), attention(16)]
        )
        self.up1 = nn.ModuleList([block(24, 8, 32), block(16, 8, 32), block(16, 8, 32)])
        self.norm, self.out = nn.GroupNorm(4, 8), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x, t):
        t = self.time(t)
        skips = [self.stem(x)]
        for layer in self.down1:
            skips.append(layer(skips[-1], t))
        skips.append(self.shrink(skips[-1]))
        for first, second in (self.down2[:2], self.down2[2:]):
            skips.append(second(first(skips[-1], t), t))
        h = skips[-1]
        for layer in self.middle:
            h = layer(h, t)
        for first, second in (self.up2[:2], self.up2[2:4], self.up2[4:]):
            h = second(first(torch.cat([h, skips.pop()], 1), t), t)
        h = self.grow(nn.functional.interpolate(h, scale_factor=2))
        for layer in self.up1:
            h = layer(torch.cat([h, skips.pop()], 1), t)
        return self.out(self.norm(h).sigmoid())


def test_unet_is_that_of_a_module():
    with torch.device("meta"):
        model, x, t = DiffusionUNet(), torch.zeros(2, 3, 16, 16), torch.zeros(2, 8)
    with FlopCounterMode(display=False) as counter:
        model(x, t)
    found = count({"family": "unet", "width": 8, "multipliers": [1, 2], "image": 16, "attention": [8]}, batch=2)
    assert found.parameters == sum(p.numel() for p in model.parameters())
    assert found.flops == counter.get_total_flops()


def test_unets_of_the_ddpm_paper():
    # Ho et al. 2020, appendix B: 35.7 million for CIFAR-10, 114 million for 256 x 256
    small = count({"family": "unet", "width": 128, "multipliers": [1, 2, 2, 2], "image": 32})
    large = count({"family": "unet", "width": 128, "multipliers": [1, 1, 2, 2, 4, 4], "image": 256})
    assert round(small.parameters / 1e6, 1) == 35.7
    assert round(large.parameters / 1e6) == 114


def test_attention_scores_overtake_the_projections_at_twice_the_width():
    def parts(length):
        found = {part.name: part.macs for part in count({**GPT2, "positions": 0}, sequence=length).parts}
        return found["attention scores"], found["attention projections"]

    assert parts(2 * 768)[0] == parts(2 * 768)[1]
    scores, projections = parts(4 * 768)
    assert scores == 2 * projections


# -- input that cannot be used


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "neither `family`"),
        ({"family": "rnn"}, "must be one of"),
        ({**GPT2, "layer": 3}, "did you mean `layers`"),
        ({**GPT2, "colour": 3}, "known are"),
        ({"family": "transformer-decoder", "layers": 2}, "needs `width`, `heads`"),
        ({**GPT2, "layers": 0}, "at least 1"),
        ({**GPT2, "layers": 2.5}, "whole number"),
        ({**GPT2, "layers": True}, "whole number"),
        ({**GPT2, "tied": "no"}, "true or false"),
        ({**GPT2, "norm": "batchnorm"}, "layernorm, rmsnorm"),
        ({**GPT2, "heads": 7}, "not a multiple"),
        ({**GPT2, "kv_heads": 5}, "not a multiple of `kv_heads`"),
        ({**GPT2, "patch": 16}, "either `vocabulary` or `patch`"),
        ({**GPT2, "vocabulary": 0, "patch": 16, "image": 32}, "`lm_head` needs"),
        ({"family": "resnet", "blocks": 3}, "list of whole numbers"),
        ({"family": "resnet", "blocks": [2, 2], "widths": [8]}, "one number per stage"),
        ({"family": "resnet", "blocks": [2], "widths": [9]}, "multiples of 4"),
        ({"family": "transformer-encoder-decoder", "layers": 1, "width": 9, "heads": 2, "vocabulary": 5}, "multiple"),
        ({"model_type": "mamba"}, "formulas are there for gpt2"),
        ({"model_type": "gpt2", "architectures": ["GPT2ForTokenClassification"]}, "GPT2LMHeadModel"),
        ({"model_type": "gpt2", "add_cross_attention": True}, "changes the counts"),
        ({"model_type": "llama", "hidden_size": "4096"}, "whole number"),
    ],
)
def test_configurations_that_cannot_be_used(config, message):
    with pytest.raises(UnusableInput, match=message):
        architecture(config)


@pytest.mark.parametrize(
    ("config", "sizes", "message"),
    [
        (GPT2, {"sequence": 2000}, "1024 learned positions"),
        (GPT2, {"sequence": 1000, "cached": 100}, "1100 tokens"),
        (GPT2, {"batch": 0}, "at least 1"),
        (GPT2, {"cached": -1}, "cached is -1"),
        ({**GPT2, "positions": 0}, {}, "give `sequence`"),
        ({"model_type": "bert"}, {"cached": 3}, "only a transformer-decoder"),
        ({"model_type": "vit"}, {"image": 100}, "patches of 16"),
        ({"family": "resnet", "blocks": [1]}, {}, "no `image`"),
        ({"family": "unet", "width": 8, "multipliers": [1, 1, 1], "image": 30}, {}, "halved"),
    ],
)
def test_sizes_that_do_not_fit(config, sizes, message):
    with pytest.raises(UnusableInput, match=message):
        count(config, **sizes)


def test_what_was_assumed_is_said():
    assert "1024 tokens" in count(GPT2).notes[0]
    assert count(GPT2, sequence=10).notes == ()
    assert "224 x 224" in count({"model_type": "resnet"}).notes[0]


def test_hardware_is_known_by_name():
    assert hardware("v100-sxm2-32gb").peak["float32"] == 15.7e12
    with pytest.raises(UnusableInput, match="known are"):
        hardware("v100")
    for one in HARDWARE.values():
        assert one.source
        assert all(math.isfinite(peak) and peak > 1e12 for peak in one.peak.values())
        assert 1e11 < one.bandwidth < 1e13


def test_counting_loads_no_framework():
    import subprocess

    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parents[3] / 'tools')!r})\n"
        "from dltools.architectures import count\n"
        "count({'model_type': 'gpt2'})\n"
        "assert not {'torch', 'jax', 'numpy', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
