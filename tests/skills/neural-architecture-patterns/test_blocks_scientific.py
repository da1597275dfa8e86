"""Neural ODE, physics-informed and operator blocks, against exact solutions and on two grids."""

import itertools
import math

import pytest
import torch
from blocks_common import seeded, train_down  # noqa: F401
from torch import nn

from neural_ode import NeuralODE, solve  # isort: skip
from operators import FNO, DeepONet, SpectralConv  # isort: skip
from pinn import SmoothMLP, WithConditions, partial  # isort: skip

# -- neural ODE


def oscillator(time, state):
    return torch.stack([state[:, 1], -state[:, 0]], 1)


def turned(angle):
    return torch.tensor([[math.cos(angle), -math.sin(angle)]], dtype=torch.float64)


START = torch.tensor([[1.0, 0.0]], dtype=torch.float64)


def test_solver_has_order_four():
    errors = []
    for substeps in (5, 10, 20):
        end = solve(oscillator, START, torch.tensor([0.0, 2.0], dtype=torch.float64), substeps)[-1]
        errors.append((end - turned(2.0)).norm().item())
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert orders == pytest.approx([4, 4], abs=0.15)


def test_solver_is_exact_for_a_cubic_in_time_and_goes_backward():
    times = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
    for substeps in (1, 3):
        zero = torch.zeros(1, 1, dtype=torch.float64)
        states = solve(lambda time, state: (4 * time**3).expand_as(state), zero, times, substeps)
        assert torch.allclose(states[:, 0, 0], times**4)
    forward = solve(oscillator, START, torch.linspace(0, 2, 21, dtype=torch.float64))
    back = solve(oscillator, forward[-1], torch.linspace(2, 0, 21, dtype=torch.float64))
    assert torch.allclose(back[-1], START, atol=1e-5)
    assert torch.equal(forward[0], START)
    with pytest.raises(ValueError, match="substeps must be at least 1, not 0"):
        solve(oscillator, START, times, 0)


def test_gradients_through_the_solver_are_those_of_the_exact_solution():
    rate = torch.tensor(-0.7, dtype=torch.float64, requires_grad=True)
    span, start = torch.tensor([0.0, 1.5], dtype=torch.float64), torch.tensor([[2.0]], dtype=torch.float64)
    end = solve(lambda time, state: rate * state, start, span, 50)[-1]
    (gradient,) = torch.autograd.grad(end.sum(), rate)
    assert gradient.item() == pytest.approx(2 * 1.5 * math.exp(-0.7 * 1.5), rel=1e-6)
    net, times = NeuralODE(2, 4).double(), torch.linspace(0, 1, 4, dtype=torch.float64)
    names, weights = zip(*net.named_parameters())
    assert torch.autograd.gradcheck(
        lambda *w: torch.func.functional_call(net, dict(zip(names, w)), (START, times)), weights
    )


@pytest.mark.parametrize("known", [None, lambda time, state: torch.stack([state[:, 1], 0 * state[:, 0]], 1)])
def test_neural_ode_learns_an_oscillator(known):
    times = torch.linspace(0, 3, 16)
    exact = torch.stack([turned(t.item())[0].float() for t in times])[:, None]
    net = NeuralODE(2, 16, known)
    first, last = train_down([net], lambda: nn.functional.mse_loss(net(START.float(), times), exact), 120, 2e-2)
    assert last < 0.05 * first


# -- physics-informed


def columns(count=40):
    return [torch.rand(count, 1, dtype=torch.float64, requires_grad=True) for _ in range(2)]


def test_derivatives_by_autograd_are_the_analytic_ones():
    x, t = columns()
    u = torch.sin(math.pi * x) * torch.exp(-0.1 * math.pi**2 * t)
    assert torch.allclose(partial(u, x), math.pi * torch.cos(math.pi * x) * torch.exp(-0.1 * math.pi**2 * t))
    assert (partial(u, t) - 0.1 * partial(u, x, x)).abs().max() < 1e-12  # it solves the heat equation
    u = x**3 * t**2
    for by, expected in (((x, t), 6 * x**2 * t), ((x, x, t, t), 12 * x), ((x, x, x, x), 0 * x), ((t, t, t), 0 * x)):
        assert torch.allclose(partial(u, *by), expected)
    assert not partial(x.square(), t).any()


