"""AnimeGAN's, AnimeGANv2's and AnimeGANv3's networks: published sizes, the law of each part, and the way to ONNX."""

import copy
import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from sakuga.export.trace import check_parity, trace
from sakuga.networks.animegan import (
    AnimeGANDiscriminator,
    AnimeGANGenerator,
    AnimeGANv2Generator,
    InvertedResidual,
    affine_norm,
    conv,
    layer_norm,
    up,
)
from sakuga.networks.animegan3 import LADE, AnimeGANv3Discriminator, AnimeGANv3Generator, ExternalAttention
from sakuga.systems.artefact import Artefact

V1 = {"width": 4, "blocks": 1}
V2 = {"width": 4, "blocks": 2}
V3 = {"width": 4}


def count(*networks: nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def picture(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def kinds(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(m, kind) for m in network.modules())


def depthwise(network: nn.Module) -> list[nn.Conv2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (AnimeGANGenerator, 3_956_096),
        (AnimeGANv2Generator, 2_143_552),
        (AnimeGANDiscriminator, 1_128_800),
        (lambda: AnimeGANDiscriminator(norm="layer"), 1_128_800),
        (AnimeGANv3Generator, 1_557_792),
        # Weights of convolutions and of LADE's maps: 49·3·32 at first; with c = 32, 64, 128 a stage has 9·c·c + c·c
        # and 9·c·2c + 2c·2c, 32·c·c together; 256 at last. 4704 + 32·(32² + 64² + 128²) + 256.
        (AnimeGANv3Discriminator, 693_088),
    ],
)
def test_parameter_counts(network, parameters):
    assert count(network()) == parameters


def test_one_tail_at_work():
    network = AnimeGANv3Generator()
    assert count(network.base, network.main) == 1_027_520
    assert count(network.base) == 497_248
    assert count(network.support) == count(network.main) == 530_272


@pytest.mark.parametrize(
    ("network", "multiple"),
    [(AnimeGANGenerator(**V1), 4), (AnimeGANv2Generator(**V2), 4), (AnimeGANv3Generator(**V3), 8)],
)
def test_generators_keep_the_size(network, multiple):
    assert (network.multiple, network.receptive_field) == (multiple, 0)
    for height, width in ((2 * multiple, 4 * multiple), (5 * multiple, 3 * multiple)):
        stylised = network.eval()(picture(2, 3, height, width))
        assert stylised.shape == (2, 3, height, width)
        assert stylised.abs().max() <= 1


@pytest.mark.parametrize("network", [AnimeGANGenerator(**V1), AnimeGANv2Generator(**V2)])
def test_other_sizes_are_rounded_down(network):
    for size, rounded in (((33, 34), (32, 32)), ((35, 47), (32, 44))):
        assert network(picture(1, 3, *size)).shape == (1, 3, *rounded)


@pytest.mark.parametrize("size", [(36, 32), (32, 33)])
def test_v3_refuses_other_sizes(size):
    with pytest.raises(RuntimeError, match="must match"):
        AnimeGANv3Generator(**V3).eval()(picture(1, 3, *size))


@pytest.mark.parametrize(
    ("network", "step"),
    [
        (AnimeGANDiscriminator(width=2), 4),
        (AnimeGANDiscriminator(norm="layer", width=2), 4),
        (AnimeGANv3Discriminator(width=2), 8),
    ],
)
def test_score_maps(network, step):
    for height, width in ((64, 32), (57, 41)):
        scores = network(picture(2, 3, height, width))
        assert scores.shape == (2, 1, math.ceil(height / step), math.ceil(width / step))


def test_discriminator_refuses_other_norms():
    with pytest.raises(ValueError, match="norm must be 'instance' or 'layer', not 'batch'"):
        AnimeGANDiscriminator(norm="batch")


@pytest.mark.parametrize(
    "network",
    [
        AnimeGANGenerator(**V1),
        AnimeGANv2Generator(**V2),
        AnimeGANDiscriminator(width=2),
        AnimeGANv3Discriminator(width=2),
    ],
)
def test_every_parameter_learns(network):
    (network(picture(2, 3, 32, 32)) * picture(1, seed=1)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


# --- AnimeGAN and AnimeGANv2


def test_stride_two_reflects_right_and_bottom():
    """With the last tap of the kernel alone, 0 1 2 3 | 2 is read at 2 and 4."""
    halve = nn.Sequential(*conv(1, 1, stride=2))
    for tap, wanted in ((0, [0.0, 2.0]), (2, [2.0, 2.0])):
        weight = torch.zeros(1, 1, 3, 3)
        weight[..., tap, tap] = 1
        halve[-1].weight.data.copy_(weight)
        row = torch.arange(4.0).expand(1, 1, 4, 4)
        assert halve(row)[0, 0, 0].tolist() == wanted
        assert halve(row.mT)[0, 0, :, 0].tolist() == wanted


def test_resizing_is_between_pixel_centres():
    # 0 1 doubled: centres at -1/4, 1/4, 3/4, 5/4 of the small row.
    assert up()(torch.tensor([0.0, 1.0]).expand(1, 1, 2, 2))[0, 0, 0].tolist() == [0, 0.25, 0.75, 1]


def test_v1_halves_by_two_ways():
    """One way silenced, the other remains: a separable convolution of the picture resized bilinearly to a half."""
    down = AnimeGANGenerator(**V1).body[2]
    image = picture(1, 4, 18, 13)
    wanted = down.resized(F.interpolate(image, scale_factor=0.5, mode="bilinear", align_corners=False))
    assert_close(down(image), wanted + down.strided(image))
    nn.init.zeros_(down.strided[-2].weight)
    assert_close(down(image), wanted)


def test_residual_only_where_channels_agree():
    image = picture(1, 4, 8, 8)
    for channels, wanted in ((4, image), (6, torch.zeros(1, 6, 8, 8))):
        block = InvertedResidual(4, channels, norm=affine_norm)
        nn.init.zeros_(block.body[-1].weight)
        assert_close(block(image), wanted)


def test_norms_of_the_versions():
    """Per sample both; v1's keeps channels apart, v2's does not: only there a louder channel quietens the others."""
    image = picture(2, 3, 16, 16)
    louder = image * torch.tensor([1.0, 9.0, 1.0]).view(1, 3, 1, 1)
    instance, layer = affine_norm(3), layer_norm(3)
    assert_close(instance(louder)[:, 0], instance(image)[:, 0])
    assert not torch.allclose(layer(louder)[:, 0], layer(image)[:, 0], atol=0.1)
    assert_close(layer(image)[1:], layer(image[1:]))
    for norm, kind in (("instance", nn.InstanceNorm2d), ("layer", nn.GroupNorm)):
        norms = [m for m in AnimeGANDiscriminator(norm=norm, width=2).modules() if isinstance(m, kind)]
        assert [m.weight.numel() for m in norms] == [8, 16, 16]
    # One norm a unit, three a block: 9 before v1's block (two for each halving) and 7 after it, 6 before
    # v2's two blocks and 6 after them.
    assert kinds(AnimeGANGenerator(**V1), nn.InstanceNorm2d) == 9 + 3 + 7
    assert kinds(AnimeGANv2Generator(**V2), nn.GroupNorm) == 6 + 2 * 3 + 6
    # An activation after each but the blocks' last; v3 has 7 units in the base and 6 in each tail.
    assert kinds(AnimeGANGenerator(**V1), nn.LeakyReLU) == 9 + 2 + 7
    assert kinds(AnimeGANv2Generator(**V2), nn.LeakyReLU) == 6 + 2 * 2 + 6
    assert kinds(AnimeGANv3Generator(**V3), nn.LeakyReLU) == kinds(AnimeGANv3Generator(**V3), LADE) == 7 + 2 * 6
    assert (
        kinds(AnimeGANv3Discriminator(width=2), nn.LeakyReLU) == 1 + kinds(AnimeGANv3Discriminator(width=2), LADE) == 7
    )
    for network in (AnimeGANGenerator(**V1), AnimeGANv3Generator(**V3), AnimeGANDiscriminator(width=2)):
        assert {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)} == {0.2}


def test_v1_separable_convolutions_have_their_own_epsilon():
    """1e-6 as in the official code: two in each halving, one after the first, three after the blocks."""
    norms = [m for m in AnimeGANGenerator(**V1).modules() if isinstance(m, nn.InstanceNorm2d)]
    assert Counter(norm.eps for norm in norms) == {1e-6: 2 * 2 + 1 + 3, 1e-5: 5 + 3 + 3}


def test_v1_starts_as_published():
    torch.manual_seed(0)
    network = AnimeGANGenerator(blocks=2)
    blocks = [block for block in network.body if isinstance(block, InvertedResidual)]
    for layer in (layer for block in blocks for layer in depthwise(block)):
        # N(0, 0.02) cut at 2σ has a standard deviation of 0.88 · 0.02.
        assert 0.035 < layer.weight.abs().max() <= 0.04
        assert layer.weight.std().item() == pytest.approx(0.0176, rel=0.05)
    # Xavier: uniform within √(6 / (9·64 + 9·64)) for 64 to 64 channels; depthwise √(6 / (9 + 9·64)).
    assert network.body[1][1].weight.abs().max().item() == pytest.approx(math.sqrt(6 / 1152), rel=0.01)
    outer = depthwise(network.body[2].strided)[0].weight
    assert outer.abs().max().item() == pytest.approx(math.sqrt(6 / 585), rel=0.05)
    assert not any(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d))


