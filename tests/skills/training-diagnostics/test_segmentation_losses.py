"""The segmentation losses against values worked out by hand, against autograd, and against cross-entropy."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

ASSET = Path(__file__).resolve().parents[3] / "skills/training-diagnostics/assets/segmentation_losses.py"
spec = importlib.util.spec_from_file_location("segmentation_losses", ASSET)
losses = importlib.util.module_from_spec(spec)
spec.loader.exec_module(losses)


def logit(p):
    return math.log(p / (1 - p))


@pytest.mark.parametrize(
    ("p", "target", "weight"),
    [
        (0.01, 0, 0.75 * 0.01**2),  # easy background hardly counts
        (0.99, 0, 0.75 * 0.99**2),  # confidently wrong background counts most
        (0.99, 1, 0.25 * 0.01**2),
        (0.01, 1, 0.25 * 0.99**2),
    ],
)
def test_focal_weighs_by_the_probability_of_the_own_class(p, target, weight):
    own = p if target else 1 - p
    value = losses.focal_loss(torch.tensor([[logit(p)]], dtype=torch.float64), torch.tensor([[float(target)]]))
    assert value.item() == pytest.approx(weight * -math.log(own), rel=1e-9)


def test_focal_without_focus_is_cross_entropy():
    torch.manual_seed(0)
    logits, targets = torch.randn(3, 5, 5), (torch.rand(3, 5, 5) < 0.2).float()
    expected = F.binary_cross_entropy_with_logits(logits, targets)
    torch.testing.assert_close(losses.focal_loss(logits, targets, gamma=0.0, alpha=None), expected)


def test_focal_is_finite_where_the_sigmoid_saturates():
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    value = losses.focal_loss(logits, torch.tensor([[0.0, 1.0]]), alpha=None)
    value.backward()
    assert value.item() == pytest.approx(200.0)
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", [losses.soft_dice_loss, losses.focal_loss])
def test_gradients_agree_with_differences(loss):
    torch.manual_seed(0)
    logits = torch.randn(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    targets = (torch.rand(2, 1, 3, 3) < 0.3).double()
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), (logits,))


@pytest.mark.parametrize("loss", [losses.soft_dice_loss, losses.focal_loss])
def test_a_better_prediction_has_a_lower_loss(loss):
    targets = torch.zeros(1, 8, 8)
    targets[:, 2:4, 2:4] = 1
    values = [loss(scale * (2 * targets - 1), targets).item() for scale in (-4.0, 0.0, 4.0, 20.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 1e-6


def test_soft_dice_is_per_case_and_uses_the_sum_of_sizes():
    targets = torch.tensor([[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    logits = torch.tensor([[60.0, -60.0, -60.0, -60.0], [60.0, 60.0, 60.0, 60.0]])
    # without smoothing: 2*1/(1+2) and 2*1/(4+1)
    assert losses.soft_dice_loss(logits, targets, smooth=0.0).item() == pytest.approx(1 - (2 / 3 + 2 / 5) / 2)


def test_soft_dice_of_an_empty_mask_is_defined():
    empty = torch.zeros(1, 16)
    assert losses.soft_dice_loss(torch.full((1, 16), -60.0), empty).item() == pytest.approx(0.0, abs=1e-6)
    assert losses.soft_dice_loss(torch.full((1, 16), 60.0), empty).item() == pytest.approx(16 / 17)


def test_dice_per_case_with_empty_masks():
    targets = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]])
    predictions = torch.tensor([[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    torch.testing.assert_close(losses.dice_per_case(predictions, targets), torch.tensor([2 / 3, 1.0, 0.0, 0.0]))


@pytest.mark.parametrize("function", [losses.soft_dice_loss, losses.focal_loss, losses.dice_per_case])
def test_unusable_input_is_named(function):
    with pytest.raises(ValueError, match="must have one shape"):
        function(torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match="divide 0/255 masks by 255"):
        function(torch.zeros(1, 4), torch.full((1, 4), 255.0))


def test_focal_refuses_soft_labels():
    with pytest.raises(ValueError, match="exactly 0 or 1"):
        losses.focal_loss(torch.zeros(1, 4), torch.full((1, 4), 0.3))
