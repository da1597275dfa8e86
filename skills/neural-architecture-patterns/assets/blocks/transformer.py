"""Transformer layers: pre-norm encoder, decoder with a key-value cache, cross-attention, rotary positions.

Sources: Vaswani et al. 2017 (attention; their layers are post-norm), Xiong et al. 2020 (why pre-norm trains without a
warm-up), Su et al. 2021 (rotary positions), Ainslie et al. 2023 (fewer key-value heads). A pre-norm stack needs one
more LayerNorm after its last layer.

Masks are boolean and True means "may look here". `torch.nn.MultiheadAttention` means the opposite with its masks.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Cache(NamedTuple):
    """Keys and values of all positions so far: (batch, key-value heads, time, head width) each."""

    key: Tensor
    value: Tensor


def rotary(x: Tensor, start: int = 0, base: float = 10_000.0) -> Tensor:
    """Turns pairs of features by an angle that grows with the position (Su et al. 2021, section 3.2).

    The product of a turned query and a turned key depends on the distance of their positions alone. Pairs are features
    i and i + width / 2, as in Llama; the paper pairs neighbours, so weights of the two kinds are not exchangeable.

    Args:
        x: (batch, heads, time, width), width even.
        start: position of the first element; with a cache, the number of positions in it.
        base: the slowest pair turns by about 1 / base a position.
    """
    half = x.shape[-1] // 2
    rate = base ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(start, start + x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)  # angles in float32: bfloat16 cannot count to 1000
    left, right = x[..., :half], x[..., half:]
    return torch.cat([left * cos - right * sin, left * sin + right * cos], -1)


class Attention(nn.Module):
    """Multi-head attention: softmax(q k^T / sqrt(head width)) v, then an output projection (Vaswani et al. 2017).

    Args:
        width: of queries and output.
        heads: number of heads; divides width.
        kv_heads: number of key-value heads, each shared by heads / kv_heads queries; None means one for each.
        context_width: width of what keys and values are made from; None means width.
        rotary: give queries and keys rotary positions. Not for cross-attention.
        dropout: on the attention weights, in training.

    Raises:
        ValueError: if width is not divisible by heads, heads not by kv_heads, or the head width is odd with rotary.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        kv_heads: int | None = None,
        context_width: int | None = None,
        rotary: bool = False,
        dropout: float = 0.0,
    ):
        super().__init__()
        kv_heads = kv_heads or heads
        if width % heads or heads % kv_heads:
            raise ValueError(f"{heads} heads must divide width {width}, and {kv_heads} key-value heads divide {heads}")
        if rotary and width // heads % 2:
            raise ValueError(f"rotary positions need an even head width, not {width // heads}")
        self.heads, self.kv_heads, self.rotary, self.dropout = heads, kv_heads, rotary, dropout
        kv_width = width // heads * kv_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(context_width or width, kv_width)
        self.value = nn.Linear(context_width or width, kv_width)
        self.out = nn.Linear(width, width)

    def keys_and_values(self, context: Tensor, start: int = 0) -> Cache:
        """Keys and values of a context (batch, time, context width) whose first position is `start`."""
        key, value = (_split(layer(context), self.kv_heads) for layer in (self.key, self.value))
        return Cache(rotary(key, start) if self.rotary else key, value)

    def forward(self, x: Tensor, source: Cache, keep: Tensor | None = None, causal: bool = False) -> Tensor:
        """Attends from x to keys and values.

        Args:
            x: (batch, time, width).
            source: from `keys_and_values`.
            keep: boolean, broadcast to (batch, heads, time, source time); True where a query may look.
            causal: x are the last positions of the source, and none looks ahead. Then `keep` must be None.

        Returns:
            (batch, time, width).
        """
        query = _split(self.query(x), self.heads)
        past = source.key.shape[-2] - x.shape[1]
        if self.rotary:
            query = rotary(query, past)
        if causal and past:  # is_causal would let query 0 see key 0 alone: it counts from the first key
            time = torch.arange(past + x.shape[1], device=x.device)
            keep = time[None, :] <= time[past:, None]
        mixed = nn.functional.scaled_dot_product_attention(
            query,
            *source,
            attn_mask=keep,
            is_causal=causal and not past,
            dropout_p=self.dropout if self.training else 0.0,  # the function does not know train from eval
            enable_gqa=self.kv_heads != self.heads,
        )
        return self.out(mixed.transpose(1, 2).flatten(2))


