"""Transformer layers, mixture of experts and recurrent cells, against torch's own and against their definitions."""

import math

import pytest
import torch
from blocks_common import seeded, train_down  # noqa: F401
from torch import nn

from mixture_of_experts import MixtureOfExperts, load_balance  # isort: skip
from recurrent import GRU, PeepholeLSTM  # isort: skip
from transformer import Attention, DecoderLayer, EncoderLayer, rotary  # isort: skip


def copy_attention(ours, theirs):
    """Weights of a torch.nn.MultiheadAttention into ours."""
    for layer, weight, bias in zip(
        (ours.query, ours.key, ours.value), theirs.in_proj_weight.chunk(3), theirs.in_proj_bias.chunk(3)
    ):
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    ours.out.load_state_dict(theirs.out_proj.state_dict())


def shake(module):
    """Random values for all parameters, so that no bias is zero and no scale is one."""
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.2 * torch.randn_like(p))
    return module


@torch.no_grad()
def test_encoder_layer_equals_that_of_torch():
    theirs = shake(nn.TransformerEncoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True, norm_first=True))
    ours = EncoderLayer(16, 4, 32)
    copy_attention(ours.attention, theirs.self_attn)
    ours.norm1.load_state_dict(theirs.norm1.state_dict())
    ours.norm2.load_state_dict(theirs.norm2.state_dict())
    ours.feed_forward[0].load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward[3].load_state_dict(theirs.linear2.state_dict())
    x = torch.randn(3, 7, 16)
    keep = torch.arange(7) < torch.tensor([[7], [4], [1]])
    assert torch.allclose(ours(x), theirs(x), atol=1e-5)
    assert torch.allclose(ours(x, keep)[keep], theirs(x, src_key_padding_mask=~keep)[keep], atol=1e-5)


@torch.no_grad()
def test_decoder_layer_equals_that_of_torch():
    theirs = shake(nn.TransformerDecoderLayer(16, 4, 32, 0.0, "gelu", batch_first=True, norm_first=True))
    ours = DecoderLayer(16, 4, 32, rotary=False, memory_width=16)
    copy_attention(ours.attention, theirs.self_attn)
    copy_attention(ours.cross, theirs.multihead_attn)
    for mine, name in zip((ours.norm1, ours.norm_cross, ours.norm2), ("norm1", "norm2", "norm3")):
        mine.load_state_dict(getattr(theirs, name).state_dict())
    ours.feed_forward[0].load_state_dict(theirs.linear1.state_dict())
    ours.feed_forward[3].load_state_dict(theirs.linear2.state_dict())
    x, memory = torch.randn(2, 5, 16), torch.randn(2, 6, 16)
    keep = torch.arange(6) < torch.tensor([[6], [2]])
    causal = nn.Transformer.generate_square_subsequent_mask(5)
    expected = theirs(x, memory, causal, memory_key_padding_mask=~keep, tgt_is_causal=True)
    assert torch.allclose(ours(x, memory=memory, memory_keep=keep)[0], expected, atol=1e-5)


@pytest.mark.parametrize("kv_heads", [None, 2, 1])
@pytest.mark.parametrize("with_rotary", [True, False])
@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3], [1, 6], [6, 1]])
@torch.no_grad()
def test_decoder_with_cache_equals_the_full_pass(kv_heads, with_rotary, pieces):
    layer = shake(DecoderLayer(16, 4, 32, kv_heads=kv_heads, rotary=with_rotary, memory_width=12)).eval()
    x, encoded = torch.randn(2, 7, 16), torch.randn(2, 5, 12)
    full, whole = layer(x, memory=encoded)
    memory, cache, outputs = layer.cross.keys_and_values(encoded), None, []
    for piece in x.split(pieces, 1):
        output, cache = layer(piece, cache, memory)
        outputs.append(output)
    assert torch.allclose(torch.cat(outputs, 1), full, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(cache, whole))
    assert cache.key.shape == (2, kv_heads or 4, 7, 4)


@torch.no_grad()
def test_is_causal_counts_from_the_first_key():
    """The trap that the layer goes around: a query after a cache would see the first key alone."""
    q, k, v = torch.randn(1, 1, 1, 4), torch.randn(1, 1, 3, 4), torch.randn(1, 1, 3, 4)
    assert torch.allclose(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True), v[:, :, :1])


