"""Neural ordinary differential equation with a fixed-step Runge-Kutta solver.

Sources: Chen et al. 2018 (neural ODE), Rackauckas et al. 2020 (a network for the unknown term of a known equation),
Kutta 1901 (the method). Gradients go through the solver's steps: they are exact for the discrete solution and cost
memory in proportion to the steps. The adjoint method of Chen et al. needs constant memory, and its gradients carry the
error of a second solve.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

Field = Callable[[Tensor, Tensor], Tensor]  # (time (), state (batch, features)) -> d state / d time


def rk4_step(field: Field, time: Tensor, state: Tensor, step: Tensor) -> Tensor:
    """One step of the classical method of order 4: the error of a step falls with its fifth power."""
    k1 = field(time, state)
    k2 = field(time + step / 2, state + step / 2 * k1)
    k3 = field(time + step / 2, state + step / 2 * k2)
    k4 = field(time + step, state + step * k3)
    return state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def solve(field: Field, state: Tensor, times: Tensor, substeps: int = 1) -> Tensor:
    """The solution at all times, from the state at the first.

    Args:
        field: the right-hand side.
        state: (batch, features), at times[0].
        times: (times,), monotone; falling times solve backward.
        substeps: steps of the solver between two times.

    Returns:
        (times, batch, features); entry 0 is the given state.

    Raises:
        ValueError: if substeps is below 1.
    """
    if substeps < 1:
        raise ValueError(f"substeps must be at least 1, not {substeps}")
    states = [state]
    for start, end in pairwise(times):
        step = (end - start) / substeps
        for number in range(substeps):
            state = rk4_step(field, start + number * step, state, step)
        states.append(state)
    return torch.stack(states)


class NeuralODE(nn.Module):
    """`d state / d time = known(time, state) + net(state)`; `known` makes it a universal differential equation.

    Args:
        features: of the state.
        hidden: width of the network.
        known: the part of the right-hand side that is known, or None.
        substeps: steps of the solver between two times of the data.

    Shape: state (batch, features) and times (times,) to (times, batch, features).
    """

    def __init__(self, features: int, hidden: int, known: Field | None = None, substeps: int = 1):
        super().__init__()
        # tanh, not ReLU: the order of the solver needs derivatives
        self.net = nn.Sequential(nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, features))
        nn.init.normal_(self.net[-1].weight, std=1e-2)  # starts close to the known part
        nn.init.zeros_(self.net[-1].bias)
        self.known, self.substeps = known, substeps

    def field(self, time: Tensor, state: Tensor) -> Tensor:
        """The right-hand side."""
        unknown = self.net(state)
        return unknown if self.known is None else self.known(time, state) + unknown

    def forward(self, state: Tensor, times: Tensor) -> Tensor:
        return solve(self.field, state, times, self.substeps)
