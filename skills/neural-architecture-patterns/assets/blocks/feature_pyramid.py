"""Feature pyramid: the semantics of the coarse levels of a backbone, at the resolution of its fine ones.

Source: Lin et al. 2017 (Feature pyramid networks for object detection).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class FeaturePyramid(nn.Module):
    """Lateral 1 x 1 convolutions, a top-down path with nearest resizing and addition, a 3 x 3 convolution per level.

    Args:
        inputs: channels of each level of the backbone, finest first.
        outputs: channels of every level of the pyramid; a detector shares one head between all levels.

    Shape: a list of (batch, inputs[i], height_i, width_i), finest first, to a list of (batch, outputs, height_i,
    width_i). Any sizes: the coarser level is resized to the finer one, so odd sizes work.

    Raises:
        ValueError: in forward, if the number of levels differs.
    """

    def __init__(self, inputs: Sequence[int], outputs: int = 256):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(channels, outputs, 1) for channels in inputs)
        self.smooth = nn.ModuleList(nn.Conv2d(outputs, outputs, 3, padding=1) for _ in inputs)

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        if len(levels) != len(self.lateral):
            raise ValueError(f"the pyramid was built for {len(self.lateral)} levels, but got {len(levels)}")
        merged = [lateral(level) for lateral, level in zip(self.lateral, levels)]
        for fine in range(len(merged) - 2, -1, -1):
            above = nn.functional.interpolate(merged[fine + 1], size=merged[fine].shape[-2:], mode="nearest")
            merged[fine] = merged[fine] + above
        return [smooth(level) for smooth, level in zip(self.smooth, merged)]
