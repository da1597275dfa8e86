"""VAE, flow, diffusion and adversarial cores, against distributions with known densities and moments."""

import math

import pytest
import torch
from blocks_common import seeded, train_down  # noqa: F401
from torch import nn

from diffusion import DenoiserMLP, Diffusion, cosine_betas, linear_betas  # isort: skip
from flow import AffineCoupling, RealNVP  # isort: skip
from gan import discriminator_loss, generator_loss, r1_penalty, train_step  # isort: skip
from vae import VAE, kl_to_standard_normal  # isort: skip

# -- variational autoencoder


def test_kl_equals_that_of_torch():
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    ours = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0, 1)).sum(1)
    assert torch.allclose(kl_to_standard_normal(mean, log_variance), expected, atol=1e-5)
    assert not kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).any()


def test_codes_have_the_mean_and_the_deviation_that_the_encoder_says():
    vae = VAE(4, 8, 2)
    seen = []
    vae.decoder.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        _, mean, log_variance = vae(torch.rand(1, 4).expand(50_000, -1))
    assert torch.allclose(seen[0].mean(0), mean[0], atol=0.02)
    assert torch.allclose(seen[0].std(0), (log_variance[0] / 2).exp(), rtol=0.02)


def test_negative_elbo_is_a_bound_on_the_likelihood():
    """The likelihood of one example by importance sampling lies above the bound, and the bound is in nats."""
    vae, x = VAE(6, 16, 2), torch.bernoulli(torch.full((1, 6), 0.5))
    with torch.no_grad():
        bound = -sum(vae.negative_elbo(x)[0].item() for _ in range(500)) / 500
        code = torch.randn(100_000, 2)
        given = torch.distributions.Bernoulli(logits=vae.decoder(code)).log_prob(x).sum(1)
    log_likelihood = (given.logsumexp(0) - math.log(100_000)).item()
    assert bound < log_likelihood + 0.01 and bound > log_likelihood - 1


def test_loss_is_a_sum_over_dimensions_and_a_mean_over_the_batch():
    vae, x = VAE(6, 8, 2), torch.rand(3, 6)
    torch.manual_seed(1)
    total, reconstruction, kl = vae.negative_elbo(x, beta=4.0)
    torch.manual_seed(1)
    logits, mean, log_variance = vae(x)
    assert reconstruction.item() == pytest.approx(nn.BCELoss(reduction="sum")(logits.sigmoid(), x).item() / 3, rel=1e-5)
    assert total.item() == pytest.approx((reconstruction + 4 * kl).item())
    assert kl.item() == pytest.approx(kl_to_standard_normal(mean, log_variance).sum().item() / 3)


def test_vae_learns_one_batch():
    vae, x = VAE(16, 32, 2), (torch.rand(8, 16) > 0.5).float()
    first, last = train_down([vae], lambda: vae.negative_elbo(x)[0], steps=200, rate=1e-2)
    assert last < 0.7 * first
    assert vae.sample(5).shape == (5, 16) and ((vae.sample(5) >= 0) & (vae.sample(5) <= 1)).all()


# -- flow


def random_flow(features, layers=4):
    flow = RealNVP(features, 16, layers)
    with torch.no_grad():
        for p in flow.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return flow


@pytest.mark.parametrize("features", [2, 3, 5])
def test_flow_inverts_exactly_and_knows_its_determinant(features):
    flow = random_flow(features)
    x = 2 * torch.randn(20, features)
    z, log_det = flow(x)
    assert not torch.allclose(z, x, atol=0.1)
    assert torch.allclose(flow.inverse(z), x, atol=1e-5)
    for row, expected in zip(x[:5], log_det[:5]):
        jacobian = torch.autograd.functional.jacobian(lambda v: flow(v[None])[0][0], row)
        assert torch.linalg.slogdet(jacobian).logabsdet.item() == pytest.approx(expected.item(), abs=1e-4)


def test_flow_is_a_density():
    flow = random_flow(2)
    line = torch.linspace(-12, 12, 481)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        assert flow.log_prob(grid).exp().sum().item() * 0.05**2 == pytest.approx(1, abs=0.01)


