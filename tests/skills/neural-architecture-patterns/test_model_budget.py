"""model_budget: known models, the traps of counters, what is kept for the backward pass, limits, and unusable input."""

import contextlib
import importlib
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
import pytest
import torch
import transformers
from flax import linen, nnx
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from dltools.architecture_keys import architecture
from dltools.architectures import count
from dltools.report import CannotDecide, UnusableInput

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/neural-architecture-patterns/scripts"
sys.path.insert(0, str(SCRIPTS))

import budget_jax  # noqa: E402
import budget_torch  # noqa: E402
import model_budget  # noqa: E402
from budget_memory import roofline, saved_bytes, training_bytes  # noqa: E402

F = nn.functional
torch.set_num_threads(1)
NO_LIMITS = {"parameters": None, "flops": None, "memory": None}


def torch_target(model, x, y, loss=F.cross_entropy, optimizer=None):
    common = {"optimizer": optimizer, "num_classes": None, "labels": None, "properties": {}}
    build = importlib.import_module("dltools.torch_target").TorchTarget.build
    return build(model, {**common, "batch": (x, y), "loss_fn": loss}, None)


def jax_target(kind, model, x, y, loss, *, params=None, apply=None, optimizer=None):
    common = {"optimizer": optimizer, "num_classes": None, "labels": None, "properties": {}}
    build = importlib.import_module("dltools.jax_target").JaxTarget.build
    return build(kind, model, params, apply, {**common, "batch": (x, y), "loss_fn": loss})


def measured(target, *, train=True, fused=True):
    copy, mode = budget_torch.abstract(target)
    return budget_torch.measure(copy, mode, train=train, fused=fused)


def total(output, _):
    output = output[0] if isinstance(output, tuple) else output
    return output.sum()


# -- models that everybody knows, from their real classes, without their weights

TOKENS = torch.zeros(1, 64, dtype=torch.long)
KNOWN = [
    ("GPT2LMHeadModel", transformers.GPT2Config, {"input_ids": TOKENS}, 124_439_808),
    ("BertModel", transformers.BertConfig, {"input_ids": TOKENS}, 109_482_240),
    ("LlamaForCausalLM", transformers.LlamaConfig, {"input_ids": TOKENS}, 6_738_415_616),
    (
        "ViTForImageClassification",
        lambda: transformers.ViTConfig(num_labels=1000),
        {"pixel_values": torch.zeros(1, 3, 224, 224)},
        86_567_656,
    ),
    (
        "ResNetForImageClassification",
        lambda: transformers.ResNetConfig(num_labels=1000),
        {"pixel_values": torch.zeros(1, 3, 224, 224)},
        25_557_032,
    ),
]


@pytest.mark.parametrize(("name", "config", "inputs", "parameters"), KNOWN, ids=[name for name, *_ in KNOWN])
def test_known_models_are_exact(name, config, inputs, parameters):
    config = config()
    with torch.device("meta"):
        model = getattr(transformers, name)(config)
    budget = model_budget.budget_of_target(torch_target(model, inputs, None), train=False)
    sizes = {"sequence": 64} if "input_ids" in inputs else {"image": 224}
    by_formula = count(config.to_dict() | {"architectures": [name]}, **sizes)
    assert budget["parameters"]["total"] == by_formula.parameters == parameters
    assert budget["flops"]["forward"] == by_formula.flops
    assert budget["flops"]["macs"] == by_formula.macs
    assert budget["not_counted"] == []
    assert sum(part["flops"] for part in budget["parts"]) == by_formula.flops
    assert sum(part["parameters"] for part in budget["parts"]) == parameters
    # a pass reads what it multiplies: not a table of embeddings, unless the output is tied to it
    assert budget["bytes_read"] == pytest.approx(4 * by_formula.multiplied, rel=5e-3)


def tiny_llama():
    config = transformers.LlamaConfig(
        num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=50,
    )  # fmt: skip
    return config, transformers.LlamaForCausalLM(config)


def next_token(outputs, targets):
    return F.cross_entropy(outputs.logits.flatten(0, 1), targets.flatten())


def test_cache_of_a_model_is_a_real_one():
    tokens = torch.zeros(3, 17, dtype=torch.long)
    config, model = tiny_llama()
    given = {"input_ids": tokens, "use_cache": True}
    budget = model_budget.budget_of_target(torch_target(model, given, tokens, next_token), train=False)
    with torch.no_grad():
        layers = model(**given).past_key_values.layers
    real = sum(t.numel() * t.element_size() for layer in layers for t in (layer.keys, layer.values))
    by_formula = model_budget.budget_of_config(config.to_dict() | {"architectures": None}, batch=3, sequence=17)
    assert budget["memory"]["kv_cache"] == real == by_formula["memory"]["kv_cache"] == 13_056


# -- traps


def vit():
    config = transformers.ViTConfig(num_labels=1000)
    with torch.device("meta"):
        return transformers.ViTForImageClassification(config)


def test_the_counter_of_torch_misses_attention_on_the_cpu_and_this_one_does_not():
    target = torch_target(vit(), {"pixel_values": torch.zeros(1, 3, 224, 224)}, None)
    copy, mode = budget_torch.abstract(target)
    # shapes without values, but with the operators that the CPU has
    with mode, torch.no_grad(), FlopCounterMode(display=False) as counter:
        copy.model(**copy.inputs)
    assert round(counter.get_total_flops() / 1e9, 2) == 33.70
    with torch.no_grad(), FlopCounterMode(display=False) as on_meta:
        target.model(pixel_values=torch.zeros(1, 3, 224, 224, device="meta"))
    assert round(on_meta.get_total_flops() / 1e9, 2) == 35.13
    assert sum(measured(target, train=False).flops.values()) == on_meta.get_total_flops()


