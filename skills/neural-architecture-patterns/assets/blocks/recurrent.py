"""Recurrent cells written out: GRU, and LSTM with peepholes.

For plain GRU and LSTM take `torch.nn.GRU` and `torch.nn.LSTM`, whose kernels do the loop over time; a cell of one's own
pays only for what those lack. Sources: Cho et al. 2014 (GRU), Hochreiter and Schmidhuber 1997 and Gers et al. 2000
(LSTM with forget gate), Gers and Schmidhuber 2000 (peepholes), Jozefowicz et al. 2015 (bias of the forget gate).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PeepholeLSTM(nn.Module):
    """LSTM whose gates also see the cell state, through one weight per unit (Gers and Schmidhuber 2000).

    Args:
        features: of the input.
        hidden: units.
        forget_bias: start of the forget gate's bias; 1 lets the cell remember from the first step.

    Shape: (batch, time, features) and optionally (h, c) of (batch, hidden) each, to outputs (batch, time, hidden) and
    the last (h, c).
    """

    def __init__(self, features: int, hidden: int, forget_bias: float = 1.0):
        super().__init__()
        self.hidden = hidden
        self.input, self.recurrent = nn.Linear(features, 4 * hidden), nn.Linear(hidden, 4 * hidden, bias=False)
        self.peep = nn.Parameter(torch.zeros(3, hidden))  # for i, f, o
        with torch.no_grad():
            self.input.bias[hidden : 2 * hidden] = forget_bias

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h, c = state or (x.new_zeros(len(x), self.hidden), x.new_zeros(len(x), self.hidden))
        outputs = []
        for step in self.input(x).unbind(1):  # the input's share of all steps in one product, before the loop
            i, f, g, o = (step + self.recurrent(h)).chunk(4, -1)
            i, f = torch.sigmoid(i + self.peep[0] * c), torch.sigmoid(f + self.peep[1] * c)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + self.peep[2] * c) * torch.tanh(c)  # the output gate sees the new state
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class GRU(nn.Module):
    """Gated recurrent unit in the variant of `torch.nn.GRU`.

    The reset gate multiplies the recurrent product; in Cho et al. 2014 it multiplies the state before that product.
    Keras has both (`reset_after`), so weights move only between equal variants.

    Args:
        features: of the input.
        hidden: units.

    Shape: (batch, time, features) and optionally a state (batch, hidden), to outputs (batch, time, hidden) and the last
    state.
    """

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.input, self.recurrent = nn.Linear(features, 3 * hidden), nn.Linear(hidden, 3 * hidden)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h = x.new_zeros(len(x), self.hidden) if state is None else state
        outputs = []
        for step in self.input(x).unbind(1):
            (r, z, n), (r_h, z_h, n_h) = step.chunk(3, -1), self.recurrent(h).chunk(3, -1)
            r, z = torch.sigmoid(r + r_h), torch.sigmoid(z + z_h)
            h = (1 - z) * torch.tanh(n + r * n_h) + z * h  # z near 1 passes the state on
            outputs.append(h)
        return torch.stack(outputs, 1), h