def test_samples_of_the_flow_follow_its_density():
    flow = random_flow(2)
    x = flow.sample(20_000)
    line = torch.linspace(-12, 12, 481)
    grid = torch.cartesian_prod(line, line)
    with torch.no_grad():
        mean = (flow.log_prob(grid).exp()[:, None] * grid).sum(0) * 0.05**2
    assert torch.allclose(x.mean(0), mean, atol=0.05 * x.std().item())


def test_flow_starts_as_the_identity_and_alternates():
    x = torch.randn(4, 3)
    assert torch.equal(RealNVP(3, 8, 2)(x)[0], x)
    changed = [(random_flow(3, layers)(x)[0] != x).any(0).tolist() for layers in (1, 2)]
    assert changed == [[False, True, True], [True, True, True]]
    with pytest.raises(ValueError, match="at least 2 features, not 1"):
        AffineCoupling(1, 8, False)


def test_flow_learns_a_bent_density():
    u = torch.randn(256, 2)
    x = torch.stack([u[:, 0], u[:, 0] ** 2 + 0.3 * u[:, 1]], 1)
    flow = RealNVP(2, 16, 4)
    first, last = train_down([flow], lambda: -flow.log_prob(x).mean(), steps=200, rate=1e-2)
    truth = math.log(2 * math.pi) + math.log(0.3) + 1  # entropy of the data
    assert first > truth + 0.8 and last < truth + 0.3


# -- diffusion


SCHEDULES = [linear_betas(100, 1e-3, 0.1), cosine_betas(50)]


@pytest.mark.parametrize("betas", SCHEDULES)
def test_noising_in_one_go_has_the_moments_of_noising_step_by_step(betas):
    process, start = Diffusion(betas), torch.full((100_000, 1), 1.7)
    x, last = start.clone(), len(betas) // 2
    for beta in betas[: last + 1].float():
        x = (1 - beta).sqrt() * x + beta.sqrt() * torch.randn_like(x)
    step = torch.full((len(start),), last)
    direct = process.noised(start, step, torch.randn_like(start))
    alpha_bar = torch.prod(1 - betas[: last + 1]).item()
    for draws in (x, direct):
        assert draws.mean().item() == pytest.approx(math.sqrt(alpha_bar) * 1.7, abs=0.01)
        assert draws.var().item() == pytest.approx(1 - alpha_bar, rel=0.02)


@pytest.mark.parametrize("betas", SCHEDULES)
def test_posterior_is_that_of_bayes(betas):
    """q(x_{t-1} | x_t, x_0) from the product of q(x_t | x_{t-1}) and q(x_{t-1} | x_0) on a fine grid."""
    process, x0, xt = Diffusion(betas), torch.tensor([[0.8]]), torch.tensor([[-0.4]])
    for number in (1, 7, len(betas) - 2):
        before = torch.prod(1 - betas[:number])
        line = torch.linspace(-8, 8, 160_001, dtype=torch.float64)
        forward = torch.distributions.Normal((1 - betas[number]).sqrt() * line, betas[number].sqrt())
        prior = torch.distributions.Normal(before.sqrt() * x0[0, 0].double(), (1 - before).sqrt())
        density = forward.log_prob(xt[0, 0].double()) + prior.log_prob(line)
        weight = (density - density.max()).exp()
        weight = weight / weight.sum()
        mean = (weight * line).sum()
        mine, variance = process.posterior(x0, xt, torch.tensor([number]))
        assert mine.item() == pytest.approx(mean.item(), abs=1e-4)
        assert variance.item() == pytest.approx((weight * (line - mean) ** 2).sum().item(), rel=1e-3)


def test_posterior_of_the_first_step_is_the_data():
    process, x0 = Diffusion(linear_betas(1000)), torch.randn(4, 3)
    mean, variance = process.posterior(x0, torch.randn(4, 3), torch.zeros(4, dtype=torch.long))
    assert torch.allclose(mean, x0, atol=1e-6) and not variance.any()