def test_residual_of_a_network_equals_differences():
    net = SmoothMLP(2).double()
    x, t = columns(5)
    residual = partial(net(x, t), t) + net(x, t) * partial(net(x, t), x) - 0.01 * partial(net(x, t), x, x)  # Burgers
    e, u = 1e-4, net(x, t)
    right, left = net(x + e, t), net(x - e, t)
    u_t = (net(x, t + e) - net(x, t - e)) / (2 * e)
    expected = u_t + u * (right - left) / (2 * e) - 0.01 * (right - 2 * u + left) / e**2
    assert torch.allclose(residual, expected, atol=1e-5)


def test_a_relu_network_has_no_second_derivative():
    x, _ = columns()
    relu = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    assert not partial(relu(x), x, x).any() and partial(SmoothMLP(1).double()(x), x, x).any()


def heat():
    return WithConditions(
        SmoothMLP(2), base=lambda x, t: torch.sin(math.pi * x), envelope=lambda x, t: t * x * (1 - x)
    )


def test_built_in_conditions_hold_without_training():
    u, line, zeros = heat(), torch.rand(9, 1), torch.zeros(9, 1)
    assert torch.allclose(u(line, zeros), torch.sin(math.pi * line))
    assert u(zeros, line).abs().max() < 1e-6 and u(zeros + 1, line).abs().max() < 1e-6
    assert (u(line, line) - torch.sin(math.pi * line)).abs().max() > 1e-3


def test_physics_informed_network_approaches_the_exact_solution():
    u = heat()
    x, t = torch.rand(128, 1, requires_grad=True), torch.rand(128, 1, requires_grad=True)
    exact = torch.sin(math.pi * x) * torch.exp(-0.1 * math.pi**2 * t)

    def loss():
        value = u(x, t)
        return (partial(value, t) - 0.1 * partial(value, x, x)).square().mean()

    before = (u(x, t) - exact).norm() / exact.norm()
    first, last = train_down([u], loss, steps=200, rate=1e-2)
    assert last < 0.05 * first
    assert (u(x, t) - exact).norm() / exact.norm() < 0.1 * before


# -- operators


def field(points, axes=1):
    """A function with few frequencies, on a periodic grid of that many points per axis: (1, 1, *grid)."""
    line = torch.arange(points) / points * 2 * math.pi
    if axes == 1:
        return (torch.sin(line) + 0.5 * torch.cos(3 * line + 1))[None, None]
    x, y = torch.meshgrid(line, line, indexing="ij")
    return (torch.sin(x - 2 * y) + 0.5 * torch.cos(3 * x + y) + 0.3 * torch.sin(2 * y))[None, None]


@pytest.mark.parametrize(("axes", "coarse", "fine"), [(1, 16, 64), (1, 15, 60), (2, 12, 36), (2, 11, 33)])
@torch.no_grad()
def test_spectral_layer_is_the_same_operator_on_every_grid(axes, coarse, fine):
    layer, every = SpectralConv(1, 3, (5,) * axes), fine // coarse
    on_fine = layer(field(fine, axes))[(..., *[slice(None, None, every)] * axes)]
    assert torch.allclose(layer(field(coarse, axes)), on_fine, atol=1e-5)
    assert on_fine.abs().max() > 0.1


