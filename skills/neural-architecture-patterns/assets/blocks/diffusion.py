"""Denoising diffusion: closed-form noising, loss, ancestral (DDPM) and deterministic (DDIM) sampling.

Sources: Ho et al. 2020 (DDPM; equation numbers below), Nichol and Dhariwal 2021 (cosine schedule), Song, Meng and Ermon
2021 (DDIM), Song et al. 2021 (score: the predicted noise is -sqrt(1 - alpha_bar) times the score of the noised data).
Steps are counted from 0 here: step t has beta[t], and t = -1 would be the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (noised data, step (batch,)) -> predicted noise


def linear_betas(steps: int, first: float = 1e-4, last: float = 0.02) -> Tensor:
    """The schedule of Ho et al. 2020 (section 4), made for 1,000 steps: with far fewer the last step keeps signal."""
    return torch.linspace(first, last, steps, dtype=torch.float64)


def cosine_betas(steps: int, offset: float = 0.008, largest: float = 0.999) -> Tensor:
    """The schedule of Nichol and Dhariwal 2021, equation 17, for any number of steps."""
    time = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    alpha_bar = torch.cos((time + offset) / (1 + offset) * math.pi / 2) ** 2
    return (1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=largest)


class Diffusion(nn.Module):
    """The process for one schedule; it has buffers and no parameters.

    Args:
        betas: (steps,), the variance that each step adds, in (0, 1).

    Raises:
        ValueError: if a beta is outside.
    """

    def __init__(self, betas: Tensor):
        super().__init__()
        if not ((betas > 0) & (betas < 1)).all():
            raise ValueError("every beta must lie strictly between 0 and 1")
        betas = betas.double()  # 1 - alpha_bar loses its digits in float32
        alpha_bar = torch.cumprod(1 - betas, 0)
        before = torch.cat([alpha_bar.new_ones(1), alpha_bar[:-1]])
        self.steps = len(betas)
        self.register_buffer("signal", alpha_bar.sqrt().float())
        self.register_buffer("noise", (1 - alpha_bar).sqrt().float())
        # mean and variance of q(x_{t-1} | x_t, x_0): equations 6 and 7
        self.register_buffer("from_data", (before.sqrt() * betas / (1 - alpha_bar)).float())
        self.register_buffer("from_noised", ((1 - betas).sqrt() * (1 - before) / (1 - alpha_bar)).float())
        self.register_buffer("posterior_variance", (betas * (1 - before) / (1 - alpha_bar)).float())

    def _at(self, values: Tensor, step: Tensor, like: Tensor) -> Tensor:
        """The value for each example of the batch, shaped to be broadcast over its features."""
        return values[step].view(-1, *[1] * (like.ndim - 1))

    def noised(self, x: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """A draw of q(x_t | x_0) in one go (equation 4): (batch, ...) data, (batch,) steps, noise like the data."""
        return self._at(self.signal, step, x) * x + self._at(self.noise, step, x) * noise

    def loss(self, denoiser: Denoiser, x: Tensor) -> Tensor:
        """Mean squared error of the predicted noise at random steps (equation 14). Data scaled to variance about 1."""
        step = torch.randint(self.steps, (len(x),), device=x.device)
        noise = torch.randn_like(x)
        return nn.functional.mse_loss(denoiser(self.noised(x, step, noise), step), noise)

    def data(self, noised: Tensor, step: Tensor, noise: Tensor) -> Tensor:
        """Solves `noised` for the data."""
        return (noised - self._at(self.noise, step, noised) * noise) / self._at(self.signal, step, noised)

    def posterior(self, x: Tensor, noised: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of q(x_{t-1} | x_t, x_0) (equations 6 and 7)."""
        mean = self._at(self.from_data, step, x) * x + self._at(self.from_noised, step, x) * noised
        return mean, self._at(self.posterior_variance, step, x)

    @torch.no_grad()
    def sample(self, denoiser: Denoiser, shape: tuple[int, ...], limit: float | None = None) -> Tensor:
        """Ancestral sampling through all steps (algorithm 2, with the posterior variance).

        Args:
            denoiser: predicts the noise.
            shape: of the samples, (batch, ...).
            limit: predicted data are cut to [-limit, limit]. At the noisiest steps an error of the prediction is
                multiplied by noise over signal, so use the range of the data where they have one.
        """
        x = torch.randn(shape, device=self.signal.device)
        for number in reversed(range(self.steps)):
            step = torch.full((shape[0],), number, device=x.device)
            mean, variance = self.posterior(_cut(self.data(x, step, denoiser(x, step)), limit), x, step)
            x = mean + variance.sqrt() * torch.randn_like(x)  # the variance of step 0 is 0: no noise at the end
        return x

    @torch.no_grad()
    def sample_ddim(
        self, denoiser: Denoiser, shape: tuple[int, ...], steps: int, limit: float | None = None
    ) -> Tensor:
        """Deterministic sampling that visits only `steps` of the steps (Song, Meng and Ermon 2021, eta = 0).

        Raises:
            ValueError: if steps is not between 1 and the length of the schedule.
        """
        if not 1 <= steps <= self.steps:
            raise ValueError(f"steps must be between 1 and {self.steps}, not {steps}")
        x = torch.randn(shape, device=self.signal.device)
        visited = torch.linspace(self.steps - 1, 0, steps, device=x.device).round().long()
        for place, number in enumerate(visited):
            step = number.expand(shape[0])
            data = _cut(self.data(x, step, denoiser(x, step)), limit)
            if place + 1 == steps:
                return data
            noise = (x - self._at(self.signal, step, x) * data) / self._at(self.noise, step, x)
            x = self.noised(data, visited[place + 1].expand(shape[0]), noise)


def _cut(data: Tensor, limit: float | None) -> Tensor:
    return data if limit is None else data.clamp(-limit, limit)


class TimeEmbedding(nn.Module):
    """Sines and cosines of the step at geometric frequencies, then two dense layers (Ho et al. 2020, appendix B).

    Args:
        width: even, of the result.

    Shape: (batch,) integers to (batch, width).
    """

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("rate", 10_000 ** (-torch.arange(width // 2) / (width // 2)))
        self.net = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, step: Tensor) -> Tensor:
        angle = step[:, None] * self.rate
        return self.net(torch.cat([angle.sin(), angle.cos()], -1))


class DenoiserMLP(nn.Module):
    """A denoiser for vectors; images take a U-Net that adds the time embedding in every block.

    Args:
        features: of the data.
        hidden: width.
    """

    def __init__(self, features: int, hidden: int):
        super().__init__()
        self.time, self.data = TimeEmbedding(hidden), nn.Linear(features, hidden)
        self.net = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, features))

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        return self.net(self.data(x) + self.time(step))
