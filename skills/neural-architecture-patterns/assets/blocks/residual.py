"""Residual blocks: basic, bottleneck and pre-activation.

`y = x + f(x)`: the gradient has a path that no layer multiplies, so depth stops being what prevents training.
Sources: He et al. 2016a (Deep residual learning for image recognition), He et al. 2016b (Identity mappings in deep
residual networks), Goyal et al. 2017 (the last normalisation starts at zero).
"""

from __future__ import annotations

from torch import Tensor, nn


def conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """3 x 3 convolution that keeps the size at stride 1; no bias, because a BatchNorm with its own shift follows."""
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    """The identity where shapes allow it; otherwise 1 x 1 convolution and BatchNorm (option B of He et al. 2016a)."""
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions (He et al. 2016a, figure 2), the block of ResNet-18 and ResNet-34.

    Args:
        inputs, outputs: channels.
        stride: of the first convolution; 2 halves the resolution.
        zero_init: start as the shortcut alone, by a last BatchNorm whose scale is zero (Goyal et al. 2017).

    Shape: (batch, inputs, height, width) to (batch, outputs, ceil(height / stride), ceil(width / stride)).
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, zero_init: bool = True):
        super().__init__()
        self.body = nn.Sequential(
            conv3x3(inputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            conv3x3(outputs, outputs),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = shortcut(inputs, outputs, stride)
        self.relu = nn.ReLU()
        if zero_init:
            nn.init.zeros_(self.body[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.shortcut(x) + self.body(x))  # no activation between the last BatchNorm and the sum


class Bottleneck(nn.Module):
    """1 x 1 down, 3 x 3, 1 x 1 up (He et al. 2016a, figure 5), the block of ResNet-50 and deeper.

    The stride is in the 3 x 3 convolution. The paper has it in the first 1 x 1, which skips three quarters of the
    positions; published weights ("v1.5") have it here, so a port must know which of the two it has.

    Args:
        inputs, outputs: channels; the 3 x 3 convolution has outputs / 4.
        stride: 2 halves the resolution.
        zero_init: as in `BasicBlock`.

    Raises:
        ValueError: if outputs is not a multiple of 4.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, zero_init: bool = True):
        super().__init__()
        if outputs % 4:
            raise ValueError(f"a bottleneck needs outputs that 4 divides, not {outputs}")
        narrow = outputs // 4
        self.body = nn.Sequential(
            nn.Conv2d(inputs, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            conv3x3(narrow, narrow, stride),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = shortcut(inputs, outputs, stride)
        self.relu = nn.ReLU()
        if zero_init:
            nn.init.zeros_(self.body[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.shortcut(x) + self.body(x))


class PreActivationBlock(nn.Module):
    """Normalise and activate before each convolution, nothing after the sum (He et al. 2016b, figure 4e).

    The sum stays untouched from the first block to the last, so the network needs one more normalisation and
    activation before its head. Where the shape changes, the projection reads the activated input, not x.

    Args:
        inputs, outputs: channels.
        stride: of the first convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1):
        super().__init__()
        self.first = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.body = nn.Sequential(
            conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs), nn.ReLU(), conv3x3(outputs, outputs)
        )
        same = stride == 1 and inputs == outputs
        self.project = None if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = self.first(x)
        return (x if self.project is None else self.project(active)) + self.body(active)