@torch.no_grad()
def test_decoder_does_not_look_ahead_and_does_look_back():
    layer, x = DecoderLayer(16, 4, 32).eval(), torch.randn(1, 6, 16)
    changed = x.clone()
    changed[:, 3] += torch.randn(16)  # not a constant: LayerNorm would take it out
    moved = (layer(x)[0] - layer(changed)[0]).abs().amax((0, 2)) > 1e-6
    assert moved.tolist() == [False] * 3 + [True] * 3


@torch.no_grad()
def test_few_key_value_heads_are_shared_by_neighbouring_queries():
    few, many = Attention(16, 4, kv_heads=2), Attention(16, 4)
    many.query.load_state_dict(few.query.state_dict())
    many.out.load_state_dict(few.out.state_dict())
    for mine, other in ((many.key, few.key), (many.value, few.value)):
        mine.weight.copy_(other.weight.view(2, 4, 16).repeat_interleave(2, 0).flatten(0, 1))
        mine.bias.copy_(other.bias.view(2, 4).repeat_interleave(2, 0).flatten())
    x = torch.randn(2, 5, 16)
    assert torch.allclose(few(x, few.keys_and_values(x)), many(x, many.keys_and_values(x)), atol=1e-6)


@torch.no_grad()
def test_encoder_without_positions_is_equivariant_and_not_invariant():
    layer, x, order = EncoderLayer(16, 4, 32).eval(), torch.randn(2, 6, 16), torch.randperm(6)
    assert torch.allclose(layer(x[:, order]), layer(x)[:, order], atol=1e-5)
    assert not torch.allclose(layer(x[:, order]), layer(x), atol=1e-2)


@torch.no_grad()
def test_padding_has_no_influence_on_real_tokens():
    layer, x = EncoderLayer(16, 4, 32).eval(), torch.randn(2, 6, 16)
    keep = torch.arange(6) < 4
    keep = keep.expand(2, -1)
    other = x.clone()
    other[:, 4:] = 100 * torch.randn(2, 2, 16)
    assert torch.allclose(layer(x, keep)[:, :4], layer(other, keep)[:, :4], atol=1e-5)
    assert torch.allclose(layer(x, keep)[:, :4], layer(x[:, :4]), atol=1e-5)


def test_rotary_products_depend_on_the_distance_alone():
    q, k = torch.randn(8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)

    def product(i, j):
        return (rotary(q.view(1, 1, 1, 8), i) * rotary(k.view(1, 1, 1, 8), j)).sum().item()

    assert product(3, 1) == pytest.approx(product(10, 8), abs=1e-5)
    assert product(3, 1) != pytest.approx(product(3, 2), abs=1e-3)
    x = torch.randn(1, 1, 5, 8)
    assert torch.allclose(rotary(x).norm(dim=-1), x.norm(dim=-1), atol=1e-5)
    assert torch.equal(rotary(x)[:, :, 0], x[:, :, 0])
    assert torch.allclose(rotary(x)[:, :, 2:], rotary(x[:, :, 2:], start=2))


def test_dropout_acts_in_training_only():
    for layer in (EncoderLayer(16, 4, 32, 0.3), DecoderLayer(16, 4, 32, 0.3)):
        x = torch.randn(2, 5, 16)
        outputs = [layer.train(mode)(x) for mode in (True, True, False, False)]
        a, b, c, d = (o[0] if isinstance(o, tuple) else o for o in outputs)
        assert not torch.equal(a, b) and torch.equal(c, d)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="5 heads must divide width 16"):
        Attention(16, 5)
    with pytest.raises(ValueError, match="3 key-value heads divide 4"):
        Attention(16, 4, kv_heads=3)
    with pytest.raises(ValueError, match="even head width, not 3"):
        DecoderLayer(12, 4, 32)
    plain, crossing = DecoderLayer(16, 4, 32), DecoderLayer(16, 4, 32, memory_width=8)
    for layer, memory in ((plain, torch.randn(1, 2, 16)), (crossing, None)):
        with pytest.raises(ValueError, match="memory belongs to a layer with memory_width"):
            layer(torch.randn(1, 2, 16), memory=memory)