def test_the_same_trap_with_real_tensors():
    q = torch.randn(2, 4, 16, 8)
    with FlopCounterMode(display=False) as counter:
        F.scaled_dot_product_attention(q, q, q)
    assert counter.get_total_flops() == 0
    with FlopCounterMode(display=False) as counter, torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        F.scaled_dot_product_attention(q, q, q)
    assert counter.get_total_flops() == 2 * 2 * 2 * 4 * 16 * 16 * 8

    class Attention(nn.Module):
        def forward(self, q):
            return F.scaled_dot_product_attention(q, q, q)

    target = torch_target(Attention(), q, None)
    for pair in (budget_torch.abstract(target), (target, contextlib.nullcontext())):
        used = budget_torch.measure(*pair, train=False)
        assert sum(used.flops.values()) == counter.get_total_flops()


def test_an_lstm_is_one_operator_on_the_cpu_that_counts_nothing():
    lstm = nn.LSTM(8, 16, batch_first=True)
    x = torch.randn(3, 5, 8)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        lstm(x)
    assert counter.get_total_flops() == 0
    used = measured(torch_target(lstm, x, None), train=False)
    # four gates, each with a product of the input and one of the state
    assert sum(used.flops.values()) == 2 * 3 * 5 * 4 * 16 * (8 + 16)
    assert not used.not_counted


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_the_weight_gradient_of_grouped_convolutions_is_counted_once(groups):
    model, x = nn.Conv2d(8, 8, 3, padding=1, groups=groups), torch.randn(2, 8, 6, 6)
    used = measured(torch_target(model, x, None, total))
    forward = 2 * 2 * 6 * 6 * 9 * 8 * 8 // groups
    assert sum(used.flops.values()) == forward
    # the input needs no gradient, so the backward pass has the weight's only
    assert used.training_flops == 2 * forward
    with FlopCounterMode(display=False) as counter:
        model(x).sum().backward()
    assert counter.get_total_flops() == forward + groups * forward


def test_transposed_convolutions_count_their_inputs():
    model, x = nn.ConvTranspose2d(4, 6, 2, stride=2), torch.randn(3, 4, 5, 5)
    used = measured(torch_target(model, x.requires_grad_(), None, total))
    assert sum(used.flops.values()) == 2 * 3 * 5 * 5 * 4 * 6 * 4


def test_a_shared_matrix_stays_shared_without_memory():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.out = nn.Embedding(50, 8), nn.Linear(8, 50, bias=False)
            self.out.weight = self.embedding.weight

        def forward(self, x):
            return self.out(self.embedding(x)).flatten(0, 1)

    target = torch_target(Tied(), torch.zeros(2, 3, dtype=torch.long), torch.zeros(6, dtype=torch.long))
    budget = model_budget.budget_of_target(target)
    # moving a module to the meta device would make two parameters of it
    assert budget["parameters"]["total"] == 400
    assert len(list(Tied().to("meta").parameters())) == 2
    assert budget["bytes_read"] == 4 * 400


def test_matrix_times_vector_and_dot_are_counted():
    class Vectors(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.v = nn.Parameter(torch.zeros(6, 5)), nn.Parameter(torch.zeros(5))

        def forward(self, x):
            return self.w @ self.v, self.v @ self.v, torch.einsum("bi,ij->bj", x, self.w)

    used = measured(torch_target(Vectors(), torch.zeros(3, 6), None), train=False)
    assert sum(used.flops.values()) == 2 * 6 * 5 + 2 * 5 + 2 * 3 * 6 * 5


# -- operators that are not counted

IMAGE, SEQUENCE, VECTOR = (2, 4, 8, 8), (2, 6, 8), (4, 8)
LAYERS = [
    (nn.Conv1d(6, 4, 3), SEQUENCE), (nn.Conv2d(4, 4, 3), IMAGE), (nn.Conv3d(4, 4, 3), (2, 4, 5, 5, 5)),
    (nn.ConvTranspose2d(4, 4, 3), IMAGE), (nn.Linear(8, 4), VECTOR), (nn.Identity(), VECTOR),
    (nn.LSTM(8, 4, 2, batch_first=True, bidirectional=True), SEQUENCE), (nn.GRU(8, 4), SEQUENCE),
    (nn.RNN(8, 4), SEQUENCE),
    (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), SEQUENCE), (nn.MultiheadAttention(8, 2), None),
    (nn.BatchNorm2d(4), IMAGE), (nn.GroupNorm(2, 4), IMAGE), (nn.LayerNorm(8), VECTOR), (nn.RMSNorm(8), VECTOR),
    (nn.InstanceNorm2d(4), IMAGE), (nn.LocalResponseNorm(2), IMAGE), (nn.Dropout(0.5), VECTOR), (nn.Dropout2d(), IMAGE),
    (nn.AlphaDropout(), VECTOR), (nn.MaxPool2d(2), IMAGE), (nn.AvgPool2d(2), IMAGE), (nn.AdaptiveAvgPool2d(2), IMAGE),
    (nn.AdaptiveMaxPool2d(2), IMAGE), (nn.LPPool2d(2, 2), IMAGE), (nn.Upsample(scale_factor=2), IMAGE),
    (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE), (nn.Upsample(scale_factor=2, mode="bicubic"), IMAGE),
    (nn.PixelShuffle(2), IMAGE), (nn.Unfold(3), IMAGE), (nn.Fold((8, 8), 2, stride=2), (2, 16, 16)),
    (nn.ZeroPad2d(1), IMAGE), (nn.ReflectionPad2d(1), IMAGE), (nn.CircularPad2d(1), IMAGE), (nn.Flatten(), IMAGE),
    (nn.Softmax(-1), VECTOR), (nn.LogSoftmax(-1), VECTOR), (nn.Softmin(-1), VECTOR), (nn.PReLU(), VECTOR),
    (nn.utils.parametrizations.weight_norm(nn.Linear(8, 4)), VECTOR), (nn.CosineSimilarity(), None),
    *((activation(), VECTOR) for activation in (
        nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.Tanh,
        nn.GLU,
        nn.Softplus, nn.Softsign, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Tanhshrink, nn.Softshrink,
        nn.Hardshrink,
        nn.LogSigmoid, nn.RReLU,
    )),
]  # fmt: skip


