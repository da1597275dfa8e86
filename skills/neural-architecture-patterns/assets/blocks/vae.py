"""Variational autoencoder with a Gaussian code and binary (or grey) pixels.

Sources: Kingma and Welling 2014, Rezende et al. 2014; beta: Higgins et al. 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, variance) || N(0, 1)) in nats, summed over the code: (batch, latent) to (batch,).

    Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


class VAE(nn.Module):
    """Encoder and decoder of two dense layers each; exchange them for convolutions on images.

    Args:
        inputs: values per example, each in [0, 1].
        hidden: width of the hidden layers.
        latent: dimensions of the code.

    Shape: (batch, inputs) to logits (batch, inputs), mean (batch, latent), log-variance (batch, latent).
    """

    def __init__(self, inputs: int, hidden: int, latent: int):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, inputs))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, -1)
        code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)  # exp(log_variance / 2) is the deviation
        return self.decoder(code), mean, log_variance

    def negative_elbo(self, x: Tensor, beta: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """Loss in nats per example, and its parts: reconstruction and KL, each a mean over the batch.

        Both parts are sums over dimensions. A mean over pixels instead would multiply beta by the number of pixels,
        and the code would be ignored.
        """
        logits, mean, log_variance = self(x)
        losses = nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
        reconstruction, kl = losses.sum(-1).mean(), kl_to_standard_normal(mean, log_variance).mean()
        return reconstruction + beta * kl, reconstruction, kl

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Probabilities of pixels of new examples: (count, inputs)."""
        weight = self.decoder[0].weight
        code = torch.randn(count, self.latent, device=weight.device, dtype=weight.dtype)
        return self.decoder(code).sigmoid()
