"""Digits and small trained networks for the tests of quantize_compare."""

import copy

import torch
from sklearn.datasets import load_digits
from torch import nn

F = nn.functional
DIGITS = load_digits()
IMAGES = torch.tensor(DIGITS.data / 16.0, dtype=torch.float32)
LABELS = torch.tensor(DIGITS.target)
TRAINING = 1200


def trained(model, inputs, epochs):
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(epochs):
        for index in torch.randperm(TRAINING).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs[index]), LABELS[index]).backward()
            optimizer.step()
    return model.eval()


def cnn():
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return trained(
        nn.Sequential(*layers, nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10)), IMAGES.view(-1, 1, 8, 8), 6
    )


def mlp():
    torch.manual_seed(0)
    return trained(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), IMAGES, 12)


def with_outlier(model, factor=3000.0):
    """A unit that never fires, with weights far larger than all others: nothing changes in fp32."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        changed[0].weight[5] *= factor
        changed[0].bias[5] = -10 * changed[0].weight[5].abs().sum()
        changed[2].weight[:, 5] = 0
    return changed


def given(model, inputs, examples=None):
    held = slice(TRAINING, TRAINING + examples if examples else None)
    return {
        "model": model,
        "batch": (inputs[:32], LABELS[:32]),
        "loss_fn": F.cross_entropy,
        "evaluation": (inputs[held], LABELS[held]),
        "calibration": inputs[:256],
    }
