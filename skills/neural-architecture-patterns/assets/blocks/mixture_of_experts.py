"""Mixture of experts: each token passes through few of many feed-forward networks, chosen by a learned router.

Sources: Shazeer et al. 2017 (top-k routing), Fedus et al. 2022 (Switch; load-balancing loss, equations 4 to 6), Zoph et
al. 2022 (router in float32). No token is dropped: there is no capacity limit here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MixtureOfExperts(nn.Module):
    """Replaces the feed-forward part of a transformer layer.

    Args:
        width: of input and output.
        hidden: width inside each expert.
        experts: number of experts.
        chosen: experts per token (k).

    Shape: (..., width), kept.

    Raises:
        ValueError: if chosen is not between 1 and experts.
    """

    def __init__(self, width: int, hidden: int, experts: int, chosen: int = 2):
        super().__init__()
        if not 1 <= chosen <= experts:
            raise ValueError(f"chosen must be between 1 and {experts} experts, not {chosen}")
        self.chosen = chosen
        self.router = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)) for _ in range(experts)
        )

    def route(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(tokens, width) to probabilities (tokens, experts), weights (tokens, k) and expert numbers (tokens, k)."""
        with torch.autocast(tokens.device.type, enabled=False):  # in float32: rounded logits change the choice
            probabilities = nn.functional.linear(tokens.float(), self.router.weight.float()).softmax(-1)
        weights, numbers = probabilities.topk(self.chosen)
        if self.chosen > 1:  # for k = 1 this would make every weight 1, and the task would not train the router
            weights = weights / weights.sum(-1, keepdim=True)
        return probabilities, weights.to(tokens.dtype), numbers

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the output, and the load-balancing loss to add to the task's (Fedus et al. 2022: times 0.01)."""
        tokens = x.reshape(-1, x.shape[-1])
        probabilities, weights, numbers = self.route(tokens)
        mixed = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            token, slot = (numbers == number).nonzero(as_tuple=True)
            mixed = mixed.index_add(0, token, weights[token, slot, None] * expert(tokens[token]))
        return mixed.view_as(x), load_balance(probabilities, numbers)


def load_balance(probabilities: Tensor, numbers: Tensor) -> Tensor:
    """Experts times the sum over experts of (share of choices) * (mean probability): 1 when both are uniform.

    Only the probabilities carry a gradient; the shares are counts. With all choices and probability on one expert the
    value is the number of experts.

    Args:
        probabilities: (tokens, experts), of the router.
        numbers: (tokens, k), the experts chosen.
    """
    experts = probabilities.shape[-1]
    share = nn.functional.one_hot(numbers, experts).float().mean((0, 1))
    return experts * (share * probabilities.mean(0)).sum()
