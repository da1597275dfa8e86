"""Graphs and sets without further packages: message passing on an edge index, an equivariant layer, readouts, sets.

A graph is `nodes` (nodes, features) and `edges` (2, edges) of integers: row 0 the sender, row 1 the receiver. An
undirected edge stands there twice. Several graphs are one graph without edges between them, and `graph` (nodes,) tells
to which each node belongs.

Sources: Gilmer et al. 2017 (message passing), Xu et al. 2019 (why a sum), Satorras et al. 2021 (equivariant layer),
Zaheer et al. 2017 (sets), Lee et al. 2019 (pooling by attention).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def mlp(*widths: int) -> nn.Sequential:
    """Dense layers with SiLU between them: smooth, so that forces (gradients by position) have no jumps."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def pool(values: Tensor, group: Tensor, groups: int, how: str = "sum") -> Tensor:
    """Sum, mean or max over the rows of each group; a group without rows gives zeros.

    Sum keeps how often a row occurs, mean only the shares, max only which rows occur (Xu et al. 2019, section 5.3).

    Args:
        values: (rows, features).
        group: (rows,), integers from 0 to groups - 1.
        groups: how many; not `group.max() + 1`, which loses groups at the end that have no row.
        how: "sum", "mean" or "max".

    Raises:
        ValueError: for another word.
    """
    if how not in ("sum", "mean", "max"):
        raise ValueError(f"how must be sum, mean or max, not {how!r}")
    zeros = values.new_zeros(groups, values.shape[1])
    if how == "max":
        index = group[:, None].expand_as(values)
        return zeros.scatter_reduce(0, index, values, "amax", include_self=False)
    total = zeros.index_add(0, group, values)
    if how == "mean":
        count = values.new_zeros(groups).index_add(0, group, values.new_ones(len(group)))
        total = total / count.clamp(min=1)[:, None]
    return total


class MessagePassing(nn.Module):
    """One round: a message along every edge, their sum at the receiver, a residual update of the node.

    Args:
        width: node features, in and out.
        edge_width: edge features, or 0 for none.
        aggregate: how messages are brought together, as in `pool`.

    Shape: nodes (nodes, width), edges (2, edges), edge features (edges, edge_width), to (nodes, width).
    """

    def __init__(self, width: int, edge_width: int = 0, aggregate: str = "sum"):
        super().__init__()
        self.aggregate = aggregate
        self.message = mlp(2 * width + edge_width, width, width)
        self.update = mlp(2 * width, width, width)
        self.norm = nn.LayerNorm(width)  # sums grow with the degree

    def forward(self, nodes: Tensor, edges: Tensor, edge_features: Tensor | None = None) -> Tensor:
        sender, receiver = edges
        ends = [nodes[sender], nodes[receiver]]
        messages = self.message(torch.cat(ends if edge_features is None else [*ends, edge_features], 1))
        received = pool(messages, receiver, len(nodes), self.aggregate)
        return nodes + self.update(torch.cat([nodes, self.norm(received)], 1))


class EquivariantLayer(nn.Module):
    """Message passing with coordinates: features stay, positions turn and shift, when the input turns or shifts.

    Satorras et al. 2021, equations 3 to 6, with the mean over neighbours in the step of the positions, and differences
    divided by the distance plus 1 (Hoogeboom et al. 2022), so that far neighbours do not move a node far. Messages see
    squared distances alone, and positions move along differences; that is all there is to the equivariance. Reflections
    are included, so a pair of mirror images is not told apart.

    Args:
        width: node features, in and out.

    Shape: nodes (nodes, width), positions (nodes, dimensions), edges (2, edges), to nodes and positions.
    """

    def __init__(self, width: int):
        super().__init__()
        self.message, self.step = mlp(2 * width + 1, width, width), mlp(width, width, 1)
        self.update = mlp(2 * width, width, width)

    def forward(self, nodes: Tensor, positions: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        sender, receiver = edges
        apart = positions[receiver] - positions[sender]
        distance = torch.linalg.vector_norm(apart, dim=1, keepdim=True)  # its gradient at 0 is 0; that of sqrt is not
        messages = self.message(torch.cat([nodes[receiver], nodes[sender], distance.square()], 1))
        moves = apart / (distance + 1) * self.step(messages)
        positions = positions + pool(moves, receiver, len(nodes), "mean")
        received = pool(messages, receiver, len(nodes))
        return nodes + self.update(torch.cat([nodes, received], 1)), positions


class DeepSet(nn.Module):
    """rho(sum of phi(element)): an output for each set that does not depend on the order (Zaheer et al. 2017).

    Args:
        inputs, hidden, outputs: features of elements, of their codes and of the result.

    Shape: elements (rows, inputs) and `group` (rows,), to (groups, outputs).
    """

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.phi, self.rho = mlp(inputs, hidden, hidden), mlp(hidden, hidden, outputs)

    def forward(self, elements: Tensor, group: Tensor, groups: int) -> Tensor:
        return self.rho(pool(self.phi(elements), group, groups))


class AttentionPool(nn.Module):
    """A weighted mean over each group, with weights from a learned score: softmax within the group (Lee et al. 2019).

    Args:
        width: features, in and out.

    Shape: (rows, width) and `group` (rows,), to (groups, width).
    """

    def __init__(self, width: int):
        super().__init__()
        self.score, self.value = nn.Linear(width, 1), nn.Linear(width, width)

    def forward(self, values: Tensor, group: Tensor, groups: int) -> Tensor:
        score = self.score(values)
        weight = (score - pool(score, group, groups, "max")[group]).exp()  # the largest of a group becomes exp(0)
        weight = weight / pool(weight, group, groups)[group]
        return pool(weight * self.value(values), group, groups)