def test_v2_starts_as_published():
    torch.manual_seed(0)
    network = AnimeGANv2Generator()
    # He: σ² = 2 / fan-in, 9·128 at the second convolution of 128 channels, 9 for a depthwise one.
    assert network.body[4][1].weight.std().item() == pytest.approx(math.sqrt(2 / 1152), rel=0.02)
    assert len(depthwise(network)) == 4
    for layer in depthwise(network):
        assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / 9), rel=0.1)
        assert layer.bias is not None
        assert not layer.bias.any()
    assert sum(m.bias is not None for m in network.modules() if isinstance(m, nn.Conv2d)) == 4


# --- AnimeGANv3


def test_lade_takes_statistics_from_its_map():
    layer = LADE(2)
    x = picture(2, 2, 5, 7) * 3 + 1
    layer.map.weight.data.copy_(torch.eye(2).view(2, 2, 1, 1))
    assert_close(layer(x), x)
    # With W = (0 2; 0 0) t is twice the second channel, and zero: so are mean and deviation of y.
    layer.map.weight.data.copy_(torch.tensor([[0.0, 2.0], [0.0, 0.0]]).view(2, 2, 1, 1))
    y = layer(x)
    assert_close(y.mean((2, 3)), torch.stack([2 * x[:, 1].mean((1, 2)), torch.zeros(2)], 1), atol=1e-5, rtol=1e-5)
    assert_close(y[:, 0].std((1, 2), correction=0), 2 * x[:, 1].std((1, 2), correction=0), atol=1e-4, rtol=1e-4)
    # ... of the second √ε = 0.00316.
    assert_close(y[:, 1].std((1, 2), correction=0), torch.full((2,), 0.00316), atol=1e-5, rtol=0)


