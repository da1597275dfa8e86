"""Losses and metric for binary segmentation in PyTorch, on logits (never on probabilities: no second sigmoid).

Shapes: `logits` and `targets` are (cases, ...) with any number of spatial dimensions; targets are 0 or 1, or soft
labels between them. All losses return a scalar, the mean over cases (Dice) or over pixels (focal).
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def _check(logits: Tensor, targets: Tensor) -> None:
    if logits.shape != targets.shape or logits.dim() < 2:
        raise ValueError(
            f"logits {tuple(logits.shape)} and targets {tuple(targets.shape)} must have one shape (cases, ...): "
            "a missing channel dimension would broadcast silently"
        )
    if targets.numel() and (targets.min() < 0 or targets.max() > 1):
        raise ValueError(
            f"targets lie in [{targets.min():g}, {targets.max():g}], not in [0, 1]: divide 0/255 masks by 255"
        )


def soft_dice_loss(logits: Tensor, targets: Tensor, smooth: float = 1.0) -> Tensor:
    """1 - soft Dice, computed per case and averaged over cases (Milletari et al. 2016 without the squares).

    The denominator is the sum of the two sizes, not their union. `smooth` (pixels) keeps an empty mask defined: an empty
    mask with an empty prediction has loss 0, while `smooth=0` would divide 0 by 0. Per case and over the whole batch are
    different numbers; this is per case.

    Raises ValueError if the shapes differ or the targets leave [0, 1].
    """
    _check(logits, targets)
    probabilities = logits.sigmoid().flatten(1)
    targets = targets.to(probabilities.dtype).flatten(1)
    overlap = (probabilities * targets).sum(1)
    sizes = probabilities.sum(1) + targets.sum(1)
    return (1 - (2 * overlap + smooth) / (sizes + smooth)).mean()


def focal_loss(logits: Tensor, targets: Tensor, gamma: float = 2.0, alpha: float | None = 0.25) -> Tensor:
    """Mean over pixels of -alpha_t (1 - p_t)^gamma log(p_t) (Lin et al. 2017, equations 2 to 5).

    p_t is the probability of the pixel's *own* class: p for foreground, 1 - p for background. With p in its place the
    weighting of background pixels is inverted. alpha_t is `alpha` for foreground and `1 - alpha` for background;
    None leaves it out. gamma = 0 without alpha is binary cross-entropy. For targets of exactly 0 or 1.

    Raises ValueError if the shapes differ or the targets are not 0 or 1.
    """
    _check(logits, targets)
    foreground = targets == 1
    if not (foreground | (targets == 0)).all():
        raise ValueError("focal loss needs targets of exactly 0 or 1; use soft_dice_loss for soft labels")
    own = torch.where(foreground, logits, -logits)
    # log p_t and log(1 - p_t) by logsigmoid: exact for large logits, where log(sigmoid) underflows
    loss = -F.logsigmoid(own) * (gamma * F.logsigmoid(-own)).exp()
    if alpha is not None:
        loss = loss * torch.where(foreground, alpha, 1 - alpha)
    return loss.mean()


def dice_per_case(predictions: Tensor, targets: Tensor) -> Tensor:
    """Dice of binary masks, one value per case: shape (cases,).

    A case whose mask is empty has no overlap to measure: it counts 1 if nothing was predicted and 0 if anything was.
    Report how many such cases there are, since they can dominate a mean (Reinke et al. 2024).

    Raises ValueError if the shapes differ.
    """
    _check(predictions, targets)
    predictions, targets = predictions.flatten(1).bool(), targets.flatten(1).bool()
    sizes = predictions.sum(1) + targets.sum(1)
    overlap = (predictions & targets).sum(1)
    return torch.where(sizes == 0, 1.0, 2 * overlap / sizes.clamp(min=1))
