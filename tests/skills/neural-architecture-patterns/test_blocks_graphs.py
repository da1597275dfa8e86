"""Graph and set layers: what changes with the order, with the counts and with a rotation, and what does not."""

import pytest
import torch
from blocks_common import seeded, train_down  # noqa: F401
from torch import nn

from graph import AttentionPool, DeepSet, EquivariantLayer, MessagePassing, pool  # isort: skip

NODES = 7
PAIRS = torch.tensor([[0, 1, 2, 3, 4, 5, 0, 2], [1, 2, 3, 4, 5, 0, 3, 5]])  # node 6 has no edge
EDGES = torch.cat([PAIRS, PAIRS.flip(0)], 1)


def renumbered(order):
    """Row i of the new graph is row order[i] of the old; edges follow, and are shuffled."""
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    shuffled = torch.randperm(EDGES.shape[1])
    return place[EDGES][:, shuffled], shuffled


@pytest.mark.parametrize("aggregate", ["sum", "mean", "max"])
@torch.no_grad()
def test_message_passing_is_permutation_equivariant_and_its_readout_invariant(aggregate):
    layer = MessagePassing(8, 3, aggregate)
    nodes, features, order = torch.randn(NODES, 8), torch.randn(EDGES.shape[1], 3), torch.randperm(NODES)
    edges, shuffled = renumbered(order)
    out, permuted = layer(nodes, EDGES, features), layer(nodes[order], edges, features[shuffled])
    assert torch.allclose(permuted, out[order], atol=1e-5)
    assert not torch.allclose(permuted, out, atol=1e-2)
    group = torch.zeros(NODES, dtype=torch.long)
    assert torch.allclose(pool(permuted, group, 1, aggregate), pool(out, group, 1, aggregate), atol=1e-5)


@torch.no_grad()
def test_messages_go_from_row_0_to_row_1():
    layer, nodes = MessagePassing(8), torch.randn(3, 8)
    edge, other = torch.tensor([[0], [1]]), nodes.clone()
    other[0] = torch.randn(8)
    moved = (layer(nodes, edge) - layer(other, edge)).abs().amax(1) > 1e-6
    assert moved.tolist() == [True, True, False]
    other = nodes.clone()
    other[1] = torch.randn(8)
    moved = (layer(nodes, edge) - layer(other, edge)).abs().amax(1) > 1e-6
    assert moved.tolist() == [False, True, False]


@torch.no_grad()
def test_each_layer_reaches_one_edge_further():
    path = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])
    layers, nodes = [MessagePassing(8) for _ in range(3)], torch.randn(5, 8)
    other = nodes.clone()
    other[0] = torch.randn(8)
    for depth, layer in enumerate(layers, 1):
        nodes, other = layer(nodes, path), layer(other, path)
        assert ((nodes - other).abs().amax(1) > 1e-7).tolist() == [place <= depth for place in range(5)]


@torch.no_grad()
def test_graphs_of_a_batch_do_not_mix():
    layer, a, b = MessagePassing(8), torch.randn(NODES, 8), torch.randn(NODES, 8)
    both = layer(torch.cat([a, b]), torch.cat([EDGES, EDGES + NODES], 1))
    assert torch.allclose(both, torch.cat([layer(a, EDGES), layer(b, EDGES)]), atol=1e-5)


def test_pool_against_loops_and_with_empty_groups():
    values, group = torch.randn(6, 3), torch.tensor([2, 0, 2, 2, 0, 3])
    for how, reduce in (("sum", torch.Tensor.sum), ("mean", torch.Tensor.mean), ("max", torch.Tensor.amax)):
        out = pool(values, group, 5, how)
        for number in range(5):
            rows = values[group == number]
            expected = reduce(rows, 0) if len(rows) else torch.zeros(3)
            assert torch.allclose(out[number], expected)
    with pytest.raises(ValueError, match="sum, mean or max, not 'median'"):
        pool(values, group, 5, "median")


def test_what_each_readout_can_tell_apart():
    """Sum counts, mean sees shares, max sees which occur (Xu et al. 2019, figure 2 and section 5.3)."""
    a, b = torch.tensor([[1.0, 0]]), torch.tensor([[0, 1.0]])
    sets = {"ab": [a, b], "aabb": [a, a, b, b], "aab": [a, a, b]}

    def told_apart(how, one, two):
        x, y = (pool(torch.cat(sets[n]), torch.zeros(len(sets[n]), dtype=torch.long), 1, how) for n in (one, two))
        return not torch.equal(x, y)

    assert [told_apart("sum", *p) for p in (("ab", "aabb"), ("ab", "aab"))] == [True, True]
    assert [told_apart("mean", *p) for p in (("ab", "aabb"), ("ab", "aab"))] == [False, True]
    assert [told_apart("max", *p) for p in (("ab", "aabb"), ("ab", "aab"))] == [False, False]