class Twice(nn.Module):
    """Layers that take more than one input, such as attention of a sequence to itself."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        x = x if isinstance(self.layer, nn.CosineSimilarity) else (x, x, x)
        return self.layer(x, x) if isinstance(x, torch.Tensor) else self.layer(*x)[0]


@pytest.mark.parametrize(
    ("layer", "shape"), LAYERS, ids=[f"{type(layer).__name__}{i}" for i, (layer, _) in enumerate(LAYERS)]
)
def test_no_ordinary_layer_is_named_as_not_counted(layer, shape):
    model = layer if shape else Twice(layer)
    model = nn.ModuleList([model, nn.Linear(1, 1)])
    x = torch.randn(shape or SEQUENCE, requires_grad=True)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.scale = model[0], nn.Parameter(torch.ones(()))

        def forward(self, x):
            output = self.inner(x * self.scale)
            return output[0] if isinstance(output, tuple) else output

    target = torch_target(Model(), x, None, total)
    assert measured(target, train=True).not_counted == {}
    assert measured(target, train=False).not_counted == {}


def losses():
    logits, classes = (4, 8), torch.zeros(4, dtype=torch.long)
    yield from ((loss, logits, classes) for loss in (nn.CrossEntropyLoss(), nn.NLLLoss(), nn.MultiMarginLoss()))
    same = (nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(), nn.KLDivLoss(reduction="batchmean"))
    yield from ((loss, logits, torch.ones(logits)) for loss in (*same, nn.BCEWithLogitsLoss(), nn.SoftMarginLoss()))


@pytest.mark.parametrize(("loss", "shape", "targets"), list(losses()), ids=lambda value: type(value).__name__)
def test_no_ordinary_loss_is_named_as_not_counted(loss, shape, targets):
    target = torch_target(nn.Linear(shape[1], shape[1]), torch.randn(shape), targets, loss)
    assert measured(target).not_counted == {}


class Spectral(nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = nn.Linear(8, 8)

    def forward(self, x):
        return torch.fft.rfft(self.mix(x), dim=-1).abs()


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        (lambda x: torch.fft.fft(x).real, "aten._fft_r2c"),
        (lambda x: torch.linalg.inv(x @ x.T + torch.eye(4)), "aten.linalg_inv_ex"),
        (lambda x: torch.linalg.svdvals(x), "aten._linalg_svd"),
        (lambda x: torch.cdist(x, x), "aten._cdist_forward"),
        (lambda x: F.bilinear(x, x, torch.ones(3, 8, 8)), "aten._trilinear"),
        (lambda x: torch.sparse.mm(torch.eye(4).to_sparse(), x), "sparse"),
    ],
    ids=["fft", "inverse", "svd", "cdist", "bilinear", "sparse"],
)
def test_what_has_no_formula_is_named(operation, named):
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(x)

    class Inner(nn.Module):
        def forward(self, x):
            return operation(x)

    used = measured(torch_target(Model(), torch.randn(4, 8), None), train=False)
    found = {name: where for (name, where) in used.not_counted if named in name}
    assert set(found.values()) == {"inner"}


def test_an_operator_of_the_users_own_is_named():
    @torch.library.custom_op("budget_test::triple", mutates_args=())
    def triple(x: torch.Tensor) -> torch.Tensor:
        return 3 * x

    triple.register_fake(torch.empty_like)

    class Model(nn.Module):
        def forward(self, x):
            return triple(x)

    used = measured(torch_target(Model(), torch.randn(4, 8), None), train=False)
    assert list(used.not_counted) == [("budget_test.triple.default", "")]


def test_a_count_in_part_decides_only_what_it_can():
    budget = model_budget.budget_of_target(torch_target(Spectral(), torch.randn(4, 8), None, total))
    assert any("lower bound" in note for note in budget["notes"])
    assert model_budget.judged(budget, limits=NO_LIMITS).verdict == "counted-in-part"
    below = model_budget.judged(budget, limits={**NO_LIMITS, "flops": 1e6})
    assert (below.verdict, below.exit_status) == ("cannot-decide", 3)
    above = model_budget.judged(budget, limits={**NO_LIMITS, "flops": 100})
    assert (above.verdict, above.exit_status) == ("over-budget", 1)


# -- what is kept for the backward pass


def kept_by_hand(model, x, y, loss):
    """Unique storages that autograd keeps, with real tensors, without parameters."""
    storages = {}

    def pack(tensor):
        storages[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = loss(model(x), y)
    own = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}
    value.backward()
    return sum(t.untyped_storage().nbytes() for place, t in storages.items() if place not in own)


def test_activations_of_a_perceptron_are_its_formula():
    batch, sizes = 32, (64, 128, 10)
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = torch.randn(batch, 64), torch.zeros(batch, dtype=torch.long)
    # the input, the result of the ReLU (which is the second layer's input too), the logarithms of the probabilities;
    # the classes and the number of examples belong to the loss
    expected = 4 * batch * sum(sizes) + 8 * batch + 4
    target = torch_target(model, x, y)
    assert measured(target).saved == expected
    assert kept_by_hand(model, x, y, F.cross_entropy) == expected
    assert budget_torch.measure(target, contextlib.nullcontext(), train=True).saved == expected


class PreNorm(nn.Module):
    """A plain pre-norm transformer with an output for each token."""

    def __init__(self, net):
        super().__init__()
        self.net, d, f = net, net.width, net.feed_forward
        inner = net.heads * net.head_width + 2 * net.kv_heads * net.head_width
        norm = nn.LayerNorm if net.norm == "layernorm" else nn.RMSNorm
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "norm1": norm(d), "qkv": nn.Linear(d, inner), "out": nn.Linear(net.heads * net.head_width, d),
                    "norm2": norm(d), "up": nn.Linear(d, f), "down": nn.Linear(f, d),
                } | ({"gate": nn.Linear(d, f)} if net.gated else {})
            )
            for _ in range(net.layers)
        )  # fmt: skip
        self.norm, self.head = norm(d), nn.Linear(d, net.vocabulary, bias=False)

    def block(self, layer, x):
        net = self.net
        h = layer["norm1"](x)
        heads = [net.heads, net.kv_heads, net.kv_heads]
        parts = layer["qkv"](h).split([n * net.head_width for n in heads], -1)
        q, k, v = (p.unflatten(-1, (n, net.head_width)).transpose(1, 2) for p, n in zip(parts, heads, strict=True))
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=net.kv_heads != net.heads)
        x = x + layer["out"](attended.transpose(1, 2).flatten(2))
        h = layer["norm2"](x)
        h = F.silu(layer["gate"](h)) * layer["up"](h) if net.gated else F.gelu(layer["up"](h))
        return x + layer["down"](h)

    def forward(self, x, again=False):
        for layer in self.layers:
            x = checkpoint(self.block, layer, x, use_reentrant=False) if again else self.block(layer, x)
        return self.head(self.norm(x)).flatten(0, 1)


PLAIN = {
    "family": "transformer-decoder", "layers": 3, "width": 32, "heads": 4, "vocabulary": 20, "lm_head": True,
    "tied": False,
}  # fmt: skip
GPT = {"family": "transformer-decoder", "layers": 1, "width": 768, "heads": 12, "vocabulary": 100, "lm_head": True}
FORMS = [{}, {"gated": True, "norm": "rmsnorm", "feed_forward": 80}, {"kv_heads": 2}]


@pytest.mark.parametrize("form", FORMS, ids=["plain", "gated", "grouped"])
def test_activations_of_a_transformer_are_its_formula(form):
    net = architecture({**PLAIN, **form})
    model = PreNorm(net)
    x, y = torch.randn(2, 12, 32, requires_grad=True), torch.zeros(24, dtype=torch.long)
    target = torch_target(model, x, y)
    used = measured(target)
    # beyond the network: the classes and their number
    # on the CPU an RMS norm consists of several operators, and keeps the normalised values besides its input
    composed = 4 * 24 * 32 * (2 * net.layers + 1) if net.norm == "rmsnorm" else 0
    assert used.saved == saved_bytes(net, 2, 12, 4)[0] + composed + 8 * 24 + 4
    assert used.saved == kept_by_hand(model, x, y, F.cross_entropy)
    assert sum(used.flops.values()) == count(net, batch=2, sequence=12).flops


def test_separate_products_keep_the_scores():
    net = architecture(PLAIN)
    x, y = torch.randn(2, 64, 32, requires_grad=True), torch.zeros(128, dtype=torch.long)
    target = torch_target(PreNorm(net), x, y)
    fused, separate = (measured(target, fused=fused) for fused in (True, False))
    scores = 4 * 3 * 2 * 4 * 64 * 64
    assert saved_bytes(net, 2, 64, 4, fused=False)[0] - saved_bytes(net, 2, 64, 4)[0] == scores - 4 * 3 * 2 * 4 * 64
    # the math path keeps scaled copies and a mask besides
    assert separate.saved - fused.saved >= scores - 4 * 3 * 2 * 4 * 64
    assert sum(fused.flops.values()) == sum(separate.flops.values())


def test_checkpointing_keeps_the_inputs_of_the_layers():
    net = architecture(PLAIN)
    x, y = torch.randn(2, 12, 32, requires_grad=True), torch.zeros(24, dtype=torch.long)
    given = {"x": x, "again": True}
    used = measured(torch_target(PreNorm(net), given, y))
    whole, checkpointed = saved_bytes(net, 2, 12, 4)
    one_layer = whole - saved_bytes(architecture({**PLAIN, "layers": 2}), 2, 12, 4)[0]
    # between forward and backward no layer is there in full; the formula adds the one that is computed again
    assert used.saved == checkpointed - one_layer + 8 * 24 + 4
    assert used.training_flops > measured(torch_target(PreNorm(net), {"x": x}, y)).training_flops


def test_bytes_of_a_layer_are_those_of_the_literature():
    # Korthikanti et al. 2022, section 4.1: s b h (34 + 5 a s / h) bytes in 16 bits, of which two masks of one byte are
    # of dropout after attention and after the feed-forward layer, and 5 a s / h are scores and their dropout
    net, one_less = (architecture({**GPT, "layers": layers}) for layers in (2, 1))
    layer = saved_bytes(net, 1, 64, 2)[0] - saved_bytes(one_less, 1, 64, 2)[0]
    small = 64 * (2 * 2 * 4 + 4 * net.heads)
    assert layer - small == 64 * net.width * 32
    scores = saved_bytes(net, 1, 64, 2, fused=False)[0] - saved_bytes(one_less, 1, 64, 2, fused=False)[0]
    # without dropout the softmax is all that is kept of the scores: 2 of the 5
    assert scores - 64 * 2 * 2 * 4 == 64 * net.width * (32 + 2 * net.heads * 64 / net.width)


def test_dropout_keeps_a_mask_and_fused_attention_no_scores():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, q):
            q = q * self.scale
            return F.scaled_dot_product_attention(q, q, q, None, 0.5 if self.training else 0.0)

    q = torch.randn(1, 2, 100, 4)
    used = measured(torch_target(Attention(), q, None, total))
    assert used.saved < 4 * 2 * 100 * 100
    assert measured(torch_target(Attention(), q, None, total), fused=False).saved > 4 * 2 * 100 * 100


# -- weights, gradients, optimizers


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), "sgd"),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), "momentum"),
        (lambda p: torch.optim.Adagrad(p), "momentum"),
        (lambda p: torch.optim.RMSprop(p), "momentum"),
        (lambda p: torch.optim.RMSprop(p, momentum=0.9), "adam"),
        (lambda p: torch.optim.AdamW(p), "adam"),
    ],
    ids=["sgd", "momentum", "adagrad", "rmsprop", "rmsprop-momentum", "adamw"],
)
def test_optimizer_bytes_are_those_of_the_real_state(make, expected):
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))
    optimizer = make(model.parameters())
    x, y = torch.randn(3, 6), torch.zeros(3, dtype=torch.long)
    budget = model_budget.budget_of_target(torch_target(model, x, y, optimizer=optimizer))
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    state = sum(
        t.numel() * t.element_size()
        for values in optimizer.state.values() for name, t in values.items()
        if isinstance(t, torch.Tensor) and name != "step"
    )  # fmt: skip
    assert (budget["optimizer"], budget["memory"]["optimizer"]) == (expected, state)


def test_an_unknown_optimizer_is_said():
    model = nn.Linear(6, 5)
    target = torch_target(model, torch.randn(3, 6), None, total, torch.optim.Adadelta(model.parameters()))
    assert any("Adadelta" in note for note in model_budget.budget_of_target(target)["notes"])


def test_mixed_precision_has_16_bytes_for_each_parameter_with_adam():
    # Rajbhandari et al. 2020, section 3.1
    held = training_bytes(1000, 1000, precision="mixed", optimizer="adam")
    assert (held.weights, held.gradients, held.optimizer) == (2000, 2000, 12000)
    assert training_bytes(1000, 1000, precision="bfloat16", optimizer="adam").optimizer == 4000
    assert training_bytes(1000, 10, precision="float32", optimizer="momentum").optimizer == 40


def test_frozen_parameters_have_no_gradient():
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))
    model[0].requires_grad_(False)
    budget = model_budget.budget_of_target(torch_target(model, torch.randn(3, 6), None, total))
    assert budget["parameters"] == {"total": 59, "trainable": 24}
    assert budget["memory"]["gradients"] == 4 * 24
    assert budget["memory"]["weights"] == 4 * 59


def test_precision_halves_what_is_kept():
    net = architecture(PLAIN)
    x, y = torch.randn(2, 12, 32, requires_grad=True), torch.zeros(24, dtype=torch.long)
    target = torch_target(PreNorm(net), x, y)
    own, half = (model_budget.budget_of_target(target, precision=p)["memory"] for p in ("own", "bfloat16"))
    assert half["weights"] * 2 == own["weights"]
    # the classes, their number, and float32 statistics stay as they are
    assert 0.5 < half["activations"] / own["activations"] < 0.55
    assert next(target.model.parameters()).dtype == torch.float32


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 4)).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    target = torch_target(model, torch.randn(3, 6), torch.zeros(3, dtype=torch.long), optimizer=optimizer)
    before = target.fingerprint()
    shapes, real = (model_budget.budget_of_target(target, real=real) for real in (False, True))
    assert target.fingerprint() == before
    assert torch.backends.mha.get_fastpath_enabled()
    assert torch.backends.mkldnn.enabled
    assert shapes["flops"] == real["flops"]
    assert shapes["memory"] == real["memory"]


# -- JAX


def cross_entropy(outputs, targets):
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


X, Y = jnp.zeros((32, 64)), jnp.zeros(32, int)


class Nnx(nnx.Module):
    def __init__(self, rngs):
        self.a, self.b = nnx.Linear(64, 128, rngs=rngs), nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x):
        return linen.Dense(10)(linen.relu(linen.Dense(128)(x)))


def jax_twin(name):
    if name == "nnx":
        return jax_target("nnx", Nnx(nnx.Rngs(0)), X, Y, cross_entropy, optimizer=optax.adam(1e-3))
    if name == "linen":
        return jax_target("linen", Linen(), X, Y, cross_entropy, params=Linen().init(jax.random.key(0), X))
    if name == "equinox":
        model = eqx.nn.MLP(64, 10, 128, 1, key=jax.random.key(0))
        return jax_target("equinox", model, X, Y, cross_entropy, optimizer=optax.sgd(0.1))
    params = {"a": jnp.zeros((64, 128)), "b": jnp.zeros(128), "c": jnp.zeros((128, 10)), "d": jnp.zeros(10)}
    return jax_target(
        "function", None, X, Y, cross_entropy, params=params,
        apply=lambda p, x: jax.nn.relu(x @ p["a"] + p["b"]) @ p["c"] + p["d"],
    )  # fmt: skip


@pytest.mark.parametrize("name", ["nnx", "linen", "equinox", "function"])
def test_the_same_network_costs_the_same_in_jax(name):
    budget = model_budget.budget_of_target(jax_twin(name))
    forward = 2 * 32 * (64 * 128 + 128 * 10)
    assert budget["parameters"]["total"] == 64 * 128 + 128 + 1280 + 10
    assert budget["flops"]["forward"] == forward
    # the weights' gradients, and that of the hidden layer; the input has none
    assert budget["flops"]["training_step"] == 2 * forward + 2 * 32 * 128 * 10
    assert budget["bytes_read"] == 4 * (64 * 128 + 1280)
    # at least the input, the hidden values and which of them are positive
    least = 4 * 32 * 64 + 4 * 32 * 128 + 32 * 128
    assert least <= budget["memory"]["activations"] <= 2 * least
    assert budget["not_counted"] == []
    states = {"nnx": 2 * 9610 * 4 + 4, "equinox": 0}.get(name, 2 * 9610 * 4)
    assert budget["memory"]["optimizer"] == states


def test_the_compiler_of_jax_agrees_on_products():
    def network(a, b, x):
        return jax.nn.relu(x @ a) @ b

    shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in ((64, 128), (128, 10), (32, 64))]
    counted = sum(budget_jax.count(jax.make_jaxpr(network)(*shapes).jaxpr).flops.values())
    compiled = jax.jit(network).lower(*shapes).compile().cost_analysis()["flops"]
    assert counted == 2 * 32 * (64 * 128 + 128 * 10)
    # the compiler adds the element-wise work
    assert counted <= compiled <= 1.05 * counted


def flops_of(function, *shapes):
    return budget_jax.count(jax.make_jaxpr(function)(*(jnp.zeros(shape) for shape in shapes)).jaxpr)


def test_jax_loops_and_branches():
    def scanned(x):
        return jax.lax.scan(lambda c, _: (jnp.tanh(c @ c), None), x, None, length=7)[0]

    def branched(x):
        return jax.lax.cond(x[0, 0] > 0, lambda c: c @ c @ c, lambda c: c @ c, x)

    one = 2 * 5**3
    assert sum(flops_of(scanned, (5, 5)).flops.values()) == 7 * one
    assert sum(flops_of(branched, (5, 5)).flops.values()) == 2 * one
    assert sum(flops_of(jax.checkpoint(jax.jit(lambda x: x @ x)), (5, 5)).flops.values()) == one
    looped = flops_of(lambda x: jax.lax.while_loop(lambda c: c.sum() < 3, lambda c: c @ c, x), (5, 5))
    assert not looped.flops
    ((name, where),) = looped.not_counted
    assert name == "while loop around dot_general"
    assert where.startswith("test_model_budget.py:")


def test_jax_convolutions_are_those_of_torch():
    numbers = ("NCHW", "OIHW", "NCHW")

    def convolve(x, w, **more):
        return jax.lax.conv_general_dilated(x, w, dimension_numbers=numbers, **more)

    grouped = flops_of(
        lambda x, w: convolve(x, w, window_strides=(2, 2), padding="SAME", feature_group_count=4),
        (2, 4, 8, 8),
        (8, 1, 3, 3),
    )
    x = torch.zeros(2, 4, 8, 8)
    theirs = measured(torch_target(nn.Conv2d(4, 8, 3, 2, 1, groups=4), x, None), train=False)
    assert sum(grouped.flops.values()) == sum(theirs.flops.values())

    def gradients(x, w):
        return jax.grad(lambda x, w: (convolve(x, w, window_strides=(2, 2), padding="SAME") ** 2).sum(), (0, 1))(x, w)

    # forward, gradient of the input (a transposed convolution), gradient of the weight: three times the same products
    forward = 2 * 2 * 4 * 4 * 9 * 4 * 8
    assert sum(flops_of(gradients, (2, 4, 8, 8), (8, 4, 3, 3)).flops.values()) == 3 * forward


def test_what_jax_has_no_formula_for_is_named():
    named = flops_of(lambda x: jnp.linalg.inv(x) + jnp.fft.fft(x).real, (5, 5)).not_counted
    assert {"lu", "fft"} <= {name for name, _ in named}
    assert all(where.startswith("test_model_budget.py:") for _, where in named)


def test_optax_states_are_counted_without_being_made():
    params = {"w": jnp.zeros((10, 10))}
    target = jax_target(
        "function", None, jnp.zeros((2, 10)), None, lambda o, _: o.sum(), params=params,
        apply=lambda p, x: x @ p["w"], optimizer=optax.adafactor(1e-3, min_dim_size_to_factor=4),
    )  # fmt: skip
    real = sum(leaf.nbytes for leaf in jax.tree.leaves(target.optimizer.init(params)))
    assert model_budget.budget_of_target(target)["memory"]["optimizer"] == real


@pytest.mark.parametrize(
    ("apply", "error", "message"),
    [
        (lambda p, x: x if x.sum() > 0 else x @ p["w"], CannotDecide, r"at test_model_budget.py:\d+: the model looks"),
        (lambda p, x: x[:, :3] @ p["w"], UnusableInput, r"at test_model_budget.py:\d+: the model raised TypeError"),
    ],
)
def test_jax_models_that_cannot_be_traced(apply, error, message):
    target = jax_target("function", None, X, Y, cross_entropy, params={"w": jnp.zeros((64, 10))}, apply=apply)
    with pytest.raises(error, match=message):
        model_budget.budget_of_target(target)


# -- models that cannot be run


class LooksAtValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        return self.layer(x) if x.sum() > 0 else x


class ShapeFromValues(LooksAtValues):
    def forward(self, x):
        return self.layer(x[x[:, 0] > 0])


def test_a_model_that_looks_at_values_is_run_with_them():
    target = torch_target(LooksAtValues(), torch.ones(4, 8), None, total)
    with pytest.raises(CannotDecide, match=r"at test_model_budget.py:\d+: the model looks at values .*--real"):
        model_budget.budget_of_target(target)
    budget = model_budget.budget_of_target(target, real=True)
    assert budget["flops"]["forward"] == 2 * 4 * 8 * 8


def test_a_shape_that_depends_on_values():
    target = torch_target(ShapeFromValues(), torch.ones(4, 8), None, total)
    with pytest.raises(CannotDecide, match="a shape that depends on values"):
        model_budget.budget_of_target(target)


def test_a_batch_that_does_not_fit():
    target = torch_target(LooksAtValues().layer, torch.ones(4, 7), None, total)
    with pytest.raises(UnusableInput, match="the model raised RuntimeError"):
        model_budget.budget_of_target(target)


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (nn.Linear(8, 8), lambda o, _: o, "not return one number"),
        (nn.Linear(8, 8), lambda o, _: None, "not return one number"),
        (nn.Linear(8, 8), lambda o, _: o.missing, "the loss raised AttributeError"),
        (nn.Linear(8, 8), lambda o, _: o.detach().sum(), "the backward pass raised"),
        (nn.Linear(8, 8).requires_grad_(False), total, "nothing to train"),
        (nn.LazyLinear(8), total, "weight has no shape"),
    ],
)
def test_losses_and_models_that_cannot_be_used(model, loss, message):
    with pytest.raises(UnusableInput, match=message):
        model_budget.budget_of_target(torch_target(model, torch.ones(4, 8), None, loss))


def test_a_weight_of_a_class_of_its_own_is_not_counted():
    class Packed(torch.Tensor):
        pass

    model = nn.Linear(8, 8)
    model.weight = nn.Parameter(torch.zeros(8, 8).as_subclass(Packed))
    for real in (False, True):
        with pytest.raises(CannotDecide, match="weight is a Packed"):
            model_budget.budget_of_target(torch_target(model, torch.ones(4, 8), None, total), real=real)


def test_a_compiled_model_is_the_one_that_it_wraps():
    inner = nn.Sequential(nn.Linear(8, 8))
    target = torch_target(torch.compile(inner, backend="eager"), torch.ones(4, 8), None, total)
    assert model_budget.budget_of_target(target)["parts"] == [{"part": "0", "parameters": 72, "flops": 512}]


def test_numpy_in_a_model_needs_values():
    class Detour(LooksAtValues):
        def forward(self, x):
            return self.layer(torch.from_numpy(2 * x.detach().numpy()))

    target = torch_target(Detour(), torch.ones(4, 8), None, total)
    with pytest.raises(UnusableInput, match="it needs values: --real"):
        model_budget.budget_of_target(target)
    assert model_budget.budget_of_target(target, real=True)["flops"]["forward"] == 512


def test_experts_are_counted_by_the_tokens_that_they_get():
    config = transformers.MixtralConfig(
        num_hidden_layers=1, hidden_size=32, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64,
        vocab_size=50, num_local_experts=8, num_experts_per_tok=2,
    )  # fmt: skip
    model = transformers.MixtralForCausalLM(config)
    tokens = torch.zeros(2, 16, dtype=torch.long)
    target = torch_target(model, {"input_ids": tokens}, tokens, next_token)
    used = budget_torch.measure(target, contextlib.nullcontext(), train=False)
    # two experts for each of 32 tokens, three matrices each
    assert used.flops["_grouped_mm"] == 2 * 32 * 2 * 3 * 32 * 64
    assert not used.not_counted
    # at least one expert is read
    assert used.read < sum(4 * p.numel() for p in model.parameters()) / 2


def test_real_needs_values():
    with torch.device("meta"):
        target = torch_target(nn.Linear(8, 8), torch.ones(4, 8), None, total)
    with pytest.raises(UnusableInput, match="meta device"):
        model_budget.budget_of_target(target, real=True)
    with pytest.raises(UnusableInput, match="own precision"):
        model_budget.budget_of_target(target, real=True, precision="bfloat16")


# -- limits and the least time


def test_limits():
    budget = model_budget.budget_of_config({"model_type": "gpt2"}, sequence=128, precision="mixed")
    within = {"parameters": 125e6, "flops": 33e9, "memory": 3e9}
    assert model_budget.judged(budget, limits=within).verdict == "counted"
    report = model_budget.judged(budget, limits={"parameters": 100e6, "flops": 1e9, "memory": 1e9})
    assert report.verdict == "over-budget"
    assert [finding.where for finding in report.findings] == ["parameters", "flops", "memory"]
    assert {finding.id for finding in report.findings} == {"over-budget"}
    assert report.findings[0].values["value"] == 124_439_808
    assert "feed-forward" in report.findings[0].message
    assert "optimizer" in report.findings[2].message
    # inference has no gradients and states
    light = model_budget.judged(budget, limits={**NO_LIMITS, "memory": 1e9}, train=False)
    assert light.verdict == "counted"


def test_memory_without_activations_is_not_decided():
    budget = model_budget.budget_of_config({"model_type": "resnet", "num_labels": 1000})
    assert budget["memory"]["activations"] is None
    assert model_budget.judged(budget, limits={**NO_LIMITS, "memory": 1e12}).verdict == "cannot-decide"


def test_least_time_of_vit_on_a_v100():
    config = {"model_type": "vit", "id2label": {str(i): "" for i in range(1000)}}
    budget = model_budget.budget_of_config(config, batch=32)
    peak, bandwidth, where, memory = model_budget._hardware("v100-sxm2-32gb", None, None, "float32")
    hardware = {"peak": peak, "bandwidth": bandwidth, "where": where, "capacity": memory}
    least = model_budget.judged(budget, limits=NO_LIMITS, **hardware)
    assert 1e3 * least.measured["least_time"]["forward"] == pytest.approx(71.6, abs=0.05)
    assert least.measured["least_time"]["forward_limit"] == "arithmetic"
    assert not any("does not fit" in note for note in least.notes)
    large = model_budget.budget_of_config(config, batch=1024)
    notes = model_budget.judged(large, limits=NO_LIMITS, **hardware).notes
    assert any("does not fit into the 32 GB of one v100-sxm2-32gb" in note for note in notes)


def test_generation_is_limited_by_memory():
    config = {"model_type": "llama"}
    budget = model_budget.budget_of_config(config, sequence=1, cached=4095, precision="bfloat16", train=False)
    # all weights but the embedding, and the keys and values of the earlier tokens
    assert budget["bytes_read"] == 2 * (6_738_415_616 - 32000 * 4096 - 65 * 4096) + 2 * 32 * 4096 * 4095 * 2
    report = model_budget.judged(budget, limits=NO_LIMITS, train=False, peak=989.5e12, bandwidth=3.35e12)
    least = report.measured["least_time"]
    assert least["forward_limit"] == "memory"
    assert least["forward"] == budget["bytes_read"] / 3.35e12


def test_an_input_without_a_batch_axis():
    class Scalar(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(3, 3))

        def forward(self, x):
            return (x * (self.w @ self.w)).sum()

    budget = model_budget.budget_of_target(torch_target(Scalar(), torch.tensor(2.0), None, total))
    assert budget["shapes"] == {}
    assert budget["flops"]["forward"] == 2 * 27


def test_roofline_is_the_longer_of_both():
    found = roofline(200, 100, peak=10.0, bandwidth=50.0)
    assert (found.seconds, found.compute, found.memory) == (20.0, 20.0, 2.0)
    assert (found.intensity, found.ridge) == (2.0, 0.2)


@pytest.mark.parametrize(
    ("text", "value"),
    [("10M", 1e7), ("24GB", 24e9), ("80 GiB", 80 * 2**30), ("1.5e9", 1.5e9), ("4.1GFLOPs", 4.1e9), ("312T", 3.12e14),
     ("2TB/s", 2e12), ("7", 7.0)],
)  # fmt: skip
def test_amounts(text, value):
    assert model_budget.quantity(text, "--max") == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("text", ["", "ten", "-3G", "1.2.3", "5X", "0"])
def test_amounts_that_are_none(text):
    with pytest.raises(UnusableInput, match="--max"):
        model_budget.quantity(text, "--max")


# -- the command line


def command(*arguments, folder):
    script = SCRIPTS / "model_budget.py"
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)], capture_output=True, text=True, cwd=folder, check=False
    )


def test_command_on_a_configuration(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    shown = command("--config", "config.json", "--max-parameters", "100M", folder=tmp_path)
    assert shown.returncode == 1
    assert "124,439,808" in shown.stdout
    assert "1 MAC = 2 FLOPs" in shown.stdout
    assert "over-budget" in shown.stdout
    given = command("--config", "config.json", "--hardware", "a100-sxm-80gb", "--json", folder=tmp_path)
    answer = json.loads(given.stdout)
    assert given.returncode == 0
    assert answer["verdict"] == "counted"
    assert answer["measured"]["least_time"]["peak_flops"] == 19.5e12


TARGET = """
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(8, 3)

        def forward(self, x):
            return self.layer(x)

    def build():
        return {"model": Model(), "batch": (torch.ones(4, 8), torch.zeros(4, dtype=torch.long)),
                "loss_fn": nn.functional.cross_entropy}

    def misfit():
        return {**build(), "batch": (torch.ones(4, 7), torch.zeros(4, dtype=torch.long))}

    def on_meta():
        with torch.device("meta"):
            return build()

    def broken():
        raise ValueError("no data")