def test_noise_and_data_determine_each_other():
    process, x, noise = Diffusion(linear_betas(1000)), torch.randn(5, 2, 3), torch.randn(5, 2, 3)
    step = torch.tensor([0, 1, 100, 500, 999])
    assert torch.allclose(process.data(process.noised(x, step, noise), step, noise), x, atol=1e-3)


def ideal(process, mean, deviation):
    """The best denoiser for normal data: E[noise | x_t], which is linear."""

    def denoiser(x, step):
        signal, noise = process.signal[step][:, None], process.noise[step][:, None]
        return noise * (x - signal * mean) / (signal**2 * deviation**2 + noise**2)

    return denoiser


@pytest.mark.parametrize("betas", [linear_betas(1000), cosine_betas(200)])
def test_sampling_with_the_ideal_denoiser_gives_the_data(betas):
    process = Diffusion(betas)
    denoiser = ideal(process, 1.5, 0.5)
    for draws in (process.sample(denoiser, (20_000, 1)), process.sample_ddim(denoiser, (20_000, 1), 100)):
        assert draws.mean().item() == pytest.approx(1.5, abs=0.03)
        assert draws.std().item() == pytest.approx(0.5, rel=0.05)


def test_ddim_is_deterministic_given_its_start():
    process = Diffusion(cosine_betas(50))
    torch.manual_seed(0)
    one = process.sample_ddim(ideal(process, 0.0, 1.0), (6, 1), 10)
    torch.manual_seed(0)
    start = torch.randn(6, 1)
    assert torch.equal(one.argsort(0), start.argsort(0))  # a map of the line without noise keeps the order
    for steps in (0, 51):
        with pytest.raises(ValueError, match=f"between 1 and 50, not {steps}"):
            process.sample_ddim(ideal(process, 0.0, 1.0), (6, 1), steps)


def test_a_limit_keeps_samples_in_the_range_of_the_data():
    process = Diffusion(cosine_betas(20))

    def wrong(x, step):
        return ideal(process, 0.0, 0.5)(x, step) + 0.3  # an error that the noisiest steps multiply

    for sample, steps in ((process.sample, ()), (process.sample_ddim, (5,))):
        assert sample(wrong, (200, 1), *steps, limit=1.0).abs().max() <= 1
        assert sample(wrong, (200, 1), *steps).abs().max() > 1


def test_the_ideal_noise_is_the_score():
    """-sqrt(1 - alpha_bar) times the gradient of the log-density of x_t (Song et al. 2021)."""
    process, x, step = Diffusion(linear_betas(100)), torch.randn(5, 1, requires_grad=True), torch.full((5,), 30)
    signal, noise = process.signal[30], process.noise[30]
    log_density = torch.distributions.Normal(signal * 1.5, (signal**2 * 0.25 + noise**2).sqrt()).log_prob(x)
    (score,) = torch.autograd.grad(log_density.sum(), x)
    assert torch.allclose(ideal(process, 1.5, 0.5)(x, step), -noise * score, atol=1e-5)


def test_schedules():
    linear, cosine = linear_betas(1000), cosine_betas(1000)
    assert (linear[0].item(), linear[-1].item()) == pytest.approx((1e-4, 0.02))
    assert torch.prod(1 - linear).item() == pytest.approx(4.04e-5, rel=0.01)
    assert torch.prod(1 - linear_betas(100)).item() > 0.3  # too short for these betas: signal is left
    assert torch.prod(1 - cosine_betas(100)).item() < 1e-3
    assert cosine.max() <= 0.999 and (cosine.diff() >= 0).all()
    for bad in (torch.tensor([0.1, 1.0]), torch.tensor([0.0, 0.1]), torch.tensor([0.1, math.nan])):
        with pytest.raises(ValueError, match="strictly between 0 and 1"):
            Diffusion(bad)


def test_diffusion_learns_two_points():
    process, x = Diffusion(cosine_betas(40)), torch.tensor([[-1.0], [1.0]]).repeat(64, 1)
    denoiser = DenoiserMLP(1, 32)
    first, _ = train_down([denoiser], lambda: process.loss(denoiser, x), steps=300, rate=1e-2)
    with torch.no_grad():
        last = sum(process.loss(denoiser, x).item() for _ in range(20)) / 20
    assert last < 0.5 * first
    draws = process.sample(denoiser, (400, 1))
    assert ((draws.abs() - 1).abs() < 0.3).float().mean() > 0.9
    assert 0.3 < (draws > 0).float().mean() < 0.7


