"""Normalising flow of affine coupling layers: exact inverse, exact density.

Sources: Dinh et al. 2015 (coupling), Dinh et al. 2017 (RealNVP).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class AffineCoupling(nn.Module):
    """One part of the features passes; the other is scaled and shifted by functions of the first.

    The Jacobian is triangular, so its log-determinant is the sum of the log-scales, and the inverse needs no solver.

    Args:
        features: at least 2.
        hidden: width of the network that makes scale and shift.
        flip: pass the second part instead of the first; alternate it, or half of the features never change.

    Raises:
        ValueError: for fewer than 2 features.
    """

    def __init__(self, features: int, hidden: int, flip: bool):
        super().__init__()
        if features < 2:
            raise ValueError(f"a coupling needs at least 2 features, not {features}")
        self.flip, self.kept = flip, features // 2
        given = features - self.kept if flip else self.kept
        self.net = nn.Sequential(
            nn.Linear(given, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(),
            nn.Linear(hidden, 2 * (features - given)),
        )  # fmt: skip
        nn.init.zeros_(self.net[-1].weight)  # starts as the identity
        nn.init.zeros_(self.net[-1].bias)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, second = x[..., : self.kept], x[..., self.kept :]
        return (second, first) if self.flip else (first, second)

    def _joined(self, given: Tensor, changed: Tensor) -> Tensor:
        return torch.cat([changed, given] if self.flip else [given, changed], -1)

    def _scale_and_shift(self, given: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = self.net(given).chunk(2, -1)
        return torch.tanh(log_scale), shift  # bounded: exp of a free output overflows in a few steps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data to code: (batch, features) to (batch, features) and log |det Jacobian| (batch,)."""
        given, changed = self._parts(x)
        log_scale, shift = self._scale_and_shift(given)
        return self._joined(given, changed * log_scale.exp() + shift), log_scale.sum(-1)

    def inverse(self, z: Tensor) -> Tensor:
        """Code to data, the exact inverse."""
        given, changed = self._parts(z)
        log_scale, shift = self._scale_and_shift(given)
        return self._joined(given, (changed - shift) * (-log_scale).exp())


class RealNVP(nn.Module):
    """A stack of couplings over a standard normal code.

    Args:
        features: of the data.
        hidden: width inside each coupling.
        layers: number of couplings; at least 2, so that every feature is changed.
    """

    def __init__(self, features: int, hidden: int, layers: int):
        super().__init__()
        self.features = features
        self.layers = nn.ModuleList(AffineCoupling(features, hidden, flip=bool(i % 2)) for i in range(layers))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Data to code and log |det Jacobian|."""
        total = x.new_zeros(x.shape[:-1])
        for layer in self.layers:
            x, log_det = layer(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> Tensor:
        """Code to data."""
        for layer in reversed(self.layers):
            z = layer.inverse(z)
        return z

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density of the data in nats, (batch,): the code's plus log |det Jacobian|. Train on its negative mean."""
        z, log_det = self(x)
        return -0.5 * (z.square() + math.log(2 * math.pi)).sum(-1) + log_det

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """New data, (count, features)."""
        weight = self.layers[0].net[0].weight
        return self.inverse(torch.randn(count, self.features, device=weight.device, dtype=weight.dtype))