@torch.no_grad()
def test_fno_on_a_finer_grid_gives_the_same_function():
    model, outputs = FNO(1, 2, 8, (5,)), {}
    for points in (32, 64, 128, 256):
        outputs[points] = model(field(points))[..., :: points // 32]
    gaps = [(outputs[points] - outputs[256]).abs().max().item() for points in (32, 64, 128)]
    # not exact: GELU makes frequencies that a coarse grid cannot hold
    assert gaps[0] < 1e-2 * outputs[256].abs().max() and gaps[2] < 1e-5
    assert FNO(1, 2, 8, (4, 4))(field(20, 2)).shape == (1, 2, 20, 20)


@torch.no_grad()
def test_spectral_layer_commutes_with_shifts_and_drops_high_frequencies():
    layer, x = SpectralConv(2, 3, (5,)), torch.randn(2, 2, 32)
    assert torch.allclose(layer(x.roll(7, -1)), layer(x).roll(7, -1), atol=1e-5)
    high = torch.cos(9 * torch.arange(32) / 32 * 2 * math.pi).expand(1, 2, -1)
    assert layer(high).abs().max() < 1e-5


@torch.no_grad()
def test_spectral_layer_can_differentiate():
    layer, line = SpectralConv(1, 1, (5,)), torch.arange(32) / 32 * 2 * math.pi
    layer.weight.zero_()
    layer.weight[0, 0, :, 1] = torch.arange(5)  # times i k
    derivative = torch.cos(line) - 1.5 * torch.sin(3 * line + 1)
    assert torch.allclose(layer(field(32))[0, 0], derivative, atol=1e-5)
    layer = SpectralConv(1, 1, (4, 4))
    layer.weight.zero_()
    layer.weight[0, 0, :, :, 1] = torch.tensor([0.0, 1, 2, 3, -4, -3, -2, -1])[:, None]  # negative ones at the end
    x, y = torch.meshgrid(line, line, indexing="ij")
    derivative = torch.cos(x - 2 * y) - 1.5 * torch.sin(3 * x + y)
    assert torch.allclose(layer(field(32, 2))[0, 0], derivative, atol=1e-5)


@torch.no_grad()
def test_spectral_layer_keeps_the_variance_of_the_modes():
    layer = SpectralConv(32, 32, (17,))
    x = SpectralConv(32, 32, (16,))(torch.randn(64, 32, 35))
    assert (layer(x).var() / x.var()).item() == pytest.approx(1, abs=0.15)


def test_grids_that_are_too_coarse_are_refused():
    with pytest.raises(ValueError, match=r"a grid \(9, 20\) does not hold \(5, 5\) modes"):
        SpectralConv(1, 1, (5, 5))(torch.randn(1, 1, 9, 20))
    with pytest.raises(ValueError, match="does not hold"):
        SpectralConv(1, 1, (2, 2))(torch.randn(1, 1, 20))


def test_fno_learns_the_derivative_and_keeps_it_on_another_grid():
    def pairs(points):
        line = torch.arange(points) / points * 2 * math.pi
        draw = torch.Generator().manual_seed(1)
        a, b = torch.randn(16, 4, 1, generator=draw), torch.randn(16, 4, 1, generator=draw)
        k = torch.arange(1, 5)[:, None]
        value = (a * torch.sin(k * line) + b * torch.cos(k * line)).sum(1, keepdim=True)
        return value, (k * (a * torch.cos(k * line) - b * torch.sin(k * line))).sum(1, keepdim=True)

    model, (x, y) = FNO(1, 1, 8, (6,), layers=2), pairs(32)
    first, last = train_down([model], lambda: nn.functional.mse_loss(model(x), y), steps=200, rate=1e-2)
    assert last < 0.02 * first
    x, y = pairs(96)
    assert nn.functional.mse_loss(model(x), y).item() < 2 * last


def test_deeponet_takes_any_places_and_learns_the_integral():
    sensors = torch.linspace(0, 1, 20)
    a = torch.randn(32, 3, 1)
    k = torch.arange(1, 4)[:, None]
    values = (a * torch.cos(k * sensors)).sum(1)
    places = torch.rand(25, 1)
    integral = (a / k * torch.sin(k * places[:, 0])).sum(1)
    model = DeepONet(20, 1, 32, 16)
    first, last = train_down([model], lambda: nn.functional.mse_loss(model(values, places), integral), 300, 5e-3)
    assert last < 0.02 * first
    order = torch.randperm(25)
    assert torch.allclose(model(values, places[order]), model(values, places)[:, order], atol=1e-6)
    assert torch.allclose(model(values, places[:3]), model(values, places)[:, :3], atol=1e-6)
