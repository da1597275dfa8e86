"""Small PyTorch models that break one declared property, each with its right twin: `fault()` and `fault_right()`."""

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
BATCH, TIME, WIDTH, VOCABULARY = 4, 12, 16, 11


class Attention(nn.Module):
    """Self-attention with one head and a planted mistake, named by `kind`."""

    def __init__(self, kind="causal"):
        super().__init__()
        self.kind = kind
        self.qkv, self.project = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x, keep=None):
        time = x.shape[1]
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        scores = q @ k.transpose(1, 2) / WIDTH**0.5
        if self.kind == "causal":
            scores = scores.masked_fill(torch.ones(time, time).triu(1).bool(), -torch.inf)
        elif self.kind == "off by one":
            scores = scores.masked_fill(torch.ones(time, time).triu(2).bool(), -torch.inf)
        elif self.kind == "transposed":
            scores = scores.masked_fill(torch.ones(time, time).tril(-1).bool(), -torch.inf)
        elif self.kind == "not itself":
            scores = scores.masked_fill(torch.ones(time, time).triu(0).bool(), -1e9)
        elif self.kind == "after softmax":
            return self.project((scores.softmax(-1) * torch.ones(time, time).tril()) @ v)
        if keep is not None and self.kind != "mask ignored":
            hidden = keep[:, :, None] if self.kind == "mask on queries" else keep[:, None, :]
            scores = scores.masked_fill(~hidden, -1e9)
        return self.project(scores.softmax(-1) @ v)


class Block(nn.Module):
    def __init__(self, kind="causal", norm=nn.LayerNorm):
        super().__init__()
        self.norm, self.attention, self.mlp = norm(WIDTH), Attention(kind), nn.Linear(WIDTH, WIDTH)

    def forward(self, x, keep=None):
        x = x + self.attention(self.norm(x), keep)
        return x + F.gelu(self.mlp(x))


class BatchNormOverPositions(nn.Module):
    """Statistics of all positions of an example, as from a normalisation over the wrong axes."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.scale * (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-5)


class Tokens(nn.Module):
    """tokens (batch, time) -> logits (batch, time, vocabulary)."""

    def __init__(self, kind="causal", positions=True, norm=nn.LayerNorm, zero=False, pad=None):
        super().__init__()
        self.embed, self.head, self.pad = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, VOCABULARY), pad
        self.place = nn.Parameter(0.5 * torch.randn(TIME, WIDTH)) if positions else None
        self.block = Block(kind, norm)
        if zero:
            nn.init.zeros_(self.block.attention.project.weight)
            nn.init.zeros_(self.place)

    def forward(self, tokens):
        x = self.embed(tokens)
        if self.place is not None:
            x = x + self.place[: tokens.shape[1]]
        return self.head(self.block(x, None if self.pad is None else tokens != self.pad))


class Pooled(nn.Module):
    """features (batch, time, width) and a mask -> (batch, 3)."""

    def __init__(self, masked=True, kind="both", token=False):
        super().__init__()
        self.block, self.head, self.masked = Block(kind), nn.Linear(WIDTH, 3), masked

    def forward(self, x, mask):
        x = self.block(x, mask.bool())
        weight = mask.to(x.dtype)[:, :, None] if self.masked else torch.ones_like(x[:, :, :1])
        return self.head((x * weight).sum(1) / weight.sum(1))


class SetModel(nn.Module):
    def __init__(self, pool=False, placed=False):
        super().__init__()
        self.first, self.second, self.pool = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH), pool
        self.place = nn.Parameter(torch.randn(TIME, WIDTH)) if placed else None

    def forward(self, x):
        x = x if self.place is None else x + self.place
        x = F.relu(self.first(x) + x.mean(1, keepdim=True))
        return self.second(x).sum(1) if self.pool else self.second(x)


class Graph(nn.Module):
    """nodes (batch, n, width), adjacency (batch, n, n); `sorted_by_index` weights neighbours by their number."""

    def __init__(self, by_index=False):
        super().__init__()
        self.layer, self.by_index = nn.Linear(WIDTH, WIDTH), by_index

    def forward(self, nodes, adjacency):
        if self.by_index:
            adjacency = adjacency * torch.arange(nodes.shape[1])
        return self.layer(adjacency @ nodes) + nodes


class Mixing(nn.Module):
    """Examples mixed in the way that `kind` names."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.layer, self.norm = (
            kind,
            nn.Linear(WIDTH, WIDTH),
            nn.BatchNorm1d(WIDTH, track_running_stats=kind != "no statistics"),
        )

    def forward(self, x):
        h = self.layer(x)
        if self.kind == "reshape":
            h = h.reshape(TIME, BATCH, WIDTH).transpose(0, 1)
        elif self.kind == "axis 0":
            h = h - h.mean(0, keepdim=True)
        return self.norm(h.transpose(1, 2)).transpose(1, 2)


