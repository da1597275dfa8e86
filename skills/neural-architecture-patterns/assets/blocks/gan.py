"""Adversarial training: non-saturating losses on logits, gradient penalty, one step.

Sources: Goodfellow et al. 2014 (losses; section 3 gives the non-saturating one), Mescheder et al. 2018 (R1 penalty).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Binary cross-entropy with real as 1 and fake as 0. Both are logits: the discriminator ends without a sigmoid."""
    return softplus(-real).mean() + softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-log sigmoid(logit): its gradient is largest when the discriminator is sure that the sample is fake.

    The minimax form log(1 - sigmoid(logit)) has the same fixed point, and a gradient that vanishes just then.
    """
    return softplus(-fake).mean()


def r1_penalty(discriminator: nn.Module, real: Tensor) -> Tensor:
    """Mean squared norm of the gradient of the logit by real data; add weight / 2 times it (Mescheder et al. 2018)."""
    real = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return gradient.flatten(1).square().sum(1).mean()


def train_step(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_optimizer: torch.optim.Optimizer,
    discriminator_optimizer: torch.optim.Optimizer,
    real: Tensor,
    noise: Tensor,
    penalty: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """One update of the discriminator, then one of the generator.

    Args:
        real: (batch, ...), data.
        noise: (batch, latent), input of the generator.
        penalty: weight of the R1 penalty; 0 for none.

    Returns:
        Loss of the discriminator and of the generator, detached, each before its update.
    """
    fake = generator(noise)
    loss_d = discriminator_loss(discriminator(real), discriminator(fake.detach()))  # detached: only D learns here
    if penalty:
        loss_d = loss_d + penalty / 2 * r1_penalty(discriminator, real)
    discriminator_optimizer.zero_grad()
    loss_d.backward()
    discriminator_optimizer.step()

    loss_g = generator_loss(discriminator(fake))
    generator_optimizer.zero_grad()
    loss_g.backward()  # also leaves gradients in the discriminator; they are cleared before its next update
    generator_optimizer.step()
    return loss_d.detach(), loss_g.detach()