def test_external_attention_by_hand():
    """Two positions, one channel, two units: x = (0, ln 3), M = (1, -1), W₁ = W₂ = 1.

    Unit 1 attends with e⁰ : e^ln3 = 1/4, 3/4 over the positions, unit 2 with 3/4, 1/4; at each position they sum to 1
    already. y = 1/4 - 3/4 = -1/2 and 1/2. Batch norm at its start divides by √1.001; lrelu(0 - 1/2) = -0.1.
    """
    layer = ExternalAttention(1, units=2).eval()
    for one in (layer.enter, layer.leave):
        nn.init.ones_(one.weight)
    layer.memory.data.copy_(torch.tensor([[1.0, -1.0]]))
    x = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2)
    root = math.sqrt(1.001)
    assert_close(layer(x), torch.tensor([-0.1 / root, math.log(3) + 0.5 / root]).view(1, 1, 1, 2))
    # A single unit's attention is renormalised to 1 everywhere: y = M = 2.
    layer.memory = nn.Parameter(torch.full((1, 1), 2.0))
    assert_close(layer(x), x + 2 / root, atol=1e-6, rtol=1e-6)


def test_external_attention_is_its_formula():
    """Pixel by pixel, p and q, with the same M for keys and values; and pixels in another order stay their own."""
    torch.manual_seed(0)
    layer = ExternalAttention(3, units=4).eval()
    x = picture(2, 3, 2, 5)
    q = torch.einsum("oc,nchw->nohw", layer.enter.weight[..., 0, 0], x).reshape(2, 3, 10)
    attention = torch.einsum("cu,ncp->nup", layer.memory, q).exp()
    attention = attention / attention.sum(2, keepdim=True)
    attention = attention / attention.sum(1, keepdim=True)
    y = torch.einsum("cu,nup->ncp", layer.memory, attention).reshape(2, 3, 2, 5)
    y = torch.einsum("oc,nchw->nohw", layer.leave.weight[..., 0, 0], y) / math.sqrt(1.001)
    assert_close(layer(x), F.leaky_relu(x + y, 0.2))
    assert_close(layer(x.flip(2, 3)), layer(x).flip(2, 3))
    assert_close(layer(x[1:]), layer(x)[1:])


