"""A target in PyTorch. Replace what the comments name; keep the keys."""

import torch
from sklearn.datasets import load_digits
from torch import nn


def build() -> dict:
    torch.manual_seed(0)
    # your model; for trained weights: model.load_state_dict(torch.load(path, weights_only=True))
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.1), nn.Linear(128, 10))
    for module in model:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    nn.init.xavier_normal_(model[-1].weight, gain=0.1)  # logits start near zero, so the loss starts near ln(10)
    # your data: one real batch, preprocessed exactly as in training
    digits = load_digits()
    inputs = torch.tensor(digits.data[:128] / 16.0, dtype=torch.float32)
    targets = torch.tensor(digits.target[:128])
    return {
        "model": model,
        "batch": (inputs, targets),
        "loss_fn": nn.functional.cross_entropy,
        "optimizer": torch.optim.Adam(model.parameters(), lr=1e-3),
        "num_classes": 10,
        "properties": {"batch_independent": True},
    }
