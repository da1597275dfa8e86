"""Residual, ConvNeXt, U-Net and feature pyramid: the published parameter counts, their equations, and odd sizes."""

import pytest
import torch
from blocks_common import parameters, seeded, train_down  # noqa: F401
from torch import nn

from convnext import ConvNeXtBlock  # isort: skip
from feature_pyramid import FeaturePyramid  # isort: skip
from residual import BasicBlock, Bottleneck, PreActivationBlock, conv3x3  # isort: skip
from unet import UNet  # isort: skip


def resnet(block, depths, widths):
    """The ResNet of He et al. 2016a around our blocks, for 1,000 classes."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    before = 64
    for stage, (depth, width) in enumerate(zip(depths, widths)):
        for number in range(depth):
            layers.append(block(before, width, stride=2 if stage and not number else 1))
            before = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 1000))


@pytest.mark.parametrize(
    ("block", "depths", "widths", "expected"),
    [
        (BasicBlock, (2, 2, 2, 2), (64, 128, 256, 512), 11_689_512),
        (BasicBlock, (3, 4, 6, 3), (64, 128, 256, 512), 21_797_672),
        (Bottleneck, (3, 4, 6, 3), (256, 512, 1024, 2048), 25_557_032),
    ],
)
def test_resnets_from_these_blocks_have_the_published_size(block, depths, widths, expected):
    with torch.device("meta"):
        model = resnet(block, depths, widths)
        assert parameters(model) == expected
        assert model(torch.empty(1, 3, 224, 224)).shape == (1, 1000)


def test_convnext_tiny_from_this_block_has_the_published_size():
    with torch.device("meta"):
        widths, stages = (96, 192, 384, 768), []
        for before, width, depth in zip((3, *widths), widths, (3, 3, 9, 3)):
            patch = 4 if before == 3 else 2
            stages += [nn.Conv2d(before, width, patch, patch), nn.LayerNorm(width if before == 3 else before)]
            stages += [ConvNeXtBlock(width) for _ in range(depth)]
        model = nn.ModuleList([*stages, nn.LayerNorm(768), nn.Linear(768, 1000)])
        assert parameters(model) == 28_589_128


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck, PreActivationBlock])
@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(8, 8, 1), (8, 16, 1), (8, 16, 2), (8, 8, 2)])
@pytest.mark.parametrize("size", [(9, 12), (1, 1)])
def test_residual_shapes(block, inputs, outputs, stride, size):
    height, width = size
    out = block(inputs, outputs, stride)(torch.randn(2, inputs, *size))
    assert out.shape == (2, outputs, -(-height // stride), -(-width // stride))


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_with_zero_init_starts_as_its_shortcut(block):
    x = torch.rand(2, 8, 5, 5)
    assert torch.equal(block(8, 8)(x), x)
    assert not torch.allclose(block(8, 8, zero_init=False)(x), x)


def test_the_basic_block_is_the_equation():
    block, x = BasicBlock(4, 6, 2, zero_init=False).eval(), torch.randn(2, 4, 6, 6)
    conv1, norm1, _, conv2, norm2 = block.body
    with torch.no_grad():
        for norm in (norm1, norm2, block.shortcut[1]):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    branch = norm2(conv2(torch.relu(norm1(conv1(x)))))
    projected = block.shortcut[1](nn.functional.conv2d(x, block.shortcut[0].weight, stride=2))
    assert torch.allclose(block(x), torch.relu(branch + projected))


def test_nothing_stands_on_the_path_of_pre_activation_blocks():
    blocks = nn.Sequential(*(PreActivationBlock(4, 4) for _ in range(30)))
    for block in blocks:
        nn.init.zeros_(block.body[-1].weight)
    x = torch.randn(2, 4, 5, 5, requires_grad=True)
    assert torch.equal(blocks(x), x)  # the values below 0 too: no activation after a sum
    blocks(x).sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_a_projection_of_a_pre_activation_block_reads_the_activated_input():
    block, x = PreActivationBlock(4, 6).eval(), -torch.rand(1, 4, 3, 3)  # all negative: the ReLU leaves nothing
    assert not block(x).any()


def test_gradients_pass_fifty_residual_layers_and_not_fifty_plain_ones():
    def first_gradient(residual):
        layers = [PreActivationBlock(8, 8) if residual else nn.Sequential(conv3x3(8, 8), nn.ReLU()) for _ in range(50)]
        x = torch.randn(4, 8, 8, 8, requires_grad=True)
        nn.Sequential(*layers)(x).square().mean().sqrt().backward()
        return x.grad.norm().item()

    plain, residual = first_gradient(False), first_gradient(True)
    assert plain < 1e-6 and residual > 1e-3


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck, PreActivationBlock, ConvNeXtBlock])
def test_one_batch_is_learned(block):
    net = block(8) if block is ConvNeXtBlock else block(8, 8)
    stem, head = nn.Conv2d(1, 8, 3, 2), nn.Linear(8, 4)
    x, y = torch.randn(16, 1, 9, 9), torch.arange(16) % 4

    def loss():
        return nn.functional.cross_entropy(head(net(stem(x)).amax((2, 3))), y)

    first, last = train_down([stem, net, head], loss, steps=120, rate=1e-2)
    assert last < 0.1 * first


def test_a_bottleneck_of_odd_width_is_refused():
    with pytest.raises(ValueError, match="4 divides, not 30"):
        Bottleneck(8, 30)


# -- ConvNeXt


def test_convnext_block_equals_that_of_transformers():
    from transformers import ConvNextConfig
    from transformers.models.convnext.modeling_convnext import ConvNextLayer

    ours, theirs = ConvNeXtBlock(8, scale=0.3), ConvNextLayer(ConvNextConfig(layer_scale_init_value=0.3), 8)
    names = {"dwconv": "depthwise", "layernorm": "norm", "pwconv1": "up", "pwconv2": "down"}
    state = {}
    for name, value in theirs.state_dict().items():
        layer, _, rest = name.partition(".")
        state["scale" if name == "layer_scale_parameter" else f"{names[layer]}.{rest}"] = value
    ours.load_state_dict(state)
    x = torch.randn(2, 8, 9, 7)
    assert torch.allclose(ours(x), theirs(x), atol=1e-6)


def test_stochastic_depth_skips_samples_and_keeps_the_mean():
    block, x = ConvNeXtBlock(4, scale=1.0, drop_path=0.4), torch.randn(1, 4, 5, 5).expand(4000, -1, -1, -1)
    full = block.eval()(x[:1]) - x[:1]
    with torch.no_grad():
        branch = block.train()(x) - x
    ratio = (branch * full).sum((1, 2, 3)) / full.square().sum()
    assert ratio.round(decimals=3).unique().tolist() == pytest.approx([0, 1.667])
    assert ratio.mean().item() == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match="below 1, not 1.0"):
        ConvNeXtBlock(4, drop_path=1.0)


# -- U-Net


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (8, 8), (9, 15), (29, 8)])
def test_unet_keeps_any_size(size):
    assert UNet(3, 2, (8, 16, 16, 16))(torch.randn(2, 3, *size)).shape == (2, 2, *size)


def test_unet_refuses_what_is_too_small_or_not_divisible():
    with pytest.raises(ValueError, match=r"4 levels need at least 8 pixels a side, not \(7, 20\)"):
        UNet(1, 1, (8, 8, 8, 8))(torch.randn(1, 1, 7, 20))
    with pytest.raises(ValueError, match="multiple of 8 groups"):
        UNet(1, 1, (8, 12))


def test_detail_passes_over_the_skips_of_the_unet():
    net, x = UNet(1, 1, (8, 8, 8)).eval(), torch.randn(1, 1, 12, 12)
    for block in net.down[1:]:
        block.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    changed = x.clone()
    changed[..., 5, 5] += 1
    assert not torch.allclose(net(x), net(changed))


def test_every_level_of_the_unet_reaches_the_output():
    net = UNet(1, 1, (8, 8, 8))
    net(torch.randn(1, 1, 12, 12)).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())


def test_unet_sees_far_only_through_its_deep_levels():
    def reach(levels):
        net, x = UNet(1, 1, (8,) * levels).eval(), torch.zeros(1, 1, 65, 65, requires_grad=True)
        for module in net.modules():  # GroupNorm looks at the whole image: leave it out of the question
            if isinstance(module, nn.GroupNorm):
                module.forward = lambda x: x
            if isinstance(module, nn.ReLU):
                module.forward = lambda x: x
        net(x)[0, 0, 32, 32].backward()
        return x.grad[0, 0, 32].nonzero().numel()

    assert reach(1) == 5 < reach(2) < reach(4) <= 65


def test_unet_learns_a_mask():
    net, x = UNet(1, 1, (8, 16)), torch.randn(4, 1, 13, 13)
    target = (nn.functional.avg_pool2d(x, 5, 1, 2) > 0).float()

    def loss():
        return nn.functional.binary_cross_entropy_with_logits(net(x), target)

    first, last = train_down([net], loss, steps=80, rate=1e-2)
    assert last < 0.2 * first


# -- feature pyramid


def levels():
    return [torch.randn(2, c, *size) for c, size in ((4, (25, 33)), (8, (13, 17)), (16, (7, 9)))]


def test_pyramid_keeps_the_sizes_and_evens_out_the_channels():
    out = FeaturePyramid((4, 8, 16), 12)(levels())
    assert [tuple(o.shape) for o in out] == [(2, 12, 25, 33), (2, 12, 13, 17), (2, 12, 7, 9)]


def test_what_is_coarse_reaches_what_is_fine_and_not_the_other_way():
    net, before = FeaturePyramid((4, 8, 16), 12), levels()
    for changed in range(3):
        after = [level + (number == changed) for number, level in enumerate(before)]
        moved = [not torch.allclose(a, b) for a, b in zip(net(before), net(after))]
        assert moved == [number <= changed for number in range(3)]


def test_pyramid_learns_and_refuses_another_number_of_levels():
    net, x = FeaturePyramid((4, 8, 16), 12), levels()
    targets = [torch.randn_like(o) for o in net(x)]

    def loss():
        return sum(nn.functional.mse_loss(o, t) for o, t in zip(net(x), targets))

    first, last = train_down([net], loss, steps=30, rate=1e-2)
    assert last < first
    with pytest.raises(ValueError, match="3 levels, but got 2"):
        net(x[:2])
