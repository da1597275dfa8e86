"""ConvNeXt block: a convolution with the layout of a transformer layer.

Source: Liu et al. 2022 (A ConvNet for the 2020s); stochastic depth: Huang et al. 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNeXtBlock(nn.Module):
    """Depthwise 7 x 7 convolution, LayerNorm over channels, two dense layers with GELU between, layer scale.

    Args:
        channels: of input and output.
        expansion: hidden width of the dense layers, as a multiple of channels.
        scale: start of the learned scale of each channel of the branch; 1e-6 in the paper, so that a block
            starts as nearly the identity.
        drop_path: probability with which a sample of the batch skips the branch in training.

    Shape: (batch, channels, height, width), kept.

    Raises:
        ValueError: if drop_path is not in [0, 1).
    """

    def __init__(self, channels: int, expansion: int = 4, scale: float = 1e-6, drop_path: float = 0.0):
        super().__init__()
        if not 0 <= drop_path < 1:
            raise ValueError(f"drop_path must be at least 0 and below 1, not {drop_path}")
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.up, self.down = nn.Linear(channels, expansion * channels), nn.Linear(expansion * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))
        self.drop_path = drop_path

    def forward(self, x: Tensor) -> Tensor:
        branch = self.depthwise(x).movedim(1, -1)  # channels last: LayerNorm and Linear work on the last axis
        branch = self.scale * self.down(nn.functional.gelu(self.up(self.norm(branch))))
        branch = branch.movedim(-1, 1)
        if self.training and self.drop_path:
            keep = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop_path
            branch = branch * keep / (1 - self.drop_path)  # divided, so that evaluation needs no correction
        return x + branch