class UpcastNorm(nn.Module):
    """A normalisation that computes in float32 and, if wrong, stays there."""

    def __init__(self, back):
        super().__init__()
        self.scale, self.back = nn.Parameter(torch.ones(WIDTH)), back

    def forward(self, x):
        y = x.float() / x.float().pow(2).mean(-1, keepdim=True).sqrt() * self.scale.float()
        return y.to(x.dtype) if self.back else y


class Typed(nn.Module):
    def __init__(self, back):
        super().__init__()
        self.first, self.norm = nn.Linear(WIDTH, WIDTH), UpcastNorm(back)

    def forward(self, x):
        return self.norm(self.first(x))


class Noisy(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer, self.drop, self.kind = nn.Linear(WIDTH, WIDTH), nn.Dropout(0.3), kind

    def forward(self, x):
        x = self.layer(x)
        if self.kind == "right":
            return self.drop(x)
        return F.dropout(x, 0.3, training=True) if self.kind == "always" else x


class CircularPadding(nn.Module):
    """Convolutions with padding of zeros, whose effect must be kept out, and mean statistics of the whole map."""

    def __init__(self, stride=1, placed=False, flat=False, up=False):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(8, 4, 3, stride=stride, padding=1)
        self.place = nn.Parameter(torch.randn(4, 1, 16)) if placed else None
        self.up = up

    def forward(self, x):
        y = self.b(F.relu(self.a(x)))
        if self.up:
            y = F.interpolate(y, scale_factor=2, mode="nearest")
        return y if self.place is None else y + self.place * y


def tokens(low=0):
    return torch.randint(low, VOCABULARY, (BATCH, TIME), generator=torch.Generator().manual_seed(1))


def floats(*shape):
    return torch.randn(*shape or (BATCH, TIME, WIDTH), generator=torch.Generator().manual_seed(2))


def target(make, inputs, **properties):
    def build():
        torch.manual_seed(0)
        return {
            "model": make(),
            "batch": (inputs, torch.zeros(BATCH)),
            "loss_fn": lambda out, _: out.float().mean(),
            "properties": properties,
        }

    return build


def causal(kind, **options):
    return target(lambda: Tokens(kind, **options), tokens(), causal=True)


no_causal_mask, no_causal_mask_right = causal("none"), causal("causal")
mask_off_by_one = causal("off by one")
mask_transposed = causal("transposed")
mask_after_softmax = causal("after softmax")
first_row_sees_all = causal("not itself")
norm_over_positions = causal("causal", norm=BatchNormOverPositions)
leak_behind_zero = causal("none", zero=True)
leak_behind_zero_right = causal("causal", zero=True)
conv_both_ways = target(lambda: nn.Conv1d(WIDTH, WIDTH, 3, padding=1), floats(BATCH, WIDTH, TIME), causal={"axis": 2})
conv_both_ways_right = target(
    lambda: nn.Sequential(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(WIDTH, WIDTH, 3)),
    floats(BATCH, WIDTH, TIME),
    causal={"axis": 2},
)
transformer_without_positions = target(lambda: Tokens("none", positions=False), tokens(), permutation_equivariant=False)
transformer_without_positions_right = target(lambda: Tokens("none", zero=True), tokens(), permutation_equivariant=False)

mask = torch.ones(BATCH, TIME, dtype=torch.bool)
MASKED = {"x": floats(), "mask": mask}
mask_on_queries = target(lambda: Pooled(kind="mask on queries"), MASKED, padding_mask="mask")
mask_on_queries_right = target(lambda: Pooled(), MASKED, padding_mask="mask")
mask_not_passed_on = target(lambda: Pooled(kind="mask ignored"), MASKED, padding_mask="mask")
mean_over_padding = target(lambda: Pooled(masked=False), MASKED, padding_mask="mask")
mask_reversed = target(lambda: Pooled(), {"x": floats(), "mask": mask}, padding_mask={"input": "mask", "marks": "real"})
pad_token_seen = target(lambda: Tokens("both"), tokens(), padding_mask={"token": 0})
pad_token_seen_right = target(lambda: Tokens("both", pad=0), tokens(), padding_mask={"token": 0})
causal_pad_token_seen = target(lambda: Tokens("causal"), tokens(), padding_mask=True)

placed_set = target(lambda: SetModel(placed=True), floats(), permutation_equivariant=True)
placed_set_right = target(lambda: SetModel(), floats(), permutation_equivariant=True)
placed_pool = target(lambda: SetModel(pool=True, placed=True), floats(), permutation_invariant=True)
placed_pool_right = target(lambda: SetModel(pool=True), floats(), permutation_invariant=True)
GRAPH = {"nodes": floats(), "adjacency": (floats(BATCH, TIME, TIME) > 0.5).float()}
graph_by_index = target(lambda: Graph(by_index=True), GRAPH, permutation_equivariant=True)
graph_by_index_right = target(lambda: Graph(), GRAPH, permutation_equivariant=True)

reshape_across_batch = target(lambda: Mixing("reshape"), floats(), batch_independent=True)
reshape_across_batch_right = target(lambda: Mixing("right"), floats(), batch_independent=True)
mean_over_batch = target(lambda: Mixing("axis 0"), floats(), batch_independent=True)
batch_norm_without_statistics = target(lambda: Mixing("no statistics"), floats(), batch_independent=True)
batch_norm_declared_independent = target(lambda: Mixing("right"), floats(), batch_independent={"train": True})

norm_stays_in_float32 = target(lambda: Typed(False).to(torch.bfloat16), floats().to(torch.bfloat16), dtype="bfloat16")
norm_stays_in_float32_right = target(
    lambda: Typed(True).to(torch.bfloat16), floats().to(torch.bfloat16), dtype="bfloat16"
)
cast_shows_float32 = target(lambda: Typed(False), floats(), dtype=True)
dropout_never_on, dropout_never_on_right = (
    target(lambda kind=kind: Noisy(kind), floats(), train_flag=True) for kind in ("never", "right")
)
dropout_always_on = target(lambda: Noisy("always"), floats(), train_flag=True)
dropout_built_not_called = target(lambda: Noisy("never"), floats())

IMAGE = floats(BATCH, 2, 16, 16)
strided_convolution = target(lambda: CircularPadding(stride=2), IMAGE, shift_equivariant=True)
strided_convolution_right = target(lambda: CircularPadding(stride=2), IMAGE, shift_equivariant={"stride": 2})
strided_and_upsampled = target(lambda: CircularPadding(stride=2, up=True), IMAGE, shift_equivariant=True)
strided_and_upsampled_right = target(lambda: CircularPadding(stride=2, up=True), IMAGE, shift_equivariant={"stride": 2})
convolution_with_places = target(lambda: CircularPadding(placed=True), IMAGE, shift_equivariant=True)
convolution_with_places_right = target(lambda: CircularPadding(), IMAGE, shift_equivariant=True)