def test_message_passing_cannot_tell_two_triangles_from_a_hexagon():
    """All nodes alike and of degree 2: the limit of the 1-WL test (Xu et al. 2019)."""
    ring = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    triangles = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]])
    layers, outputs = [MessagePassing(8) for _ in range(4)], []
    for pairs in (ring, triangles):
        nodes, edges = torch.ones(6, 8), torch.cat([pairs, pairs.flip(0)], 1)
        for layer in layers:
            nodes = layer(nodes, edges)
        outputs.append(nodes.sum(0))
    assert torch.allclose(*outputs, atol=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
@torch.no_grad()
def test_equivariant_layer_turns_and_shifts_with_its_input(mirrored):
    layers = [EquivariantLayer(8).double() for _ in range(2)]
    nodes, positions = torch.randn(NODES, 8, dtype=torch.float64), torch.randn(NODES, 3, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    if (torch.linalg.det(turn) < 0) != mirrored:
        turn = -turn
    shift = torch.randn(3, dtype=torch.float64)
    h, x, h_turned, x_turned = nodes, positions, nodes, positions @ turn.T + shift
    for layer in layers:
        h, x = layer(h, x, EDGES)
        h_turned, x_turned = layer(h_turned, x_turned, EDGES)
    assert torch.allclose(h_turned, h, atol=1e-10)
    assert torch.allclose(x_turned, x @ turn.T + shift, atol=1e-10)
    assert (x - positions).abs().max() > 1e-3  # it does move
    order = torch.randperm(NODES)
    h_permuted, x_permuted = layers[0](nodes[order], positions[order], renumbered(order)[0])
    h_one, x_one = layers[0](nodes, positions, EDGES)
    assert torch.allclose(h_permuted, h_one[order]) and torch.allclose(x_permuted, x_one[order])


def test_nodes_at_one_place_have_finite_gradients():
    layer, positions = EquivariantLayer(4), torch.zeros(2, 3, requires_grad=True)
    h, x = layer(torch.randn(2, 4), positions, torch.tensor([[0, 1], [1, 0]]))
    (h.sum() + x.square().sum()).backward()
    assert positions.grad.isfinite().all()


@pytest.mark.parametrize("kind", [DeepSet, AttentionPool])
@torch.no_grad()
def test_set_layers_do_not_depend_on_the_order(kind):
    layer = DeepSet(4, 8, 2) if kind is DeepSet else AttentionPool(4)
    rows, group, order = torch.randn(9, 4), torch.tensor([0, 0, 0, 1, 1, 1, 1, 2, 2]), torch.randperm(9)
    out = layer(rows, group, 3)
    assert torch.allclose(layer(rows[order], group[order], 3), out, atol=1e-6)
    assert torch.allclose(layer(rows[3:7], torch.zeros(4, dtype=torch.long), 1), out[1:2], atol=1e-6)


@torch.no_grad()
def test_attention_pool_is_a_softmax_within_the_group():
    layer, rows = AttentionPool(4), 50 * torch.randn(5, 4)  # large scores: exp without the shift would overflow
    layer.score.weight *= 20
    group = torch.tensor([0, 1, 0, 1, 1])
    for number, out in enumerate(layer(rows, group, 2)):
        mine = rows[group == number]
        assert torch.allclose(out, (layer.score(mine).softmax(0) * layer.value(mine)).sum(0), atol=1e-3)


def test_a_graph_network_learns_the_degree_and_a_set_network_the_size():
    embed, layer, head = nn.Linear(1, 8), MessagePassing(8), nn.Linear(8, 1)
    nodes = torch.ones(NODES, 1)
    degree = torch.bincount(EDGES[1], minlength=NODES).float()[:, None]

    def loss():
        return nn.functional.mse_loss(head(layer(embed(nodes), EDGES)), degree)

    first, last = train_down([embed, layer, head], loss, steps=150, rate=1e-2)
    assert last < 0.05 * first

    sets, group = DeepSet(1, 8, 1), torch.repeat_interleave(torch.arange(4), torch.tensor([1, 2, 3, 4]))

    def set_loss():
        return nn.functional.mse_loss(sets(torch.ones(10, 1), group, 4), torch.tensor([[1.0], [2], [3], [4]]))

    first, last = train_down([sets], set_loss, steps=150, rate=1e-2)
    assert last < 0.05 * first


def test_an_equivariant_network_learns_a_displacement():
    layer, nodes, positions = EquivariantLayer(4), torch.randn(NODES, 4), torch.randn(NODES, 3)
    center = positions.mean(0)

    def loss():  # every node goes half of its way to the centre
        return nn.functional.mse_loss(layer(nodes, positions, EDGES)[1][:6], ((positions + center) / 2)[:6])

    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        losses.append(loss())
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.5 * losses[0]