"""


def test_command_on_a_target(tmp_path):
    (tmp_path / "target.py").write_text(textwrap.dedent(TARGET))
    shown = command("--target", "target.py:on_meta", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "layer" in shown.stdout
    misfit = command("--target", "target.py:misfit", "--json", folder=tmp_path)
    assert misfit.returncode == 2
    assert "at target.py:11: the model raised" in json.loads(misfit.stdout)["error"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --config"),
        (["--config", "missing.json"], "cannot be read"),
        (["--config", "bad.json"], "not JSON"),
        (["--config", "bad.yaml"], "not YAML"),
        (["--config", "list.json"], "holds a list"),
        (["--config", "good.json", "--target", "x.py:y"], "either --config"),
        (["--config", "good.json", "--precision", "int4"], "--precision"),
        (["--config", "good.json", "--hardware", "abacus"], "known are"),
        (["--config", "good.json", "--peak-flops", "1T"], "together"),
        (["--config", "good.json", "--real"], "nothing to run"),
        (["--config", "good.json", "--sequence", "4000"], "learned positions"),
        (["--config", "good.json", "--max-memory", "lots"], "no amount"),
        (["--target", "target.py:build", "--batch", "3"], "--batch goes with --config"),
        (["--target", "target.py:broken"], "no data"),
    ],
)
def test_wrong_use_is_one_sentence(arguments, message, tmp_path, monkeypatch, capsys):
    from typer.testing import CliRunner

    (tmp_path / "good.json").write_text('{"model_type": "gpt2"}')
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "bad.yaml").write_text("a: [1")
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "target.py").write_text(textwrap.dedent(TARGET))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(model_budget.app, [*arguments, "--json"])
    assert result.exit_code == 2, result.output
    error = json.loads(result.stdout)["error"]
    assert message in error
    assert "\n" not in error
