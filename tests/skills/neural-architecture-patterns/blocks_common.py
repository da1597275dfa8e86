"""What the tests of the reference blocks share."""

import sys
from pathlib import Path

import pytest
import torch

BLOCKS = Path(__file__).resolve().parents[3] / "skills/neural-architecture-patterns/assets/blocks"
sys.path.insert(0, str(BLOCKS))


@pytest.fixture(autouse=True)
def seeded():
    """One thread, the same seed for every test, and the state of before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
    torch.set_num_threads(before)


def parameters(module):
    return sum(p.numel() for p in module.parameters())


def train_down(modules, loss_of, steps=60, rate=3e-3):
    """First and last loss of a training on one batch; every parameter must get a gradient."""
    weights = [p for module in modules for p in module.parameters()]
    optimizer = torch.optim.Adam(weights, lr=rate)
    losses = []
    for _ in range(steps):
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in weights)
    return losses[0], losses[-1]