def test_decoder_learns_to_copy():
    embed, layer, head = nn.Embedding(9, 16), DecoderLayer(16, 4, 32), nn.Linear(16, 8)
    half = torch.randint(8, (8, 5))
    tokens = torch.cat([half, torch.full((8, 1), 8), half], 1)  # 8 stands between the two copies

    def loss():
        return nn.functional.cross_entropy(head(layer(embed(tokens[:, :-1]))[0])[:, 5:].flatten(0, 1), half.flatten())

    first, last = train_down([embed, layer, head], loss, steps=200, rate=1e-2)
    assert first > 1.5 and last < 0.1 * first


def test_the_variance_of_a_product_is_the_head_width():
    for width in (16, 256):
        q, k = torch.randn(20_000, width), torch.randn(20_000, width)
        assert (q * k).sum(1).var().item() == pytest.approx(width, rel=0.05)


# -- mixture of experts


@pytest.mark.parametrize("chosen", [1, 2, 3, 4])
@torch.no_grad()
def test_mixture_equals_the_dense_computation_of_the_chosen_experts(chosen):
    layer, x = MixtureOfExperts(8, 16, 4, chosen), torch.randn(3, 5, 8)
    out, _ = layer(x)
    probabilities = (x @ layer.router.weight.T).softmax(-1)
    every = torch.stack([expert(x) for expert in layer.experts], -1)
    gate = torch.zeros_like(probabilities)
    best = probabilities.topk(chosen, -1).indices
    gate.scatter_(-1, best, probabilities.gather(-1, best))
    if chosen > 1:
        gate = gate / gate.sum(-1, keepdim=True)
    assert torch.allclose(out, (every * gate[..., None, :]).sum(-1), atol=1e-6)


def test_balance_is_one_when_uniform_and_the_number_of_experts_when_collapsed():
    uniform = torch.full((8, 4), 0.25)
    assert load_balance(uniform, torch.arange(8)[:, None] % 4).item() == 1
    assert load_balance(uniform, torch.arange(16).view(8, 2) % 4).item() == 1
    collapsed = torch.tensor([[1.0, 0, 0, 0]]).expand(8, 4)
    assert load_balance(collapsed, torch.zeros(8, 1, dtype=torch.long)).item() == 4


