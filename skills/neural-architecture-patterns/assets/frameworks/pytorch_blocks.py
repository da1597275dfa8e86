"""Three reference blocks in PyTorch: MLP, causal pre-norm attention block, residual convolution block.

The same blocks are in the files beside this one for Flax NNX, Flax Linen, Equinox, Keras 3 and Haiku. The folder
`mappings` says how the weights of this file become theirs; with them all six give the same outputs. `mlp`, `attention`
and `conv` are targets for the tools.
"""

import numpy as np
import torch
from torch import nn

WIDTH, HIDDEN, HEADS, LENGTH, CHANNELS, SIZE, BATCH = 16, 32, 4, 6, 4, 8, 3
EPSILON = 1e-5


class MLP(nn.Module):
    """W2 gelu(W1 x + b1) + b2 over the last axis, with the exact GELU."""

    def __init__(self, width: int, hidden: int, out: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(nn.functional.gelu(self.up(x)))


class AttentionBlock(nn.Module):
    """h = x + attention(norm(x)); h + mlp(norm(h)), causal.

    Args:
        width: size of a token, divisible by heads.
        heads: number of heads.
        hidden: width of the MLP.
        dropout: rate on both residual branches.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, length, width); the result has the same shape and dtype."""
        length = x.shape[1]
        # here True forbids; in scaled_dot_product_attention, Flax, Equinox, Keras and Haiku it allows
        forbidden = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        h = self.norm1(x)
        x = x + self.drop(self.attention(h, h, h, attn_mask=forbidden, need_weights=False)[0])
        return x + self.drop(self.down(nn.functional.gelu(self.up(self.norm2(x)))))


class ConvBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with 3x3 kernels and batch normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        # no bias: the normalisation takes it away again
        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.bn1, self.bn2 = nn.BatchNorm2d(channels, EPSILON), nn.BatchNorm2d(channels, EPSILON)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (batch, channels, height, width)."""
        h = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.bn2(self.conv2(h)))


def inputs(*shape: int) -> np.ndarray:
    """The same numbers in every framework."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _target(model: nn.Module, x: np.ndarray, shape: tuple[int, ...]) -> dict:
    return {
        "model": model,
        "batch": (torch.from_numpy(x), torch.zeros(shape)),
        "loss_fn": lambda outputs, targets: torch.mean((outputs - targets) ** 2),
    }


def mlp() -> dict:
    torch.manual_seed(0)
    return _target(MLP(WIDTH, HIDDEN, WIDTH), inputs(BATCH, WIDTH), (BATCH, WIDTH))


def attention() -> dict:
    torch.manual_seed(0)
    shape = (BATCH, LENGTH, WIDTH)
    return _target(AttentionBlock(WIDTH, HEADS, HIDDEN), inputs(*shape), shape)


def conv() -> dict:
    torch.manual_seed(0)
    shape = (BATCH, CHANNELS, SIZE, SIZE)
    return _target(ConvBlock(CHANNELS), inputs(*shape), shape)