@pytest.mark.parametrize(("network", "raw"), [(AnimeGANv3Generator, False), (AnimeGANv3Discriminator, True)])
def test_v3_starts_as_published(network, raw):
    """Xavier: uniform within √(6 / (k²·in + k²·out)); no biases."""
    torch.manual_seed(0)
    for layer in (m for m in network().modules() if isinstance(m, nn.Conv2d)):
        weight = layer.parametrizations.weight.original if raw else layer.weight
        bound = math.sqrt(6 / (layer.kernel_size[0] ** 2 * (layer.in_channels + layer.out_channels)))
        assert 0.95 * bound < weight.abs().max().item() <= bound
        assert layer.bias is None


def test_v3_paints_with_the_main_tail():
    torch.manual_seed(0)
    network = AnimeGANv3Generator(**V3).eval()
    image = picture(2, 3, 32, 48)
    support, main = network(image, both=True)
    assert_close(network(image), main)
    assert not torch.allclose(support, main, atol=1e-2)
    nn.init.zeros_(network.support.paint[0].weight)
    assert_close(network(image), main)
    network.train()
    torch.cat(network(image, both=True)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in network.main.parameters())
    assert all(p.grad is not None for p in network.parameters())


def test_v3_halves_as_if_reflected_at_top_and_left_only():
    network = AnimeGANv3Generator(**V3)
    halve = network.base[1][0]
    image = picture(1, 4, 16, 24)
    assert_close(halve(image), F.conv2d(F.pad(image, (1, 0, 1, 0), mode="reflect"), halve.weight, stride=2))


# --- Spectral norm


@pytest.mark.parametrize("build", [lambda: AnimeGANDiscriminator(width=2), lambda: AnimeGANv3Discriminator(width=2)])
def test_spectral_norm(build, tmp_path):
    torch.manual_seed(0)
    network, image = build(), picture(1, 3, 32, 32)
    for _ in range(50):
        network(image)  # each pass in training is one power iteration
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    for layer in convolutions:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
        assert layer.bias is None
    network.eval()
    wanted = network(image)
    assert_close(network(image), wanted, atol=0, rtol=0)
    torch.save(network.state_dict(), tmp_path / "scores.pt")
    other = build().eval()
    assert not torch.allclose(other(image), wanted)
    other.load_state_dict(torch.load(tmp_path / "scores.pt", weights_only=True))
    assert_close(other(image), wanted, atol=0, rtol=0)
    copied = copy.deepcopy(network)
    assert_close(copied(image), wanted, atol=0, rtol=0)
    with torch.no_grad():
        next(copied.parameters()).add_(1)
    assert_close(network(image), wanted, atol=0, rtol=0)


def test_discriminator_starts_as_published():
    torch.manual_seed(0)
    for layer in (m for m in AnimeGANDiscriminator().modules() if isinstance(m, nn.Conv2d)):
        assert layer.parametrizations.weight.original.std().item() == pytest.approx(0.02, rel=0.1)


# --- ONNX


@pytest.mark.parametrize(
    ("build", "options"), [(AnimeGANGenerator, V1), (AnimeGANv2Generator, V2), (AnimeGANv3Generator, V3)]
)
def test_export_parity(build, options):
    torch.manual_seed(0)
    network = build(**options).eval()
    if isinstance(network, AnimeGANv3Generator):
        # At its start the attention is nearly even and LADE takes its part away again: sharpen it.
        attention, image = network.main.attention, picture(1, 3, 64, 64)
        without = network(image)
        nn.init.normal_(attention.memory, std=10)
        nn.init.uniform_(attention.norm.running_mean, -0.1, 0.1)
        nn.init.uniform_(attention.norm.running_var, 0.1, 1)
        assert (network(image) - without).abs().max() > 0.1
    artefact = Artefact(network, multiple=network.multiple)
    model = trace(artefact)
    check_parity(model, artefact)  # three sizes, 1e-4
    if isinstance(network, AnimeGANv3Generator):
        weights = {tensor.name for tensor in model.graph.initializer}
        assert any(".main." in name for name in weights)
        assert not any("support" in name for name in weights)