def _split(x: Tensor, heads: int) -> Tensor:
    """(batch, time, width) to (batch, heads, time, width / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def feed_forward(width: int, hidden: int, dropout: float) -> nn.Sequential:
    """Two dense layers at every position, GELU between; indices 0 and 3 hold the weights."""
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width))


class EncoderLayer(nn.Module):
    """Pre-norm encoder layer: x + attention(norm(x)), then x + feed-forward(norm(x)).

    Args:
        width, heads: of the attention.
        hidden: width inside the feed-forward part, usually 4 times width.
        dropout: on the attention weights, inside the feed-forward part and on both branches.

    Shape: (batch, time, width), kept. Permutation-equivariant: positions must be in the input.
    """

    def __init__(self, width: int, heads: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout=dropout)
        self.feed_forward = feed_forward(width, hidden, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """x: (batch, time, width); keep: (batch, time), True for real tokens, False for padding."""
        normed = self.norm1(x)
        mask = None if keep is None else keep[:, None, None, :]
        x = x + self.drop(self.attention(normed, self.attention.keys_and_values(normed), mask))
        return x + self.drop(self.feed_forward(self.norm2(x)))


class DecoderLayer(nn.Module):
    """Pre-norm causal layer with a cache; with `memory_width` also cross-attention to the output of an encoder.

    Args:
        width, heads, hidden, dropout: as in `EncoderLayer`.
        kv_heads: key-value heads of the self-attention; fewer make the cache smaller by that factor.
        rotary: rotary positions in the self-attention; without them the input must hold the positions.
        memory_width: width of the encoder's output, or None for a decoder-only layer.

    Shape: (batch, time, width), kept.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        dropout: float = 0.0,
        kv_heads: int | None = None,
        rotary: bool = True,
        memory_width: int | None = None,
    ):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, kv_heads, rotary=rotary, dropout=dropout)
        self.feed_forward = feed_forward(width, hidden, dropout)
        self.drop = nn.Dropout(dropout)
        self.cross = None
        if memory_width is not None:
            self.norm_cross = nn.LayerNorm(width)
            self.cross = Attention(width, heads, context_width=memory_width, dropout=dropout)

    def forward(
        self,
        x: Tensor,
        cache: Cache | None = None,
        memory: Tensor | Cache | None = None,
        memory_keep: Tensor | None = None,
    ) -> tuple[Tensor, Cache]:
        """One pass over new positions.

        Args:
            x: (batch, new positions, width).
            cache: what the call on the positions before returned; None at the start.
            memory: output of the encoder, (batch, memory time, memory width), for a layer with cross-attention; or
                `layer.cross.keys_and_values` of it, made once for all steps of a generation.
            memory_keep: (batch, memory time), False for padding.

        Returns:
            (batch, new positions, width) and the cache that includes them.

        Raises:
            ValueError: if memory is given to a layer without cross-attention, or is missing in one with it.
        """
        if (memory is None) != (self.cross is None):
            raise ValueError("memory belongs to a layer with memory_width, and only to such a layer")
        normed = self.norm1(x)
        past = 0 if cache is None else cache.key.shape[-2]
        new = self.attention.keys_and_values(normed, past)
        if cache is not None:
            new = Cache(torch.cat([cache.key, new.key], -2), torch.cat([cache.value, new.value], -2))
        x = x + self.drop(self.attention(normed, new, causal=True))
        if self.cross is not None:
            mask = None if memory_keep is None else memory_keep[:, None, None, :]
            source = memory if isinstance(memory, Cache) else self.cross.keys_and_values(memory)
            x = x + self.drop(self.cross(self.norm_cross(x), source, mask))
        return x + self.drop(self.feed_forward(self.norm2(x))), new
