"""Neural operators: maps between functions, trained on one grid and used on another.

Sources: Li et al. 2021 (Fourier neural operator), Lu et al. 2021 (DeepONet).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SpectralConv(nn.Module):
    """A convolution over the whole domain: a matrix over channels for each of the lowest Fourier modes.

    Weights belong to frequencies, not to grid points, so that the layer takes any grid on which the modes exist. The
    transform assumes a periodic function on an even grid that leaves out its end point; pad other functions. Keep the
    layer out of autocast: there is no Fourier transform in bfloat16.

    Args:
        inputs, outputs: channels.
        modes: for each spatial axis, how many frequencies are kept; on all but the last axis as many negative ones.

    Shape: (batch, inputs, *grid) to (batch, outputs, *grid), with as many grid axes as modes.

    Raises:
        ValueError: in forward, if the grid is too coarse for the modes.
    """

    def __init__(self, inputs: int, outputs: int, modes: Sequence[int]):
        super().__init__()
        self.modes = tuple(modes)
        # real and imaginary part; this variance keeps that of the modes
        kept = [2 * count for count in modes[:-1]] + [modes[-1]]
        self.weight = nn.Parameter(torch.randn(inputs, outputs, *kept, 2) * (2 * inputs) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        grid, axes = x.shape[2:], tuple(range(2, x.ndim))
        if len(grid) != len(self.modes) or any(2 * count >= size for count, size in zip(self.modes, grid)):
            raise ValueError(f"a grid {tuple(grid)} does not hold {self.modes} modes: each needs more than two points")
        spectrum = torch.fft.rfftn(x, dim=axes)
        # all axes but the last also have negative frequencies; they stand at the end of the axis
        lines = [[*range(count), *range(size - count, size)] for count, size in zip(self.modes[:-1], grid[:-1])]
        picked = torch.meshgrid(
            *(torch.tensor(line, device=x.device) for line in [*lines, range(self.modes[-1])]), indexing="ij"
        )
        low = spectrum[(slice(None), slice(None), *picked)]
        out = spectrum.new_zeros(len(x), self.weight.shape[1], *spectrum.shape[2:])
        product = torch.einsum("bi...,io...->bo...", low, torch.view_as_complex(self.weight))
        out[(slice(None), slice(None), *picked)] = product
        return torch.fft.irfftn(out, s=grid, dim=axes)


class FNO(nn.Module):
    """Fourier neural operator: lift, layers of spectral convolution plus pointwise map with GELU, projection.

    Args:
        inputs, outputs: functions in and out, as channels; give the coordinates as inputs if the operator needs them.
        width: channels inside.
        modes: as in `SpectralConv`.
        layers: number of spectral layers.

    Shape: (batch, inputs, *grid) to (batch, outputs, *grid).
    """

    def __init__(self, inputs: int, outputs: int, width: int, modes: Sequence[int], layers: int = 4):
        super().__init__()
        self.lift, self.project = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.spectral = nn.ModuleList(SpectralConv(width, width, modes) for _ in range(layers))
        self.pointwise = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        x = self.lift(x.movedim(1, -1)).movedim(-1, 1)
        for number, (spectral, pointwise) in enumerate(zip(self.spectral, self.pointwise)):
            x = spectral(x) + pointwise(x.movedim(1, -1)).movedim(-1, 1)
            if number + 1 < len(self.spectral):
                x = nn.functional.gelu(x)
        return self.project(x.movedim(1, -1)).movedim(-1, 1)


class DeepONet(nn.Module):
    """A branch network reads the input function at fixed sensors, a trunk network any place; the product is the value.

    Args:
        sensors: number of places where the input function is known, the same for all examples.
        coordinates: of a place where the output is asked for.
        hidden: width of both networks.
        basis: number of products that are summed.

    Shape: values (batch, sensors) and places (places, coordinates) to (batch, places).
    """

    def __init__(self, sensors: int, coordinates: int, hidden: int, basis: int):
        super().__init__()
        self.branch = nn.Sequential(nn.Linear(sensors, hidden), nn.Tanh(), nn.Linear(hidden, basis))
        self.trunk = nn.Sequential(nn.Linear(coordinates, hidden), nn.Tanh(), nn.Linear(hidden, basis), nn.Tanh())
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, values: Tensor, places: Tensor) -> Tensor:
        return self.branch(values) @ self.trunk(places).T + self.bias