# -- adversarial


def test_losses_are_binary_cross_entropy():
    real, fake, bce = torch.randn(6, 1), torch.randn(6, 1), nn.BCEWithLogitsLoss()
    expected = bce(real, torch.ones(6, 1)) + bce(fake, torch.zeros(6, 1))
    assert discriminator_loss(real, fake).item() == pytest.approx(expected.item())
    assert generator_loss(fake).item() == pytest.approx(bce(fake, torch.ones(6, 1)).item())
    assert discriminator_loss(torch.zeros(3), torch.zeros(3)).item() == pytest.approx(2 * math.log(2))


def test_the_generators_gradient_does_not_vanish_when_the_discriminator_wins():
    logit = torch.tensor([-20.0], requires_grad=True)
    (ours,) = torch.autograd.grad(generator_loss(logit), logit)
    (minimax,) = torch.autograd.grad(-nn.functional.softplus(logit).mean(), logit)  # log(1 - sigmoid)
    assert ours.item() == pytest.approx(-1) and abs(minimax.item()) < 1e-8
    assert generator_loss(torch.tensor([-1000.0])).item() == 1000  # log(sigmoid) in two steps would be infinite


def test_r1_penalty_of_a_linear_discriminator_is_the_squared_norm_of_its_weights():
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(6, 1))
    penalty = r1_penalty(discriminator, torch.randn(5, 2, 3))
    assert penalty.item() == pytest.approx(discriminator[1].weight.square().sum().item(), rel=1e-5)
    penalty.backward()
    assert torch.allclose(discriminator[1].weight.grad, 2 * discriminator[1].weight, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_one_step_moves_each_network_in_its_own_direction(penalty):
    generator, discriminator = nn.Linear(2, 1), nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    rates = [torch.optim.SGD(net.parameters(), lr=1e-2) for net in (generator, discriminator)]
    real, noise = torch.randn(64, 1) + 3, torch.randn(64, 2)
    fake = generator(noise).detach()
    old_d = discriminator_loss(discriminator(real), discriminator(fake)).item()
    old_penalty = r1_penalty(discriminator, real).item()
    loss_d, loss_g = train_step(generator, discriminator, *rates, real, noise, penalty)
    assert loss_d.item() == pytest.approx(old_d + penalty / 2 * old_penalty)
    if not penalty:
        assert discriminator_loss(discriminator(real), discriminator(fake)).item() < old_d
    assert generator_loss(discriminator(generator(noise))).item() < loss_g.item()
    assert not loss_d.requires_grad and not loss_g.requires_grad


def test_the_discriminators_step_follows_its_own_loss_alone():
    generator, discriminator = nn.Linear(2, 1), nn.Linear(1, 1)
    frozen = torch.optim.SGD(generator.parameters(), lr=0.0)
    learning = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    real, noise = torch.randn(8, 1), torch.randn(8, 2)
    fake = generator(noise).detach()
    for _ in range(2):  # the second step finds gradients that the generator's loss left in the discriminator
        clone = nn.Linear(1, 1)
        clone.load_state_dict(discriminator.state_dict())
        discriminator_loss(clone(real), clone(fake)).backward()
        train_step(generator, discriminator, frozen, learning, real, noise)
        assert torch.allclose(discriminator.weight, clone.weight - 0.1 * clone.weight.grad)


def test_adversarial_training_finds_the_mean():
    generator = nn.Linear(1, 1)
    discriminator = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    optimizers = [torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.5, 0.9)) for net in (generator, discriminator)]
    for _ in range(500):
        train_step(generator, discriminator, *optimizers, torch.randn(64, 1) + 2, torch.randn(64, 1), penalty=0.1)
    with torch.no_grad():
        assert generator(torch.randn(2000, 1)).mean().item() == pytest.approx(2, abs=0.4)
