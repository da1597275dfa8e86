"""U-Net for dense prediction on images of any size, odd ones included.

Source: Ronneberger et al. 2015. Different here, as in most later use: padded convolutions (the output has the size of
the input), GroupNorm (Wu and He 2018; segmentation batches are small), and resizing with a convolution instead of a
transposed convolution (Odena et al. 2016: no checkerboard).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


def double_conv(inputs: int, outputs: int, groups: int) -> nn.Sequential:
    """Twice 3 x 3 convolution, GroupNorm, ReLU."""
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.GroupNorm(groups, outputs), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Logits for every pixel. For two classes take one output and binary cross-entropy on the logits.

    Args:
        inputs, outputs: channels of image and prediction.
        widths: channels of each level, finest first; each further level halves the resolution.
        groups: groups of every GroupNorm.

    Shape: (batch, inputs, height, width) to (batch, outputs, height, width).

    Raises:
        ValueError: if a width cannot be divided into the groups, or (in forward) an image is too small for the levels.
    """

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int] = (32, 64, 128, 256), groups: int = 8):
        super().__init__()
        if any(width % groups for width in widths):
            raise ValueError(f"every width must be a multiple of {groups} groups, not {tuple(widths)}")
        self.down = nn.ModuleList(
            double_conv(before, width, groups) for before, width in zip((inputs, *widths), widths)
        )
        pairs = list(pairwise(widths))[::-1]
        self.reduce = nn.ModuleList(nn.Conv2d(deep, fine, 1) for fine, deep in pairs)
        self.up = nn.ModuleList(double_conv(2 * fine, fine, groups) for fine, _ in pairs)
        self.head = nn.Conv2d(widths[0], outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        smallest = 2 ** (len(self.down) - 1)
        if min(x.shape[-2:]) < smallest:
            size = tuple(x.shape[-2:])
            raise ValueError(f"{len(self.down)} levels need at least {smallest} pixels a side, not {size}")
        skips = []
        for level, block in enumerate(self.down):
            x = block(nn.functional.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for reduce, block in zip(self.reduce, self.up):
            skip = skips.pop()
            # to the size of the skip, not by a factor of 2: pooling 7 gives 3, and 2 * 3 is not 7
            x = nn.functional.interpolate(reduce(x), size=skip.shape[-2:], mode="nearest")
            x = block(torch.cat([skip, x], 1))
        return self.head(x)
