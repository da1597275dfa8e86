"""Physics-informed networks: derivatives of the output by the input, and conditions that hold exactly.

Sources: Raissi et al. 2019 (the method), Lagaris et al. 1998 (conditions built into the output).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn


def partial(value: Tensor, *by: Tensor) -> Tensor:
    """A mixed derivative of a function of points, point by point: `partial(u, x, x)` is u_xx.

    The sum inside is safe only because no point sees another: a network with BatchNorm would give wrong derivatives.

    Args:
        value: (points, 1), computed from `by`.
        by: columns (points, 1) that require gradients, one for each differentiation.

    Returns:
        (points, 1), differentiable again; zeros where the value does not depend on the column.
    """
    for column in by:
        if not value.requires_grad:  # constant in all columns: every further derivative is zero
            return torch.zeros_like(value)
        (value,) = torch.autograd.grad(value.sum(), column, create_graph=True, materialize_grads=True)
    return value


class SmoothMLP(nn.Module):
    """Dense network with tanh: the second derivative of a ReLU network is zero almost everywhere.

    Args:
        inputs, outputs: columns.
        hidden: width.
        depth: number of hidden layers.

    Shape: `inputs` columns (points, 1), as separate arguments, to (points, outputs).
    """

    def __init__(self, inputs: int, outputs: int = 1, hidden: int = 24, depth: int = 2):
        super().__init__()
        widths = [inputs, *[hidden] * depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.Tanh()]
        self.net = nn.Sequential(*layers, nn.Linear(hidden, outputs))

    def forward(self, *columns: Tensor) -> Tensor:
        return self.net(torch.cat(columns, 1))


class WithConditions(nn.Module):
    """base(...) + envelope(...) * net(...): what base fulfils where the envelope is zero holds exactly, untrained.

    Args:
        net: takes the columns.
        base: a function of the columns that fulfils all conditions.
        envelope: a function of the columns that is zero where the conditions are given and nowhere else.
    """

    def __init__(self, net: nn.Module, base: Callable[..., Tensor], envelope: Callable[..., Tensor]):
        super().__init__()
        self.net, self.base, self.envelope = net, base, envelope

    def forward(self, *columns: Tensor) -> Tensor:
        return self.base(*columns) + self.envelope(*columns) * self.net(*columns)