def test_the_balancing_loss_spreads_the_load():
    layer, x = MixtureOfExperts(8, 16, 4, 1), torch.randn(256, 8) + 2
    with torch.no_grad():
        layer.router.weight[0] += 0.2  # expert 0 takes nearly all

    def largest_share():
        return torch.bincount(layer.route(x)[2].flatten(), minlength=4).max().item() / 256

    before = largest_share()
    optimizer = torch.optim.SGD([layer.router.weight], lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        layer(x)[1].backward()
        optimizer.step()
    assert before > 0.9 and largest_share() < 0.5


@pytest.mark.parametrize("chosen", [1, 2])
def test_the_task_trains_the_router(chosen):
    """For one expert per token this holds because its weight is not normalised to 1."""
    layer = MixtureOfExperts(8, 16, 4, chosen)
    layer(torch.randn(20, 8))[0].square().sum().backward()
    assert layer.router.weight.grad.abs().max() > 1e-4


def test_router_stays_in_float32_under_autocast():
    layer, x = MixtureOfExperts(8, 16, 4, 2), torch.randn(6, 8)
    with torch.autocast("cpu", torch.bfloat16):
        probabilities, _, numbers = layer.route(x)
        out, _ = layer(x)
    assert torch.equal(probabilities, layer.route(x)[0]) and torch.equal(numbers, layer.route(x)[2])
    assert torch.allclose(out, layer(x)[0], atol=0.05)
    assert layer.bfloat16()(x.bfloat16())[0].dtype == torch.bfloat16


def test_mixture_learns_one_batch_and_refuses_too_many():
    layer, x = MixtureOfExperts(8, 32, 4, 2), torch.randn(32, 8)
    y = torch.randn(32, 8)

    def loss():
        out, balance = layer(x)
        return nn.functional.mse_loss(out, y) + 0.01 * balance

    first, last = train_down([layer], loss, steps=200, rate=1e-2)
    assert last < 0.3 * first
    with pytest.raises(ValueError, match="between 1 and 4 experts, not 5"):
        MixtureOfExperts(8, 16, 4, 5)


# -- recurrent


@torch.no_grad()
def test_peephole_lstm_without_peepholes_is_that_of_torch():
    ours, theirs = PeepholeLSTM(3, 5), nn.LSTM(3, 5, batch_first=True)
    theirs.weight_ih_l0.copy_(ours.input.weight)
    theirs.weight_hh_l0.copy_(ours.recurrent.weight)
    theirs.bias_ih_l0.copy_(ours.input.bias)
    theirs.bias_hh_l0.zero_()
    x, state = torch.randn(2, 6, 3), (torch.randn(2, 5), torch.randn(2, 5))
    (out, (h, c)), (expected, (h_expected, c_expected)) = ours(x, state), theirs(x, tuple(s[None] for s in state))
    for a, b in ((out, expected), (h, h_expected[0]), (c, c_expected[0])):
        assert torch.allclose(a, b, atol=1e-6)
    ours.peep.normal_()
    assert not torch.allclose(ours(x, state)[0], expected, atol=1e-3)


@torch.no_grad()
def test_peepholes_follow_the_equations():
    cell, x = PeepholeLSTM(2, 1), torch.randn(1, 1, 2)
    cell.peep.normal_()
    h, c = torch.tensor([[0.3]]), torch.tensor([[-0.7]])
    z = (cell.input(x[:, 0]) + cell.recurrent(h))[0].tolist()
    p = cell.peep[:, 0].tolist()

    def sigmoid(v):
        return 1 / (1 + math.exp(-v))

    new = sigmoid(z[1] + p[1] * -0.7) * -0.7 + sigmoid(z[0] + p[0] * -0.7) * math.tanh(z[2])
    out = sigmoid(z[3] + p[2] * new) * math.tanh(new)
    (_, (h_new, c_new)) = cell(x, (h, c))
    assert (c_new.item(), h_new.item()) == pytest.approx((new, out), abs=1e-6)


@torch.no_grad()
def test_gru_is_that_of_torch():
    ours, theirs = GRU(3, 5), nn.GRU(3, 5, batch_first=True)
    ours.input.weight.copy_(theirs.weight_ih_l0)
    ours.input.bias.copy_(theirs.bias_ih_l0)
    ours.recurrent.weight.copy_(theirs.weight_hh_l0)
    ours.recurrent.bias.copy_(theirs.bias_hh_l0)
    x, h = torch.randn(2, 6, 3), torch.randn(2, 5)
    (out, last), (expected, last_expected) = ours(x, h), theirs(x, h[None])
    assert torch.allclose(out, expected, atol=1e-6) and torch.allclose(last, last_expected[0], atol=1e-6)
    assert torch.allclose(ours(x)[0], theirs(x)[0], atol=1e-6)


@pytest.mark.parametrize("kind", [PeepholeLSTM, GRU])
def test_two_pieces_are_one_sequence_and_gradients_are_right(kind):
    cell, x = kind(3, 4).double(), torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    first, state = cell(x[:, :2])
    assert torch.allclose(torch.cat([first, cell(x[:, 2:], state)[0]], 1), cell(x)[0])
    assert torch.autograd.gradcheck(lambda x: cell(x)[0], (x,))


@pytest.mark.parametrize("kind", [PeepholeLSTM, GRU])
def test_a_recurrent_cell_learns_to_remember_the_first_input(kind):
    cell, head = kind(1, 8), nn.Linear(8, 1)
    x = torch.randn(16, 8, 1)

    def loss():
        return nn.functional.mse_loss(head(cell(x)[0][:, -1]), x[:, 0])

    first, last = train_down([cell, head], loss, steps=200, rate=2e-2)
    assert last < 0.1 * first


def test_forget_gates_start_open():
    assert torch.equal(PeepholeLSTM(3, 4).input.bias[4:8], torch.ones(4))
