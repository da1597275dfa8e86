"""Models for the tests of export_check: sound ones, and ones with a planted fault each."""

import torch
from torch import nn

F = nn.functional


class Cnn(nn.Module):
    def __init__(self, dropout=0.0):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4 * 36, 3)

    def forward(self, image):
        return self.head(self.dropout(self.features(image).flatten(1)))


class TokenModel(nn.Module):
    """Embedding, attention with a padding mask, mean over the real tokens."""

    def __init__(self, longest=64):
        super().__init__()
        self.embed = nn.Embedding(11, 8)
        self.place = nn.Parameter(torch.randn(longest, 8))
        self.query, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, tokens, mask):
        x = self.embed(tokens) + self.place[: tokens.shape[1]]
        x = F.scaled_dot_product_attention(
            self.query(x)[:, None], x[:, None], x[:, None], attn_mask=self.allowed(mask)
        )[:, 0]
        return self.head((x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1))

    def allowed(self, mask):
        # a row of -inf only gives NaN in ONNX Runtime and zeros in PyTorch
        return torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)[:, None, None, :]


class SafeTokenModel(TokenModel):
    def allowed(self, mask):
        return mask[:, None, None, :] | ~mask.any(1)[:, None, None, None]


class Attention3d(nn.Module):
    """PyTorch takes attention of three axes, the exporter to ONNX of four only."""

    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x)


class Small(nn.Module):
    """A linear layer with something done to its input or output."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 3)
        self.register_buffer("count", torch.zeros(8))
        self.calls = 0


class BakedReshape(Small):
    def forward(self, x):
        return self.linear(x.reshape(4, 2, 4).reshape(4, 8))


class BakedInt(Small):
    def forward(self, x):
        return self.linear(x) * int(x.shape[0])


class Branch(Small):
    def forward(self, x):
        y = self.linear(x)
        if y.sum() > 0:
            return y
        return -y


class Unsupported(Small):
    def forward(self, x):
        return torch.linalg.eigvalsh(x.T @ x) + self.linear(x).sum()


class NoTensor(Small):
    def forward(self, x):
        return self.linear(torch.from_numpy(x.numpy() * 2))


class AlwaysDropout(Small):
    def forward(self, x):
        return self.linear(F.dropout(x, 0.5))


class Noise(Small):
    def forward(self, x):
        return self.linear(x + torch.randn_like(x))


class Buffer(Small):
    def forward(self, x):
        self.count.add_(1)
        return self.linear(x + self.count)


class Counter(Small):
    def forward(self, x):
        self.calls += 1
        return self.linear(x) * self.calls


class OtherWhenExported(Small):
    def forward(self, x):
        y = self.linear(x)
        return torch.tanh(y) if torch.compiler.is_exporting() else y


class NarrowWhenExported(Small):
    def forward(self, x):
        y = self.linear(x)
        return y.half() if torch.compiler.is_exporting() else y


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        return {"classes": self.head(self.lstm(x)[0][:, -1])}


class Square(nn.Module):
    """Two axes of one input that must be equal, and an input whose batch axis nothing ties to the other's."""

    def forward(self, pairs, scale):
        return (pairs @ pairs).sum(2), scale * 2


class Ragged(nn.Module):
    """The sign of NaN is 0 in PyTorch and NaN in ONNX: they part at one node, on negative inputs only."""

    def forward(self, x):
        return torch.sign(torch.log(x)) + x


def given(model, inputs, targets=None):
    size = (
        inputs[0] if isinstance(inputs, tuple) else next(iter(inputs.values())) if isinstance(inputs, dict) else inputs
    ).shape[0]
    targets = torch.zeros(size, dtype=torch.long) if targets is None else targets
    return {"model": model, "batch": (inputs, targets), "loss_fn": F.cross_entropy}


def images(size=4):
    torch.manual_seed(1)
    return torch.randn(size, 1, 6, 6)


def tokens():
    torch.manual_seed(1)
    lengths = torch.tensor([5, 3, 7])
    return {"tokens": torch.randint(11, (3, 7)), "mask": torch.arange(7) < lengths[:, None]}


def cnn():
    torch.manual_seed(0)
    return given(Cnn().eval(), images())


def forgotten_eval():
    torch.manual_seed(0)
    return given(Cnn(dropout=0.3), images())
